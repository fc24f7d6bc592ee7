"""The types of work orders: what is wanted, where it stands, who did what, and the errors.

In: nothing. Out: `Order`, `OrderContent`, `Step`, `Comment`, `Person`, `Wish`, `OrderError`.
Not known here: databases, HTTP, which step may follow which.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from calls.types import CallError


class OrderState(StrEnum):
    """Where a work order stands."""

    DRAFT = "draft"
    ACCEPTED = "accepted"
    DISPATCHED = "dispatched"
    """At a department that has not taken it yet."""
    HANDLING = "handling"
    ANSWERED = "answered"
    FOLLOWED_UP = "followed_up"
    """The citizen was asked whether the answer is good."""
    CLOSED = "closed"
    RETURNED = "returned"
    """A department said that it is not the right one."""
    MERGED = "merged"
    """It goes on in another order."""
    SUSPENDED = "suspended"
    """Nothing can be done for a while; the deadline waits."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen to it."""
        return self in (OrderState.CLOSED, OrderState.MERGED)

    @property
    def is_at_department(self) -> bool:
        """Whether a department has to do something now."""
        return self in (OrderState.DISPATCHED, OrderState.HANDLING)


class MatterType(StrEnum):
    """What kind of thing the citizen wants."""

    INQUIRY = "咨询"
    HELP = "求助"
    COMPLAINT = "投诉"
    SUGGESTION = "建议"
    REPORT = "举报"


class Urgency(StrEnum):
    """How soon it must be answered."""

    ROUTINE = "普通"
    URGENT = "紧急"
    CRITICAL = "特急"


class Satisfaction(StrEnum):
    """What the citizen says of the answer."""

    SATISFIED = "satisfied"
    NEUTRAL = "neutral"
    UNSATISFIED = "unsatisfied"
    UNREACHED = "unreached"
    """Nobody could be reached."""


class Deed(StrEnum):
    """What somebody may do with an order."""

    ACCEPT = "accept"
    DISPATCH = "dispatch"
    TAKE = "take"
    SEND_BACK = "send_back"
    ANSWER = "answer"
    ANSWER_AT_ONCE = "answer_at_once"
    """An inquiry that needs no department."""
    REWORK = "rework"
    """The answer is not good enough."""
    FOLLOW_UP = "follow_up"
    CLOSE = "close"
    SUSPEND = "suspend"
    RESUME = "resume"
    MERGE = "merge"


class Part(StrEnum):
    """In what part somebody acts."""

    OPERATOR = "operator"
    CENTRE = "centre"
    DEPARTMENT = "department"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whoever does something with an order."""

    name: str
    parts: frozenset[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to do, with what it takes."""

    deed: Deed
    note: str = ""
    """Why; needed where an order goes backwards or stands still."""
    department_id: str | None = None
    answer: str = ""
    satisfaction: Satisfaction | None = None
    into: str | None = None
    """The order in which it goes on, where it is merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderContent:
    """What an operator writes down of the matter."""

    type: MatterType
    summary: str
    urgency: Urgency = Urgency.ROUTINE
    detail: str = ""
    caller_name: str = ""
    caller_phone: str = ""
    district: str = ""
    address: str = ""
    category: str = ""
    department_id: str | None = None
    """Where it should go; it goes there when it is dispatched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A work order as it is kept."""

    order_id: str
    version: int
    """Counts changes from 1; whoever changes an order says which version they saw."""
    state: OrderState
    content: OrderContent
    created_by: str
    created_at: datetime
    changed_at: datetime
    call_id: str | None = None
    operator_id: str | None = None
    """The seat of the call, whose order it is."""
    dispatched_at: datetime | None = None
    due_at: datetime | None = None
    """By when a department has to answer; None while none has it, and while it is suspended in time."""
    is_due_provisional: bool = False
    """The holidays of a year on the way were not known when `due_at` was reckoned."""
    left_s: float | None = None
    """Time that was left when it was suspended."""
    resumes_to: OrderState | None = None
    answer: str = ""
    answered_at: datetime | None = None
    satisfaction: Satisfaction | None = None
    closed_at: datetime | None = None
    merged_into: str | None = None
    returns: int = 0
    """How often a department sent it back."""
    reworks: int = 0
    """How often an answer was not good enough."""

    def is_overdue(self, now: datetime) -> bool:
        """Whether a department is late with it."""
        return self.state.is_at_department and self.due_at is not None and self.due_at < now


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of an order."""

    order_id: str
    version: int
    """The version that came of it."""
    action: str
    author: str
    at: datetime
    note: str
    changes: Mapping[str, tuple[Any, Any]]
    """By field: what stood there, and what stands there now, as JSON has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody says about an order, beside its history."""

    comment_id: int
    order_id: str
    author: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentStep:
    """A file came to an order, or was taken away."""

    action: str
    """`attached` or `detached`."""
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to an order."""

    attachment_id: int
    order_id: str
    name: str
    n_bytes: int
    sha256: str
    author: str
    at: datetime
    is_removed: bool
    steps: tuple[AttachmentStep, ...]


class OrderError(CallError):
    """What can go wrong around a work order.

    OrderError
    ├── UnknownOrder      no such order
    ├── OrderConflict     somebody else changed it meanwhile; it is brought along
    ├── StepRefused       not in this state
    ├── NotYourPart       in this state, but not by this person
    ├── AttachmentAway    a file lies where it cannot be fetched from now
    └── BadOrder          something is missing, or cannot be kept as it is
    """

    code = "order.error"


class UnknownOrder(OrderError):
    """No such order, or none that may be seen."""

    code = "order.unknown"


class OrderConflict(OrderError):
    """Somebody else was faster."""

    code = "order.changed"

    def __init__(self, current: Order):
        super().__init__("这张工单刚被别人改过，请看过最新内容再改。")
        self.current = current


class StepRefused(OrderError):
    """The order does not stand where this could be done."""

    code = "order.wrong_state"


class NotYourPart(OrderError):
    """Somebody else's part."""

    code = "order.not_your_part"


class AttachmentAway(OrderError):
    """The object store does not answer, or another server has not brought the file there yet."""

    code = "order.attachment_away"
    recoverable = True

    def __init__(self) -> None:
        super().__init__("附件暂时取不到，请稍后再试。")


class BadOrder(OrderError):
    """It cannot be kept as it is."""

    code = "order.bad"
