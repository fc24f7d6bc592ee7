"""A board of the hall as a page keeps it: rows by key, folded from the events of the socket.

In: events. Out: rows, blocks, figures. Not known here: sockets, how anything is drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any

from pydantic import TypeAdapter

from agent_ui.hall_events import HALL_EVENTS
from insight.hall.counting import count
from insight.hall.types import CallRow, Day, Figures, Usual

_ROW = TypeAdapter(CallRow)
_USUAL = TypeAdapter(Usual)


class Gap(Exception):
    """An event did not come."""


@dataclass(slots=True)
class Folded:
    """What a board knows after the events so far."""

    seq: int = 0
    rows: dict[str, CallRow] = field(default_factory=dict)
    blocks: dict[str, Any] = field(default_factory=dict)

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take an event in; each must be of the wire. Raises `Gap` where one did not come."""
        HALL_EVENTS.validate_python(event)
        self.blocks["at"] = event["at"]
        if event["seq"] is None:
            return
        if event["type"] == "hall.snapshot":
            self.rows.clear()
        elif event["seq"] <= self.seq:
            return
        elif event["seq"] != self.seq + 1:
            raise Gap(f"{event['seq']} came after {self.seq}")
        self.seq = event["seq"]
        for row in event.get("calls", ()):
            self.rows[row["call_key"]] = _ROW.validate_python(row)
        for key in event.get("gone", ()):
            self.rows.pop(key, None)
        self.blocks |= {name: value for name, value in event.items() if name not in ("calls", "gone")}

    @property
    def at(self) -> datetime:
        """When the server said the last word."""
        return datetime.fromisoformat(self.blocks["at"])

    @property
    def day(self) -> Day:
        """The day that the board shows."""
        zone = datetime.fromisoformat(self.blocks["from"]).tzinfo
        assert isinstance(zone, timezone)
        return Day(day=date.fromisoformat(self.blocks["day"]), zone=zone)

    def figures(self) -> Figures:
        """What is counted of the rows."""
        return count(
            self.rows.values(),
            day=self.day,
            now=self.at,
            usual=_USUAL.validate_python(self.blocks["usual"]),
            has_queue=self.blocks["has_queue"],
        )
