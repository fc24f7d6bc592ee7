"""A board as a page keeps it: rows by key, folded from the events of the socket."""

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


@dataclass
class Folded:
    """What a board knows after the events so far."""

    seq: int = 0
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    blocks: dict[str, Any] = field(default_factory=dict)

    def apply(self, event: Mapping[str, Any]) -> None:
        """Take an event in; every one must be of the wire, and its number the next one."""
        HALL_EVENTS.validate_python(event)
        self.blocks["at"] = event["at"]
        if event["seq"] is None:
            return
        if event["type"] == "hall.snapshot":
            self.rows.clear()
        else:
            if event["seq"] <= self.seq:
                return
            assert event["seq"] == self.seq + 1, "a gap"
        self.seq = event["seq"]
        for row in event.get("calls", ()):
            self.rows[row["call_key"]] = row
        for key in event.get("gone", ()):
            self.rows.pop(key, None)
        self.blocks |= {name: value for name, value in event.items() if name not in ("calls", "gone")}

    @property
    def day(self) -> Day:
        zone = datetime.fromisoformat(self.blocks["from"]).tzinfo
        assert isinstance(zone, timezone)
        return Day(day=date.fromisoformat(self.blocks["day"]), zone=zone)

    def figures(self) -> Figures:
        return count(
            [_ROW.validate_python(row) for row in self.rows.values()],
            day=self.day,
            now=datetime.fromisoformat(self.blocks["at"]),
            usual=_USUAL.validate_python(self.blocks["usual"]),
            has_queue=self.blocks["has_queue"],
        )
