"""A call whose legs arrive as RTP: from its ports to the switchboard.

In: datagrams, holds and the end. Out: sound in order of media time; the end of the call.
Not known here: how the call was agreed upon (SIP, HTTP).

Bound: 1,000 datagrams of a call wait to be taken; then the oldest are dropped and counted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from calls.ingest.exchange import Exchange, within
from calls.ingest.intake import Intake
from calls.ingest.messages import BadMessage
from calls.ingest.rtp import CallClock, Codec, RtpStream, read_packet
from calls.ingest.rtp_ports import RtpPort, RtpPorts
from calls.ingest.rules import CarrierRules, seat_in
from calls.ingest.signals import Begin, Hold
from calls.ingest.srtp import Crypto, Unsealer
from calls.session import Session
from calls.types import CallBroken, CallError, EndReason, StorageFailed

log = logging.getLogger(__name__)

MAX_WAITING = 1_000
_LETS_GO_WITHIN_S = 10.0
_LAST_PACKETS_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class LegCodecs:
    """What is taken on one leg."""

    codecs: Mapping[int, Codec]
    other: Codec | None = None


@dataclass(slots=True)
class _Port:
    """A port and the leg that it brings; its leg may be changed while it listens."""

    port: RtpPort
    legs: Mapping[int | None, RtpStream]
    """By SSRC; None: whatever comes."""
    unsealer: Unsealer | None = None
    """Where the sound is encrypted."""


class RtpCall:
    """One call; `run` is the body of its task."""

    def __init__(self, exchange: Exchange, *, carrier: str, rules: CarrierRules, begin: Begin, idle_s: float):
        self.begin = begin
        self.session: Session | None = None
        self.is_over = asyncio.Event()
        self.dropped = 0
        self._exchange = exchange
        self._carrier = carrier
        self._rules = rules
        self._idle_s = idle_s
        self._clock = CallClock()
        self._ports: list[_Port] = []
        self._streams: list[RtpStream] = []
        self._bad = 0
        self._waiting: deque[tuple[_Port, bytes, float]] = deque()
        self._arrived = asyncio.Event()
        self._has_ended = False
        self._held_since_s: float | None = None
        self._running: asyncio.Task[None] | None = None
        self._seat = seat_in(begin.fields, rules)

    @property
    def call_id(self) -> str:
        """Of the call, once it is open."""
        return self.session.call.call_id if self.session else "-"

    async def listen(self, ports: RtpPorts, legs: Mapping[str, LegCodecs]) -> int:
        """Open a port for these tracks; several are told apart by the SSRC that they are named after.

        Returns the port. Raises `HouseFull`.
        """
        streams: dict[int | None, RtpStream] = {}
        for name, leg in legs.items():
            track, _, ssrc = name.partition("#")
            stream = RtpStream(
                track=track,
                codecs=leg.codecs,
                other=leg.other,
                encoding=self.begin.encoding,
                clock=self._clock,
            )
            streams[int(ssrc) if ssrc else None] = stream
            self._streams.append(stream)
        port = await ports.open(lambda data, arrived_s: self._take(one, data, arrived_s))
        one = _Port(port, streams)
        self._ports.append(one)
        return port.port

    def unseal(self, port: int, crypto: Crypto | None) -> None:
        """The sound on that port is encrypted in that way from now on, or not at all."""
        for one in self._ports:
            if one.port.port == port and crypto != (one.unsealer.crypto if one.unsealer else None):
                one.unsealer = Unsealer(crypto) if crypto else None

    def recode(self, track: str, codecs: Mapping[int, Codec]) -> None:
        """The other side writes a track in another way from now on."""
        for stream in self._streams:
            if stream.track == track:
                stream.codecs = codecs

    def expect_another_source(self, port: int) -> None:
        """The other side says that it will send to that port from elsewhere."""
        for one in self._ports:
            if one.port.port == port:
                one.port.expect_another()

    async def retell(self, fields: Mapping[str, Any]) -> None:
        """What is said of the call now; a seat that differs from what was said before takes it over.

        Raises `StorageFailed`.
        """
        seat = seat_in(fields, self._rules)
        if seat is None or seat == self._seat:
            return
        if self.session is not None:
            await self._exchange.hand_over(self.session, seat)
        self.begin = replace(self.begin, fields=fields)
        self._seat = seat

    def _take(self, port: _Port, data: bytes, arrived_s: float) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append((port, data, arrived_s))
        self._arrived.set()

    def hold(self, *, is_on: bool) -> None:
        """Music, or nothing, instead of the other party: media time stops until it is over."""
        now_s = asyncio.get_running_loop().time()
        if is_on and self._held_since_s is None:
            self._held_since_s = now_s
        elif not is_on and self._held_since_s is not None:
            self._clock.skip(now_s - self._held_since_s)
            self._held_since_s = None
            for stream in self._streams:
                stream.rebase()
        self._arrived.set()

    def end(self) -> None:
        """The other side says that the call is over."""
        self._has_ended = True
        self._arrived.set()

    async def give_up(self) -> None:
        """Let go of the call for another connection that brings it now."""
        if self._running is not None:
            self._running.cancel()
        await within(_LETS_GO_WITHIN_S, self.is_over)

    async def open(self) -> Session:
        """Open the call, or take it up where it is still open. Raises `CallError`s."""
        self.session = await self._exchange.open(self, self._carrier, self.begin, self._rules)
        return self.session

    def start(self, on_over: Callable[[], None]) -> asyncio.Task[None]:
        """Carry the call until it ends; a call that is not open yet begins with its first packet."""
        self._running = asyncio.create_task(self.run())
        self._running.add_done_callback(lambda _: on_over())
        return self._running

    async def run(self) -> None:
        """Carry the call; nothing of it gets further than here."""
        try:
            if self.session is None:
                if not await self._something_arrives() or self._has_ended:
                    return
                await self.open()
            await self._carry()
        except CallError as error:
            log.warning("an RTP call of %s is not taken: %s", self._carrier, error.code)
        except Exception as error:  # the call's edge: other calls go on
            log.error("an RTP call of %s broke", self._carrier, exc_info=error)
        finally:
            self.close()
            self.is_over.set()

    def close(self) -> None:
        """Give the ports back."""
        for one in self._ports:
            one.port.close()

    async def _carry(self) -> None:
        assert self.session is not None
        session, board = self.session, self._exchange.switchboard
        intake = Intake(session, board, self.begin)
        is_lost = True
        try:
            await self._talk(session, intake)
            if not session.is_ending:
                await intake.flush()
            await board.hang_up(session)
            is_lost = False
        except CallError as error:
            log.warning("call %s breaks off: %s", self.call_id, error.code)
        except Exception as error:  # the call's edge: other calls go on
            log.error("call %s broke on its way in", self.call_id, exc_info=error)
        finally:
            if is_lost:
                await self._lose(session, intake)
            self._exchange.leave(self.call_id, self)
            log.info(
                "RTP of call %s is over: %s, %s, %d bad, %d dropped, %d strangers",
                self.call_id,
                intake.counts,
                [stream.counts for stream in self._streams],
                self._bad,
                self.dropped,
                sum(one.port.strangers for one in self._ports),
            )

    async def _talk(self, session: Session, intake: Intake) -> None:
        """Take packets until the end, or until nothing has come for too long."""
        is_held = False
        while True:
            while self._waiting:
                arrived = self._waiting.popleft()
                if not is_held:
                    await self._hear(*arrived, intake)
            if (self._held_since_s is not None) != is_held:
                is_held = not is_held
                await intake.take(Hold(is_held))
            if session.is_ending:
                return
            if self._has_ended:
                # What was said last may still be on its way.
                await asyncio.sleep(_LAST_PACKETS_S)
                while self._waiting and not is_held:
                    await self._hear(*self._waiting.popleft(), intake)
                return
            if not await self._something_arrives():
                log.info("call %s was silent for too long", self.call_id)
                session.end(EndReason.LOST)
                return

    async def _something_arrives(self) -> bool:
        """Wait for a packet, a hold or the end; False where none comes."""
        if self._waiting or self._has_ended:
            return True
        self._arrived.clear()
        try:
            async with asyncio.timeout(self._idle_s):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    async def _hear(self, port: _Port, data: bytes, arrived_s: float, intake: Intake) -> None:
        opened = port.unsealer.opened(data) if port.unsealer else data
        try:
            packet = read_packet(opened or b"")
        except BadMessage:
            self._bad += 1
            return
        stream = port.legs.get(packet.ssrc) or port.legs.get(None)
        sound = stream.take(packet, arrived_s) if stream else None
        if sound is not None:
            await intake.take(sound)

    async def _lose(self, session: Session, intake: Intake) -> None:
        try:
            with suppress(CallBroken):
                if not session.is_ending:
                    await intake.flush()
            await self._exchange.switchboard.lose(session)
        except StorageFailed as error:
            log.warning("the loss of call %s is not on record: %s", self.call_id, error.code)
