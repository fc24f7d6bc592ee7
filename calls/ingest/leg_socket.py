"""Carries one voice over a websocket of its own into its call.

In: an accepted socket, a reader of its protocol. Out: a leg, joined with the others of its call.
Not known here: the words of a protocol, how legs are laid together, who may come in (`admit`).

What the protocol does not say stands in the address: `call` (by which the legs find each other), `party`, and
whatever is to be kept of the call.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect

from asr.decode import linear_pcm
from asr.types import Party
from calls.ingest.carrying import CLOSE_STRANGER, Admit, Stranger
from calls.ingest.legs import JoinedCalls, Leg, LegPlan
from calls.ingest.messages import BadMessage
from calls.ingest.parting import BROKEN, ORDERLY, close_code_in
from calls.ingest.signals import Answer, Begin, Block, End, Reader, Signal
from calls.ingest.websocket import CLOSE_CODES, START_WITHIN_S
from calls.types import CallBroken, CallConflict, CallError

log = logging.getLogger(__name__)

_BOTH = (Party.CITIZEN, Party.OPERATOR)
_OF_ADDRESS = ("call", "party", "alone", "token")
_GONE = (WebSocketDisconnect, RuntimeError)


class LegSocket:
    """One connection."""

    def __init__(self, socket: WebSocket, calls: JoinedCalls, reader: Reader, *, idle_s: float, admit: Admit):
        self._socket = socket
        self._calls = calls
        self._reader = reader
        self._idle_s = idle_s
        self._admit = admit
        self._talking: asyncio.Task[bool] | None = None
        self._is_cut = False
        self._torn = b""

    def cut(self) -> None:
        """Another line brings the leg now, or the call does not go on here."""
        self._is_cut = True
        if self._talking is not None:
            self._talking.cancel()

    async def run(self) -> None:
        """Carry the leg until it ends or vanishes."""
        leg: Leg | None = None
        is_hung_up = False
        try:
            begin, early = await self._await_begin()
            if not await self._admit(begin.token):
                raise Stranger("没有有效的令牌，线路被拒绝。")
            leg = await self._calls.join(plan_of(begin), begin.sample_rate_hz, self)
            await self._say(self._reader.opened(0.0))
            self._talking = asyncio.create_task(self._talk(leg, begin, early))
            if self._is_cut:
                self._talking.cancel()
            is_hung_up = await self._talking
        except WebSocketDisconnect:
            pass
        except asyncio.CancelledError:
            if not self._is_cut:
                raise
            await self._refuse(CallConflict("另一条线路接手了这路声音。"))
        except CallError as error:
            log.info("a line with one voice is refused: %s", error.code)
            await self._refuse(error)
        except Exception as error:  # the socket's edge: other lines go on
            log.error("a line with one voice broke", exc_info=error)
            await self._refuse(CallBroken())
        finally:
            if leg is not None:
                await leg.leave(is_hung_up=is_hung_up)

    async def _await_begin(self) -> tuple[Begin, list[Signal]]:
        """Read until the voice begins; also what came with it. Raises `BadMessage`."""
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while True:
                    signals = list(self._reader.read(await self._receive()))
                    for n, signal in enumerate(signals):
                        if isinstance(signal, Begin):
                            return signal, signals[n + 1 :]
        except TimeoutError:
            raise BadMessage("没有收到开始的消息。", code="call.not_started") from None

    async def _talk(self, leg: Leg, begin: Begin, early: Sequence[Signal]) -> bool:
        """Take sound until the connection closes; returns whether that was a hang-up."""
        is_over = await self._act(leg, begin, early)
        while not is_over:
            try:
                async with asyncio.timeout(self._idle_s):
                    message = await self._receive()
            except TimeoutError:
                log.info("a line of call %s was silent for too long", leg.call_id)
                await self._refuse(BadMessage("线路长时间没有声音。"))
                return False
            except WebSocketDisconnect as gone:
                return gone.code in ORDERLY
            with suppress(BadMessage):  # one that cannot be read is passed over
                is_over = await self._act(leg, begin, self._reader.read(message))
        return True

    async def _act(self, leg: Leg, begin: Begin, signals: Sequence[Signal]) -> bool:
        """Do what the carrier says; returns whether that was the end."""
        width = 2 if begin.encoding == "pcm_s16le" else 1
        for signal in signals:
            match signal:
                case Block(data=data):
                    data = self._torn + data
                    whole = len(data) - len(data) % width
                    self._torn = data[whole:]
                    await leg.take(begin.sample_rate_hz, linear_pcm(begin.encoding, data[:whole]))
                case Answer(text=text):
                    await self._say([text])
                case End():
                    return True
        return False

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
        with suppress(*_GONE):
            for text in texts:
                await self._socket.send_text(text)

    async def _refuse(self, error: CallError) -> None:
        is_stranger = isinstance(error, Stranger)
        await self._say(self._reader.refused(error, is_stranger=is_stranger))
        with suppress(*_GONE):
            await self._socket.close(CLOSE_STRANGER if is_stranger else CLOSE_CODES.get(type(error), 1011))


def plan_of(begin: Begin) -> LegPlan:
    """Where a connection belongs, by what it says of itself. Raises `BadMessage`."""
    if len(begin.tracks) > 1:
        raise BadMessage("地址里有 party 的连接只能有一个声道。")
    fields = dict(begin.fields)
    try:
        party = Party(fields.get("party", Party.MIXED))
    except ValueError:
        raise BadMessage("party 必须是 citizen、operator 或 mixed。") from None
    is_alone = party is Party.MIXED or str(fields.get("alone", "")) not in ("", "0")
    call = fields.get("call")
    key = call if isinstance(call, str) and call else begin.key
    if not key:
        raise BadMessage("地址里没有 call，线路也没有说明通话编号。")
    return LegPlan(
        key=key,
        party=party,
        parties=(party,) if is_alone else _BOTH,
        fields={name: value for name, value in fields.items() if name not in _OF_ADDRESS},
    )
