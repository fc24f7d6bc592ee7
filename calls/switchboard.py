"""The switchboard: admits calls, holds the running ones, takes up those that were cut off.

In: requests to open, lines that come and go, commands about a call. Out: sessions, and facts on record.
Not known here: the protocol by which a line arrives, recognition, what a screen looks like.

Bound: `max_calls` running calls; past it `HouseFull` is raised and nothing changes.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from asr.types import AsrError, Segment
from calls.admission import Opening, SwitchboardOptions, refusal_of
from calls.cut_off import CutOffCalls
from calls.holding.holdings import Holdings
from calls.holding.types import Lease, LeaseLost
from calls.holding.writer import Writer
from calls.journal import Journal
from calls.line import Line, LineOptions
from calls.recalling import assistant_of
from calls.records import Records
from calls.reopening import Place, open_line, read_back, see_it_is_open, take_sound
from calls.resumption import NO_RESUMPTION, Resumption, resumption_of
from calls.session import Assistant, Engines, Session
from calls.tape import Tapes
from calls.types import (
    AudioFormat,
    Call,
    CallBroken,
    CallConflict,
    CallError,
    CallLost,
    CallReconnected,
    CallStarted,
    CallState,
    CallStuck,
    EndReason,
    Fact,
    HouseFull,
    StorageFailed,
    UnknownCall,
)
from calls.view import CallView

log = logging.getLogger(__name__)


class Switchboard:
    """All calls that run in this process. `recover` on start, `close` on stop."""

    def __init__(
        self,
        *,
        journal: Journal,
        records: Records,
        engines: Engines,
        open_assistant: Callable[[str], Assistant],
        publish: Callable[[Segment, str | None], None],
        tapes: Tapes,
        clock: Callable[[], datetime],
        options: Callable[[], SwitchboardOptions],
        line_options: LineOptions,
        elapsed_s: Callable[[], float] = time.monotonic,
        holdings: Holdings | None = None,
        on_taken_up: Callable[[Call, int], Awaitable[None]] | None = None,
    ):
        """`publish` takes a partial and its operator, `options` is asked often, `elapsed_s` never set.

        `holdings`: there are other processes. `on_taken_up` hears of calls that go on here, and from where.
        """
        self._holdings, self._on_taken_up = holdings, on_taken_up
        self._writer = Writer(journal=journal, clock=clock, holdings=holdings)
        self._records = records
        self._engines = engines
        self._open_assistant = open_assistant
        self._publish = publish
        self._tapes = tapes
        self._clock = clock
        self._options = options
        self._line_options = line_options
        self._elapsed_s = elapsed_s
        self._places: dict[str, Place] = {}
        self._opening: set[str] = set()
        self.cut_off = CutOffCalls(
            records=records, writer=self._writer, record=self._record, finish=self._finish, options=options
        )
        self._is_closed = self._is_draining = False

    @property
    def running(self) -> int:
        """How many calls are open now."""
        return len(self._places)

    def refusal(self) -> str | None:
        """Why no further call can be admitted now, or None."""
        return refusal_of(
            self._options(),
            calls=len(self._places) + len(self._opening),
            is_stopping=self._is_closed or self._is_draining,
            has_ears=self._engines.has_ears(),
            can_hear=self._engines.has_room(),
            folder=self._tapes.folder,
        )

    async def open(self, opening: Opening) -> Session:
        """Start a call. Raises `HouseFull`, `CallConflict`, `StorageFailed`."""
        if (why := self.refusal()) is not None:
            raise HouseFull(why)
        call_id = opening.call_id
        if call_id in self._places or call_id in self._opening:
            raise CallConflict(f"通话编号 {call_id} 正在使用。")
        try:
            self._engines.admit(call_id)
        except AsrError as error:
            raise HouseFull(f"识别能力已达上限，暂不能接入新通话（{error.code}）。") from error
        self._opening.add(call_id)
        try:
            if await asyncio.to_thread(self._records.call, call_id) is not None:
                raise CallConflict(f"通话编号 {call_id} 已经用过。")
            call = Call(
                call_id=call_id,
                state=CallState.LIVE,
                started_at=opening.started_at or self._clock(),
                operator_id=opening.operator_id,
                caller=opening.caller,
                dialled=opening.dialled,
                meta=dict(opening.meta),
            )
            line = await self._open_line(call, opening.audio_format, NO_RESUMPTION)
            try:
                await self._record(call, CallStarted(call=call), audio_format=opening.audio_format)
            except StorageFailed:
                await line.close()
                raise
            return self._begin(call, line, opening.audio_format, NO_RESUMPTION, view=None).session
        finally:
            self._opening.discard(call_id)
            if call_id not in self._places:
                self._engines.release(call_id)

    async def reconnect(
        self, call_id: str, audio_format: AudioFormat, *, is_buffered: bool, is_urgent: bool = False
    ) -> tuple[Session, float]:
        """Take up a call whose line vanished; returns it with the seconds received before.

        `is_buffered`: the carrier kept what did not arrive and sends it first, so no time is missing;
        otherwise the time since the last sound becomes silence and the screens are told. `is_urgent`: another
        process lets go of the call even where its line there seems to be alive.
        Raises `UnknownCall`, `CallConflict`, `StorageFailed`.
        """
        place = self._places.get(call_id)
        if place is not None and place.session.is_ending:
            await asyncio.wait([place.task])
            place = self._places.get(call_id)
        place = place or await self._resume(call_id, asks=True, is_urgent=is_urgent)
        if place.is_held:
            raise CallConflict(f"通话 {call_id} 的线路仍然接通。")
        if place.audio_format != audio_format:
            self._lose_later(call_id, place)
            raise CallConflict("重连时音频格式必须与开始时相同。", code="call.format_changed")
        place.is_held = True
        if place.giving_up is not None:
            place.giving_up.cancel()
            place.giving_up = None
        try:
            return place.session, await self._go_on(place, is_buffered=is_buffered)
        except BaseException:
            self._lose_later(call_id, place)
            raise

    async def _go_on(self, place: Place, *, is_buffered: bool) -> float:
        """Put the return of the line on record; returns the seconds received before."""
        received_s = await place.session.line.settled(self._options().settles_s)
        gap_s = self._elapsed_s() - place.last_fed_s
        await self._record(place.session.call, CallReconnected(received_s=received_s))
        if not is_buffered and not place.is_paused and gap_s >= self._options().min_gap_s:
            await place.session.leave_gap(gap_s, kept_s=self._options().max_gap_s)
        place.is_paused = False
        place.last_fed_s = self._elapsed_s()
        return received_s

    async def feed(self, session: Session, data: bytes) -> None:
        """Sound of a held line; dropped while the line is paused.

        Raises `StorageFailed`, and `CallBroken` where the call has broken meanwhile.
        """
        place = self._place_of(session)
        if not place.is_paused:
            place.last_fed_s = self._elapsed_s()
            await session.line.feed(data)

    def pause(self, session: Session, *, is_paused: bool) -> None:
        """Stop or go on with media time. Raises `CallBroken` where the call has broken meanwhile."""
        place = self._place_of(session)
        place.is_paused = is_paused
        place.last_fed_s = self._elapsed_s()

    def _place_of(self, session: Session) -> Place:
        place = self._places.get(session.call.call_id)
        if place is None or place.session is not session:
            raise CallBroken
        return place

    async def hang_up(self, session: Session, reason: EndReason = EndReason.HANGUP) -> float:
        """End the call; returns its seconds once every final is on record.

        Raises `CallBroken`, also where the ears do not get on any more, and `StorageFailed` where not all of
        it could be brought there.
        """
        place = self._place_of(session)
        session.end(reason)
        await asyncio.wait([place.task])
        if not place.task.cancelled() and isinstance(error := place.task.exception(), CallError):
            raise error
        if place.task.cancelled() or session.has_failed:
            raise CallBroken
        return session.line.received_s

    async def lose(self, session: Session) -> None:
        """The line vanished without a hang-up: keep the call open for a while."""
        place = self._places.get(session.call.call_id)
        if place is None or place.session is not session or session.is_ending:
            return
        if not place.is_held or self._is_closed:
            return
        self._lose_later(session.call.call_id, place)
        with suppress(LeaseLost):  # it went on elsewhere
            await self._record(session.call, CallLost())

    def _lose_later(self, call_id: str, place: Place) -> None:
        place.is_held = False
        if place.giving_up is None:
            place.giving_up = asyncio.get_running_loop().call_later(
                self._options().lost_after_s, place.session.end, EndReason.LOST
            )
        log.info("call %s lost its line", call_id)

    async def recover(self) -> None:
        """Mark what a crash cut off, and give each such call its time to be taken up again."""
        await self.cut_off.recover()

    async def drain(self, within_s: float) -> None:
        """Take no new calls, and let those that run come to their end, within that time."""
        self._is_draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while tasks := [place.task for place in self._places.values()]:
                    await asyncio.wait(tasks)

    async def hand_over(self, lease: Lease) -> None:
        """Another process wants a call that is held here: its line has come there."""
        assert self._holdings is not None
        place = self._places.get(lease.call_id)
        if place is None:
            if lease.call_id not in self._opening and lease.call_id not in self.cut_off.expiries:
                await self._holdings.give_back(lease)
        elif place.is_held and not lease.is_urgent:
            await self._holdings.refuse(lease)
        else:
            place.session.suspend()
            await asyncio.wait([place.task])

    def drop(self, call_id: str) -> None:
        """Another process holds the call by now: nothing is written of it here any more."""
        if call_id in self._places:
            self._places[call_id].task.cancel()

    async def _finish(self, call_id: str) -> None:
        """End an interrupted call that nobody took up, and hear the rest of it. Raises `StorageFailed`."""
        try:
            place = await self._resume(call_id)
        except (UnknownCall, CallConflict, LeaseLost) as error:  # taken up meanwhile
            log.warning("call %s is not finished here: %s", call_id, error.code)
            return
        place.session.end(EndReason.INTERRUPTED)

    async def close(self) -> None:
        """Refuse new calls, let the running ones write their finals, and leave them to be taken up."""
        self._is_closed = True
        self.cut_off.expiries.close()
        for place in self._places.values():
            if place.giving_up is not None:
                place.giving_up.cancel()
            place.session.suspend()
        tasks = [place.task for place in self._places.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._options().drain_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def sessions(self) -> list[Session]:
        """Every running call."""
        return [place.session for place in self._places.values()]

    def session(self, call_id: str) -> Session | None:
        """The running session of that call, or None."""
        place = self._places.get(call_id)
        return place.session if place else None

    async def _resume(self, call_id: str, *, asks: bool = False, is_urgent: bool = False) -> Place:
        """Bring an interrupted call back from the journal and its spool; its line is not held yet."""
        if self._is_closed or call_id in self._opening:
            raise UnknownCall(f"通话 {call_id} 现在不能恢复。")
        self._opening.add(call_id)
        lease: Lease | None = None
        try:
            if self._holdings is not None:
                await asyncio.to_thread(see_it_is_open, self._records, call_id)
                lease = await self._holdings.take_up(call_id, asks=asks, is_urgent=is_urgent)
            call, audio_format, view = await asyncio.to_thread(read_back, self._records, call_id)
            self.cut_off.expiries.drop(call_id)
            resumption = resumption_of(view, audio_format)
            others = self._holdings is not None
            away_s = await self._tapes.do(
                lambda: take_sound(self._records, self._tapes.folder, call_id, self._clock(), others=others)
            )
            line = await self._open_line(call, audio_format, resumption)
            if self._on_taken_up is not None:
                await self._on_taken_up(call, view.seq)
            with suppress(AsrError):  # counted where there is room; a call that was let in is finished
                self._engines.admit(call_id)
            place = self._begin(call, line, audio_format, resumption, view=view)
            place.is_held, place.last_fed_s = False, self._elapsed_s() - away_s
            return place
        except BaseException:
            if lease is not None and self._holdings is not None:
                await self._holdings.give_back(lease)
            raise
        finally:
            self._opening.discard(call_id)

    async def _open_line(self, call: Call, audio_format: AudioFormat, resumption: Resumption) -> Line:
        return await open_line(
            call,
            audio_format,
            resumption,
            tapes=self._tapes,
            options=self._line_options,
            record=lambda fact: self._record(call, fact),
        )

    def _begin(
        self,
        call: Call,
        line: Line,
        audio_format: AudioFormat,
        resumption: Resumption,
        *,
        view: CallView | None,
    ) -> Place:
        assistant = assistant_of(call.call_id, view, self._open_assistant)

        async def record(fact: Fact) -> None:
            await self._record(call, fact)

        session = Session(
            call=call,
            line=line,
            engines=self._engines,
            assistant=assistant,
            record=record,
            publish=lambda segment: self._publish(segment, session.call.operator_id),
            resumption=resumption,
            stuck_s=self._options().stuck_s,
        )
        task = asyncio.create_task(session.run(), name=f"call {call.call_id}")
        place = Place(session=session, audio_format=audio_format, task=task, last_fed_s=self._elapsed_s())
        self._places[call.call_id] = place
        task.add_done_callback(lambda done: self._leave(call.call_id, done))
        log.info("call %s runs, %d in all", call.call_id, len(self._places))
        return place

    def _leave(self, call_id: str, done: asyncio.Task[None]) -> None:
        place = self._places.pop(call_id)
        self._engines.release(call_id)
        if place.giving_up is not None:
            place.giving_up.cancel()
        if done.cancelled() or (error := done.exception()) is None:
            return
        if isinstance(error, LeaseLost):
            log.warning("call %s goes on at another process", call_id)
            return
        if isinstance(error, StorageFailed | CallStuck):
            log.error("call %s is cut off: %s", call_id, type(error).__name__)
        else:
            log.error("call %s could not be put on record", call_id, exc_info=error)
        if not self._is_closed:
            self.cut_off.expiries.add(place.session.call, is_recorded=False)

    async def _record(self, call: Call, fact: Fact, *, audio_format: AudioFormat | None = None) -> None:
        if (place := self._places.get(call.call_id)) is not None:
            call = place.session.call  # it may have been handed to another operator
        written = await self._writer.record(call, fact, audio_format=audio_format)
        if place is not None and written is not call:
            place.session.call = written
