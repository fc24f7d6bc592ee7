"""The early warning over known matters and districts.

In: reports as they become known, the time. Out: warnings, each with what it rests on.
Not known here: where reports come from, who is told, the real clock.

Hour by hour: counts of distinct callers in several windows are held against the baseline, the probabilities
of all streams are judged together (false discovery), and what stands out is told once. A day is learnt when
it is two days old, so that what comes late is in it and what grows now is not yet usual.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray

from insight.types import DayKind, EarlyWarning, Report, StateRefused
from insight.warning.baseline import Baseline
from insight.warning.counts import KEPT_H, Counted, Counts, hour_number, hour_start
from insight.warning.growth import CHANCES, WINDOWS_H, Growth, find_growth
from insight.warning.raising import Raising, RaisingOptions
from insight.warning.saved import fill, of_texts, pack, to_texts, unpack
from insight.warning.streams import Streams
from insight.warning.tails import Floats, Ints, false_shares

_LEARN_AFTER_H = 48
_SAMPLES = 10
_IN_COMMON = 3
"""So many callers name a place before it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """When a stream stands out."""

    false_share: float = 0.015
    """Of the streams that stand out at an hour, the share that chance may have made."""
    storm_spread: float = 0.15
    """Of what a storm does to a matter in a district, beside what it does to the city and to the district."""
    raising: RaisingOptions = field(default_factory=RaisingOptions)

    def __post_init__(self) -> None:
        if not 0 < self.false_share < 1:
            raise ValueError("false_share lies between 0 and 1")


