"""The wire from server to the board of the hall: every event, and the answer of `GET /v1/hall`.

In: what is counted (insight/hall/types.py), read by its attributes. Out: pydantic models and their adapter.
Not known here: sockets, where numbers come from, how the board looks. docs/hall.md explains them.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from agent_ui.shown import Fact, Seconds, Share
from insight.hall.types import CallPhase, DayKind

Count = Annotated[int, Field(ge=0)]
Profile = Annotated[tuple[float, ...], Field(min_length=24, max_length=24)]


class CallInHall(Fact):
    """One call."""

    call_key: str
    state: CallPhase
    arrived_at: AwareDatetime
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    type: str
    category: str
    matter: str
    district: str
    is_urgent: bool


class UsualInHall(Fact):
    """What days of this kind have, hour by hour."""

    days: Count
    kind: DayKind
    calls: Profile
    share_answered: Share | None
    categories: dict[str, Profile]
    districts: dict[str, Profile]
    matters: dict[str, Profile]


class AnswersInHall(Fact):
    """What citizens said of answers."""

    satisfied: Count
    neutral: Count
    unsatisfied: Count
    unreached: Count


class LateDepartmentInHall(Fact):
    """A department that is late."""

    name: str
    overdue: Count


class OrdersInHall(Fact):
    """How work orders stand."""

    open: Count
    overdue: Count
    due_soon: Count
    made_today: Count
    closed_today: Count
    today: AnswersInHall
    month: AnswersInHall
    overdue_departments: tuple[LateDepartmentInHall, ...]


class WarningInHall(Fact):
    """A matter that grows."""

    warning_id: str
    layer: Literal["known", "unknown", "safety"]
    name: str
    districts: tuple[str, ...]
    observed: Count
    expected: float | None
    since: AwareDatetime
    state: Literal["open", "acknowledged", "assigned"]


class HallEvent(Fact):
    """The envelope."""

    seq: int | None = Field(ge=0)
    at: AwareDatetime
    call_id: None = None


class HallSnapshot(HallEvent):
    """All of a day."""

    type: Literal["hall.snapshot"] = "hall.snapshot"
    seq: int = Field(ge=0)
    day: date
    starts_at: AwareDatetime = Field(alias="from", serialization_alias="from")
    ends_at: AwareDatetime = Field(alias="until", serialization_alias="until")
    speed: float = Field(gt=0)
    is_simulated: bool
    has_queue: bool
    usual: UsualInHall
    calls: tuple[CallInHall, ...]
    orders: OrdersInHall
    warnings: tuple[WarningInHall, ...]


class HallCalls(HallEvent):
    """Rows that are new or changed, and keys of those that no longer count."""

    type: Literal["hall.calls"] = "hall.calls"
    seq: int = Field(ge=0)
    has_queue: bool
    is_simulated: bool
    calls: tuple[CallInHall, ...]
    gone: tuple[str, ...]


class HallOrders(HallEvent):
    """Work orders anew."""

    type: Literal["hall.orders"] = "hall.orders"
    seq: int = Field(ge=0)
    orders: OrdersInHall


class HallWarnings(HallEvent):
    """Warnings anew."""

    type: Literal["hall.warnings"] = "hall.warnings"
    seq: int = Field(ge=0)
    warnings: tuple[WarningInHall, ...]


class HallTick(HallEvent):
    """Nothing new; the server is there."""

    type: Literal["hall.tick"] = "hall.tick"


class HallFailed(HallEvent):
    """What is sent before a close with 1011."""

    type: Literal["error"] = "error"
    code: str
    message: str
    recoverable: bool


class FiguresOut(Fact):
    """What is counted of the rows."""

    calls: Count
    waiting: Count
    talking: Count
    wrapup: Count
    ended: Count
    abandoned: Count
    answered: Count
    share_answered: Share | None
    mean_wait_s: Seconds | None
    longest_wait_s: Seconds
    urgent: Count
    hours: tuple[Count, ...]
    types: dict[str, Count]
    categories: dict[str, Count]
    districts: dict[str, Count]
    matters: dict[str, Count]
    usual_so_far: float | None
    usual_day: float | None


class HallOut(HallSnapshot):
    """The snapshot, with what is counted of it."""

    figures: FiguresOut


HallBoardEvent = Annotated[
    HallSnapshot | HallCalls | HallOrders | HallWarnings | HallTick | HallFailed,
    Field(discriminator="type"),
]
HALL_EVENTS: TypeAdapter[HallBoardEvent] = TypeAdapter(HallBoardEvent)
