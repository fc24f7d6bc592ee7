"""What tests of the board tell it is what the server's own wire could tell."""

from typing import Any

import pytest

from agent_ui.hall_events import HALL_EVENTS
from tests.board_events import (
    changed,
    city_rows,
    no_orders,
    no_usual,
    row,
    snapshot,
    tick,
    told_orders,
    told_warnings,
    warnings,
)


@pytest.mark.parametrize(
    "event",
    [
        snapshot(city_rows()),
        snapshot([], usual=no_usual(), orders=no_orders(), warnings=[]),
        changed(1, [row("a", state="waiting", answered_at=None, ended_at=None)], gone=["b"]),
        told_orders(2, overdue=12),
        told_warnings(3, warnings()),
        tick(),
    ],
    ids=lambda event: event["type"],
)
def test_it_is_of_the_wire(event: dict[str, Any]) -> None:
    read = HALL_EVENTS.validate_python(event)
    assert set(event) == {field.alias or name for name, field in type(read).model_fields.items()}
