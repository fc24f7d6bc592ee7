"""Work orders as JSON.

In: bodies of requests, orders as they are kept. Out: contents and wishes; models for answers.
Not known here: routes, which step is possible.
"""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from agent_ui.paging import Offset
from agent_ui.screen_commands import Typed
from calls.orders.directory import UnitKind
from calls.orders.store import OrderFilter
from calls.orders.transitions import LONGEST_ANSWER, LONGEST_NOTE, deeds_of, may_edit
from calls.orders.types import (
    Deed,
    MatterType,
    Order,
    OrderContent,
    OrderState,
    Part,
    Satisfaction,
    Urgency,
    Wish,
)
from calls.orders.views import View

SOON = timedelta(hours=24)
"""So long before its deadline an order is due soon."""


class ContentBody(BaseModel):
    """What an operator writes down of the matter."""

    model_config = ConfigDict(from_attributes=True, str_strip_whitespace=True)

    type: MatterType
    summary: Typed = Field(max_length=200)
    urgency: Urgency = Urgency.ROUTINE
    detail: Typed = Field(default="", max_length=4_000)
    caller_name: Typed = Field(default="", max_length=100)
    caller_phone: Typed = Field(default="", max_length=64)
    district: Typed = Field(default="", max_length=100)
    address: Typed = Field(default="", max_length=300)
    category: Typed = Field(default="", max_length=100)
    department_id: str | None = Field(default=None, max_length=100)

    def to_content(self) -> OrderContent:
        """The same for the core."""
        names = ContentBody.model_fields
        return OrderContent(**{name: getattr(self, name) for name in names})


class OrdersQuery(BaseModel):
    """Which orders; what is left out leaves all."""

    state: list[OrderState] = []
    type: MatterType | None = None
    urgency: Urgency | None = None
    department_id: str | None = None
    district: str | None = None
    caller_phone: str | None = None
    call_id: str | None = None
    q: str = Field(default="", max_length=100, description="In summary, detail, address or identifier.")
    overdue: bool = Field(default=False, description="A department is late with it.")
    due_soon: bool = Field(default=False, description="A department has to answer within 24 hours.")
    due_before: datetime | None = None
    by_due: bool = Field(default=False, description="What is due first comes first; else the newest.")
    returned_from: int = Field(default=0, ge=0, le=1_000, description="Sent back at least so often.")
    offset: Offset = 0
    limit: int = Field(default=50, ge=1, le=200)

    def to_filter(self, *, now: datetime, zone: tzinfo, view: View) -> OrderFilter:
        """The same for the store; a moment without offset is the city's."""
        due_before = now + SOON if self.due_soon else self.due_before
        if due_before is not None and due_before.tzinfo is None:
            due_before = due_before.replace(tzinfo=zone)
        return OrderFilter(
            states=self.state,
            type=self.type,
            urgency=self.urgency,
            department_id=self.department_id,
            district=self.district,
            caller_phone=self.caller_phone,
            call_id=self.call_id,
            words=self.q.strip(),
            overdue_at=now if self.overdue else None,
            due_before=due_before,
            returned_from=self.returned_from,
            due_from=now if self.due_soon else None,
            view=view,
            is_by_due=self.by_due,
        )


class OrderIn(ContentBody):
    """An order to begin; from which call is needed for whoever may not see all calls."""

    call_id: str | None = Field(default=None, max_length=64)
    author: Typed = Field(default="", max_length=100, description="For whom a program acts.")


class OrderEdit(ContentBody):
    """All of the content, as it is to be."""

    author: Typed = Field(default="", max_length=100)


class StepIn(BaseModel):
    """What to do with an order, and what that takes."""

    deed: Deed
    note: Typed = Field(default="", max_length=LONGEST_NOTE)
    department_id: str | None = Field(default=None, max_length=100)
    answer: Typed = Field(default="", max_length=LONGEST_ANSWER)
    satisfaction: Satisfaction | None = None
    into: str | None = Field(default=None, max_length=64, description="With `merge`.")
    author: Typed = Field(default="", max_length=100)

    def to_wish(self) -> Wish:
        """The same for the core."""
        return Wish(
            deed=self.deed,
            note=self.note,
            department_id=self.department_id,
            answer=self.answer,
            satisfaction=self.satisfaction,
            into=self.into,
        )


class CommentIn(BaseModel):
    """Something to say about an order."""

    text: Typed
    author: Typed = Field(default="", max_length=100)


class OrderOut(BaseModel):
    """An order. Its `version` is also its ETag."""

    model_config = ConfigDict(from_attributes=True)

    order_id: str
    version: int
    state: OrderState
    content: ContentBody
    created_by: str
    created_at: datetime
    changed_at: datetime
    call_id: str | None
    operator_id: str | None
    dispatched_at: datetime | None
    due_at: datetime | None
    is_due_provisional: bool
    is_overdue: bool
    left_s: float | None
    resumes_to: OrderState | None
    answer: str
    answered_at: datetime | None
    satisfaction: Satisfaction | None
    closed_at: datetime | None
    merged_into: str | None
    returns: int
    reworks: int
    deeds: list[Deed] = Field(description="What the asker may do with it now.")
    is_editable: bool = Field(description="Whether the asker may write its content anew now.")

    @classmethod
    def of(cls, order: Order, now: datetime, parts: frozenset[Part]) -> "OrderOut":
        """An order as it looks now to somebody who acts in those parts."""
        told: dict[str, Any] = {
            "is_overdue": order.is_overdue(now),
            "deeds": deeds_of(order, parts),
            "is_editable": may_edit(order, parts),
        }
        values = {name: getattr(order, name) for name in cls.model_fields if name not in told}
        return cls.model_validate(values | told)


class OrdersOut(BaseModel):
    """Orders, newest first, and how many there are in all."""

    orders: list[OrderOut]
    total: int


class CountsOut(BaseModel):
    """How many of the orders that somebody may see stand where."""

    states: dict[OrderState, int]
    overdue: int
    due_soon: int


class StepOut(BaseModel):
    """A change of an order."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    action: str
    author: str
    at: datetime
    note: str
    changes: dict[str, tuple[Any, Any]] = Field(description="By field: before and after.")


class CommentOut(BaseModel):
    """What somebody said about an order."""

    model_config = ConfigDict(from_attributes=True)

    comment_id: int
    author: str
    at: datetime
    text: str


class UnitOut(BaseModel):
    """Somebody to whom orders go."""

    model_config = ConfigDict(from_attributes=True)

    unit_id: str
    name: str
    kind: UnitKind
    parent_id: str | None
