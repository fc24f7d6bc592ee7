"""Keeps the table of alarms in step with the facts, in the transaction that writes them.

In: a writing connection and a fact. Out: rows. Not known here: streams, who is told.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from calls.safety.tables import alarms
from calls.tables import calls
from calls.types import AlarmRaised, AlarmRated, AlarmTaken, Fact


def project_alarm(connection: Connection, call_id: str | None, at: datetime, fact: Fact) -> None:
    """Bring a fact about an alarm into the table; others are passed over."""
    match fact:
        case AlarmRaised():
            call = connection.execute(select(calls).where(calls.c.call_id == call_id)).one()
            row = {
                "alarm_id": fact.alarm_id,
                "call_id": call_id,
                "kind": fact.kind.value,
                "severity": fact.severity.value,
                "segment_id": fact.segment_id,
                "said": fact.said,
                "start": fact.start,
                "end": fact.end,
                "start_s": fact.start_s,
                "at": sortable(at),
                "operator_id": call.operator_id,
                "caller": call.caller,
                "note": "",
            }
            connection.execute(insert(alarms).values(row))
        case AlarmTaken():
            which = (alarms.c.alarm_id == fact.alarm_id) & alarms.c.taken_at.is_(None)
            values = {"taken_at": sortable(at), "taken_by": fact.by, "note": fact.note}
            connection.execute(update(alarms).where(which).values(values))
        case AlarmRated():
            rated = update(alarms).where(alarms.c.alarm_id == fact.alarm_id)
            connection.execute(rated.values(is_true=fact.is_true, rated_by=fact.by))


def sortable(moment: datetime) -> str:
    """One time zone for all, so that the order of the texts is the order of the moments."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
