"""The lookout: follows calls and orders, has the finders look, and raises what they tell.

In: a database, finders, the clock. Out: raised warnings, kept up to date while they go on.
Not known here: how a finder finds, who is told, HTTP.

Everything blocks but `run` and `watch_alarms`, which are tasks of the house. Finders are asked by one thread
at a time; who only wants to know something of them waits a moment at most.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import Engine

from insight.raised.alarms import AlarmReader
from insight.raised.finders import Finder, Standing
from insight.raised.progress import Progress, most_common
from insight.raised.raising import going_on, has_grown, raised, raised_by_alarm
from insight.raised.reports import Closing, ReportStore
from insight.raised.state import read_state, write_state
from insight.raised.store import WarningFilter, WarningStore
from insight.raised.transitions import SYSTEM, Deed, Wish, done, unmuted
from insight.raised.types import Layer, RaisedWarning, WarningState
from insight.types import EarlyWarning
from knowledge_base.database import writing

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
_RETRY_S = 30.0
_REFRESH = timedelta(minutes=1)
_WAIT_S = 0.5
"""So long somebody who looks at a warning waits for a finder that is busy."""
_SAMPLES = 20
_MOST_GOING_ON = 500
_MOST_CHARTED = 5_000


class Lookout:
    """One for the house."""

    def __init__(
        self,
        engine: Engine,
        *,
        store: WarningStore,
        reports: ReportStore,
        alarms: AlarmReader,
        finders: Sequence[Finder],
        unit_id: Callable[[str], str | None],
        clock: Callable[[], datetime],
        zone: tzinfo,
    ) -> None:
        """`unit_id`: the department of a name in the directory."""
        self._engine = engine
        self._store = store
        self._reports = reports
        self._alarms = alarms
        self._finders = tuple(finders)
        self._unit_id = unit_id
        self._clock = clock
        self._zone = zone
        self._lock = threading.Lock()
        self._is_open = False
        self._told: list[tuple[Finder, EarlyWarning]] = []
        """What finders told and nobody has kept yet: they tell it once."""
        self._refreshed_at: datetime | None = None
        self._saved_hour: datetime | None = None

    @property
    def standing(self) -> dict[Layer, Standing]:
        """How each finder fares."""
        return {finder.layer: finder.standing for finder in self._finders}

    @property
    def is_ready(self) -> bool:
        """Whether the finders have learnt what was there at the start."""
        return self._is_open

    def open(self) -> None:
        """Take in what was told before, and let the finders go on from what they knew."""
        with self._lock:
            while self._reports.is_behind():
                began = time.monotonic()
                self._reports.catch_up(self._clock())
                time.sleep(time.monotonic() - began)  # others that want to write have half of the time
            now = self._clock()
            for finder in self._finders:
                finder.open(self._state_of(finder), now)
            self._is_open = True

    def look(self) -> bool:
        """Take in what is new; once that is all, let the finders look. Returns whether there is more."""
        now = self._clock()
        with self._lock:
            changes = self._reports.catch_up(now)
            for finder in self._finders:
                finder.hear(changes)
            if changes and self._reports.is_behind():
                return True
            for finder in self._finders:
                self._told += [(finder, one) for one in finder.advance(now)]
            is_news = bool(self._told)
            while self._told:  # one that the disk does not take is tried again
                self._raise(*self._told[0], now)
                self._told.pop(0)
            hour = now.replace(minute=0, second=0, microsecond=0)
            if self._saved_hour != hour:
                self.save(now)
                self._saved_hour = hour
            if self._refreshed_at is None or is_news or now - self._refreshed_at >= _REFRESH:
                self._refresh(now)
                self._refreshed_at = now
        return False

    def save(self, now: datetime) -> None:
        """Keep what the finders remember."""
        for finder in self._finders:
            state = finder.state()
            with writing(self._engine) as connection:
                write_state(connection, f"finder.{finder.layer.value}", state, now)

    def look_at_alarms(self) -> None:
        """Raise a warning for each alarm that has none; what was done with one is done with the other."""
        now = self._clock()
        for alarm, districts in self._alarms.unraised(now):
            warning = raised_by_alarm(alarm, districts=districts, now=now)
            kept = self._store.add(warning, author=SYSTEM, day=self._day(alarm.at))
            log.info("warning %s: an alarm", kept.warning_id)
        for alarm_id, by in self._alarms.taken():
            self._follow(alarm_id, Wish(deed=Deed.ACKNOWLEDGE), by, now)
        for alarm_id, is_true, by in self._alarms.rated():
            self._follow(alarm_id, Wish(deed=Deed.RATE, is_true=is_true), by, now)

    def expected(self, warning: RaisedWarning, hours: Sequence[datetime]) -> list[float] | None:
        """Callers that are usual in those hours; None where nobody can say now."""
        if not self._is_open or not self._lock.acquire(timeout=_WAIT_S):
            return None
        try:
            for finder in self._finders:
                if finder.layer is warning.layer:
                    return finder.expected_hourly(warning, hours)
        finally:
            self._lock.release()
        return None

    def report_ids(self, warning: RaisedWarning) -> tuple[str, ...]:
        """One report for each caller of a matter that nobody counts; nothing where nobody can say now."""
        if not self._is_open or not self._lock.acquire(timeout=_WAIT_S):
            return ()
        try:
            for finder in self._finders:
                if finder.layer is warning.layer:
                    return finder.sample_ids(warning, _MOST_CHARTED)
        finally:
            self._lock.release()
        return ()

    async def run(self) -> None:
        """Look, without end."""
        while not self._is_open:
            with self._trying("the early warning cannot begin"):
                await asyncio.to_thread(self.open)
            if not self._is_open:
                await asyncio.sleep(_RETRY_S)
        while True:
            pause_s, began = _RETRY_S, time.monotonic()
            with self._trying("the early warning cannot look"):
                is_more = await asyncio.to_thread(self.look)
                pause_s = time.monotonic() - began if is_more else LOOK_EVERY_S
            await asyncio.sleep(pause_s)

    async def watch_alarms(self) -> None:
        """Raise warnings of alarms, without end; nothing else is waited for."""
        while True:
            with self._trying("alarms cannot be raised as warnings"):
                await asyncio.to_thread(self.look_at_alarms)
            await asyncio.sleep(LOOK_EVERY_S)

    def rest(self, *, saves: bool) -> None:
        """Look no more for now; `run` begins anew from what was kept."""
        with self._lock:
            if self._is_open and saves:
                self.save(self._clock())
            self._is_open = False
            self._told.clear()

    def close(self) -> None:
        """Keep what is known at the end; who is still learning gives up."""
        self._reports.close()
        with self._lock:
            if self._is_open:
                self.save(self._clock())

    @contextmanager
    def _trying(self, what: str) -> Iterator[None]:
        try:
            yield
        except Closing:
            log.info("the early warning goes on at the next start")
        except Exception:  # it is made up for later; calls must go on
            log.exception(what)

    def _state_of(self, finder: Finder) -> bytes | None:
        with self._engine.connect() as connection:
            return read_state(connection, f"finder.{finder.layer.value}")

    def _raise(self, finder: Finder, told: EarlyWarning, now: datetime) -> None:
        same = self._store.going_on(finder.layer, told.matter, [told.district, None])
        if same is not None and same.state is not WarningState.CLOSED:
            return  # it goes on, and is kept up to date
        reports = self._reports.told(told.sample_ids)
        departments = most_common(one.department for one in reports)
        warning = raised(
            told,
            layer=finder.layer,
            category=next(iter(most_common((one.category for one in reports), 1)), ""),
            departments=departments,
            department_ids=self._unit_ids(departments),
            mutes=self._store.mutes(now),
            now=now,
        )
        kept = self._store.add(warning, author=SYSTEM, day=self._day(told.raised_at))
        log.info("warning %s: %d callers, %.1f expected", kept.warning_id, kept.observed, kept.expected)

    def _refresh(self, now: datetime) -> None:
        """Bring what goes on up to date, and open again what was muted until now."""
        going, _ = self._store.warnings(WarningFilter(is_over=False), limit=_MOST_GOING_ON)
        for warning in going:
            self._refresh_one(warning, now)
        muted, _ = self._store.warnings(WarningFilter(states=(WarningState.MUTED,)), limit=_MOST_GOING_ON)
        for warning in muted:
            if warning.muted_until is not None and warning.muted_until <= now:
                self._store.change(
                    warning.warning_id,
                    lambda one, _: unmuted(one, now=now),
                    expected=None,
                    action="unmuted",
                    author=SYSTEM,
                )

    def _refresh_one(self, warning: RaisedWarning, now: datetime) -> None:
        if warning.layer is Layer.SAFETY:
            after = going_on(self._placed(warning), Progress(callers=1, places=0, latest_at=None), now)
        else:
            finder = next((one for one in self._finders if one.layer is warning.layer), None)
            if finder is None:
                return
            after = going_on(warning, finder.progress(warning), now)
            if after.callers_now != warning.callers_now:
                after = replace(after, sample_ids=finder.sample_ids(warning, _SAMPLES) or warning.sample_ids)
        if after == warning:
            return
        action = "grown" if has_grown(warning, after) else "over" if after.over_at is not None else None
        self._store.update(warning, after, action=action, now=now)

    def _placed(self, warning: RaisedWarning) -> RaisedWarning:
        """An alarm's warning with what the wrap-up of its call says by now."""
        told = self._reports.told(warning.sample_ids)
        if not told:
            return warning
        district, departments = told[0].district, most_common(one.department for one in told)
        return replace(
            warning,
            district=district,
            districts=(district,),
            departments=departments,
            department_ids=self._unit_ids(departments),
        )

    def _follow(self, alarm_id: str, wish: Wish, by: str, now: datetime) -> None:
        warning = self._store.by_alarm(alarm_id)
        if warning is not None:
            self._store.change(
                warning.warning_id,
                lambda one, _: done(one, wish, author=by, now=now),
                expected=warning.version,
                action=wish.deed.value,
                author=by,
            )

    def _unit_ids(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(unit for unit in map(self._unit_id, names) if unit is not None)

    def _day(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y%m%d}"
