"""The types that the counting for the hall emits.

In: nothing. Out: `CallRow`, `Usual`, `OrderCounts`, `Figures`, `Hall`.
Not known here: databases, sockets, how anything is drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TypeAlias

HOURS = 24
Profile: TypeAlias = tuple[float, ...]
"""24 figures, one for each hour of a day."""


class CallPhase(StrEnum):
    """Where a call stands, as the hall sees it."""

    WAITING = "waiting"
    TALKING = "talking"
    """Also while a line is lost and may come back."""
    WRAPUP = "wrapup"
    """It is over, and the operator still writes."""
    ENDED = "ended"
    ABANDONED = "abandoned"
    """The caller hung up before somebody answered."""

    @property
    def is_now(self) -> bool:
        """Whether somebody is busy with it, or should be."""
        return self in (CallPhase.WAITING, CallPhase.TALKING, CallPhase.WRAPUP)


class DayKind(StrEnum):
    """Days are compared with days of their kind."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a call is about, as far as its wrap-up says; empty where it does not."""

    type: str = ""
    category: str = ""
    matter: str = ""
    district: str = ""
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCall:
    """What is on record of one call: the moments by which its phase is told, and its subject."""

    call_id: str
    arrived_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    """When the call was over, or its caller gave up waiting."""
    operator_id: str | None = None
    has_order: bool = False
    is_recorded: bool = False
    """It was never live here."""
    is_simulated: bool = False
    has_queued: bool = False
    """The telephone system told of its arrival."""
    has_sound: bool = True
    """Its sound came here; of others only the telephone system tells."""
    subject: Subject = field(default_factory=Subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call on the board; nothing of it leads to a citizen."""

    call_key: str
    state: CallPhase
    arrived_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    type: str = ""
    category: str = ""
    matter: str = ""
    district: str = ""
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """How many calls a day of this kind has, hour by hour."""

    days: int = 0
    """Days of which it is the mean; 0 where nothing is known yet."""
    kind: DayKind = DayKind.WORKDAY
    calls: Profile = (0.0,) * HOURS
    share_answered: float | None = None
    categories: Mapping[str, Profile] = field(default_factory=dict)
    districts: Mapping[str, Profile] = field(default_factory=dict)
    matters: Mapping[str, Profile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What citizens said of the answers they got."""

    satisfied: int = 0
    neutral: int = 0
    unsatisfied: int = 0
    unreached: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LateDepartment:
    """A department and how many orders it is late with."""

    name: str
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCounts:
    """How work orders stand."""

    open: int = 0
    overdue: int = 0
    due_soon: int = 0
    made_today: int = 0
    closed_today: int = 0
    today: Answers = field(default_factory=Answers)
    month: Answers = field(default_factory=Answers)
    overdue_departments: tuple[LateDepartment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HotMatter:
    """A warning, as far as it may be shown to everybody."""

    warning_id: str
    layer: str
    name: str
    districts: tuple[str, ...]
    observed: int
    expected: float | None
    since: datetime
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of the city."""

    day: date
    zone: tzinfo

    @property
    def starts_at(self) -> datetime:
        """Midnight at its beginning."""
        return datetime(self.day.year, self.day.month, self.day.day, tzinfo=self.zone)

    @property
    def ends_at(self) -> datetime:
        """Midnight at its end."""
        return Day(day=self.day + timedelta(days=1), zone=self.zone).starts_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is counted of the rows of a day; docs/hall.md says what each one is."""

    calls: int
    waiting: int
    talking: int
    wrapup: int
    ended: int
    abandoned: int
    answered: int
    share_answered: float | None
    mean_wait_s: float | None
    longest_wait_s: float
    urgent: int
    hours: tuple[int, ...]
    types: Mapping[str, int]
    categories: Mapping[str, int]
    districts: Mapping[str, int]
    matters: Mapping[str, int]
    usual_so_far: float | None
    usual_day: float | None
