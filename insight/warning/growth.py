"""How unlikely the newest counts of every stream are, given what is usual.

In: counts and expectations by hour, spreads. Out: the least likely window of each stream.
Not known here: what is told.

A district is held against the rest of the city: a storm that all districts call about is the city's, and only
a district that stands out from it is one of its own.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Growth:
    """The least likely window of each stream."""

    window: Ints
    """Its place in `WINDOWS_H`."""
    observed: Floats
    expected: Floats
    probability: Floats
    """Of that window, not yet corrected for the choice."""


def find_growth(
    streams: Streams,
    hourly: Ints,
    expected_hourly: Floats,
    spread: Spread,
    tested: NDArray[np.bool_],
    *,
    least: int,
    apart: float = 0.0,
) -> Growth:
    """Look at the windows of the tested streams; windows with fewer than `least` callers count as usual.

    `apart`: spread by which districts differ now, beside the usual.
    """
    seen = by_window(hourly, WINDOWS_H)
    expected = by_window(expected_hourly, WINDOWS_H)
    is_on = tested & (seen[:, WINDOWS_H.index(_STILL_H)] > 0)
    rows, columns = np.nonzero((seen >= least) & (seen > expected) & is_on[:, None])
    probability = np.ones_like(seen)
    is_leaf = rows < streams.n_leaves
    for some, column in ((rows[~is_leaf], columns[~is_leaf]), (rows[is_leaf], columns[is_leaf])):
        if not len(some):
            continue
        times = np.where(np.array(WINDOWS_H) > 24, spread.two_days, 1.0)[column]
        wide = spread.city[streams.matter_of[some]] * times
        if some[0] < streams.n_leaves:
            factor, left = _city_factor(streams, seen, expected, wide=wide, rows=some, columns=column)
            wide = spread.alone[some] * times + left + apart
            expected[some, column] *= factor
        probability[some, column] = tail(seen[some, column], expected[some, column], wide)
    best = (probability * CHANCES).argmin(axis=1)
    every = np.arange(streams.n_streams)
    return Growth(best, seen[every, best], expected[every, best], probability[every, best])


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
