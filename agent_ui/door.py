"""The door: who is behind a request or a socket, and whether they may do what they ask.

In: requests and openings of sockets. Out: a `Caller`, or a refusal with a code; entries in the audit log.
Not known here: how accounts and tokens are kept, what lies behind the door.

People bring a cookie, programs a token. Somebody with a cookie must also bring the session's CSRF mark with
every request that changes something, and come from a page of ours.
"""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable

from fastapi import HTTPException, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection

from access.gate import Gate
from access.keys import csrf_of, hash_of, is_same
from access.types import LOCAL, AccessError, Caller, NotAllowed, NotSignedIn, Scope, TooManyAttempts
from agent_ui.limits import CLOSE_TOO_OFTEN, Kind, Limiter, TooOften, kind_of
from agent_ui.origins import is_asked_by_own_name, is_own_origin
from knowledge_base.database import StoreFailed

log = logging.getLogger(__name__)

CLOSE_UNAUTHORISED = 4401
CLOSE_FOREIGN_ORIGIN = 4403
CSRF_HEADER = "x-csrf-token"
_SAFE = ("GET", "HEAD", "OPTIONS")
_STATUS: dict[type[AccessError], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    TooManyAttempts: 429,
    TooOften: 429,
}


def cookie_name(connection: HTTPConnection) -> str:
    """Over HTTPS the name binds the cookie to this host and to HTTPS; a browser enforces that."""
    return "__Host-zhiting" if connection.url.scheme in ("https", "wss") else "zhiting"


def address_of(connection: HTTPConnection) -> str:
    """The network address behind a connection, as the server or a trusted proxy saw it."""
    return connection.client.host if connection.client else ""


def refusal(error: AccessError) -> HTTPException:
    """The answer to a refused request."""
    headers = None
    if isinstance(error, TooManyAttempts | TooOften):
        headers = {"Retry-After": str(round(error.retry_s))}
    status = _STATUS.get(type(error), 422)
    return HTTPException(status, {"code": error.code, "message": error.message}, headers)


