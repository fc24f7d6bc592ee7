"""An alarm as screens and lists show it: a fold of the facts about it.

In: facts of alarms with their time. Out: `Alarm`s.
Not known here: which words raise one, streams, tables.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from calls.safety.kinds import AlarmKind, Severity
from calls.types import AlarmRaised, AlarmRated, AlarmTaken, Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm as it stands."""

    alarm_id: str
    call_id: str
    kind: AlarmKind
    severity: Severity
    segment_id: str
    said: str
    start: int
    end: int
    start_s: float
    at: datetime
    operator_id: str | None = None
    """Who had the call then."""
    caller: str | None = None
    taken_at: datetime | None = None
    taken_by: str | None = None
    note: str = ""
    is_true: bool | None = None
    """Whether there really was danger; None until somebody has said so."""
    rated_by: str | None = None


def raised(fact: AlarmRaised, call: Call, at: datetime) -> Alarm:
    """Make the alarm that was just raised in the call."""
    return Alarm(
        alarm_id=fact.alarm_id,
        call_id=call.call_id,
        kind=fact.kind,
        severity=fact.severity,
        segment_id=fact.segment_id,
        said=fact.said,
        start=fact.start,
        end=fact.end,
        start_s=fact.start_s,
        at=at,
        operator_id=call.operator_id,
        caller=call.caller,
    )


def followed_up(alarms: dict[str, Alarm], fact: AlarmTaken | AlarmRated, at: datetime) -> None:
    """Change the alarm that the fact is about, where it is known; who takes first has taken it."""
    alarm = alarms.get(fact.alarm_id)
    if alarm is None:
        return
    if isinstance(fact, AlarmRated):
        alarms[fact.alarm_id] = replace(alarm, is_true=fact.is_true, rated_by=fact.by)
    elif alarm.taken_at is None:
        alarms[fact.alarm_id] = replace(alarm, taken_at=at, taken_by=fact.by, note=fact.note)
