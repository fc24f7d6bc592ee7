"""From scores to warnings: which streams are told of, and which not again.

In: streams that stand out at an hour. Out: those to raise now.
Not known here: why they stand out.

A matter that stands out in one or two districts is told there; in more, or in none of them enough to explain
the city, once for the city. A category is told instead of its matters where several of them stand out at
once, or where none makes up half of what it has too many. Whoever was told of a matter's district or city is
not told again while it lasts and for some time after; but a district that turns out to make up most of what
was told of the city or of the category is told as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from insight.warning.saved import Arrays, fill
from insight.warning.streams import Streams
from insight.warning.tails import Floats

_MOST = 2 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisingOptions:
    """When a stream is told of."""

    least_callers: int = 5
    """However unlikely they are, fewer are no matter for the city."""
    quiet_h: int = 72
    """Nothing is told again for so long after a warning."""
    ends_h: int = 24
    """Nor for so long after it last stood out."""
    spread_districts: int = 3
    """In so many districts it is the city's."""
    several_matters: int = 2
    """So many that begin at once in a district are their category's."""


class Raising:
    """Remembers what was told."""

    def __init__(self, streams: Streams, options: RaisingOptions = RaisingOptions()) -> None:
        self._streams = streams
        self._options = options
        self._quiet_until = np.zeros(streams.n_streams, dtype=np.int64)
        self._covered_until = np.zeros(streams.n_streams, dtype=np.int64)
        """By a warning of the whole city or category."""

    def raise_now(self, hour: int, stands_out: NDArray[np.bool_], excess: Floats) -> list[int]:
        """The streams to tell of; `excess`: callers beyond the expected, of every stream."""
        out = [int(matter) for matter in np.unique(self._streams.matter_of[stands_out])]
        n_matters = self._streams.n_matters
        told: list[int] = []
        for matter in (one for one in out if one < n_matters):
            told += self._raise_matter(hour, matter, stands_out, excess)
        for category in (one for one in out if one >= n_matters):
            told = self._raise_category(hour, category, told, stands_out, excess)
        return told

    def state(self) -> Arrays:
        """What was told, to be kept."""
        return {"quiet_until": self._quiet_until, "covered_until": self._covered_until}

    def restore(self, state: Arrays) -> None:
        """Take over what was told of the same streams; raises `StateRefused`."""
        fill(self._quiet_until, state["quiet_until"])
        fill(self._covered_until, state["covered_until"])

    def _raise_category(
        self,
        hour: int,
        category: int,
        told: list[int],
        stands_out: NDArray[np.bool_],
        excess: Floats,
    ) -> list[int]:
        """Put a category in the place of its matters; returns what is told then."""
        streams, own = self._streams, np.zeros_like(stands_out)
        mine = [*streams.leaves(category), streams.city(streams.leaves(category)[0])]
        for stream in (one for one in mine if stands_out[one]):
            below = streams.below(stream)
            known = [one for one in below if hour < self._quiet_until[one] and one not in told]
            several = sum(one in told for one in below) >= self._options.several_matters
            most = max([*(excess[one] for one in below), sum(excess[one] for one in known)])
            own[stream] = several or most < excess[stream] / 2
        more = self._raise_matter(hour, category, own, excess)
        covered = {one for stream in more for one in self._covered(stream)}
        self._cover(covered, hour)
        self._quiet_until[[one for one in told if one in covered]] = hour
        return [one for one in told if one not in covered] + more

    def _covered(self, stream: int) -> list[int]:
        """The streams of its matters, of which nothing is told beside a category."""
        below = self._streams.below(stream)
        if not self._streams.is_city(stream):
            return below
        return below + [
            leaf for one in below for leaf in self._streams.leaves(int(self._streams.matter_of[one]))
        ]

    def _raise_matter(
        self, hour: int, matter: int, stands_out: NDArray[np.bool_], excess: Floats
    ) -> list[int]:
        leaves = self._streams.leaves(matter)
        city = self._streams.city(leaves[0])
        out = [leaf for leaf in leaves if stands_out[leaf]]
        fresh = [leaf for leaf in out if self._is_fresh(hour, leaf, excess)]
        explained = sum(excess[leaf] for leaf in out)
        is_city = stands_out[city] and explained < excess[city] / 2
        told: list[int] = []
        if self._is_fresh(hour, city, excess) and (is_city or len(out) >= self._options.spread_districts):
            told = [city]
            self._cover(leaves, hour)
        elif fresh and not is_city:
            told = fresh
            self._silence([city], hour + self._options.quiet_h)
        self._silence(told, hour + self._options.quiet_h)
        for stream in out if not stands_out[city] else [*out, city]:
            until = self._quiet_until if self._is_told(hour, stream) else self._covered_until
            until[stream] = max(until[stream], hour + self._options.ends_h)
        return told

    def _is_fresh(self, hour: int, stream: int, excess: Floats) -> bool:
        """Whether it may be told: a leaf also if what was told for it says too little of where or of what."""
        if hour < self._quiet_until[stream]:
            return False
        if hour >= self._covered_until[stream]:
            return True
        above = self._streams.above(stream)
        return bool(above) and all(excess[stream] >= _MOST * excess[one] for one in above)

    def _is_told(self, hour: int, stream: int) -> bool:
        """Whether it was told itself, or nothing in its place."""
        return bool(hour < self._quiet_until[stream] or hour >= self._covered_until[stream])

    def _cover(self, streams: Iterable[int], hour: int) -> None:
        for stream in streams:
            self._covered_until[stream] = max(self._covered_until[stream], hour + self._options.quiet_h)

    def _silence(self, streams: Iterable[int], until: int) -> None:
        for stream in streams:
            self._quiet_until[stream] = max(self._quiet_until[stream], until)
