"""Carries one call of any carrier from a websocket into the switchboard.

In: an accepted socket, a reader of its protocol. Out: sound in order, and the carrier told in its own words
what became of it.
Not known here: a protocol's messages (a reader knows them), recognition, screens, who may come in (`admit`).

A line that vanishes leaves its call open; the same call on a new connection takes it up, also while nobody
has noticed yet that the old one is dead. Only an end, an orderly close where that is all a protocol has, or
long silence ends a call.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect

from asr.types import Segment
from calls.ingest.echoes import Echo
from calls.ingest.exchange import Exchange, within
from calls.ingest.intake import Intake
from calls.ingest.messages import BadMessage
from calls.ingest.parting import BROKEN, ORDERLY, close_code_in
from calls.ingest.rules import CarrierRules
from calls.ingest.signals import Answer, Begin, End, Reader, Signal
from calls.ingest.websocket import CLOSE_CODES, START_WITHIN_S
from calls.session import Session
from calls.types import CallBroken, CallConflict, CallError, EndReason, StorageFailed

log = logging.getLogger(__name__)

CLOSE_STRANGER = 4401
_LAST_WORDS_S = 4.0
"""So long a carrier waits for the last words; then it is told that the call is over, and they come later."""
_PARTIALS_S = 0.25
"""Text that may still change is sent back four times a second at most: carriers count messages."""
_LINGER_S = 5.0
_TAKE_OVER_S = 10.0
_GONE = (WebSocketDisconnect, RuntimeError)
"""What sending to a carrier that has left raises."""
_BROKEN = CallBroken("服务内部出错，线路已断开，可以重连。")

Admit = Callable[[str | None], Awaitable[bool]]
"""Whether whoever brings that token, or none, may bring calls."""


class Stranger(CallError):
    """Nobody knows who brings this line."""

    code = "access.unauthorised"


class CarriedLine:
    """One connection of a carrier."""

    def __init__(
        self,
        socket: WebSocket,
        reader: Reader,
        exchange: Exchange,
        *,
        carrier: str,
        rules: CarrierRules,
        admit: Admit,
    ):
        self._socket = socket
        self._reader = reader
        self._exchange = exchange
        self._carrier = carrier
        self._rules = rules
        self._admit = admit
        self._talking: asyncio.Task[EndReason] | None = None
        self._is_given_up = False
        self._is_over = asyncio.Event()
        self._sending = asyncio.Lock()
        self._bad = 0

    async def give_up(self) -> None:
        """Let go of the call for another connection that brings it now."""
        self._is_given_up = True
        if self._talking is not None:
            self._talking.cancel()
        await within(_TAKE_OVER_S, self._is_over)

    async def run(self) -> None:
        """Carry a call until it ends, fails or vanishes."""
        try:
            await self._run()
        finally:
            self._is_over.set()

    async def _run(self) -> None:
        try:
            begin, early = await self._await_begin()
            if not await self._admit(begin.token):
                raise Stranger("没有有效的令牌或签名，线路被拒绝。")
            if begin.is_probe:
                await self._say(self._reader.opened(0.0))
                await self._linger()
                return
            session = await self._exchange.open(self, self._carrier, begin, self._rules)
        except WebSocketDisconnect:
            return
        except CallError as error:
            await self._refuse(error)
            return
        except Exception as error:  # the socket's edge, as below
            log.error("a line of %s broke before its call", self._carrier, exc_info=error)
            await self._refuse(_BROKEN)
            return
        call_id = session.call.call_id
        intake = Intake(session, self._exchange.switchboard, begin)
        try:
            with self._exchange.echoes.of(call_id) as echo:
                await self._carry(session, intake, early, echo)
        finally:
            self._exchange.leave(call_id, self)
            counts = f"{intake.counts}, {intake.foreign} foreign, {self._bad} bad"
            log.info("a line of call %s is over: %s", call_id, counts)

    async def _await_begin(self) -> tuple[Begin, list[Signal]]:
        """Read until a stream begins; also what the same message said after that."""
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while True:
                    signals = list(self._reader.read(await self._receive()))
                    for n, signal in enumerate(signals):
                        if isinstance(signal, Begin):
                            return signal, signals[n + 1 :]
                        if isinstance(signal, Answer):
                            await self._say([signal.text])
                        if isinstance(signal, End):
                            await self._close(1000, self._reader.ended())
                            raise WebSocketDisconnect(1000)
        except TimeoutError:
            why = f"{START_WITHIN_S:.0f} 秒内没有收到通话开始的消息。"
            raise BadMessage(why, code="call.not_started") from None

    async def _carry(self, session: Session, intake: Intake, early: list[Signal], echo: Echo) -> None:
        """Carry an open call; a broken one is told to the carrier, a vanished line leaves it open."""
        board = self._exchange.switchboard
        telling = asyncio.create_task(self._tell(echo)) if self._reader.wants_news else None
        try:
            await self._say(self._reader.opened(session.line.received_s))
            self._talking = asyncio.create_task(self._talk(session, intake, early))
            if self._is_given_up:
                self._talking.cancel()
            reason = await self._talking
            await self._end(session, reason, echo, telling)
        except asyncio.CancelledError:
            await self._lose(session)
            if not self._is_given_up:
                raise
            await self._close(CLOSE_CODES[CallConflict], ())
        except WebSocketDisconnect as gone:
            if self._reader.ends_on_close and gone.code in ORDERLY:
                with suppress(CallError):  # it is on record as far as it goes, and nobody is there to be told
                    await board.hang_up(session)
            else:
                await self._lose(session)
        except CallError as error:
            await self._lose(session)
            await self._refuse(error)
        except Exception as error:  # the socket's edge: a carrier is told, its call not held for ever
            log.error("a line of %s broke", self._carrier, exc_info=error)
            await self._lose(session)
            await self._refuse(_BROKEN)
        finally:
            if telling is not None:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)

    async def _talk(self, session: Session, intake: Intake, early: list[Signal]) -> EndReason:
        """Act on messages until the end. Raises `WebSocketDisconnect` when the line vanishes."""
        try:
            is_over = await self._act(early, intake)
            while not is_over:
                try:
                    async with asyncio.timeout(self._exchange.idle_s):
                        message = await self._receive()
                except TimeoutError:
                    log.info("the line of call %s was silent for too long", session.call.call_id)
                    return EndReason.LOST
                try:
                    signals = self._reader.read(message)
                except BadMessage as error:
                    self._bad += 1
                    if self._bad == 1:
                        call_id = session.call.call_id
                        log.warning(
                            "a message of call %s is none of %s: %s", call_id, self._carrier, error.code
                        )
                    continue
                is_over = await self._act(signals, intake)
            return EndReason.HANGUP
        finally:
            if not session.is_ending:
                await intake.flush()

    async def _act(self, signals: Iterable[Signal], intake: Intake) -> bool:
        """Do what the carrier says; returns whether that was the end."""
        for signal in signals:
            if isinstance(signal, End):
                return True
            if isinstance(signal, Answer):
                await self._say([signal.text])
            elif isinstance(signal, Begin):
                self._bad += 1
            else:
                await intake.take(signal)
        return False

    async def _end(
        self, session: Session, reason: EndReason, echo: Echo, telling: asyncio.Task[None] | None
    ) -> None:
        """Hang up and say so; a carrier does not wait for ever, the last words are written all the same."""
        ending = asyncio.create_task(self._exchange.switchboard.hang_up(session, reason))
        if telling is not None:
            await asyncio.wait({ending}, timeout=_LAST_WORDS_S)
            echo.end()
            await asyncio.wait({telling}, timeout=1.0)
            await self._close(1000, self._reader.ended())
            await ending
        else:
            await ending
            await self._close(1000, self._reader.ended())

    async def _tell(self, echo: Echo) -> None:
        """Send back what was heard and found. Ends with the echo, or when the carrier has left."""
        with suppress(*_GONE):
            async for news in echo.news():
                await self._say(self._reader.told(news))
                if isinstance(news, Segment) and not news.is_final:
                    await asyncio.sleep(_PARTIALS_S)  # meanwhile newer ones take the place of older ones

    async def _lose(self, session: Session) -> None:
        try:
            await self._exchange.switchboard.lose(session)
        except StorageFailed as error:
            log.warning("the loss of a line is not on record: %s", error.code)

    async def _refuse(self, error: CallError) -> None:
        """Say no in the carrier's words. One that wants to close itself may do so."""
        is_stranger = isinstance(error, Stranger)
        log.info("a line of %s was refused: %s", self._carrier, error.code)
        await self._say(self._reader.refused(error, is_stranger=is_stranger))
        if self._reader.lingers:
            await self._linger()
        else:
            await self._close(CLOSE_STRANGER if is_stranger else CLOSE_CODES.get(type(error), 1011), ())

    async def _linger(self) -> None:
        """Answer until the carrier says that it is over, or leaves, or takes too long."""
        with suppress(*_GONE, TimeoutError, BadMessage):
            async with asyncio.timeout(_LINGER_S):
                while True:
                    for signal in self._reader.read(await self._receive()):
                        if isinstance(signal, Answer):
                            await self._say([signal.text])
                        if isinstance(signal, End):
                            await self._close(1000, self._reader.ended())
                            return
        await self._close(1000, ())

    async def _receive(self) -> str | bytes:
        """The next message. Raises `WebSocketDisconnect`."""
        try:
            message = await self._socket.receive()
        except RuntimeError as error:  # it was closed by us meanwhile
            raise WebSocketDisconnect(BROKEN) from error
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(close_code_in(message))
        data: str | bytes | None = message.get("bytes")
        return data if data is not None else message.get("text") or ""

    async def _say(self, texts: Sequence[str]) -> None:
        """Send; a carrier that has left is noticed at the next `receive`."""
        async with self._sending:
            with suppress(*_GONE):
                for text in texts:
                    await self._socket.send_text(text)

    async def _close(self, code: int, texts: Sequence[str]) -> None:
        await self._say(texts)
        with suppress(*_GONE):
            await self._socket.close(code)
