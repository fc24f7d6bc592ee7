"""Deadlines: time that passes on working days only, and waits while an order is suspended.

In: an urgency, a moment, the city's time zone. Out: when an answer is due, how much time is left.
Not known here: orders, where the holidays come from.

On a working day all 24 hours count, on another day none: what is dispatched on Friday at 15:00 with one
working day is due on Monday at 15:00, and what is dispatched on a holiday counts from the midnight after it.
So time that was left before a pause goes on after it to the second.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from calls.orders.types import Urgency
from calls.orders.workdays import Workday, workday

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long an answer may take."""

    duration: timedelta
    is_of_working_days: bool = True
    """False: around the clock, on holidays too."""

    def __post_init__(self) -> None:
        if self.duration <= timedelta():
            raise ValueError("a limit takes some time")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineOptions:
    """How long an answer may take, by urgency."""

    routine: Limit = field(default_factory=lambda: Limit(duration=3 * _DAY))
    urgent: Limit = field(default_factory=lambda: Limit(duration=_DAY))
    critical: Limit = field(
        default_factory=lambda: Limit(duration=timedelta(hours=2), is_of_working_days=False)
    )

    def limit(self, urgency: Urgency) -> Limit:
        """The limit for that urgency."""
        return {
            Urgency.ROUTINE: self.routine,
            Urgency.URGENT: self.urgent,
            Urgency.CRITICAL: self.critical,
        }[urgency]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When an answer is due."""

    at: datetime
    is_provisional: bool
    """A day on the way is of a year whose holidays are not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Reckons in the city's time zone, which may not change its offset."""

    zone: tzinfo
    options: DeadlineOptions = field(default_factory=DeadlineOptions)
    day_of: Callable[[date], Workday] = workday

    def due(self, urgency: Urgency, start: datetime) -> Due:
        """When an answer is due to what a department gets at `start`."""
        return self.due_after(urgency, start, self.options.limit(urgency).duration)

    def due_after(self, urgency: Urgency, start: datetime, duration: timedelta) -> Due:
        """When so much of the time that counts for that urgency has passed."""
        at = start.astimezone(self.zone)
        if not self.options.limit(urgency).is_of_working_days:
            return Due(at=at + duration, is_provisional=False)
        is_certain = True
        while True:
            day = self.day_of(at.date())
            is_certain = is_certain and day.is_certain
            midnight = self._midnight_after(at)
            if day.is_working:
                if at + duration < midnight:
                    return Due(at=at + duration, is_provisional=not is_certain)
                duration -= midnight - at
            at = midnight

    def passed(self, urgency: Urgency, start: datetime, end: datetime) -> timedelta:
        """How much of the time that counts lies between two moments."""
        if end < start:
            return -self.passed(urgency, end, start)
        if not self.options.limit(urgency).is_of_working_days:
            return end - start
        at, total = start.astimezone(self.zone), timedelta()
        while at < end:
            until = min(self._midnight_after(at), end.astimezone(self.zone))
            if self.day_of(at.date()).is_working:
                total += until - at
            at = until
        return total

    def _midnight_after(self, at: datetime) -> datetime:
        return datetime.combine(at.date() + _DAY, time(), self.zone)
