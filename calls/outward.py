"""What other systems are told of calls while they go on. Pure.

In: a fact of a call, with its number and time. Out: an `Event` for the outbox, or None.
Not known here: who is told, and how. The JSON is what screens get of the same fact (docs/protocol.md), with
an identifier in place of the number in a stream.
"""

from datetime import datetime
from urllib.parse import quote

from calls.facts import to_payload
from calls.types import (
    CallDegraded,
    CallEnded,
    CallInterrupted,
    CallLost,
    CallReconnected,
    CallStarted,
    CallTransferred,
    Fact,
    SegmentCorrected,
    SegmentShown,
    SuggestionMarked,
    SuggestionShown,
)
from calls.webhooks.types import Event
from knowledge_base.json_text import dumps

_TOLD = (
    CallStarted,
    CallLost,
    CallInterrupted,
    CallReconnected,
    CallTransferred,
    CallDegraded,
    CallEnded,
    SegmentShown,
    SegmentCorrected,
    SuggestionShown,
    SuggestionMarked,
)
EVENT_TYPES = tuple(fact.type for fact in _TOLD)


def told(fact_id: int, at: datetime, call_id: str | None, fact: Fact) -> Event | None:
    """The event for a fact that other systems may want to hear of."""
    if call_id is None or not isinstance(fact, _TOLD):
        return None
    event_id = f"{prefix_of(call_id)}{fact_id}"
    body = {"id": event_id, "type": fact.type, "at": at.isoformat(), "call_id": call_id, **to_payload(fact)}
    return Event(event_id=event_id, type=fact.type, at=at, body=dumps(body))


def prefix_of(call_id: str) -> str:
    """What the identifiers of a call's events begin with, and no others; it can stand in a header."""
    return f"call:{quote(call_id, safe='')}:"
