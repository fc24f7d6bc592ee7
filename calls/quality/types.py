"""The types of quality: what is looked at, what was found where, what people say of it, and the errors.

In: nothing. Out: `Check`, `Evidence`, `Finding`, `Scored`, `Judged`, `Remark`, `QualityError`.
Not known here: how anything is found, databases, HTTP.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calls.types import CallError


class Check(StrEnum):
    """What is looked at in every call."""

    GREETING = "greeting"
    REPEATING = "repeating"
    """The matter is said back to the citizen."""
    CLOSING = "closing"
    FORBIDDEN = "forbidden"
    SILENCE = "silence"
    INTERRUPTION = "interruption"
    PACE = "pace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The words that show it; `start` and `end` count characters of the utterance."""

    segment_id: str
    start_s: float
    said: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one check."""

    check: Check
    share: float
    """How much of it is met, 0 to 1."""
    weight: float
    value: float | None = None
    """Seconds, times or characters per minute, as far as the check measures something."""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A call, looked at."""

    score: float
    """0 to 100: the shares by their weights."""
    findings: tuple[Finding, ...]


class QualityState(StrEnum):
    """What people have done about a score."""

    OPEN = "open"
    REVIEWED = "reviewed"
    APPEALED = "appealed"
    ANSWERED = "answered"


class RemarkKind(StrEnum):
    """What somebody says of a score."""

    REVIEW = "review"
    """A reviewer's comment, with another score where the rules are wrong."""
    APPEAL = "appeal"
    """The operator does not agree."""
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that was said of a score."""

    remark_id: int
    kind: RemarkKind
    author: str
    text: str
    score: float | None
    """From then on in place of the one by rules."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A scored call as it is kept."""

    call_id: str
    operator_id: str | None
    started_at: datetime
    seconds: float
    score: float
    by_rules: float
    """The score before anybody changed it."""
    findings: tuple[Finding, ...]
    state: QualityState


class QualityError(CallError):
    """What can go wrong around scores.

    QualityError
    ├── UnknownScore      the call has none, or it is another seat's
    └── BadRemark         not now, or not like this
    """

    code = "quality.error"


class UnknownScore(QualityError):
    """No score of that call."""

    code = "quality.unknown"

    def __init__(self, message: str = "没有这通电话的质检记录。", *, code: str | None = None):
        super().__init__(message, code=code)


class BadRemark(QualityError):
    """What is said of a score does not fit."""

    code = "quality.bad_remark"


class BadQualityRules(QualityError):
    """The file of rules cannot be read."""

    code = "quality.bad_rules"
