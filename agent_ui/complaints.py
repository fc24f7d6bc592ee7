"""What is answered where a request does not fit, or the database does not take what it brings.

In: an application. Out: 422 with FastAPI's complaints under `detail`; 507 or 503 with a code.
Not known here: which requests there are.

A complaint repeats what was sent. Half a surrogate pair, which JSON can write and UTF-8 cannot, is answered
as JSON writes it.
"""

import json
import logging

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from knowledge_base.database import StoreFailed, has_no_room

log = logging.getLogger(__name__)


def add_complaints(app: FastAPI) -> None:
    """Answer every such request."""
    app.add_exception_handler(StoreFailed, _not_kept)  # type: ignore[arg-type]  # of this kind alone
    app.add_exception_handler(RequestValidationError, _complain)  # type: ignore[arg-type]  # of this kind alone


async def _complain(_request: Request, error: RequestValidationError) -> Response:
    text = json.dumps({"detail": jsonable_encoder(error.errors())})
    return Response(text, status_code=422, media_type="application/json")


async def _not_kept(_request: Request, error: StoreFailed) -> Response:
    log.error("the database did not take a request: %s", type(error.orig).__name__)
    if has_no_room(error):
        status, code, message = 507, "system.disk_full", "磁盘已满，没有保存；请管理员清理磁盘后再试。"
    else:
        status, code, message = 503, "system.database_busy", "数据库暂时不能使用，没有保存；请稍后再试。"
    return JSONResponse({"detail": {"code": code, "message": message}}, status)
