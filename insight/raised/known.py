"""Finds known matters that grow: keeps a `Watch` fed over years, restarts, and lists that change.

In: what is counted, lists of matters and districts, kinds of days. Out: warnings.
Not known here: where warnings go. All of it blocks.

- At the first start the watch learns what is usual from all that was told within `HISTORY`.
- Corrections: counts of the last days are counted anew from the table before the next hour is closed.
- A matter that is not in the lists is counted from the next day on, or at once when `SUDDEN` reports of it
  came within two days; the watch then learns anew.
"""

import json
import logging
import struct
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta

from insight.raised.finders import Standing
from insight.raised.progress import Progress, progress_of
from insight.raised.reading import NO_DISTRICT, Told
from insight.raised.reports import CATEGORY, Change, ReportStore
from insight.raised.types import Layer, RaisedWarning
from insight.types import DayKind, EarlyWarning, Report, StateRefused
from insight.warning.baseline import Baseline
from insight.warning.counts import KEPT_H, Counts, hour_number, hour_start
from insight.warning.streams import Streams
from insight.warning.watch import Watch

log = logging.getLogger(__name__)

HISTORY = timedelta(days=400)
"""Within which it learns: a year, so that holidays and seasons are in it."""
DAYS_NEEDED = 14
"""Levels follow the season with a half-life of so many days; before that a busy matter looks like a burst."""
SUDDEN = 5
"""The least that is told of as a warning."""
_LISTED_FROM = 3
"""Reports within `_LISTED_WITHIN` from which on a matter that no article has is counted."""
_LISTED_WITHIN = timedelta(days=90)
_SUDDEN_WITHIN = timedelta(days=2)
_MOST_MATTERS = 800
_AHEAD = timedelta(hours=1)
"""What is taken in at this moment is known by now, also where the clock was set back a little."""
_STALE = timedelta(days=1)
"""What stood out so long before a restart is told no more, unless it goes on."""
_HEAD = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What is counted."""

    matters: Sequence[str]
    categories: Sequence[str]
    """One for each matter; empty: it has none."""
    districts: Sequence[str]


class KnownFinder:
    """Holds the watch."""

    layer = Layer.KNOWN

    def __init__(
        self,
        reports: ReportStore,
        *,
        matters: Callable[[], Sequence[str]],
        categories: Callable[[], Mapping[str, str]],
        districts: Callable[[], Sequence[str]],
        kind_of: Callable[[date], DayKind],
    ) -> None:
        """`matters`: those that the knowledge base has, `categories` of them; `districts`: the city's."""
        self._reports = reports
        self._matters = matters
        self._categories = categories
        self._districts = districts
        self._kind_of = kind_of
        self._watch: Watch | None = None
        self._listed: frozenset[str] = frozenset()
        """The matters of the watch, without categories."""
        self._zone_now: datetime | None = None
        self._corrected: dict[str, Told] = {}
        self._unlisted: dict[str, list[datetime]] = {}
        self._missed: list[EarlyWarning] = []
        """What stood out while the server was down."""

    @property
    def standing(self) -> Standing:
        """How it fares."""
        watch = self._watch
        if watch is None:
            return Standing(days_needed=DAYS_NEEDED)
        return Standing(
            days=watch.baseline.days,
            days_needed=DAYS_NEEDED,
            looked_at=self._start_of(watch.counts.hour),
            matters=len(self._listed),
            districts=len(watch.streams.districts),
            unlisted=sum(map(len, self._unlisted.values())),
        )

    def open(self, state: bytes | None, now: datetime) -> None:
        """Go on from a kept state, or learn from all that is known."""
        self._zone_now = now
        if state is not None:
            try:
                self._watch = self._restored(state, now)
                return
            except (StateRefused, ValueError, KeyError, struct.error) as error:
                log.warning("the early warning learns anew: %s", type(error).__name__)
        self._watch = self._learnt(self._lists(now), now)

    def hear(self, changes: Sequence[Change]) -> None:
        """Count; what is to be counted otherwise is counted anew before the next hour is closed."""
        watch = self._opened()
        for change in changes:
            if change.is_correction:
                known = change.after or change.before
                assert known is not None
                self._corrected[known.report_id] = known
            elif change.before is None and change.after is not None:
                self._count(watch, change.after)

    def advance(self, now: datetime) -> list[EarlyWarning]:
        """Close the hours that are over, one after the other."""
        watch = self._opened()
        missed, self._missed = self._missed, []
        if hour_number(now) <= watch.counts.hour:
            return missed
        self._zone_now = now
        if self._corrected:
            watch.counts = self._recounted(watch)
            self._corrected.clear()
        self._forget_unlisted(now)
        if self._is_stale(watch, now):
            watch = self._watch = self._learnt(self._lists(now), now, until=watch.counts.hour)
        told = missed + watch.advance(now)
        return [_as_raised(one) for one in told] if watch.baseline.days >= DAYS_NEEDED else []

    def progress(self, warning: RaisedWarning) -> Progress:
        """How a matter went on."""
        return progress_of(self._reports.of_matter(warning.matter, warning.district, since=warning.since))

    def sample_ids(self, warning: RaisedWarning, limit: int) -> tuple[str, ...]:
        """The newest reports, one for each caller."""
        told = self._reports.of_matter(warning.matter, warning.district, since=warning.since)
        newest = {one.caller or one.report_id: one.report_id for one in told}
        return tuple(reversed(newest.values()))[:limit]

    def expected_hourly(self, warning: RaisedWarning, hours: Sequence[datetime]) -> list[float] | None:
        """Callers that are usual in those hours, by what is learnt now."""
        watch = self._opened()
        stream = _stream_of(warning, watch.streams)
        if stream is None:
            return None
        return [
            float(watch.baseline.expected(self._kind_of(hour.date()), hour.hour)[stream]) for hour in hours
        ]

    def state(self) -> bytes:
        """The lists, up to when was looked, and what the watch remembers."""
        watch = self._opened()
        head = json.dumps(
            {
                "lists": asdict(_lists_of(watch.streams)),
                "hour": watch.counts.hour,
            },
            ensure_ascii=False,
        ).encode()
        return _HEAD.pack(len(head)) + head + watch.state()

    def _opened(self) -> Watch:
        assert self._watch is not None, "it is opened first"
        return self._watch

    def _lists(self, now: datetime) -> Lists:
        """What the knowledge base has, and what was told often enough beside it."""
        since = now - _LISTED_WITHIN
        told = self._reports.matters(since=since, least=_LISTED_FROM)
        matters = tuple(dict.fromkeys([*self._matters(), *told]))[:_MOST_MATTERS] or ("—",)
        categories = self._reports.categories(since=since) | dict(self._categories())
        return Lists(
            matters=matters,
            categories=tuple(categories.get(one, "") for one in matters),
            districts=(*self._districts(), NO_DISTRICT),
        )

    def _is_stale(self, watch: Watch, now: datetime) -> bool:
        """Whether it should count other matters or districts."""
        is_sudden = any(len(times) >= SUDDEN for times in self._unlisted.values())
        if not is_sudden and now.date() == self._start_of(watch.counts.hour).date():
            return False
        fresh = self._lists(now)
        is_more = not set(fresh.matters) <= self._listed
        return is_more or set(fresh.districts) != set(watch.streams.districts)

    def _forget_unlisted(self, now: datetime) -> None:
        recent = {
            matter: [at for at in times if now - at < _SUDDEN_WITHIN]
            for matter, times in self._unlisted.items()
        }
        self._unlisted = {matter: times for matter, times in recent.items() if times}

    def _count(self, watch: Watch, told: Told) -> None:
        if told.matter in self._listed:
            watch.hear(self._report(told, watch.streams))
        elif told.matter:
            self._unlisted.setdefault(told.matter, []).append(told.known_at)

    def _report(self, told: Told, streams: Streams) -> Report:
        district = told.district if told.district in streams.districts else NO_DISTRICT
        return Report(
            report_id=told.report_id,
            at=self._local(told.at),
            caller=told.caller,
            district=district,
            matter=told.matter,
            place=told.place,
        )

    def _restored(self, state: bytes, now: datetime) -> Watch:
        (length,) = _HEAD.unpack_from(state)
        head = json.loads(state[_HEAD.size : _HEAD.size + length])
        streams = self._list(Lists(**head["lists"]))
        saved_at = self._start_of(head["hour"])
        watch = Watch(Baseline(streams), now=saved_at, kind_of=self._kind_of)
        watch.restore(state[_HEAD.size + length :])
        watch.counts = self._recounted(watch)
        # What became known since then was taken in, and is heard again; it counts once.
        for one in self._reports.known_between(saved_at, now + _AHEAD):
            self._missed += watch.advance(min(self._local(one.known_at), now))
            self._count(watch, one)
        self._missed = [one for one in self._missed + watch.advance(now) if now - one.raised_at < _STALE]
        return watch

    def _learnt(self, lists: Lists, now: datetime, *, until: int | None = None) -> Watch:
        """A watch that knows what was usual; the hour `until` (now's) is still open."""
        began, streams = time.monotonic(), self._list(lists)
        until = hour_number(now) if until is None else until
        first = self._reports.first_at()
        oldest = max(self._local(first), now - HISTORY) if first is not None else now
        start = oldest.replace(hour=0, minute=0, second=0, microsecond=0)
        watch = Watch(Baseline(streams), now=start, kind_of=self._kind_of)
        self._unlisted.clear()
        n = self._hear_on(watch, self._reports.known_between(start, now + _AHEAD), until)
        self._forget_unlisted(now)
        log.info("learnt %d reports of %d days in %.1f s", n, watch.baseline.days, time.monotonic() - began)
        return watch

    def _hear_on(self, watch: Watch, told: Iterable[Told], until: int) -> int:
        """Hear what was told in its order, and close the hours up to `until` without telling of any."""
        n = 0
        for one in told:
            self._close(watch, min(hour_number(self._local(one.known_at)), until))
            self._count(watch, one)
            n += 1
        self._close(watch, until)
        return n

    def _close(self, watch: Watch, until: int) -> None:
        while watch.counts.hour < until:
            watch.counts.open_hour()
            watch.turn_hour()

    def _recounted(self, watch: Watch) -> Counts:
        """The counts of the last days, as they are told now."""
        until = watch.counts.hour
        counts = Counts(watch.streams, until - KEPT_H + 1)
        since, before = self._start_of(counts.hour), self._start_of(until + 1)
        late: list[Told] = []
        for told in self._reports.known_between(since, before):
            if told.matter not in self._listed:
                continue
            if told.report_id in self._corrected:
                late.append(told)  # that it belongs here is news
                continue
            while counts.hour < min(hour_number(self._local(told.known_at)), until):
                counts.open_hour()
            counts.hear(self._report(told, watch.streams))
        while counts.hour < until:
            counts.open_hour()
        for told in late:
            counts.hear(self._report(told, watch.streams))
        return counts

    def _list(self, lists: Lists) -> Streams:
        self._listed = frozenset(lists.matters)
        return Streams(lists.matters, lists.districts, lists.categories)

    def _local(self, at: datetime) -> datetime:
        assert self._zone_now is not None, "it is opened first"
        return at.astimezone(self._zone_now.tzinfo)

    def _start_of(self, hour: int) -> datetime:
        assert self._zone_now is not None, "it is opened first"
        return hour_start(hour, self._zone_now.tzinfo)


def _as_raised(told: EarlyWarning) -> EarlyWarning:
    """A category is told apart from a matter of the same name."""
    if not told.matters:
        return told
    return replace(told, matter=f"{CATEGORY}{told.matter}", name=f"{told.matter}（多个事项）")


def _lists_of(streams: Streams) -> Lists:
    """What the streams were made of."""
    above = streams.category_of
    return Lists(
        matters=streams.matters[: streams.n_matters],
        categories=["" if one is None else streams.matters[one] for one in above],
        districts=streams.districts,
    )


def _stream_of(warning: RaisedWarning, streams: Streams) -> int | None:
    """The stream of a warning; None where it is counted no more."""
    name = warning.matter.removeprefix(CATEGORY)
    is_category = warning.matter.startswith(CATEGORY)
    some = streams.matters[streams.n_matters :] if is_category else streams.matters[: streams.n_matters]
    if name not in some or warning.district not in (None, *streams.districts):
        return None
    number = some.index(name) + (streams.n_matters if is_category else 0)
    if warning.district is None:
        return streams.n_leaves + number
    return streams.leaves(number)[streams.districts.index(warning.district)]
