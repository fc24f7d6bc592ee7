"""Which line brings which call: opens calls for lines, and hands a call to the line that brings it now.

In: beginnings of streams. Out: sessions, new ones or those that are still open.
Not known here: protocols, sockets, sound.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from calls.ingest.echoes import Echoes
from calls.ingest.rules import CarrierRules, names_of, opening_of
from calls.ingest.signals import Begin
from calls.session import Session
from calls.switchboard import Switchboard
from calls.types import AudioFormat, CallConflict, CallTransferred, UnknownCall

log = logging.getLogger(__name__)


class Holder(Protocol):
    """A connection that brings a call."""

    async def give_up(self) -> None:
        """Let go of the call; returns once that is done."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """What the lines of all carriers share."""

    switchboard: Switchboard
    echoes: Echoes
    idle_s: float
    """Seconds without any message after which a call is over."""
    _holders: dict[str, Holder] = field(default_factory=dict)

    async def open(self, holder: Holder, carrier: str, begin: Begin, rules: CarrierRules) -> Session:
        """Open a call for a line, or take it up where it is still open. Raises `CallError`s.

        An older connection of the same call has to let go: it may be dead without anybody having noticed.
        A call that is over is not opened again; the carrier may stream it once more under another name.
        """
        opening = opening_of(carrier, begin, rules)
        for call_id in (*begin.continues, *names_of(opening.call_id)):
            if (older := self._holders.get(call_id)) is not None:
                await older.give_up()
            if call_id in self._holders:
                raise CallConflict(f"通话 {call_id} 的另一条线路正在接入。")
            self._holders[call_id] = holder
            try:
                session = await self._take_up(call_id, opening.audio_format)
                if session is None and call_id not in begin.continues:
                    with suppress(CallConflict):  # it was used before, and is over
                        session = await self.switchboard.open(replace(opening, call_id=call_id))
            except BaseException:
                self.leave(call_id, holder)
                raise
            if session is not None:
                return session
            self.leave(call_id, holder)
        raise CallConflict(f"通话编号 {opening.call_id} 用过太多次。")

    async def _take_up(self, call_id: str, audio_format: AudioFormat) -> Session | None:
        """Go on with a call that is still open; None where there is none, or it is in another format."""
        try:
            session, _ = await self.switchboard.reconnect(
                call_id, audio_format, is_buffered=False, is_urgent=True
            )
        except UnknownCall:
            return None
        except CallConflict as error:
            if error.code != "call.format_changed":
                raise
            return None
        return session

    async def hand_over(self, session: Session, operator_id: str) -> None:
        """The carrier says that another operator has the call now. Raises `StorageFailed`.

        Nobody is asked whether that can be: it has happened. Where the call is at that seat already, because
        somebody handed it over at the screen, nothing is left to do.
        """
        before = session.call.operator_id
        if operator_id != before and not session.is_ending:
            log.info("the carrier hands call %s over", session.call.call_id)
            await session.hand_over(CallTransferred(from_operator=before, to_operator=operator_id))

    def leave(self, call_id: str, holder: Holder) -> None:
        """The line has let go of the call."""
        if self._holders.get(call_id) is holder:
            del self._holders[call_id]


async def within(seconds: float, event: asyncio.Event) -> None:
    """Wait for an event, but not for ever."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
