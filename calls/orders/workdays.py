"""Working days: weekends, public holidays and the days that make up for them.

In: dates. Out: whether work is done on them, and whether that is certain.
Not known here: deadlines.

The state council tells the holidays of a year late in the year before, so next year is often not known yet.
Then Monday to Friday are taken for working days, but for holidays that have a fixed date by law, and whoever
asks is told that this is not certain.
"""

from dataclasses import dataclass
from datetime import date

import chinese_calendar

_FIXED = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
"""Month and day of holidays that do not follow the moon."""


@dataclass(frozen=True, slots=True)
class Workday:
    """What kind of a day it is."""

    is_working: bool
    is_certain: bool


def workday(day: date) -> Workday:
    """Tell what kind of a day it is."""
    try:
        return Workday(bool(chinese_calendar.is_workday(day)), is_certain=True)
    except NotImplementedError:
        return Workday(day.weekday() < 5 and (day.month, day.day) not in _FIXED, is_certain=False)
