"""What is answered where a request does not fit: FastAPI's own list of complaints, whatever was sent.

In: an application. Out: 422 with the complaints under `detail`.
Not known here: which requests there are.

A complaint repeats what was sent. Half a surrogate pair, which JSON can write and UTF-8 cannot, is answered
as JSON writes it.
"""

import json

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError


def add_complaints(app: FastAPI) -> None:
    """Answer every such request."""
    app.add_exception_handler(RequestValidationError, _complain)  # type: ignore[arg-type]  # of this kind alone


async def _complain(_request: Request, error: RequestValidationError) -> Response:
    text = json.dumps({"detail": jsonable_encoder(error.errors())})
    return Response(text, status_code=422, media_type="application/json")
