"""What keeps calls and what ends their keeping.

In: the errors of calls. Out: `Policy`, `Hold`, `Due`, `Deletion`, and the errors.
Not known here: databases, files, who may do what.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from calls.types import CallError


class What(StrEnum):
    """What of a call goes."""

    AUDIO = "audio"
    """Its sound; what was said stays to be read."""
    CALL = "call"
    """All of it."""
    ORDER = "order"
    """Not of a call: whatever leads to a person in a work order (calls/orders/erasure.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long something is kept after a call's end; 0 is for ever."""

    audio_days: int = 0
    transcript_days: int = 0

    def __post_init__(self) -> None:
        if min(self.audio_days, self.transcript_days) < 0:
            raise ValueError("days cannot be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The terms: of all calls, and of those of some kinds instead."""

    usual: Term = Term()
    by_kind: Mapping[str, Term] = field(default_factory=dict)

    def of(self, kind: str) -> Term:
        """The term of a call of that kind; an empty one where nobody said."""
        return self.by_kind.get(kind, self.usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Somebody's word that a call must stay, until then or until it is taken back."""

    call_id: str
    who: str
    reason: str
    at: datetime
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it still does."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something whose time is over."""

    call_id: str
    what: What
    kind: str
    ended_at: datetime
    days: int
    """How long it was to be kept."""
    is_held: bool
    """It stays all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What stays of what was deleted: which call, when, by whom, why, and how much it was."""

    call_id: str
    """Or of an order its identifier."""
    what: What
    at: datetime
    who: str
    reason: str
    counts: Mapping[str, int]


class CallHeld(CallError):
    """It must stay."""

    code = "call.held"

    def __init__(self, hold: Hold):
        until = ""
        if day := hold.until:
            until = f"，到 {day.year}年{day.month}月{day.day}日 为止"
        super().__init__(f"这通电话已被 {hold.who} 设为保留{until}，解除保留后才能删除。")


class CallRuns(CallError):
    """It is not over."""

    code = "call.running"

    def __init__(self) -> None:
        super().__init__("通话还没有结束，结束后才能删除。")
