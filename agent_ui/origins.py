"""Who may come in: the token rule, the same for pages, REST and sockets.

In: a request or a socket's opening. Out: nothing, or a refusal.
Not known here: accounts and roles, what lies behind the door.
"""

import secrets
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.requests import HTTPConnection

CLOSE_UNAUTHORISED = 4401
CLOSE_FOREIGN_ORIGIN = 4403


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach that address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def has_token(connection: HTTPConnection, token: str | None) -> bool:
    """Whether the caller brings the token; anyone does where none is set.

    Browsers cannot set headers on a socket, so sockets may bring it as `?token=`.
    """
    if token is None:
        return True
    scheme, _, value = connection.headers.get("authorization", "").partition(" ")
    given = value if scheme.lower() == "bearer" else ""
    if not given and connection.scope["type"] == "websocket":
        given = connection.query_params.get("token", "")
    return secrets.compare_digest(given.encode(), token.encode())


def is_own_origin(connection: HTTPConnection) -> bool:
    """Whether a page of another site is behind this; programs send no origin and may come in."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")


def is_asked_by_own_name(connection: HTTPConnection) -> bool:
    """Whether the caller named this machine as such, and not by a name that a stranger points here.

    Without a token it is the address that keeps others out; a page of another site that lets its own name
    point to 127.0.0.1 would otherwise pass for ours.
    """
    host = urlsplit(f"//{connection.headers.get('host', '')}").hostname
    return host is not None and is_loopback(host)


class TokenRule:
    """A FastAPI dependency that refuses requests without the token, and those of other sites' pages."""

    def __init__(self, token: str | None):
        self._token = token

    def __call__(self, connection: HTTPConnection) -> None:
        """Raise 401 where the token is missing or wrong, 403 where another site's page is behind it."""
        if not self._is_ours(connection):
            raise HTTPException(
                403, {"code": "access.foreign_origin", "message": "不接受来自其他网站页面的请求。"}
            )
        if not has_token(connection, self._token):
            raise HTTPException(
                401,
                {"code": "access.unauthorised", "message": "需要有效的访问令牌（Authorization: Bearer …）。"},
            )

    def close_code(self, connection: HTTPConnection) -> int | None:
        """The code with which to close a socket that may not come in, or None where it may."""
        if not self._is_ours(connection):
            return CLOSE_FOREIGN_ORIGIN
        return None if has_token(connection, self._token) else CLOSE_UNAUTHORISED

    def _is_ours(self, connection: HTTPConnection) -> bool:
        return is_own_origin(connection) and (self._token is not None or is_asked_by_own_name(connection))
