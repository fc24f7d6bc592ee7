"""Kinds of days for the baseline: weekdays, holidays, storms.

In: a date, the days for which the weather service has announced a storm. Out: a `DayKind`.
Not known here: who announces.

A weekend beside a holiday is a holiday. On a weekend that is worked to make up for one, people call as on a
Friday.
"""

from collections.abc import Collection
from datetime import date, timedelta

from calls.orders.workdays import workday
from insight.types import DayKind

_SATURDAY = 5


def day_kind(day: date, storms: Collection[date] = frozenset()) -> DayKind:
    """What kind of a day it is."""
    if day in storms:
        return DayKind.STORM
    is_weekend = day.weekday() >= _SATURDAY
    if workday(day).is_working:
        return DayKind.FRIDAY if is_weekend else DayKind(day.weekday())
    if not is_weekend or _has_holiday_beside(day):
        return DayKind.HOLIDAY
    return DayKind(day.weekday())


def _has_holiday_beside(day: date) -> bool:
    """Whether a day that is free and no weekend belongs to the same run of free days."""
    for step in (timedelta(days=-1), timedelta(days=1)):
        other = day + step
        while not workday(other).is_working:
            if other.weekday() < _SATURDAY:
                return True
            other += step
    return False
