"""What is answered where a request does not fit, or the database does not take what it brings.

In: an application. Out: 422 with FastAPI's complaints under `detail`; 507 or 503 with a code; whatever
the framework refuses by itself, in our form.
Not known here: which requests there are.

A complaint repeats what was sent. Half a surrogate pair, which JSON can write and UTF-8 cannot, is answered
as JSON writes it.
"""

import json
import logging

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from knowledge_base.database import StoreFailed, has_no_room

log = logging.getLogger(__name__)

_OF_THE_FRAMEWORK = {
    400: ("request.unreadable", "请求的内容读不懂，请检查格式后再试。"),
    404: ("request.unknown_address", "没有这个地址，请检查网址。"),
    405: ("request.wrong_method", "这个地址不支持该请求方法。"),
}
"""What it says in a word, and we in a sentence."""


def add_complaints(app: FastAPI) -> None:
    """Answer every such request."""
    app.add_exception_handler(StoreFailed, _not_kept)  # type: ignore[arg-type]  # of this kind alone
    app.add_exception_handler(HTTPException, _refuse)  # type: ignore[arg-type]  # of this kind alone
    app.add_exception_handler(RequestValidationError, _complain)  # type: ignore[arg-type]  # of this kind alone


async def _complain(_request: Request, error: RequestValidationError) -> Response:
    text = json.dumps({"detail": jsonable_encoder(error.errors())})
    return Response(text, status_code=422, media_type="application/json")


async def _refuse(request: Request, error: HTTPException) -> Response:
    if isinstance(error.detail, str) and error.status_code in _OF_THE_FRAMEWORK:
        code, message = _OF_THE_FRAMEWORK[error.status_code]
        detail = {"code": code, "message": message}
        return JSONResponse({"detail": detail}, error.status_code, error.headers)
    return await http_exception_handler(request, error)


async def _not_kept(_request: Request, error: StoreFailed) -> Response:
    log.error("the database did not take a request: %s", type(error.orig).__name__)
    if has_no_room(error):
        status, code, message = 507, "system.disk_full", "磁盘已满，没有保存；请管理员清理磁盘后再试。"
    else:
        status, code, message = 503, "system.database_busy", "数据库暂时不能使用，没有保存；请稍后再试。"
    return JSONResponse({"detail": {"code": code, "message": message}}, status)
