"""What the early warning is compared with: a fixed threshold, EARS C2, Kleinberg's bursts.

In: counts of distinct callers by hour. Out: a score of each leaf; the higher, the more of a burst.
Not known here: thresholds, outbreaks.

All see the same counts of the same hours, and are asked of leaves alone: of the whole city they can say
nothing false. Streams that have not grown in the hour have no score.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from insight.warning.counts import Counts

Floats = NDArray[np.float64]
_DAY_H = 24


class Method(Protocol):
    """Scores the leaves after each hour."""

    name: str

    def score(self, counts: Counts) -> Floats:
        """One score for each leaf."""


class FixedThreshold:
    """Callers of the last 24 hours, whatever is usual."""

    name = "fixed"

    def score(self, counts: Counts) -> Floats:
        """How many callers there were."""
        callers: Floats = counts.last(_DAY_H)[: counts.streams.n_matter_leaves].sum(axis=1).astype(np.float64)
        return callers


class EarsC2:
    """The last 24 hours against seven such, the newest of which ended two days before."""

    name = "ears_c2"

    def __init__(self, least_sd: float = 0.5) -> None:
        self._least_sd = least_sd

    def score(self, counts: Counts) -> Floats:
        """Standard deviations above the mean."""
        leaves = counts.streams.n_matter_leaves
        days = counts.last(10 * _DAY_H)[:leaves].reshape(leaves, 10, _DAY_H).sum(axis=2)
        base = days[:, :7]
        sd = np.maximum(base.std(axis=1, ddof=1), self._least_sd)
        score: Floats = (days[:, -1] - base.mean(axis=1)) / sd
        return score


class Kleinberg:
    """Two states, one with `times` as great a part of the city's callers: the gain of being in the upper.

    Hours are batches: of all callers of the city in the hour, so many were the leaf's. The gain is the weight
    of the burst that lasts until now; whether it is one depends on the cost of beginning one, the threshold.
    """

    name = "kleinberg"
    _BACK_H = 96
    _HALF_LIFE_DAYS = 28

    def __init__(self, history: NDArray[np.int64], times: float = 20.0) -> None:
        """`history`: days × leaves, the callers before."""
        self._times = times
        self._seen = np.full(history.shape[1], 0.5)
        for day in history:
            self._learn(day)

    def score(self, counts: Counts) -> Floats:
        """The weight of the burst that each leaf is in."""
        leaves = counts.streams.n_matter_leaves
        if counts.hour % _DAY_H == 0:
            self._learn(counts.last(_DAY_H, before=48)[:leaves].sum(axis=1))
        part = np.minimum(self._seen / self._seen.sum(), 0.9 / self._times)
        up, down = np.log(self._times), np.log((1 - self._times * part) / (1 - part))
        gain = np.zeros(leaves)
        hourly = counts.last(self._BACK_H)[:leaves]
        for seen, all_seen in zip(hourly.T, hourly.sum(axis=0), strict=True):
            gain = np.maximum(gain + seen * up + (all_seen - seen) * down, 0.0)
        return gain

    def _learn(self, day: NDArray[np.int64]) -> None:
        self._seen = self._seen * 0.5 ** (1 / self._HALF_LIFE_DAYS) + day
