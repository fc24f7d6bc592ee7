"""How a matter goes on: callers, places, what is named most often. Pure.

In: what was told of a matter. Out: counts. Not known here: where it is kept.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from insight.raised.reading import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a matter goes on."""

    callers: int
    places: int
    latest_at: datetime | None


def progress_of(told: Iterable[Told]) -> Progress:
    """How many callers and places there are."""
    some = list(told)
    return Progress(
        callers=len({one.caller or one.report_id for one in some}),
        places=len({one.place for one in some if one.place}),
        latest_at=max((one.at for one in some), default=None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere that several callers named."""

    place: str
    callers: int


def common_places(told: Iterable[Told], *, least: int = 3, limit: int = 5) -> tuple[Place, ...]:
    """The places that so many callers named, most first."""
    callers: dict[str, set[str]] = {}
    for one in told:
        if one.place:
            callers.setdefault(one.place, set()).add(one.caller or one.report_id)
    most = sorted(callers.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(Place(place=name, callers=len(who)) for name, who in most[:limit] if len(who) >= least)


def most_common(names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """The names that come most often, most first."""
    return tuple(name for name, _ in Counter(name for name in names if name).most_common(limit))
