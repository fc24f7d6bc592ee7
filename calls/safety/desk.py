"""What supervisors do with alarms: see them, take them, say whether they were right.

In: a database, who does it. Out: alarms; facts on record, seen by every screen that is concerned.
Not known here: HTTP, who is a supervisor.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from calls.alarms import Alarm
from calls.journal import Journal
from calls.records import Records
from calls.safety.guard import Guard
from calls.safety.store import AlarmStore
from calls.safety.types import UnknownAlarm
from calls.safety.word_files import FILE_NAME, WordFiles
from calls.streams import streams_of
from calls.types import AlarmRated, AlarmTaken, Call, CallState, Fact

_CURRENT = timedelta(days=1)
_OPEN_STATES = (CallState.LIVE, CallState.LOST, CallState.INTERRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmDesk:
    """Everything about alarms."""

    store: AlarmStore
    guard: Guard
    journal: Callable[[], Journal]
    records: Records
    clock: Callable[[], datetime]

    @classmethod
    def open(
        cls,
        engine: Engine,
        data_dir: Path,
        *,
        journal: Callable[[], Journal],
        records: Records,
        clock: Callable[[], datetime],
    ) -> "AlarmDesk":
        """Open it; `journal` is asked when there is something to write."""
        words = WordFiles(data_dir / FILE_NAME)
        return cls(
            store=AlarmStore(engine),
            guard=Guard(journal=journal, rules=words.rules, clock=clock),
            journal=journal,
            records=records,
            clock=clock,
        )

    async def take_up_all(self) -> None:
        """Hear the calls that were going on before this server started."""
        open_calls = await asyncio.to_thread(self.records.calls, states=_OPEN_STATES, limit=10_000)
        for call in open_calls:
            await self.take_up(call)

    async def take_up(self, call: Call) -> None:
        """Hear a call that was going on before."""
        self.guard.take_up(call, await asyncio.to_thread(self.store.kinds_of, call.call_id))

    def current(self, seat: str | None) -> Sequence[Alarm]:
        """Alarms that are to be seen now, of one seat or (None) of all. Blocks."""
        return self.store.current(since=self.clock() - _CURRENT, operator_id=seat)

    async def take(self, alarm_id: str, note: str, *, by: str) -> Alarm:
        """Note that somebody has seen to it; who was first stays. Raises `UnknownAlarm`."""
        return await self._follow_up(alarm_id, AlarmTaken(alarm_id=alarm_id, note=note.strip(), by=by))

    async def rate(self, alarm_id: str, *, is_true: bool, by: str) -> Alarm:
        """Note whether there really was danger. Raises `UnknownAlarm`."""
        return await self._follow_up(alarm_id, AlarmRated(alarm_id=alarm_id, is_true=is_true, by=by))

    async def _follow_up(self, alarm_id: str, fact: Fact) -> Alarm:
        alarm = await asyncio.to_thread(self.store.alarm, alarm_id)
        call = await asyncio.to_thread(self.records.call, alarm.call_id) if alarm else None
        if alarm is None or call is None:
            raise UnknownAlarm
        if isinstance(fact, AlarmTaken) and alarm.taken_at is not None:
            return alarm
        await self.journal().append(
            fact, call_id=call.call_id, streams=streams_of(fact, call), at=self.clock()
        )
        return await asyncio.to_thread(self.store.alarm, alarm_id) or alarm
