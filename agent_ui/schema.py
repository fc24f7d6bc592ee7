"""The wire between server and screens as one JSON schema, both directions.

In: the unions of events and of commands. Out: a document.
Not known here: who reads it.
"""

from typing import Any

from pydantic import TypeAdapter

from agent_ui.events import CALL_LIST_EVENTS, SCREEN_EVENTS
from agent_ui.screen_commands import SCREEN_COMMANDS


def schema() -> dict[str, Any]:
    """Return one JSON schema: `$defs` of every model, and the three unions by name under `properties`."""
    unions, definitions = TypeAdapter.json_schemas(
        [
            ("ScreenEvent", "serialization", SCREEN_EVENTS),
            ("CallListEvent", "serialization", CALL_LIST_EVENTS),
            ("ScreenCommand", "serialization", SCREEN_COMMANDS),
        ],
        title="Zhiting screen protocol",
    )
    return {**definitions, "properties": {name: union for (name, _), union in unions.items()}}
