"""Which reports are to be made by themselves, and when. Pure.

In: what an admin wants, the present, when the first call came. Out: the periods that are over and whose hour
has come, oldest first.
Not known here: which of them were made already.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from insight.reports.periods import before, last_ended
from insight.reports.types import Kind, Period

MOST_LATE = {Kind.DAY: 7, Kind.WEEK: 4, Kind.MONTH: 2}
"""How many periods are made up for after the house was closed, or the schedule was off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an admin wants."""

    day: bool = True
    week: bool = True
    month: bool = True
    hour: int = 6
    """From which hour on, of the day after the period."""
    keep_days: int = 0
    """After which reports are deleted; 0 keeps them."""

    def wants(self, kind: Kind) -> bool:
        """Whether reports of that kind are made by themselves."""
        return {Kind.DAY: self.day, Kind.WEEK: self.week, Kind.MONTH: self.month}.get(kind, False)


def due(plan: Plan, now: datetime, zone: tzinfo, first_at: datetime | None) -> list[tuple[Kind, Period]]:
    """What should be there by now; nothing of the time before the first call."""
    found = []
    for kind, most in MOST_LATE.items():
        if first_at is None or not plan.wants(kind):
            continue
        period = last_ended(kind, now, zone)
        for _ in range(most):
            if period.until <= first_at:
                break
            if period.until + timedelta(hours=plan.hour) <= now:
                found.append((kind, period))
            period = before(kind, period, zone)
    return sorted(found, key=lambda one: (one[1].until, one[1].start))
