"""Carries one voice over a websocket of Asterisk's chan_websocket into its call.

In: an accepted socket, what stands in its address. Out: a leg, joined with the others of its call.
Not known here: the words of the protocol, how legs are laid together, who may come in (`admit`).

The address says what the protocol does not: `call` (by which the legs find each other), `party`, and whatever
is to be kept of the call.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect

from asr.decode import linear_pcm
from asr.types import Party
from calls.ingest.carrying import CLOSE_STRANGER, ORDERLY, Admit, Stranger
from calls.ingest.chan_websocket import Started, hang_up, started_in
from calls.ingest.legs import JoinedCalls, Leg, LegPlan
from calls.ingest.messages import BadMessage
from calls.ingest.websocket import CLOSE_CODES, START_WITHIN_S
from calls.types import CallBroken, CallConflict, CallError

log = logging.getLogger(__name__)

_BOTH = (Party.CITIZEN, Party.OPERATOR)
_OF_ADDRESS = ("call", "party", "alone", "token")
_GONE = (WebSocketDisconnect, RuntimeError)


class LegSocket:
    """One connection."""

    def __init__(
        self, socket: WebSocket, calls: JoinedCalls, query: Mapping[str, str], *, idle_s: float, admit: Admit
    ):
        self._socket = socket
        self._calls = calls
        self._query = query
        self._idle_s = idle_s
        self._admit = admit
        self._talking: asyncio.Task[bool] | None = None
        self._is_cut = False
        self._torn = b""
        self._is_json = False

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
            started = await self._await_start()
            self._is_json = started.is_json
            if not await self._admit(None):
                raise Stranger("没有有效的令牌，线路被拒绝。")
            leg = await self._calls.join(plan_of(self._query, started), started.rate_hz, self)
            self._talking = asyncio.create_task(self._talk(leg, started))
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
            log.info("a line of Asterisk is refused: %s", error.code)
            await self._refuse(error)
        except Exception as error:  # the socket's edge: other lines go on
            log.error("a line of Asterisk broke", exc_info=error)
            await self._refuse(CallBroken())
        finally:
            if leg is not None:
                await leg.leave(is_hung_up=is_hung_up)

    async def _await_start(self) -> Started:
        """Raises `BadMessage` where it does not come, or cannot be read."""
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while True:
                    message = await self._receive()
                    if isinstance(message, bytes):
                        raise BadMessage("在 MEDIA_START 之前收到了声音。", code="call.not_started")
                    if (started := started_in(message)) is not None:
                        return started
        except TimeoutError:
            raise BadMessage("没有收到 MEDIA_START。", code="call.not_started") from None

    async def _talk(self, leg: Leg, started: Started) -> bool:
        """Take sound until the connection closes; returns whether that was a hang-up."""
        width = 2 if started.encoding == "pcm_s16le" else 1
        while True:
            try:
                async with asyncio.timeout(self._idle_s):
                    message = await self._receive()
            except TimeoutError:
                log.info("a line of call %s was silent for too long", leg.call_id)
                await self._refuse(BadMessage("线路长时间没有声音。"))
                return False
            except WebSocketDisconnect as gone:
                return gone.code in ORDERLY
            if isinstance(message, bytes):
                data = self._torn + message
                whole = len(data) - len(data) % width
                self._torn = data[whole:]
                await leg.take(started.rate_hz, linear_pcm(started.encoding, data[:whole]))

    async def _receive(self) -> str | bytes:
        """The next message. Raises `WebSocketDisconnect`."""
        try:
            message = await self._socket.receive()
        except RuntimeError as error:  # it was closed by us meanwhile
            raise WebSocketDisconnect(1006) from error
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        data: str | bytes | None = message.get("bytes")
        return data if data is not None else message.get("text") or ""

    async def _refuse(self, error: CallError) -> None:
        code = CLOSE_STRANGER if isinstance(error, Stranger) else CLOSE_CODES.get(type(error), 1011)
        with suppress(*_GONE):
            await self._socket.send_text(hang_up(is_json=self._is_json))
            await self._socket.close(code)


def plan_of(query: Mapping[str, str], started: Started) -> LegPlan:
    """Where a connection belongs, by what stands in its address. Raises `BadMessage`."""
    try:
        party = Party(query.get("party", Party.MIXED))
    except ValueError:
        raise BadMessage("party 必须是 citizen、operator 或 mixed。") from None
    is_alone = party is Party.MIXED or query.get("alone", "") not in ("", "0")
    key = query.get("call") or started.connection
    if not key:
        raise BadMessage("地址里没有 call，MEDIA_START 里也没有 connection_id。")
    return LegPlan(
        key=key,
        party=party,
        parties=(party,) if is_alone else _BOTH,
        fields=dict(started.fields) | {k: v for k, v in query.items() if k not in _OF_ADDRESS},
    )
