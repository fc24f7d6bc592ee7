"""How often a person, a program and a network address may ask, by what they ask for.

In: requests and openings of sockets. Out: nothing, or a refusal with 429, `rate.limited` and `Retry-After`.
Not known here: who somebody is, what is answered.

An address is counted before anybody knows who asks, a person or program once the door knows them. Each
process counts for itself. Pages, their files, and what watches over the process are not counted; sign-ins
have a lock of their own for wrong passwords, and count for their address alone.
"""

import ipaddress
import json
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from access.rates import Rates
from access.types import AccessError, Caller
from agent_ui.transcription_answers import error_json

CLOSE_TOO_OFTEN = 4429
CODE = "rate.limited"
_SAFE = ("GET", "HEAD", "OPTIONS")
_COUNTED = re.compile(r"/v1/.*|/metrics|/openapi\.json")
_OF_OPENAI = ("/v1/audio/transcriptions",)
"""Its clients know another form of a refusal."""
_DOWNLOADS = re.compile(
    r"/v1/(audit/file|calls/(file|search|[^/]+/export)|jobs/[^/]+/results\.zip|kb/export|orders/file"
    r"|reports/[^/]+/file|supervision/handovers/file|warnings/file)"
)
_UPLOADS = re.compile(
    r"/v1/(audio/transcriptions|calls/(recorded|recordings)|departments|jobs|kb/(import|publish)|lexicon/file"
    r"|orders/[^/]+/attachments|reports)"
)


class Kind(StrEnum):
    """What a request costs."""

    READ = "read"
    CHANGE = "change"
    HEAVY = "heavy"
    SOCKET = "socket"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """How much is let through; 0 is without a limit."""

    per_minute: Mapping[Kind, int] = field(default_factory=dict)
    token_factor: int = 20
    address_factor: int = 100


class TooOften(AccessError):
    """Somebody asks faster than anybody works."""

    def __init__(self, retry_s: float):
        self.retry_s = max(1, math.ceil(retry_s))
        super().__init__(f"请求太频繁，请在 {self.retry_s} 秒后再试。", code=CODE)


def kind_of(connection: HTTPConnection) -> Kind | None:
    """What it asks for; None where that is not counted."""
    scope = connection.scope
    path: str = scope["path"]
    if scope["type"] == "websocket":
        return Kind.SOCKET
    if not _COUNTED.fullmatch(path):
        return None
    is_read = scope["method"] in _SAFE
    if (_DOWNLOADS if is_read else _UPLOADS).fullmatch(path):
        return Kind.HEAVY
    return Kind.READ if is_read else Kind.CHANGE


class Limiter:
    """Counts, and says when it is too often. Any thread may ask."""

    def __init__(
        self,
        limits: RateLimits,
        *,
        on_limited: Callable[[str, str], None] = lambda kind, by: None,
        clock: Callable[[], float] = time.monotonic,
    ):
        """`on_limited` is told the kind, and whether a `caller` or an `address` came too often."""
        self._limits = limits
        self._on_limited = on_limited
        self._clock = clock
        self._rates = Rates()

    def see_address(self, address: str, kind: Kind) -> None:
        """Count a request of that address. Raises `TooOften`."""
        self._see("address", _network_of(address), kind, self._limits.address_factor)

    def see_caller(self, caller: Caller, kind: Kind) -> None:
        """Count a request of somebody whom the door knows. Raises `TooOften`."""
        if caller.is_person:
            self._see("caller", f"person {caller.name}", kind, 1)
        else:
            which = caller.token_id if caller.token_id is not None else caller.name
            self._see("caller", f"token {which}", kind, self._limits.token_factor)

    def _see(self, by: str, who: str, kind: Kind, factor: int) -> None:
        per_minute = self._limits.per_minute.get(kind, 0) * factor
        if not per_minute:
            return
        wait_s = self._rates.wait_s((by, who, kind), per_minute, self._clock())
        if wait_s:
            self._on_limited(kind, by)
            raise TooOften(wait_s)


class RateGuard:
    """Stands before the door, and looks at addresses alone. Before the house is open nothing is counted."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] in ("http", "websocket"):
            connection = HTTPConnection(scope)
            limiter: Limiter | None = getattr(connection.app.state, "limiter", None)
            kind = kind_of(connection)
            if limiter is not None and kind is not None:
                try:
                    limiter.see_address(connection.client.host if connection.client else "", kind)
                except TooOften as error:
                    await _refuse(error, scope, receive, send)
                    return
        await self._app(scope, receive, send)


async def _refuse(error: TooOften, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with 429; a socket is not opened at all."""
    kind = "http"
    if scope["type"] == "websocket":
        await receive()  # its wish to be opened
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": CLOSE_TOO_OFTEN})
            return
        kind = "websocket.http"
    told: dict[str, Any] = {"detail": {"code": error.code, "message": error.message}}
    if scope["path"] in _OF_OPENAI:
        told |= error_json(error.message, kind="rate_limit_error", code=error.code)
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(error.retry_s).encode()),
    ]
    await send({"type": f"{kind}.response.start", "status": 429, "headers": headers})
    await send({"type": f"{kind}.response.body", "body": body})


def _network_of(address: str) -> str:
    """The address; of IPv6 the 64 bits that name a network: whoever has one has all its addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)
