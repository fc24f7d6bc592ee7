"""The types of safety: where danger was said, and the error of a list of words that cannot be read.

In: nothing. Out: `Found`, `BadAlarmWords`.
Not known here: words, screens.
"""

from dataclasses import dataclass

from calls.safety.kinds import AlarmKind, Severity
from calls.types import CallError


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Words of danger in a text; `start` and `end` count its characters."""

    kind: AlarmKind
    severity: Severity
    start: int
    end: int


class BadAlarmWords(CallError):
    """A list of alarm words cannot be read; the message says which line and why."""

    code = "alarm.bad_words"


class UnknownAlarm(CallError):
    """No alarm of that identifier."""

    code = "alarm.unknown"

    def __init__(self, message: str = "没有这条报警。", *, code: str | None = None):
        super().__init__(message, code=code)
