"""What other systems are told of warnings. Pure.

In: a warning as it stands after something happened, and what that was. Out: `Event`s for the outbox.
Not known here: who is told, and how.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from calls.webhooks.types import Event
from insight.raised.types import RAISED, RaisedWarning, Step
from knowledge_base.json_text import dumps

WARNING_RAISED = "warning.raised"
WARNING_CHANGED = "warning.changed"
EVENT_TYPES = (WARNING_RAISED, WARNING_CHANGED)


def event_of(warning: RaisedWarning, step: Step) -> Event:
    """`warning.raised` for the first step, `warning.changed` for all others."""
    event_id = f"{warning.warning_id}.s{step.step_id}"
    type_ = WARNING_RAISED if step.action == RAISED else WARNING_CHANGED
    body = {
        "id": event_id,
        "type": type_,
        "at": step.at.isoformat(),
        "what": {"action": step.action, "author": step.author, "note": step.note},
        "warning": {name: _plain(value) for name, value in asdict(warning).items()},
    }
    return Event(event_id=event_id, type=type_, at=step.at, body=dumps(body))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
