"""Moments and days as they stand in the address of a request.

In: a moment with offset, or a day; the time zone of days. Out: a moment.
Not known here: what begins or ends then.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime

_YEARS = range(1900, 2200)


def _within_years(moment: datetime | date) -> datetime | date:
    if moment.year not in _YEARS:
        raise ValueError("no time of a telephone call")
    return moment


Moment = Annotated[AwareDatetime | date, AfterValidator(_within_years)]


def moment_of(given: datetime | date | None, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    """A moment; of a day its beginning, or so many days later."""
    if given is None or isinstance(given, datetime):
        return given
    return datetime.combine(given + timedelta(days=days), time(), zone).astimezone(UTC)
