"""Sees what leaves the house over HTTP and sockets, and counts answers and errors.

In: messages on their way out. Out: the same, unchanged; statuses and codes to the meter.
Not known here: routes, what an error means.
"""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent_ui.meter import Meter

_LONGEST_ERROR = 4096
_OWN_CLOSES_FROM = 4000


class Counting:
    """The outermost layer. Before the house is open, and after it is closed, nothing is counted."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with an eye on what comes back."""
        meter: Meter | None = None
        if scope["type"] in ("http", "websocket"):
            meter = getattr(scope["app"].state, "meter", None)
        await self._app(scope, receive, _watched(send, meter) if meter is not None else send)


def _watched(send: Send, meter: Meter) -> Send:
    is_refusal = False

    async def send_watched(message: Message) -> None:
        nonlocal is_refusal
        match message:
            case {"type": "http.response.start", "status": int(status)}:
                meter.answered(status)
                is_refusal = status >= 400
            case {"type": "http.response.body", "body": bytes(body)} if is_refusal:
                is_refusal = False
                if (code := _code_of(body, "detail")) is not None:
                    meter.erred(code)
            case {"type": "websocket.send", "text": str(text)} if '"type": "error"' in text[:40] or (
                '"type":"error"' in text[:40]
            ):
                if (code := _code_of(text)) is not None:
                    meter.erred(code)
            case {"type": "websocket.close", "code": int(code)} if code >= _OWN_CLOSES_FROM:
                meter.erred(f"socket.{code}")
        await send(message)

    return send_watched


def _code_of(text: str | bytes, *below: str) -> str | None:
    """The `code` of one of our errors; None where it is none of ours."""
    if len(text) > _LONGEST_ERROR:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    for name in (*below, "code"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None
