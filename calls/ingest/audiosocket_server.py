"""Listens for Asterisk's AudioSocket: each connection brings one leg of a call.

In: TCP connections. Out: legs, joined to calls by the UUID that each line begins with, or by what was
announced of it.
Not known here: how packets are written, how legs are laid together, recognition.

Asterisk says nothing at the end but closes: a hang-up. A connection that breaks or falls silent leaves
its call open, to be taken up by a new one. The protocol has no words for a refusal but the hang-up itself.
Bounds: 2,000 lines, of which 100 have not said yet who they are and have 10 s to do so.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from asr.types import Party
from calls.ingest.announcing import Announcements
from calls.ingest.audiosocket import (
    CALLER_LEFT,
    Failed,
    HungUp,
    Identity,
    Packet,
    PacketReader,
    Pcm,
    Unknown,
    hang_up_packet,
)
from calls.ingest.legs import JoinedCalls, Leg, LegPlan
from calls.ingest.messages import BadMessage
from calls.ingest.peers import Network, may_come
from calls.types import CallError, HouseFull

log = logging.getLogger(__name__)

_PIECE_BYTES = 65_536
_MAX_UNKNOWN = 100
_LINGERS_FOR_S = 1.0


class Uninvited(CallError):
    """Nobody announced the line, or it comes from elsewhere."""

    code = "access.unauthorised"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioSocketOptions:
    """Where lines are taken, and from whom."""

    host: str
    ports: Sequence[tuple[int, Party]]
    """Each with the party that is heard there, where an announcement does not say otherwise."""
    networks: Sequence[Network] = ()
    """Where lines may come from; none: from everywhere."""
    is_announced_only: bool = False
    """Whether only lines that were announced are taken."""
    idle_s: float = 1800.0
    """Seconds without a packet after which a line is given up."""
    identity_within_s: float = 10.0
    max_lines: int = 2_000
    max_nameless: int = 100

    @property
    def parties(self) -> tuple[Party, ...]:
        """Everybody who is heard on one port or the other."""
        return tuple(dict.fromkeys(party for _, party in self.ports))


class AudioSocketServer:
    """All lines of all ports."""

    def __init__(
        self,
        options: AudioSocketOptions,
        calls: JoinedCalls,
        announcements: Announcements,
        clock: Callable[[], datetime],
    ):
        self.options = options
        self.calls = calls
        self._announcements = announcements
        self._clock = clock
        self._lines: set[asyncio.Task[None]] = set()
        self.nameless = 0

    @property
    def lines(self) -> int:
        """How many connections there are."""
        return len(self._lines)

    def take(self, party: Party, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection, from its first byte to its last."""
        line = _Line(self, party, reader, writer)
        self._lines.add(line.task)
        line.task.add_done_callback(self._lines.discard)

    async def close(self) -> None:
        """Let all lines go; their calls stay open to be taken up."""
        lines = list(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    def check_peer(self, address: str) -> None:
        """Raises `Uninvited`, `HouseFull` where a line from there cannot be taken now."""
        options = self.options
        if not may_come(address, options.networks):
            raise Uninvited("这个地址不在允许接入的范围内。")
        if self.lines > options.max_lines or self.nameless >= options.max_nameless:
            raise HouseFull("AudioSocket 线路已达上限。")

    def plan_of(self, uuid: UUID, party: Party) -> LegPlan:
        """Where a line belongs. Raises `Uninvited`."""
        announced = self._announcements.find(str(uuid), self._clock())
        if announced is None:
            if self.options.is_announced_only:
                raise Uninvited("没有登记过这个 UUID。")
            return LegPlan(key=str(uuid), party=party, parties=self.options.parties)
        return LegPlan(
            key=announced.key,
            party=announced.party or party,
            parties=announced.parties or self.options.parties,
            fields=announced.fields,
        )


class _Line:
    """One connection."""

    def __init__(
        self,
        server: AudioSocketServer,
        party: Party,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ):
        self._server = server
        self._party = party
        self._reader = reader
        self._writer = writer
        self.task = asyncio.create_task(self._carry())
        self._leg: Leg | None = None
        self._is_hung_up = False
        self._is_cut = False
        self._unknown = 0

    def cut(self) -> None:
        """Another line brings the leg now, or the call does not go on here."""
        self._is_cut = True
        self.task.cancel()

    async def _carry(self) -> None:
        """Carry the line to its end; nothing of it gets further than here."""
        try:
            await self._run()
        except CallError as error:
            log.info("an AudioSocket line of call %s is refused: %s", self._call_id, error.code)
            self._refuse()
            await self._linger()
        except TimeoutError:
            log.info("an AudioSocket line of call %s was silent for too long", self._call_id)
            self._refuse()
        except OSError as error:
            log.info("an AudioSocket line of call %s broke: %s", self._call_id, type(error).__name__)
        except asyncio.CancelledError:
            self._refuse()
            if not self._is_cut:
                raise
        except Exception as error:  # the socket's edge: other lines go on
            log.error("an AudioSocket line broke", exc_info=error)
            self._refuse()
        finally:
            await self._let_go()

    @property
    def _call_id(self) -> str:
        return self._leg.call_id if self._leg else "-"

    async def _run(self) -> None:
        peer = self._writer.get_extra_info("peername")
        self._server.check_peer(peer[0] if peer else "")
        _notice_dead_peers(self._writer)
        packets = self._packets()
        self._server.nameless += 1
        try:
            async with asyncio.timeout(self._server.options.identity_within_s):
                first = await anext(packets, None)
        finally:
            self._server.nameless -= 1
        if first is None:
            return
        assert isinstance(first, Identity), "the reader sees to that"
        plan = self._server.plan_of(first.uuid, self._party)
        async for packet in packets:
            match packet:
                case Pcm(rate_hz=rate_hz, data=data):
                    if self._leg is None:
                        self._leg = await self._server.calls.join(plan, rate_hz, self)
                    await self._leg.take(rate_hz, data)
                case HungUp():
                    break
                case Failed(code=code):
                    log.info("a line of call %s reports error %d", self._call_id, code)
                    if code != CALLER_LEFT:
                        return
                    break
                case Identity(uuid=uuid) if uuid != first.uuid:
                    raise BadMessage("同一连接的 UUID 变了。")
                case Unknown():
                    self._unknown += 1
                    if self._unknown > _MAX_UNKNOWN:
                        raise BadMessage("收到太多不认识的包，这不是 AudioSocket。")
        self._is_hung_up = True

    async def _packets(self) -> AsyncIterator[Packet]:
        """Every packet, until the other side closes. Raises `OSError`, `TimeoutError`, `BadMessage`."""
        reader = PacketReader()
        while True:
            async with asyncio.timeout(self._server.options.idle_s):
                data = await self._reader.read(_PIECE_BYTES)
            if not data:
                return
            for packet in reader.read(data):
                yield packet

    def _refuse(self) -> None:
        with suppress(OSError, RuntimeError):
            self._writer.write(hang_up_packet())

    async def _linger(self) -> None:
        """Let the refusal arrive: a connection that is closed with unread sound is reset instead."""
        with suppress(OSError, RuntimeError, TimeoutError):
            self._writer.write_eof()
            async with asyncio.timeout(_LINGERS_FOR_S):
                while await self._reader.read(_PIECE_BYTES):
                    pass

    async def _let_go(self) -> None:
        self._writer.close()
        try:
            if self._leg is not None:
                await self._leg.leave(is_hung_up=self._is_hung_up)
        finally:
            with suppress(OSError):
                await self._writer.wait_closed()


def _notice_dead_peers(writer: asyncio.StreamWriter) -> None:
    """Let the system ask, after 30 s of silence, whether the other side is still there."""
    line = writer.get_extra_info("socket")
    with suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if (option := getattr(socket, name, None)) is not None:
                line.setsockopt(socket.IPPROTO_TCP, option, value)


@asynccontextmanager
async def listening_for_audiosocket(server: AudioSocketServer) -> AsyncIterator[None]:
    """Take lines on every port. Raises `OSError` where a port cannot be had."""
    listening: list[asyncio.Server] = []
    try:
        for port, party in server.options.ports:
            take = partial(server.take, party)
            listening.append(
                await asyncio.start_server(take, server.options.host, port, limit=2 * _PIECE_BYTES)
            )
        yield
    finally:
        for one in listening:
            one.close()
        await server.close()
