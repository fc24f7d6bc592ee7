"""Where SIP comes in: UDP, TCP and TLS.

In: bytes from sockets. Out: messages, each with a way to answer. What is no SIP is passed over.
Not known here: what the messages mean.

Bounds: 200 TCP connections; one that says nothing for an hour is closed.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import cast

from calls.ingest.messages import BadMessage
from calls.ingest.sip import SipMessage, SipStream, read_message

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 200
_IDLE_S = 3_600.0
_PIECE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message, and the way back."""

    message: SipMessage
    reply: Callable[[bytes], None]
    source: tuple[str, int]
    transport: str
    """`UDP`, `TCP` or `TLS`."""


Handle = Callable[[Arrived], None]


class _UdpDoor(asyncio.DatagramProtocol):
    def __init__(self, handle: Handle):
        self._handle = handle
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return
        try:
            message = read_message(data)
        except BadMessage as error:
            log.debug("a datagram is no SIP: %s", error.code)
            return
        self._handle(Arrived(message, partial(self._send, addr), (addr[0], addr[1]), "UDP"))

    def _send(self, addr: tuple[str, int], data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, addr)


class _TcpDoor:
    def __init__(self, handle: Handle, transport: str):
        self._handle = handle
        self._transport = transport
        self.connections: set[asyncio.Task[None]] = set()

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A new connection."""
        if len(self.connections) >= MAX_CONNECTIONS:
            writer.close()
            return
        task = asyncio.create_task(self._carry(reader, writer))
        self.connections.add(task)
        task.add_done_callback(self.connections.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = SipStream()
        peer = writer.get_extra_info("peername") or ("", 0)
        reply = partial(self._send, writer)
        try:
            while True:
                async with asyncio.timeout(_IDLE_S):
                    data = await reader.read(_PIECE_BYTES)
                if not data:
                    return
                for one in stream.read(data):
                    message = read_message(one)
                    self._handle(Arrived(message, reply, (peer[0], peer[1]), self._transport))
                await writer.drain()
        except (BadMessage, OSError, TimeoutError) as error:
            log.info("a SIP connection is closed: %s", type(error).__name__)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if not writer.is_closing():
            writer.write(data)


@asynccontextmanager
async def listening_for_sip(
    handle: Handle, *, host: str, port: int, tls_port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Take messages over UDP and TCP, and TLS where that has a port. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    doors: list[_TcpDoor] = []
    servers: list[asyncio.Server] = []
    udp, _ = await loop.create_datagram_endpoint(lambda: _UdpDoor(handle), (host, port))
    try:
        for name, at, context in (("TCP", port, None), ("TLS", tls_port, tls)):
            if at:
                doors.append(_TcpDoor(handle, name))
                servers.append(await asyncio.start_server(doors[-1].take, host, at, ssl=context))
        yield
    finally:
        udp.close()
        for server in servers:
            server.close()
        tasks = [task for door in doors for task in door.connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
