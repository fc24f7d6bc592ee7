"""Lets an application listen on an address until it is told to stop.

In: an ASGI application, an address. Out: the address once it listens.
Not known here: what the application does.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

ASKS_WITHIN_S = 30.0
"""A client that has connected and asks for nothing for so long is sent away."""


class _Protocol(H11Protocol):
    """HTTP that does not wait for ever: a client that sends half a request holds a place for nothing."""

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self._looking: asyncio.TimerHandle | None = None
        self._answered: object = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        self._look_no_more()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._look_no_more()  # the timer would keep all of it for half a minute
        super().handle_websocket_upgrade(event)

    def _look_no_more(self) -> None:
        if self._looking is not None:
            self._looking.cancel()

    def _look_later(self) -> None:
        self._looking = self.loop.call_later(ASKS_WITHIN_S, self._look)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and self.cycle is self._answered:  # nothing was asked since the last look
            self.transport.close()
            return
        self._answered = self.cycle
        self._look_later()


class _Server(uvicorn.Server):
    """Says where it listens once it does, and finishes what goes on before it stops."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[str], None],
        drain: Callable[[], Coroutine[Any, Any, None]] | None,
    ):
        super().__init__(config)
        self._on_ready = on_ready
        self._drain = drain
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            scheme = "https" if self.config.is_ssl else "http"
            self._on_ready(f"{scheme}://{host}:{port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain at the first signal, stop at the second one."""
        if self._drain is None or self._loop is None or self._draining is not None:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self._begin_to_drain, sig, frame)

    def _begin_to_drain(self, sig: int, frame: FrameType | None) -> None:
        if self._drain is None or self._draining is not None:
            return

        async def drain(work: Coroutine[Any, Any, None]) -> None:
            try:
                await work
            finally:
                self.handle_exit(sig, frame)

        self._draining = asyncio.create_task(drain(self._drain()), name="drain")


def configured(app: ASGIApp, *, host: str, port: int, max_message_bytes: int, **more: Any) -> uvicorn.Config:
    """How every server of the house listens; `more` is for uvicorn."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=_Protocol,
        log_config=None,  # its lines are written like ours
        log_level="warning",  # its access lines would carry tokens that sockets bring in the address
        ws_max_size=max_message_bytes,
        ws_ping_interval=10.0,  # docs/deploy/nginx: what is not pinged for longer has lost its server
        ws_ping_timeout=20.0,
        **more,
    )


def listen(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    max_message_bytes: int,
    on_ready: Callable[[str], None],
    certificate: tuple[Path, Path] | None = None,
    fit_tls: Callable[[ssl.SSLContext], None] = lambda context: None,
    proxies: Sequence[str] = (),
    drain: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Run until told to stop; a second signal ends at once. `certificate` and key make it HTTPS.

    `fit_tls` says how it is encrypted.

    `drain` is awaited between the signal and the stop; everything answers as before meanwhile.
    """
    config = configured(
        app,
        host=host,
        port=port,
        max_message_bytes=max_message_bytes,
        timeout_graceful_shutdown=30,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
    config.load()
    if config.ssl is not None:
        fit_tls(config.ssl)
    _Server(config, on_ready, drain).run()
