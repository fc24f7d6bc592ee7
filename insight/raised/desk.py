"""The desk of warnings: what stands behind the addresses, with clock and lookout.

In: wishes of persons. Out: warnings, as they stand then, and what is known of them.
Not known here: HTTP, who may see what, orders. All of it blocks.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import Engine

from insight.clusters.types import Embed
from insight.raised.alarms import AlarmReader
from insight.raised.calendar import day_kind
from insight.raised.finders import Finder
from insight.raised.known import KnownFinder
from insight.raised.lookout import Lookout
from insight.raised.mails import MailStore
from insight.raised.progress import Place, common_places
from insight.raised.reading import Told
from insight.raised.reports import ReportStore
from insight.raised.saying import Sayings
from insight.raised.smtp import MailServer
from insight.raised.state import own_key, read_state, write_state
from insight.raised.store import Tell, WarningStore, tell_nobody
from insight.raised.transitions import Deed, Wish, done, undone
from insight.raised.types import BadDeed, Layer, Mute, RaisedWarning, Step
from insight.raised.unknown import UnknownFinder
from insight.types import DayKind
from knowledge_base.database import writing

_STORMS = "storms"
_MOST_STORMS = 400
_LEAST_HOURS, _MOST_HOURS = 48, 240
_BEFORE_H = 24
"""So much of the time before a warning's first report its chart shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """One hour of a chart."""

    at: datetime
    callers: int
    """Who were not counted in an hour before."""
    expected: float | None


