"""Telephone systems in small: each plays a recording to a server in the protocol of one carrier.

In: a recording, a server, what to do to the packets. Out: what the server sent back.
Not known here: how the server reads the protocols.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from scripts.caller_sounds import Impairment
from scripts.replay import ReplayFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a call is to be played."""

    carrier: str
    server: str
    """`http://host:port`, as a browser would name it."""
    token: str | None = None
    speed: float = 1.0
    key: str = field(default_factory=lambda: f"sim-{secrets.token_hex(6)}")
    """By which the carrier knows the call."""
    ports: tuple[int, ...] = ()
    """Ports of a carrier that does not come over a websocket: the citizen's, the operator's."""
    operator_id: str | None = None
    caller: str | None = None
    dialled: str | None = None
    encoding: str | None = None
    """`mulaw`, `alaw` or `pcm_s16le`; None: what the carrier usually sends."""
    secret: str | None = None
    """What signs the connection, in base64, for carriers that do."""
    impairment: Impairment = field(default_factory=Impairment)
    break_at_s: float | None = None
    """Where the connection is cut without a word; what follows is sent on a new one."""
    away_s: float = 1.0
    """How long it stays away then."""
    on_progress: Callable[[float], None] = lambda media_s: None

    def fields(self) -> dict[str, str]:
        """What a carrier sends along about the call."""
        named = {"operator_id": self.operator_id, "caller": self.caller, "dialled": self.dialled}
        return {name: value for name, value in named.items() if value is not None}


@dataclass(slots=True)
class Heard:
    """What came back from the server."""

    key: str
    """By which the carrier knew the call in the end."""
    texts: list[dict[str, Any]] = field(default_factory=list)
    close_code: int | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with every message and with the close."""


class Pace:
    """Sends at the speed of speech: sound leaves when it has been spoken, not before."""

    def __init__(self, speed: float):
        self._speed = speed
        self._begun_s = time.monotonic()

    async def until(self, media_s: float) -> None:
        """Wait for that moment of the recording."""
        await asyncio.sleep(max(0.0, self._begun_s + media_s / self._speed - time.monotonic()))


@asynccontextmanager
async def connected(
    plan: Plan,
    heard: Heard,
    *,
    query: str = "",
    headers: dict[str, str] | None = None,
    subprotocol: str | None = None,
) -> AsyncIterator[ClientConnection]:
    """A connection of that carrier, and somebody who reads along. Raises `ReplayFailed`."""
    url = plan.server.rstrip("/").replace("http", "ws", 1) + f"/v1/lines/{plan.carrier}{query}"
    try:
        socket = await connect(
            url,
            additional_headers=headers,
            subprotocols=[Subprotocol(subprotocol)] if subprotocol else None,
            max_size=None,
            compression=None,
        )
    except (OSError, ConnectionClosed) as error:
        raise ReplayFailed(f"no connection to {plan.server}: {error}") from error
    reading = asyncio.create_task(_read(socket, heard))
    try:
        yield socket
    finally:
        await socket.close()
        await reading


async def _read(socket: ClientConnection, heard: Heard) -> None:
    with suppress(ConnectionClosed):
        async for message in socket:
            if isinstance(message, str):
                heard.texts.append(json.loads(message) if message.startswith("{") else {"text": message})
                heard.arrived.set()
    heard.close_code = socket.close_code
    heard.arrived.set()


async def until_closed(socket: ClientConnection, *, wait_s: float = 120.0) -> None:
    """Wait until the server closes. Raises `ReplayFailed` where it does not, or closes in disorder."""
    try:
        async with asyncio.timeout(wait_s):
            await socket.wait_closed()
    except TimeoutError:
        raise ReplayFailed("the server did not close after the end of the call") from None
    refuse_disorder(socket)


def refuse_disorder(socket: ClientConnection) -> None:
    """Raises `ReplayFailed` where the server has closed because it would not go on."""
    if socket.close_code not in (None, 1000):
        raise ReplayFailed(f"the server closed with {socket.close_code} {socket.close_reason or ''}".strip())


def cut(socket: ClientConnection) -> None:
    """Break the connection as a network does it: without a word."""
    socket.transport.abort()
