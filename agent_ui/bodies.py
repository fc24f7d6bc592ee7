"""How much a request may bring with it, and how long it may keep us waiting for that.

In: requests on their way to a route. Out: the same, or 413 and 408 with a code, before it is all in memory.
Not known here: what stands in a body. Routes that take a file have limits of their own.
"""

import asyncio
import re

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 2_000_000
"""The longest article takes 0.8 MB as JSON, ten thousand words of the lexicon 1 MB."""
STALLED_AFTER_S = 30.0
"""A client that sends nothing for so long, with half of a body still to come, has gone."""
FILES = (
    "/v1/audio/transcriptions",
    "/v1/calls/recorded",
    "/v1/calls/recordings",
    "/v1/jobs",
    "/v1/kb/import",
    "/v1/lexicon/file",
)
"""Routes that count for themselves while a file comes in."""
_FILES_OF_ONE = re.compile(r"/v1/orders/[^/]+/attachments")


class BodyGuard:
    """Counts what a route receives. It raises where the route reads, so that the route can clear up."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a guard on its body."""
        if scope["type"] == "http":
            receive = _guarded(receive, scope)
        await self._app(scope, receive, send)


def _guarded(receive: Receive, scope: Scope) -> Receive:
    is_limited = scope["path"] not in FILES and not _FILES_OF_ONE.fullmatch(scope["path"])
    announced = Headers(scope=scope).get("content-length", "")
    size = int(announced) if announced.isdecimal() else 0
    is_too_large = is_limited and size > MOST_BYTES
    received, is_whole = 0, False

    async def receive_guarded() -> Message:
        nonlocal received, is_whole
        if is_whole:
            return await receive()  # whoever waits for the end of the connection may wait
        if is_too_large:
            raise _too_large()
        try:
            async with asyncio.timeout(STALLED_AFTER_S):
                message = await receive()
        except TimeoutError:
            raise HTTPException(
                408, {"code": "request.stalled", "message": "内容没有传完，请检查网络后再试。"}
            ) from None
        is_whole = not message.get("more_body", False)
        received += len(message.get("body", b""))
        if is_limited and received > MOST_BYTES:
            raise _too_large()
        return message

    return receive_guarded


def _too_large() -> HTTPException:
    message = f"内容超过 {MOST_BYTES // 1_000_000} MB，请缩短或分几次提交。"
    return HTTPException(413, {"code": "request.too_large", "message": message})