@dataclass(slots=True, kw_only=True)
class Storms:
    """Days for which the weather service has announced a storm: kept, and asked by whoever counts."""

    engine: Engine
    _days: frozenset[date] = field(default=frozenset())

    def read(self) -> frozenset[date]:
        """Read them anew."""
        with self.engine.connect() as connection:
            kept = read_state(connection, _STORMS)
        self._days = frozenset(map(date.fromisoformat, json.loads(kept))) if kept else frozenset()
        return self._days

    def set(self, days: Sequence[date], now: datetime) -> frozenset[date]:
        """Keep other ones. Raises `BadDeed`."""
        if len(days) > _MOST_STORMS:
            raise BadDeed(f"最多记 {_MOST_STORMS} 天。", code="warning.too_many_days")
        with writing(self.engine) as connection:
            text = json.dumps(sorted({day.isoformat() for day in days}))
            write_state(connection, _STORMS, text.encode(), now)
        return self.read()

    def kind_of(self, day: date) -> DayKind:
        """What kind of a day it is."""
        return day_kind(day, self._days)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningDesk:
    """Any thread may call it."""

    store: WarningStore
    reports: ReportStore
    mails: MailStore
    server: MailServer | None
    """None: no mails are sent."""
    lookout: Lookout
    storms: Storms
    clock: Callable[[], datetime]
    zone: tzinfo

    @classmethod
    def open(
        cls,
        engine: Engine,
        *,
        matters: Callable[[], Sequence[str]],
        categories: Callable[[], Mapping[str, str]] = dict,
        districts: Callable[[], Sequence[str]],
        units: Callable[[], Sequence[tuple[str, str]]],
        tell: Tell = tell_nobody,
        server: MailServer | None = None,
        embed: Embed | None = None,
        usual: Callable[[], Sequence[str]] = tuple,
        clock: Callable[[], datetime],
        zone: tzinfo,
    ) -> "WarningDesk":
        """Open it. `matters` are those of the knowledge base, each with its category in `categories`.

        `units` are departments, identifiers with names.

        `tell` is told of each step. With `embed` matters without a name are looked for as well, where every
        word is usual that stands in `usual`.
        """

        def unit_name(unit_id: str) -> str:
            return dict(units()).get(unit_id, "")

        def unit_id(name: str) -> str | None:
            return next((unit for unit, its in units() if its == name), None)

        key = own_key(engine, clock())
        reports = ReportStore(engine, key=key, districts=districts, unit_name=unit_name)
        storms = Storms(engine=engine)
        storms.read()
        finders: list[Finder] = [
            KnownFinder(
                reports, matters=matters, categories=categories, districts=districts, kind_of=storms.kind_of
            )
        ]
        if embed is not None:
            sayings = Sayings(engine, reports)
            finders.append(UnknownFinder(reports, sayings, embed=embed, matters=matters, usual=usual))
        store = WarningStore(engine, tell)
        lookout = Lookout(
            engine,
            store=store,
            reports=reports,
            alarms=AlarmReader(engine, districts),
            finders=finders,
            unit_id=unit_id,
            clock=clock,
            zone=zone,
        )
        return cls(
            store=store,
            reports=reports,
            mails=MailStore(engine),
            server=server,
            lookout=lookout,
            storms=storms,
            clock=clock,
            zone=zone,
        )

    def do(self, warning_id: str, wish: Wish, *, expected: int, author: str) -> RaisedWarning:
        """Do something with a warning. Raises `WarningError`."""
        now = self.clock()
        if wish.deed is Deed.UNDO:
            return self._undo(warning_id, expected=expected, author=author, now=now)
        seen = self.store.warning(warning_id)
        mute = None
        if wish.deed is Deed.MUTE and wish.until is not None:
            mute = Mute(
                mute_id=0,
                matter=seen.matter,
                name=seen.name,
                district=None if wish.is_everywhere else seen.district,
                until=wish.until,
                author=author,
                at=now,
                note=wish.note.strip(),
            )
        return self.store.change(
            warning_id,
            lambda one, _: done(one, wish, author=author, now=now),
            expected=expected,
            action=wish.deed.value,
            author=author,
            note=wish.note.strip(),
            mute=mute,
            lifts_mutes=wish.deed is Deed.REOPEN,
        )

    def _undo(self, warning_id: str, *, expected: int, author: str, now: datetime) -> RaisedWarning:
        def take_back(warning: RaisedWarning, last: Step | None) -> RaisedWarning:
            return undone(warning, last, author=author, now=now)

        newest = [step for step in self.store.steps(warning_id) if step.version == expected]
        return self.store.change(
            warning_id,
            take_back,
            expected=expected,
            action=Deed.UNDO.value,
            author=author,
            note="",
            lifts_mutes=any(step.action == Deed.MUTE for step in newest),
        )

    def hours(self, warning: RaisedWarning) -> list[Hour]:
        """Callers by hour, from before its first report until now or a day after it was over."""
        end = self.clock() if warning.over_at is None else warning.over_at + timedelta(hours=24)
        last = min(end, self.clock()).astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
        first = warning.since.astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
        first -= timedelta(hours=_BEFORE_H)
        first = max(
            min(first, last - timedelta(hours=_LEAST_HOURS - 1)), last - timedelta(hours=_MOST_HOURS - 1)
        )
        n = int((last - first) / timedelta(hours=1)) + 1
        hours = [first + timedelta(hours=number) for number in range(n)]
        counts = [0] * n
        seen: set[str] = set()
        for one in self.told_of(warning, since=first):
            who, number = one.caller or one.report_id, int((one.at - first) / timedelta(hours=1))
            if who not in seen and 0 <= number < n:
                seen.add(who)
                counts[number] += 1
        expected = self.lookout.expected(warning, hours)
        return [
            Hour(at=at, callers=counts[number], expected=expected[number] if expected else None)
            for number, at in enumerate(hours)
        ]

    def told_of(self, warning: RaisedWarning, *, since: datetime) -> list[Told]:
        """What was told of its matter, of danger its call."""
        if warning.layer is Layer.KNOWN:
            return self.reports.of_matter(warning.matter, warning.district, since=since)
        if warning.layer is Layer.UNKNOWN and (report_ids := self.lookout.report_ids(warning)):
            return [one for one in reversed(self.reports.told(report_ids)) if one.at >= since]
        return [one for one in self.samples(warning) if one.at >= since]

    def places(self, warning: RaisedWarning) -> tuple[Place, ...]:
        """Where several callers say that it is."""
        return common_places(self.told_of(warning, since=warning.since))

    def samples(self, warning: RaisedWarning) -> list[Told]:
        """The reports that stand for it, newest first."""
        return self.reports.told(warning.sample_ids)
