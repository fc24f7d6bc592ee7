"""What is usual: callers of each stream to expect at an hour of a kind of day.

In: counts of whole days, the kind of each. Out: expectations by hour, and how far counts spread around them.
Not known here: warnings.

What is expected of a leaf is the city's level of the matter (quick to follow the season) × the district's
share in it (slow) × a factor of the kind of day × the hour's part of the day. What a matter has too few
reports for is taken from all matters: each estimate starts as if some reports of the average had been seen.
Everything is a sum that fades, so a day is learnt by adding it. Days with an outbreak teach little: counts
are cut off above what is still likely. Storm days teach nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from insight.types import DayKind
from insight.warning.places import Places, PlacesOptions
from insight.warning.saved import Arrays, fill
from insight.warning.streams import Streams
from insight.warning.tails import Floats, Ints

_KINDS = len(DayKind)
_AS_HALF = 0.5
_SPREAD = 0.1
"""Taken for the spread before anything is learnt."""
_LEAST_SPREAD = 0.005
_SUMS = (
    "level_seen",
    "level_days",
    "share_seen",
    "kind_seen",
    "kind_expected",
    "hour_seen",
    "square_over",
    "square_expected",
    "two_days",
)
"""Of what a baseline remembers; all else follows from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineOptions:
    """How fast the past fades, and how much of the average each estimate starts with."""

    level_half_life_days: float = 14.0
    share_half_life_days: float = 90.0
    shape_half_life_days: float = 180.0
    """Of kinds of days, of hours and of the spread."""
    share_prior: float = 10.0
    """In reports."""
    kind_prior: float = 20.0
    hour_prior: float = 150.0
    spread_prior: float = 2000.0
    """In squares of expected reports."""
    cut_off_sd: float = 3.5
    """Standard deviations above the expected, from which on counts of a day are cut off."""
    warm_up_days: int = 28
    """Before that nothing is cut off and no spread is learnt."""
    places: PlacesOptions = field(default_factory=PlacesOptions)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """Spreads as the negative binomial has them: variance beside chance, by the square of the mean."""

    city: Floats
    """Of each matter in the whole city."""
    alone: Floats
    """Of each leaf, beside what it has in common with the city."""
    two_days: float
    """Of two days together, as a part of that of one day."""


