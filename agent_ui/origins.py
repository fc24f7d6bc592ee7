"""Where a request comes from: this machine or another, a page of ours or of somebody else.

In: a request or a socket's opening. Out: yes or no.
Not known here: who is behind it.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach that address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_own_origin(connection: HTTPConnection) -> bool:
    """Whether a page of ours is behind this; programs send no origin and may come in."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")


def is_asked_by_own_name(connection: HTTPConnection) -> bool:
    """Whether the caller named this machine as such, and not by a name that a stranger points here.

    Behind an open door it is the address that keeps others out; a page of another site that lets its own name
    point to 127.0.0.1 would otherwise pass for ours.
    """
    host = urlsplit(f"//{connection.headers.get('host', '')}").hostname
    return host is not None and is_loopback(host)
