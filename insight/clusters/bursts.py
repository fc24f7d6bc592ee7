"""Whether a group grows faster than its own past and the whole volume explain.

In: when and by whom its members were told, how much was told altogether, the time.
Out: the least likely window.
Not known here: what was said, other groups.

A group's share of the volume is unknown: before anything is known of it, it follows a gamma distribution,
after `n` callers among `v` messages one with `n` more. The count of a window is then negative binomial (the
predictive distribution of a Poisson count under a gamma prior), so that a group that has come in drops for
months is expected to go on so, and a new one is hardly expected.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from insight.clusters.types import Said
from insight.warning.counts import hour_number
from insight.warning.tails import tail


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstOptions:
    """What is held against what."""

    windows_h: tuple[int, ...] = (24, 72, 168, 336)
    least_callers: int = 5
    """However unlikely they are, fewer are no matter for the city; as for known matters."""
    prior_callers: float = 0.5
    prior_volume: float = 1000.0
    """Before anything is known, a group is expected to have half a caller among a thousand messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """The window that chance explains the least."""

    window_h: int
    behind: tuple[Said, ...]
    """The first message of each caller in it, oldest first."""
    expected: float
    probability: float
    """Of as many or more callers in some window, if the group's share had not changed."""


class Volume:
    """How many messages there were in each hour."""

    def __init__(self) -> None:
        self.by_hour: Counter[int] = Counter()

    def hear(self, at: datetime) -> None:
        """Count one message."""
        self.by_hour[hour_number(at)] += 1

    def within(self, hours: int, until: datetime) -> tuple[int, int]:
        """Messages in the hours that end with `until`'s, and before."""
        last = hour_number(until)
        inside = sum(self.by_hour[hour] for hour in range(last - hours + 1, last + 1))
        return inside, sum(n for hour, n in self.by_hour.items() if hour <= last) - inside

    def forget_before(self, at: datetime) -> None:
        """Of hours that are over."""
        first = hour_number(at)
        self.by_hour = Counter({hour: n for hour, n in self.by_hour.items() if hour >= first})

    def restore(self, by_hour: Mapping[int, int]) -> None:
        """What was saved."""
        self.by_hour = Counter(by_hour)


def find_burst(said: Sequence[Said], volume: Volume, now: datetime, options: BurstOptions) -> Burst | None:
    """`said`: the group's messages, oldest first; None where too few callers are new."""
    found: list[Burst] = []
    told = [one for one in said if one.at <= now]
    for window_h in options.windows_h:
        start = now - timedelta(hours=window_h)
        first: dict[str, Said] = {}
        for one in told:
            if one.at > start:
                first.setdefault(one.who, one)
        if len(first) < options.least_callers:
            continue
        past = len({one.who for one in told if one.at <= start})
        inside, before = volume.within(window_h, now)
        size = options.prior_callers + past
        expected = inside * size / (options.prior_volume + before)
        chance = tail(np.array([len(first)]), np.array([expected]), np.array([1 / size]))[0]
        found.append(
            Burst(
                window_h=window_h,
                behind=tuple(first.values()),
                expected=expected,
                probability=min(1.0, float(chance) * len(options.windows_h)),
            )
        )
    return min(found, key=lambda one: one.probability, default=None)
