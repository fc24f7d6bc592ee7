"""The board as the server keeps it: the rows of a day, in step with the database.

In: the reader, looked into again and again with the present. Out: what changed since the last look.
Not known here: who is told, sockets. All of it blocks and is called from one thread at a time.

A change is never computed from what was told but read anew from the database: the rows are what stands
there.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from zoneinfo import ZoneInfo

from insight.hall.phases import phase_of, row_of
from insight.hall.reading import HallReader, Place
from insight.hall.types import CallRow, Day, KnownCall, Usual
from insight.hall.usual import DAYS, days_like, kind_of, usual_of

_KEY_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is different from the last look."""

    is_anew: bool = False
    """Everything: another day began."""
    rows: tuple[CallRow, ...] = ()
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.is_anew or bool(self.rows) or bool(self.gone)


NOTHING = Change()


class Board:
    """The rows of one day. `look` first."""

    def __init__(self, reader: HallReader, *, zone: ZoneInfo, is_working: Callable[[date], bool]) -> None:
        self._reader = reader
        self._zone = zone
        self._is_working = is_working
        self._secret = secrets.token_bytes(16)
        self._place = Place(fact_id=0, arrival=0, deletion_id=0)
        self._known: dict[str, KnownCall] = {}
        self._rows: dict[str, CallRow] = {}
        """By the identifier of the call."""
        self._newest: dict[str, datetime] = {}
        """When each seat took its newest call."""
        self.day: Day | None = None
        self.usual = Usual()

    @property
    def rows(self) -> Sequence[CallRow]:
        """All rows, by arrival."""
        return sorted(self._rows.values(), key=lambda row: (row.arrived_at, row.call_key))

    @property
    def has_queue(self) -> bool:
        """Whether the telephone system tells of arrivals today."""
        return any(call.has_queued for call in self._known.values())

    @property
    def is_simulated(self) -> bool:
        """Whether some of it was made up."""
        return any(call.is_simulated for call in self._known.values())

    def look(self, now: datetime) -> Change:
        """Read what is new."""
        day = Day(day=now.astimezone(self._zone).date(), zone=self._zone)
        if day != self.day:
            self.day = day
            self.usual = self._usual(day)
            self._read_all(day, now)
            return Change(is_anew=True)
        place, touched = self._reader.changed(self._place)
        found = self._reader.calls(sorted(touched)) if touched else {}
        for call_id in touched:
            if call_id in found:
                self._take(found[call_id])
            else:
                self._known.pop(call_id, None)
        self._place = place
        # Phases also change by time alone, and when a seat takes its next call.
        unsettled = {call_id for call_id, row in self._rows.items() if row.state.is_now}
        return self._renew(touched | unsettled, now)

    def compare(self, now: datetime) -> Change:
        """The same, of everything that is on record: also what nobody has told of, such as another hand."""
        change = self.look(now)
        if change.is_anew or self.day is None:
            return change
        before = self._rows
        self._read_all(self.day, now)
        told = {row.call_key: row for row in change.rows}
        told |= {row.call_key: row for call_id, row in self._rows.items() if before.get(call_id) != row}
        gone = {row.call_key for call_id, row in before.items() if call_id not in self._rows}
        return Change(
            rows=tuple(row for key, row in told.items() if key not in gone),
            gone=tuple(sorted(gone.union(change.gone) - {row.call_key for row in self._rows.values()})),
        )

    def _read_all(self, day: Day, now: datetime) -> None:
        self._place, calls = self._reader.day(day)
        self._known, self._newest, self._rows = {}, {}, {}
        for call in calls:
            self._take(call)
        self._renew(set(self._known), now)

    def _take(self, call: KnownCall) -> None:
        self._known[call.call_id] = call
        if call.operator_id is not None and call.has_sound and not call.is_recorded and call.answered_at:
            newest = self._newest.get(call.operator_id)
            self._newest[call.operator_id] = max(newest, call.answered_at) if newest else call.answered_at

    def _renew(self, call_ids: Iterable[str], now: datetime) -> Change:
        assert self.day is not None
        changed, gone = [], []
        for call_id in call_ids:
            call, before = self._known.get(call_id), self._rows.get(call_id)
            row = self._row(call, self.day, now) if call else None
            if row is None:
                self._known.pop(call_id, None)
                if before is not None:
                    del self._rows[call_id]
                    gone.append(before.call_key)
            elif row != before:
                self._rows[call_id] = row
                changed.append(row)
        if not changed and not gone:
            return NOTHING
        changed.sort(key=lambda row: (row.arrived_at, row.call_key))
        return Change(rows=tuple(changed), gone=tuple(sorted(gone)))

    def _row(self, call: KnownCall, day: Day, now: datetime) -> CallRow | None:
        """None where it does not stand on the board of that day."""
        next_at = self._newest.get(call.operator_id) if call.operator_id else None
        state = phase_of(call, next_at=next_at, now=now)
        is_todays = day.starts_at <= call.arrived_at < day.ends_at
        if not is_todays and not (state.is_now and call.arrived_at < day.starts_at):
            return None
        return row_of(call, state, call_key=self._key(call.call_id), zone=self._zone)

    def _key(self, call_id: str) -> str:
        return blake2b(call_id.encode(), key=self._secret, digest_size=_KEY_BYTES).hexdigest()

    def _usual(self, day: Day) -> Usual:
        found: list[tuple[Day, list[KnownCall]]] = []
        for earlier in days_like(day.day, self._is_working):
            one = Day(day=earlier, zone=self._zone)
            if calls := self._reader.earlier(one.starts_at, one.ends_at):
                found.append((one, calls))
            if len(found) == DAYS:
                break
        return usual_of(kind_of(day.day, self._is_working), found)