class Watch:
    """Holds the counts of the last days and the baseline; `hear` reports, `advance` the clock."""

    def __init__(
        self,
        baseline: Baseline,
        *,
        now: datetime,
        kind_of: Callable[[date], DayKind],
        options: WatchOptions = WatchOptions(),
    ) -> None:
        """`baseline`: has learnt the days before the one before `now`'s."""
        self.options = options
        self.streams: Streams = baseline.streams
        self.baseline = baseline
        self._kind_of = kind_of
        self._zone = now.tzinfo
        self.counts = Counts(self.streams, hour_number(now))
        self._expected = np.zeros((self.streams.n_streams, KEPT_H))
        self._began = self.counts.hour
        self._raising = Raising(self.streams, options.raising)
        self._expect()

    def hear(self, report: Report) -> None:
        """Take in a report; raises `UnknownStream`."""
        self.counts.hear(report)

    def advance(self, now: datetime) -> list[EarlyWarning]:
        """Close the hours before `now`, and tell what stands out."""
        told: list[EarlyWarning] = []
        while self.counts.hour < hour_number(now):
            told += self._close_hour()
        return told

    def state(self) -> bytes:
        """All that is remembered, for `restore`; callers are named in it."""
        return pack(
            {
                "streams": of_texts(self.streams.names()),
                "began": np.array(self._began),
                "expected": self._expected[:, self._hours_looked_at()],
                **self.baseline.state(),
                **self.counts.state(),
                **self._raising.state(),
            }
        )

    def restore(self, state: bytes) -> None:
        """Go on as the watch whose `state` it was would have; this one has heard nothing yet.

        Reports since then are to be heard once more, and the clock advanced day by day on the way; what was
        heard before may be heard again, it counts once. Raises `StateRefused` for damaged bytes, another
        version, other matters or districts (or another order of them): this watch is to be thrown away then,
        and one is to be learnt from history.
        """
        arrays = unpack(state)
        try:
            if to_texts(arrays["streams"]) != self.streams.names():
                raise StateRefused("事项或区域与保存的预警状态不同，请从历史通话重新学习。")
            self._began = int(arrays["began"])
            self.baseline.restore(arrays)
            self.counts.restore(arrays)
            self._raising.restore(arrays)
            expected = self._expected[:, self._hours_looked_at()]
            fill(expected, arrays["expected"])
            self._expected[:, self._hours_looked_at()] = expected
        except (KeyError, IndexError, TypeError, ValueError):
            raise StateRefused("保存的预警状态已损坏，请从历史通话重新学习。") from None

    def _close_hour(self) -> list[EarlyWarning]:
        growth = self.look(self.counts.open_hour())
        shares = shares_of(growth)
        stands_out = shares <= self.options.false_share
        raised = self._raising.raise_now(self.counts.hour, stands_out, growth.observed - growth.expected)
        told = [self._explain(stream, growth, float(shares[stream])) for stream in raised]
        self.turn_hour()
        return told

    def look(self, grown: NDArray[np.bool_]) -> Growth:
        """How unlikely the counts of grown streams are; in storms, those of matters in districts alone."""
        tested, is_storm = grown.copy(), self._is_storm()
        if is_storm:
            tested[self.streams.n_matter_leaves :] = False
        longest = WINDOWS_H[-1]
        return find_growth(
            self.streams,
            self.counts.last(longest),
            self._expected[:, self._hours_looked_at()[:-1]],
            self.baseline.spread,
            tested,
            least=self.options.raising.least_callers,
            evidence=self._evidence_of_places,
            apart=self.options.storm_spread if is_storm else None,
        )

    def _evidence_of_places(self, leaf: int, window_h: int, more: float) -> float:
        places = [one.place for one in self.counts.behind(leaf, window_h) if one.place]
        return self.baseline.places.evidence(leaf, places, more)

    def turn_hour(self) -> None:
        """Learn a day that is old enough, and expect the hour that has opened."""
        hour = self.counts.hour
        if hour % 24 == 0 and hour - _LEARN_AFTER_H - 24 >= self._began:
            day = self.counts.last(24, before=_LEARN_AFTER_H)
            named = self.counts.named(24, before=_LEARN_AFTER_H)
            self.baseline.learn_day(day, self._kind(hour - _LEARN_AFTER_H - 24), named)
        self._expect()

    def _expect(self) -> None:
        hour = self.counts.hour
        self._expected[:, hour % KEPT_H] = self.baseline.expected(self._kind(hour), hour % 24)

    def _hours_looked_at(self) -> Ints:
        """Places of the longest window's hours and of the open one."""
        return np.arange(self.counts.hour - WINDOWS_H[-1], self.counts.hour + 1) % KEPT_H

    def _kind(self, hour: int) -> DayKind:
        return self._kind_of(hour_start(hour, self._zone).date())

    def _is_storm(self) -> bool:
        """Whether there is a storm, or was one within the longest window."""
        hour = self.counts.hour - 1
        return any(self._kind(hour - back) is DayKind.STORM for back in range(0, WINDOWS_H[-1] + 1, 24))

    def _explain(self, stream: int, growth: Growth, false_share: float) -> EarlyWarning:
        window_h = WINDOWS_H[growth.window[stream]]
        behind = self.counts.behind(stream, window_h)
        assert behind, "it stands out by what it has counted"
        return EarlyWarning(
            raised_at=hour_start(self.counts.hour, self._zone),
            matter=self.streams.matter(stream),
            district=self.streams.district(stream),
            districts=_most_first(one.district for one in behind),
            window_h=window_h,
            observed=len(behind),
            places=len({one.place for one in behind if one.place}),
            place_factor=float(growth.evidence[stream]),
            common_places=_common(behind),
            matters=_most_first(one.matter for one in behind) if self.streams.is_category(stream) else (),
            expected=float(growth.expected[stream]),
            probability=float(growth.probability[stream]),
            false_share=false_share,
            since=hour_start(behind[0].hour, self._zone),
            sample_ids=tuple(one.report_id for one in behind[: -_SAMPLES - 1 : -1]),
        )


def shares_of(growth: Growth) -> Floats:
    """Judge all streams together, each by its window and its places."""
    weighed = growth.probability * CHANCES[growth.window] / growth.evidence
    return false_shares(np.minimum(weighed, 1.0))


def _most_first(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name, _ in Counter(names).most_common())


def _common(behind: list[Counted]) -> tuple[str, ...]:
    """Places that several callers named, most first."""
    times = Counter(one.place for one in behind if one.place).most_common(_SAMPLES)
    return tuple(place for place, callers in times if callers >= _IN_COMMON)
