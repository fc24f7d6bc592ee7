"""Warnings as JSON.

In: warnings as they are kept, bodies of requests. Out: models for answers, filters, wishes.
Not known here: routes, who asks.
"""

from datetime import date, datetime, tzinfo
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent_ui.paging import Offset
from agent_ui.screen_commands import Typed
from calls.orders.types import OrderState, Urgency
from insight.raised.store import WarningFilter
from insight.raised.transitions import LONGEST_NOTE, Deed, Wish
from insight.raised.types import Layer, RaisedWarning, WarningState
from insight.raised.wording import explanation_of, title_of


class WarningsQuery(BaseModel):
    """Which warnings; what is left out leaves all."""

    state: list[WarningState] = []
    layer: list[Layer] = []
    district: str | None = Field(default=None, max_length=100)
    department_id: str | None = Field(default=None, max_length=100)
    q: str = Field(default="", max_length=100, description="In name, category or identifier.")
    is_over: bool | None = Field(default=None, description="Whether nobody called about it for a day.")
    is_rated: bool | None = None
    is_true: bool | None = None
    since: datetime | None = Field(default=None, description="Raised then or later.")
    before: datetime | None = None
    offset: Offset = 0
    limit: int = Field(default=50, ge=1, le=200)

    def to_filter(self, *, zone: tzinfo, department_id: str | None) -> WarningFilter:
        """The same for the store; a moment without offset is the city's."""
        since, before = (
            at.replace(tzinfo=zone) if at is not None and at.tzinfo is None else at
            for at in (self.since, self.before)
        )
        return WarningFilter(
            states=self.state,
            layers=self.layer,
            district=self.district,
            department_id=department_id or self.department_id,
            words=self.q.strip(),
            is_over=self.is_over,
            is_rated=self.is_rated,
            is_true=self.is_true,
            since=since,
            before=before,
        )


class WarningOut(BaseModel):
    """A warning."""

    model_config = ConfigDict(from_attributes=True)

    warning_id: str
    version: int = Field(description="Counts what was done; is brought along by whoever does something.")
    layer: Layer
    state: WarningState
    title: str
    explanation: str
    matter: str
    name: str
    category: str
    district: str | None
    districts: list[str]
    raised_at: datetime
    since: datetime
    window_h: int
    observed: int
    expected: float | None = Field(description="null where nothing was counted.")
    probability: float | None
    false_share: float | None
    places: int
    callers_now: int
    latest_at: datetime
    over_at: datetime | None
    departments: list[str]
    department_ids: list[str]
    severity: str
    alarm_id: str | None
    order_id: str | None
    muted_until: datetime | None
    note: str
    changed_by: str
    changed_at: datetime
    is_true: bool | None
    rated_by: str
    rated_at: datetime | None

    @classmethod
    def of(cls, warning: RaisedWarning, zone: tzinfo) -> "WarningOut":
        """A warning with its words."""
        told: dict[str, Any] = {
            "title": title_of(warning),
            "explanation": explanation_of(warning, zone),
        }
        if warning.layer is Layer.SAFETY:
            told |= {"expected": None, "probability": None, "false_share": None}
        names = [name for name in cls.model_fields if name not in told]
        return cls.model_validate({name: getattr(warning, name) for name in names} | told)


class WarningsOut(BaseModel):
    """Warnings, newest first, how many there are in all, and how many of those one may see stand where."""

    warnings: list[WarningOut]
    total: int
    counts: dict[WarningState, int]
    newest_step: int = Field(description="Grows with everything that happens to any warning.")


class SampleOut(BaseModel):
    """A call or an order that stands for a warning."""

    report_id: str
    call_id: str | None = None
    order_id: str | None = None
    at: datetime
    district: str
    place: str = ""
    summary: str = ""


class PlaceOut(BaseModel):
    """Somewhere that three callers or more named."""

    place: str
    callers: int


