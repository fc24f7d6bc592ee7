"""Which matters of a period are worth telling. Pure.

In: callers and reports of each matter, now and before. Out: the matters, the most striking first.
Not known here: where the numbers come from, what is told of a matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A matter with its numbers."""

    name: str
    category: str
    n: int
    callers: int
    n_before: int | None
    callers_before: int | None
    """None: nothing is known of the time before."""


def hot_topics(topics: Sequence[Topic], *, floor: int, most: int) -> list[Topic]:
    """Those that grew the most beyond what chance moves, and then those that most people called about."""
    enough = [topic for topic in topics if topic.callers >= floor]
    grown = [topic for topic in enough if topic.callers_before is not None and excess(topic) > 1]
    grown.sort(key=lambda topic: (-excess(topic), topic.name))
    rest = sorted((topic for topic in enough if topic not in grown), key=lambda one: (-one.callers, one.name))
    return [*grown, *rest][:most]


def excess(topic: Topic) -> float:
    """Callers above those of the time before, in standard deviations of a Poisson count of that size."""
    earlier = topic.callers_before or 0
    return (topic.callers - earlier) / sqrt(earlier + 1)


def moved(now: Mapping[str, int], before: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """The names whose numbers changed the most beyond what chance moves: name, now, before."""
    names = set(now) | set(before)
    found = [(name, now.get(name, 0), before.get(name, 0)) for name in names]
    found = [one for one in found if one[1] != one[2]]
    found.sort(key=lambda one: (-abs(one[1] - one[2]) / sqrt(max(one[1], one[2])), one[0]))
    return found
