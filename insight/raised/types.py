"""The types of raised warnings: what was found, where it stands, who did what, and the errors.

In: nothing. Out: `RaisedWarning`, `Step`, `Mute`, `WarningError`.
Not known here: databases, HTTP, how a warning is found, who is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from insight.types import InsightError

RAISED = "raised"
"""The first step of every warning."""


class Layer(StrEnum):
    """By what a warning was found."""

    KNOWN = "known"
    """A matter that is counted grew."""
    UNKNOWN = "unknown"
    """Reports that are alike came together, of a matter that nobody counts."""
    SAFETY = "safety"
    """Somebody spoke of danger in a call; no counting was needed."""


class WarningState(StrEnum):
    """Where a warning stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    """Somebody has seen it and sees to it."""
    ASSIGNED = "assigned"
    """It goes on as a work order."""
    MUTED = "muted"
    """Nobody wants to hear of it for a while."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedWarning:
    """A warning as it is kept."""

    warning_id: str
    version: int
    """Counts what people did, from 1; whoever does something says which version they saw."""
    layer: Layer
    state: WarningState
    matter: str
    """By which it is counted: a matter's name, a cluster's identifier, a kind of danger."""
    name: str
    """For people."""
    category: str
    district: str | None
    """None: the whole city."""
    districts: tuple[str, ...]
    """Where it was reported, most first."""
    raised_at: datetime
    since: datetime
    window_h: int
    observed: int
    """Distinct callers when it was raised, in `window_h`."""
    expected: float
    probability: float
    false_share: float
    places: int
    """Distinct places that they named."""
    callers_now: int
    """Distinct callers since `since`, as far as is known now."""
    latest_at: datetime
    """The newest report that is known."""
    over_at: datetime | None = None
    """When it had stopped to grow; None while it goes on."""
    sample_ids: tuple[str, ...] = ()
    """Calls, or orders that no call belongs to, newest first."""
    departments: tuple[str, ...] = ()
    """Whom it concerns, by their names, most first."""
    department_ids: tuple[str, ...] = ()
    """The same in the directory, as far as they are there."""
    severity: str = ""
    """Of danger, as alarms have it; else empty."""
    alarm_id: str | None = None
    order_id: str | None = None
    muted_until: datetime | None = None
    note: str = ""
    """What was said with the last deed."""
    changed_by: str = ""
    changed_at: datetime
    is_true: bool | None = None
    """Whether there really was something; None until somebody has said so."""
    rated_by: str = ""
    rated_at: datetime | None = None

    @property
    def is_pending(self) -> bool:
        """Whether it is still to be seen: neither muted nor closed."""
        return self.state not in (WarningState.MUTED, WarningState.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that was done with a warning."""

    step_id: int
    warning_id: str
    version: int
    """The version that came of it."""
    action: str
    author: str
    at: datetime
    note: str
    changes: Mapping[str, tuple[Any, Any]]
    """By field: what stood there, and what stands there now, as JSON has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Nothing is told of a matter for a while."""

    mute_id: int
    matter: str
    name: str
    district: str | None
    """None: everywhere."""
    until: datetime
    author: str
    at: datetime
    note: str

    def covers(self, matter: str, district: str | None, now: datetime) -> bool:
        """Whether it holds for that."""
        return self.matter == matter and self.district in (None, district) and now < self.until


class WarningError(InsightError):
    """What can go wrong around a raised warning.

    WarningError
    ├── UnknownWarning    no such warning, or none that may be seen
    ├── WarningConflict   somebody else was faster; it is brought along
    ├── DeedRefused       not as it stands
    └── BadDeed           something is missing, or cannot be kept as it is
    """

    code = "warning.error"
    recoverable = True

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class UnknownWarning(WarningError):
    """No such warning."""

    code = "warning.unknown"

    def __init__(self, warning_id: str) -> None:
        super().__init__(f"没有编号为 {warning_id[:40]} 的预警。")


class WarningConflict(WarningError):
    """Somebody else was faster."""

    code = "warning.changed"

    def __init__(self, current: RaisedWarning) -> None:
        super().__init__("这条预警刚被别人处理过，请看过最新情况再操作。")
        self.current = current


class DeedRefused(WarningError):
    """It does not stand where this could be done."""

    code = "warning.wrong_state"


class BadDeed(WarningError):
    """Something is missing."""

    code = "warning.bad"
