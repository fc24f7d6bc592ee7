"""How unlikely the newest counts of every stream are, given what is usual.

In: counts and expectations by hour, spreads. Out: the least likely window of each stream.
Not known here: what is told.

A district is held against the rest of the city: a storm that all districts call about is the city's, and only
a district that stands out from it is one of its own.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from insight.warning.baseline import Spread
from insight.warning.counts import by_window
from insight.warning.streams import Streams
from insight.warning.tails import Floats, Ints, tail

WINDOWS_H = (3, 6, 12, 24, 48)
CHANCES = sum(WINDOWS_H) / np.array(WINDOWS_H)
"""By which probabilities are multiplied for the choice of the window: a short one has more chances a day."""
_STILL_H = 12
"""Without a caller in so many hours it is over: what becomes known late is no growth now."""
_IS_RAISED = 0.01
"""Probability below which the rest of the city counts as raised."""
_HAS_GROWN = 0.03
"""Probability of the callers below which their places are looked at."""
_STORM_SPREAD = 0.5
"""Of what a storm makes of a matter in the whole city: anything from nothing to many times as much."""
_RAISED_BY = 0.3
"""Matters that are raised in the city by less say nothing of how hard a storm hits a district."""
_HIT_PRIOR = 20.0
"""In callers."""
_MOST_HIT = 4.0
_LEAST_HIT = 5
"""From fewer other matters nothing is concluded."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The least likely window of each stream, its places considered."""

    window: Ints
    """Its place in `WINDOWS_H`; the longest where nothing has grown."""
    observed: Floats
    expected: Floats
    probability: Floats
    """Of that window, not yet corrected for the choice."""
    evidence: Floats
    """Of its places; the probability may be divided by it."""


class Evidence(Protocol):
    """What the places are worth that callers named."""

    def __call__(self, leaf: int, window_h: int, more: float) -> float:
        """In the last hours; `more`: the part of the callers that is beyond the expected."""


def find_growth(
    streams: Streams,
    hourly: Ints,
    expected_hourly: Floats,
    spread: Spread,
    tested: NDArray[np.bool_],
    *,
    least: int,
    evidence: Evidence,
    apart: float | None = None,
) -> Growth:
    """Look at the windows of the tested streams; windows with fewer than `least` callers count as usual.

    `evidence` is asked of leaves that have grown.
    `apart`: in a storm, the spread of what it does to a matter in a district, beside the usual.
    """
    seen = by_window(hourly, WINDOWS_H)
    expected = by_window(expected_hourly, WINDOWS_H)
    is_on = tested & (seen[:, WINDOWS_H.index(_STILL_H)] > 0)
    rows, columns = np.nonzero((seen >= least) & (seen > expected) & is_on[:, None])
    probability = np.ones_like(seen)
    of_places = np.ones_like(seen)
    is_leaf = rows < streams.n_leaves
    hit = _hit(streams, seen, expected) if apart is not None else None
    for some, column in ((rows[~is_leaf], columns[~is_leaf]), (rows[is_leaf], columns[is_leaf])):
        if not len(some):
            continue
        times = np.where(np.array(WINDOWS_H) > 24, spread.two_days, 1.0)[column]
        wide = spread.city[streams.matter_of[some]] * times
        if some[0] < streams.n_leaves:
            wide = wide if hit is None else np.full(len(wide), _STORM_SPREAD)
            factor, left = _city_factor(streams, seen, expected, wide=wide, rows=some, columns=column)
            wide = spread.alone[some] * times + left
            if hit is not None and apart is not None:
                factor = 1.0 + np.maximum(factor - 1.0, 0.0) * hit[some, column]
                wide += apart * (1.0 - 1.0 / factor) ** 2
            expected[some, column] *= factor
        probability[some, column] = tail(seen[some, column], expected[some, column], wide)
    for leaf, column in zip(*np.nonzero(probability[: streams.n_leaves] < _HAS_GROWN), strict=True):
        more = 1.0 - float(expected[leaf, column] / seen[leaf, column])
        of_places[leaf, column] = evidence(int(leaf), WINDOWS_H[column], more)
    weighed = probability * CHANCES / of_places
    best = np.where(probability.min(axis=1) < 1.0, weighed.argmin(axis=1), len(WINDOWS_H) - 1)
    every = np.arange(streams.n_streams)
    return Growth(
        best, seen[every, best], expected[every, best], probability[every, best], of_places[every, best]
    )


def _city_factor(
    streams: Streams, seen: Floats, expected: Floats, *, wide: Floats, rows: Ints, columns: Ints
) -> tuple[Floats, Floats]:
    """By how much the rest of the city is raised or lowered, and the spread of not knowing that well.

    A gamma prior of the city's own spread meets the rest's callers. Where that is no longer likely, something
    happens in the whole city, and the rest's callers alone say how much.
    """
    city = streams.n_leaves + streams.matter_of[rows]
    rest_seen = np.maximum(seen[city, columns] - seen[rows, columns], 0.0)
    rest_expected = np.maximum(expected[city, columns] - expected[rows, columns], 0.0)
    is_raised = tail(rest_seen, rest_expected, wide) < _IS_RAISED
    prior = np.where(is_raised, 1.0, 1.0 / wide)
    return (rest_seen + prior) / (rest_expected + prior), 1.0 / (rest_seen + prior)


def _hit(streams: Streams, seen: Floats, expected: Floats) -> Floats:
    """How hard a storm hits each district, beside the city: of each leaf and window.

    What the district's other matters have too many, by what they would have if all districts were hit alike.
    """
    own, districts = streams.n_matter_leaves, len(streams.districts)
    rows, columns = (part.ravel() for part in np.indices((own, len(WINDOWS_H))))
    wide = np.full(len(rows), _STORM_SPREAD)
    factor, _ = _city_factor(streams, seen, expected, wide=wide, rows=rows, columns=columns)
    raised = np.maximum(factor.reshape(own, -1) - 1.0, 0.0)
    raised[raised < _RAISED_BY] = 0.0
    alike = (expected[:own] * raised).reshape(-1, districts, len(WINDOWS_H))
    too_many = ((seen[:own] - expected[:own]) * (raised > 0)).reshape(alike.shape)
    parts = np.stack([alike, too_many, alike > 0])
    others = parts.sum(axis=1, keepdims=True) - parts
    ratio = np.clip((others[1] + _HIT_PRIOR) / (others[0] + _HIT_PRIOR), 0.0, _MOST_HIT)
    hit = np.ones((streams.n_leaves, len(WINDOWS_H)))
    hit[:own] = np.where(others[2] >= _LEAST_HIT, ratio, 1.0).reshape(own, -1)
    return hit
