"""The types that the counting emits.

In: nothing. Out: `Report` (one call or order about a matter), `EarlyWarning`, kinds of days, errors.
Not known here: calls and orders themselves, how a warning is found, who is told.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class DayKind(IntEnum):
    """What people call about depends on the kind of day; the first seven are weekdays from Monday."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6
    HOLIDAY = 7
    STORM = 8
    """A day for which the weather service has announced a typhoon or the like: nothing is learnt from it."""

    @property
    def is_free(self) -> bool:
        """Whether most people do not work."""
        return self in (DayKind.SATURDAY, DayKind.SUNDAY, DayKind.HOLIDAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One call or order about a matter."""

    report_id: str
    at: datetime
    """When it was said, in the city's own time; when it became known here does not matter."""
    caller: str | None
    """Who called; somebody unknown counts as one caller for each report."""
    district: str
    matter: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyWarning:
    """A matter that grows, and why it is said to."""

    raised_at: datetime
    matter: str
    """Or the category whose matters grow together."""
    district: str | None
    """None: the matter grows in the whole city, not in one district."""
    districts: tuple[str, ...]
    """Where it was reported, most first."""
    window_h: int
    """Over how many hours before `raised_at` the growth is the least likely to be chance."""
    observed: int
    """Distinct callers in that time."""
    places: int
    """Distinct places that they named."""
    expected: float
    """Callers that such hours of such days have; raised where the rest of the city is raised as well."""
    probability: float
    """Of as many callers or more in these hours if nothing had happened; one stream, not all of them."""
    false_share: float
    """Of streams that look like this one or worse at this moment, the share that chance alone explains."""
    since: datetime
    """The first report in that time."""
    sample_ids: tuple[str, ...]
    """Newest reports, one for each caller."""
    name: str = ""
    """For people, where `matter` is an identifier; empty: `matter` is its name."""
    matters: tuple[str, ...] = ()
    """Of a category: its matters that were reported, most first; nothing where it is a matter."""
    common_places: tuple[str, ...] = ()
    """Places that three callers and more named, most first."""
    place_factor: float = 1.0
    """How many times likelier such places are in an outbreak than as usual, 0.5 to 500; 1: unknown."""


class InsightError(Exception):
    """Something about counting went wrong."""

    code = "insight.failed"
    recoverable = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnknownStream(InsightError):
    """A report names a matter or a district that nobody counts."""

    code = "insight.unknown_stream"
    recoverable = True


class StateRefused(InsightError):
    """A saved state is damaged, of another version, or of other matters and districts: learn anew."""

    code = "insight.state_refused"
    recoverable = True
