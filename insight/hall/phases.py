"""Tells where a call stands. Pure.

In: what is on record of a call, when its seat took the next one, the present. Out: its phase, its row.
Not known here: where records come from.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from insight.hall.types import CallPhase, CallRow, KnownCall

WRAPUP_AT_MOST = timedelta(minutes=5)
"""After that nobody is taken to be writing still: an inquiry needs no order, and then nothing ends it."""
WAITS_AT_MOST = timedelta(hours=1)
"""A telephone system that has told nothing for so long has forgotten to: the caller is gone."""
TALKS_AT_MOST = timedelta(hours=6)
"""The same for calls whose sound does not come here, so that only the telephone system tells their end."""


def phase_of(call: KnownCall, *, next_at: datetime | None, now: datetime) -> CallPhase:
    """Where it stands; `next_at` is when its seat took its newest call."""
    if call.answered_at is None:
        if call.ended_at is not None or now - call.arrived_at >= WAITS_AT_MOST:
            return CallPhase.ABANDONED
        return CallPhase.WAITING
    if call.ended_at is None:
        is_forgotten = not call.has_sound and now - call.answered_at >= TALKS_AT_MOST
        return CallPhase.ENDED if is_forgotten else CallPhase.TALKING
    is_written = call.has_order or call.is_recorded or not call.has_sound
    is_next = next_at is not None and next_at >= call.ended_at
    if is_written or is_next or now - call.ended_at >= WRAPUP_AT_MOST:
        return CallPhase.ENDED
    return CallPhase.WRAPUP


def row_of(call: KnownCall, state: CallPhase, *, call_key: str, zone: ZoneInfo) -> CallRow:
    """What the board is told of it, in the city's own time."""
    return CallRow(
        call_key=call_key,
        state=state,
        arrived_at=call.arrived_at.astimezone(zone),
        answered_at=call.answered_at.astimezone(zone) if call.answered_at else None,
        ended_at=call.ended_at.astimezone(zone) if call.ended_at else None,
        type=call.subject.type,
        category=call.subject.category,
        matter=call.subject.matter,
        district=call.subject.district,
        is_urgent=call.subject.is_urgent,
    )