class Baseline:
    """Fading sums over days, and what follows from them."""

    def __init__(self, streams: Streams, options: BaselineOptions = BaselineOptions()) -> None:
        matters, districts = len(streams.matters), len(streams.districts)
        self.streams = streams
        self.options = options
        self.places = Places(streams, options.places)
        self.days = 0
        self._level_seen = np.full(matters, _AS_HALF)
        self._level_days = np.full(matters, _AS_HALF)
        self._share_seen = np.zeros((matters, districts))
        self._kind_seen = np.zeros((matters, _KINDS))
        self._kind_expected = np.zeros((matters, _KINDS))
        self._hour_seen = np.zeros((2, matters, 24))
        self._square_over = np.zeros((2, matters))
        """Squares of what was not expected, less what chance adds; leaves, then the city."""
        self._square_expected = np.zeros((2, matters))
        self._two_days = np.zeros(2)
        self._day_before: tuple[Floats, Floats] | None = None
        self._refresh()

    def expected(self, kind: DayKind, hour: int) -> Floats:
        """Callers of each stream in an hour of the day."""
        part = self._hours[int(kind.is_free), :, hour]
        expected: Floats = self._daily(kind) * part[self.streams.matter_of]
        return expected

    def learn_day(
        self, by_hour: Ints, kind: DayKind, named: Mapping[int, Sequence[str]] | None = None
    ) -> None:
        """Add a whole day: counts of streams × 24 hours, and the places that were named in each leaf."""
        if kind is DayKind.STORM:
            return
        self.places.learn_day(named or {})
        seen, expected = by_hour.sum(axis=1).astype(float), self._daily(kind)
        if self.days >= self.options.warm_up_days:
            room = np.sqrt(expected + self._day_spread() * expected**2)
            most = expected + self.options.cut_off_sd * room + 1.0
            self._learn_spread(seen, expected, seen <= most)
            seen = np.minimum(seen, most)
        self._learn_levels(seen, kind)
        self._learn_hours(by_hour, seen, kind)
        self.days += 1
        self._refresh()

    def state(self) -> Arrays:
        """All sums, to be kept."""
        before = np.stack(self._day_before or (np.zeros(self.streams.n_streams),) * 2)
        return {
            "days": np.array(self.days),
            "day_before": before,
            "has_day_before": np.array(self._day_before is not None),
            **{name: getattr(self, f"_{name}") for name in _SUMS},
            **self.places.state(),
        }

    def restore(self, state: Arrays) -> None:
        """Take over the sums of a baseline of the same streams; raises `StateRefused`."""
        self.days = int(state["days"])
        before = np.zeros((2, self.streams.n_streams))
        fill(before, state["day_before"])
        self._day_before = (before[0], before[1]) if state["has_day_before"] else None
        for name in _SUMS:
            fill(getattr(self, f"_{name}"), state[name])
        self.places.restore(state)
        self._refresh()

    def _daily(self, kind: DayKind) -> Floats:
        daily: Floats = self._levels * self._kinds[self.streams.matter_of, kind]
        return daily

    def _learn_spread(self, seen: Floats, expected: Floats, is_usual: NDArray[np.bool_]) -> None:
        """Add how far the day was off; of each two days also both together, as days may be off alike."""
        off = np.where(is_usual, seen - expected, 0.0)
        expected = np.where(is_usual, expected, 0.0)
        fade = 0.5 ** (1 / self.options.shape_half_life_days)
        self._square_over = self._square_over * fade + self._by_matter(off**2 - expected)
        self._square_expected = self._square_expected * fade + self._by_matter(expected**2)
        if self._day_before is not None:
            off, expected = off + self._day_before[0], expected + self._day_before[1]
            both = np.array([(off**2 - expected).sum(), (expected**2).sum()])
            self._two_days = self._two_days * fade + both
            self._day_before = None
        else:
            self._day_before = (off, expected)

    def _day_spread(self) -> Floats:
        """Of a day of each stream."""
        in_common = np.repeat(self.spread.city, self._share_seen.shape[1])
        return np.concatenate([self.spread.alone + in_common, self.spread.city])

    def _by_matter(self, some: Floats) -> Floats:
        """Sums of the leaves of each matter, and below them the city's."""
        leaves = self.streams.n_leaves
        return np.stack([some[:leaves].reshape(self._share_seen.shape).sum(axis=1), some[leaves:]])

    def _learn_levels(self, seen: Floats, kind: DayKind) -> None:
        leaves, options = self.streams.n_leaves, self.options
        city, level = seen[leaves:], self._levels[leaves:].copy()
        fade = 0.5 ** (1 / options.level_half_life_days)
        self._level_seen = self._level_seen * fade + city
        self._level_days = self._level_days * fade + self._kinds[:, kind]
        fade = 0.5 ** (1 / options.share_half_life_days)
        self._share_seen = self._share_seen * fade + seen[:leaves].reshape(self._share_seen.shape)
        if self.days >= options.warm_up_days // 2:  # before that the levels are still on their way
            fade = 1.0 if kind is DayKind.HOLIDAY else 0.5 ** (1 / options.shape_half_life_days)
            self._kind_seen[:, kind] = self._kind_seen[:, kind] * fade + city
            self._kind_expected[:, kind] = self._kind_expected[:, kind] * fade + level

    def _learn_hours(self, by_hour: Ints, seen: Floats, kind: DayKind) -> None:
        leaves = self.streams.n_leaves
        city = by_hour[leaves:].astype(float)
        kept = seen[leaves:] / np.maximum(city.sum(axis=1), 1.0)
        half = self._hour_seen[int(kind.is_free)]
        half *= 0.5 ** (1 / self.options.shape_half_life_days)
        half += city * np.minimum(kept, 1.0)[:, None]

    def _refresh(self) -> None:
        """Draw the estimates from the sums."""
        options = self.options
        all_kinds = (self._kind_seen.sum(axis=0) + 20.0) / (self._kind_expected.sum(axis=0) + 20.0)
        self._kinds = (self._kind_seen + options.kind_prior * all_kinds) / (
            self._kind_expected + options.kind_prior
        )
        city = self._level_seen / self._level_days
        all_shares = self._share_seen.sum(axis=0) + 1.0
        share = self._share_seen + options.share_prior * all_shares / all_shares.sum()
        share /= share.sum(axis=1, keepdims=True)
        self._levels = np.concatenate([(city[:, None] * share).ravel(), city])
        all_hours = self._hour_seen.sum(axis=1) + 1.0
        all_hours /= all_hours.sum(axis=1, keepdims=True)
        hours = self._hour_seen + options.hour_prior * all_hours[:, None, :]
        self._hours = hours / hours.sum(axis=2, keepdims=True)
        self._refresh_spread()

    def _refresh_spread(self) -> None:
        """Draw the spread of streams: how far counts of a day lie from the expected beside chance, squared.

        What is not yet known of a level makes the spread wider.
        """
        prior = self.options.spread_prior
        over, expected = self._square_over.sum(axis=1), self._square_expected.sum(axis=1)
        whole = (over + prior * _SPREAD) / (expected + prior)
        each = (self._square_over + prior * whole[:, None]) / (self._square_expected + prior)
        each = np.maximum(each, _LEAST_SPREAD)
        two_days = (self._two_days[0] + prior * whole.mean()) / (self._two_days[1] + prior)
        one_day = (over.sum() + prior * whole.mean()) / (expected.sum() + prior)
        unsure_city = 1.0 / (self._level_seen + 1.0)
        unsure_leaf = 1.0 / (self._share_seen + self.options.share_prior)
        alone = np.maximum(each[0] - each[1], _LEAST_SPREAD)[:, None] + unsure_leaf
        city = each[1] + unsure_city
        self.spread = Spread(
            city=city,
            alone=alone.ravel(),
            two_days=float(np.clip(two_days / max(one_day, _LEAST_SPREAD), 0.5, 1.0)),
        )
