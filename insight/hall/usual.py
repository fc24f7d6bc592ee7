"""What a usual day is: the mean of days of the same kind. Pure.

In: calls of earlier days, by day. Out: which days to compare with, a `Usual`.
Not known here: where calls come from.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta

from insight.hall.types import HOURS, Day, DayKind, KnownCall, Profile, Usual

DAYS = 8
LOOK_BACK = 60
"""Days; what is older says little of now."""


def kind_of(day: date, is_working: Callable[[date], bool]) -> DayKind:
    """A day off from Monday to Friday is a holiday; a weekend that is made up for is a workday."""
    if is_working(day):
        return DayKind.WORKDAY
    return DayKind.WEEKEND if day.weekday() >= 5 else DayKind.HOLIDAY


def days_like(day: date, is_working: Callable[[date], bool]) -> Iterator[date]:
    """Earlier days of the same kind, the newest first."""
    kind = kind_of(day, is_working)
    for back in range(1, LOOK_BACK + 1):
        earlier = day - timedelta(days=back)
        if kind_of(earlier, is_working) is kind:
            yield earlier


def usual_of(kind: DayKind, days: Sequence[tuple[Day, Sequence[KnownCall]]]) -> Usual:
    """The mean of these days, each with its calls."""
    if not days:
        return Usual(kind=kind)
    calls = [(call, call.arrived_at.astimezone(day.zone).hour) for day, some in days for call in some]
    queued = [call for call, _ in calls if call.has_queued]
    answered = sum(call.answered_at is not None for call in queued)
    n = len(days)
    return Usual(
        days=n,
        kind=kind,
        calls=_profiles((("", hour) for _, hour in calls), n).get("", (0.0,) * HOURS),
        share_answered=answered / len(queued) if queued else None,
        categories=_profiles(((call.subject.category, hour) for call, hour in calls), n, leave_out=""),
        districts=_profiles(((call.subject.district, hour) for call, hour in calls), n, leave_out=""),
        matters=_profiles(((call.subject.matter, hour) for call, hour in calls), n, leave_out=""),
    )


def _profiles(
    named: Iterable[tuple[str, int]], days: int, *, leave_out: str | None = None
) -> dict[str, Profile]:
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0] * HOURS)
    for name, hour in named:
        if name != leave_out:
            counts[name][hour] += 1
    return {name: tuple(round(each / days, 3) for each in hours) for name, hours in sorted(counts.items())}