class HourOut(BaseModel):
    """One hour of the chart: callers who were not counted in an hour before, and how many are usual."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    callers: int
    expected: float | None


class StepOut(BaseModel):
    """Something that happened to a warning."""

    model_config = ConfigDict(from_attributes=True)

    step_id: int
    version: int
    action: str
    author: str
    at: datetime
    note: str
    changes: dict[str, tuple[Any, Any]]


class WarningOrderOut(BaseModel):
    """The work order in which a warning goes on."""

    order_id: str
    state: OrderState
    summary: str
    department: str


class WarningDetailOut(BaseModel):
    """A warning with all that is known of it."""

    warning: WarningOut
    deeds: list[Deed] = Field(description="What the asker may do with it now.")
    samples: list[SampleOut]
    places: list[PlaceOut]
    hours: list[HourOut]
    steps: list[StepOut]
    order: WarningOrderOut | None


class NewOrderIn(BaseModel):
    """A work order to be made of the warning."""

    model_config = ConfigDict(extra="forbid")

    department_id: str | None = Field(
        default=None, max_length=100, description="Left out: the first that the warning concerns."
    )
    urgency: Urgency = Urgency.URGENT
    detail: Typed = Field(default="", max_length=1_000, description="Beside what the warning says of itself.")
    is_dispatched: bool = Field(default=True, description="Whether it goes to the department at once.")


class StepIn(BaseModel):
    """What to do with a warning, and what that takes."""

    model_config = ConfigDict(extra="forbid")

    deed: Deed
    version: int = Field(ge=1, le=1_000_000, description="The one that was seen.")
    note: Typed = Field(default="", max_length=LONGEST_NOTE)
    order_id: Typed | None = Field(
        default=None, max_length=64, description="With `assign`: an order there is."
    )
    new_order: NewOrderIn | None = Field(default=None, description="With `assign`: one to be made.")
    until: datetime | None = Field(default=None, description="With `mute`.")
    is_everywhere: bool = Field(default=False, description="With `mute`: in all districts.")
    is_true: bool | None = Field(default=None, description="With `rate`; null takes it back.")
    author: Typed = Field(default="", max_length=64, description="For whom a program acts.")

    def to_wish(self, zone: tzinfo) -> Wish:
        """The same for the core."""
        until = self.until
        if until is not None and until.tzinfo is None:
            until = until.replace(tzinfo=zone)
        return Wish(
            deed=self.deed,
            note=self.note,
            order_id=self.order_id,
            until=until,
            is_everywhere=self.is_everywhere,
            is_true=self.is_true,
        )


class StandingOut(BaseModel):
    """How a way of finding fares."""

    model_config = ConfigDict(from_attributes=True)

    is_learning: bool
    days: int
    days_needed: int
    looked_at: datetime | None
    matters: int
    districts: int
    unlisted: int


class MuteOut(BaseModel):
    """What nobody wants to hear of."""

    model_config = ConfigDict(from_attributes=True)

    mute_id: int
    matter: str
    name: str
    district: str | None
    until: datetime
    author: str
    at: datetime
    note: str


class MailStandingOut(BaseModel):
    """How mails fare."""

    model_config = ConfigDict(from_attributes=True)

    is_on: bool
    waiting: int
    failing: int
    given_up: int
    sent: int
    last_error: str


class LookoutOut(BaseModel):
    """How the early warning fares."""

    is_ready: bool
    layers: dict[Layer, StandingOut]
    mutes: list[MuteOut]
    storm_days: list[date]
    mails: MailStandingOut


class StormsIn(BaseModel):
    """All days for which a storm is announced."""

    model_config = ConfigDict(extra="forbid")

    days: list[date] = Field(max_length=400)


class MailOut(BaseModel):
    """A mail about a warning."""

    model_config = ConfigDict(from_attributes=True)

    mail_id: int
    warning_id: str
    recipient: str
    subject: str
    at: datetime
    attempts: int
    next_try_at: datetime | None
    last_error: str
    sent_at: datetime | None
    gave_up_at: datetime | None


class MailTestIn(BaseModel):
    """Where to send a mail that says nothing."""

    model_config = ConfigDict(extra="forbid")

    recipient: str = Field(max_length=254)