class Door:
    """Lets callers in. With `gate` None the door is open: everybody on this machine may do everything."""

    def __init__(self, gate: Gate | None, limiter: Limiter | None = None):
        """Without `limiter` anybody may come as often as they like."""
        self.gate = gate
        self._limiter = limiter

    def caller(self, connection: HTTPConnection) -> Caller:
        """Who is behind it, and whether they come too often. Blocks. Raises `AccessError`."""
        caller = self._known(connection)
        if (kind := kind_of(connection)) is not None:
            self._see_rate(caller, kind)
        return caller

    def _see_rate(self, caller: Caller, kind: Kind) -> None:
        if self._limiter is not None and self.gate is not None:  # behind an open door nobody has a name
            self._limiter.see_caller(caller, kind)

    def _known(self, connection: HTTPConnection) -> Caller:
        if self.gate is None:
            if not (is_own_origin(connection) and is_asked_by_own_name(connection)):
                raise NotAllowed("不接受来自其他网站页面的请求。", code="access.foreign_origin")
            return LOCAL
        if not is_own_origin(connection):
            raise NotAllowed("不接受来自其他网站页面的请求。", code="access.foreign_origin")
        if key := _key(connection):
            return self.gate.by_key(key)
        secret = connection.cookies.get(cookie_name(connection))
        if not secret:
            raise NotSignedIn
        caller = self.gate.by_session(hash_of(secret))
        if connection.scope["type"] == "http" and connection.scope["method"] not in _SAFE:
            brought = connection.headers.get(CSRF_HEADER, "")
            if not is_same(brought, csrf_of(secret)):
                raise NotAllowed("页面已过期，请刷新后再试。", code="access.csrf")
        return caller

    def needs(self, read: Scope | None, write: Scope | None = None) -> Callable[[Request], None]:
        """Make a dependency: `read` is needed for what changes nothing, else `write` if that is given."""

        def check(request: Request) -> None:
            try:
                caller = self.caller(request)
                scope = read if request.method in _SAFE else write or read
                if scope is not None and not caller.may(scope):
                    raise NotAllowed
            except AccessError as error:
                raise refusal(error) from None
            request.state.caller = caller

        return check

    async def admit(self, socket: HTTPConnection) -> Caller | int:
        """Who opens a socket, or the code with which to close it."""
        try:
            return await asyncio.to_thread(self.caller, socket)
        except NotAllowed:
            return CLOSE_FOREIGN_ORIGIN
        except TooOften:
            return CLOSE_TOO_OFTEN
        except AccessError:
            return CLOSE_UNAUTHORISED

    async def admit_key(self, key: str) -> Caller | int:
        """Who brings that token, or the code with which to close a socket; behind an open door anybody."""
        if self.gate is None:
            return LOCAL
        try:
            return await asyncio.to_thread(self.gate.by_key, key)
        except AccessError:
            return CLOSE_UNAUTHORISED

    async def pace(self, caller: Caller) -> None:
        """Have whoever does things over an open socket wait where they do too many."""
        while True:
            try:
                self._see_rate(caller, Kind.CHANGE)
            except TooOften as error:
                await asyncio.sleep(error.retry_s)
            else:
                return

    async def still_holds(self, caller: Caller) -> bool:
        """Whether a caller with an open socket may stay."""
        return self.gate is None or await asyncio.to_thread(self.gate.still_holds, caller)

    async def note_changes(
        self, request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Put every request that changed something into the audit log, before it is answered."""
        response = await answer(request)
        caller = getattr(request.state, "caller", None)
        is_noted = getattr(request.state, "is_noted", False)
        is_read = (request.method in _SAFE and not is_noted) or getattr(
            request.state, "changes_nothing", False
        )
        if caller is None or self.gate is None or is_read or response.status_code >= 400:
            return response
        route = request.scope.get("route")
        template = getattr(route, "path", request.url.path)
        names = (*map(str, request.path_params.values()), getattr(request.state, "target", ""))
        try:
            await asyncio.to_thread(
                self.gate.note,
                caller,
                address=address_of(request),
                action=f"{request.method} {template}",
                target=" ".join(filter(None, names)),
            )
        except StoreFailed:
            log.error("a change is not in the audit log: %s %s", request.method, template)
            message = "已经保存，但审计日志写不进去；请管理员检查磁盘空间。"
            return JSONResponse({"detail": {"code": "system.not_audited", "message": message}}, 507)
        return response


def note_target(request: Request, target: str) -> None:
    """Tell the audit log what a change was about, where the path does not: names, never words or secrets."""
    request.state.target = target


def note_read(request: Request, target: str) -> None:
    """Put a request that changes nothing into the audit log as well: much leaves the house by it."""
    request.state.is_noted = True
    request.state.target = target


def change_nothing(request: Request) -> None:
    """Mark a request that only asks, although it is a POST, so that the audit log stays one of changes."""
    request.state.changes_nothing = True


async def note_changes(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Middleware: the door of the application puts changes into the audit log."""
    door: Door = request.app.state.door
    return await door.note_changes(request, answer)


def caller_of(request: Request) -> Caller:
    """The caller whom the door let in."""
    caller: Caller = request.state.caller
    return caller


def author_of(request: Request, given: str = "") -> str:
    """Who is the author of a change: the person, or whoever the program says it acts for."""
    caller = caller_of(request)
    return caller.name if caller.is_person else given.strip() or caller.name


def _key(connection: HTTPConnection) -> str:
    """The token that is brought, if any; on a socket, where not everybody sets headers, in other ways too."""
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if connection.scope["type"] != "websocket":
        return ""
    if scheme.lower() == "basic":
        return _password(value)
    return connection.headers.get("x-api-key", "") or connection.query_params.get("token", "")


def _password(basic: str) -> str:
    """The password of Basic authentication: some carriers know no other."""
    try:
        return base64.b64decode(basic.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
