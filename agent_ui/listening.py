"""Lets an application listen on an address until it is told to stop.

In: an ASGI application, an address. Out: the address once it listens.
Not known here: what the application does.
"""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[str], None]):
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            scheme = "https" if self.config.is_ssl else "http"
            self._on_ready(f"{scheme}://{host}:{port}")


def listen(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    max_message_bytes: int,
    on_ready: Callable[[str], None],
    certificate: tuple[Path, Path] | None = None,
    proxies: Sequence[str] = (),
) -> None:
    """Run until told to stop; a second signal ends at once. `certificate` and key make it HTTPS."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",  # its access lines would carry tokens that sockets bring in the address
        ws_max_size=max_message_bytes,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        timeout_graceful_shutdown=30,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
    _Server(config, on_ready).run()
