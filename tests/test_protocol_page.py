"""The page about the protocol: its examples are the protocol's, and no code or event goes unmentioned."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from agent_ui.door import CLOSE_FOREIGN_ORIGIN, CLOSE_UNAUTHORISED
from agent_ui.events import CALL_LIST_EVENTS, SCREEN_EVENTS
from agent_ui.hub import MAX_REPLAY, MAX_WAITING
from agent_ui.schema import schema
from agent_ui.screen_commands import SCREEN_COMMANDS
from agent_ui.screens import CLOSE_STUCK
from calls.ingest.messages import read_message
from retrieval.types import Mark

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
EXAMPLES = [
    json.loads(line)
    for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
COMMANDS = set(schema()["properties"]["ScreenCommand"]["discriminator"]["mapping"])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["type"])
def test_every_example_is_of_the_protocol(example: dict[str, Any]) -> None:
    if example["type"] == "start":
        read_message(json.dumps(example))
    elif example["type"] in COMMANDS:
        SCREEN_COMMANDS.validate_json(json.dumps(example))
    elif "calls" in example or example["type"] == "call.line":
        CALL_LIST_EVENTS.validate_python(example)
    else:
        read = SCREEN_EVENTS.validate_python(example)
        known = set(type(read).model_fields)
        assert set(example) <= known, "the example has keys that the schema does not know"


def test_every_event_and_command_has_an_example() -> None:
    unions = schema()["properties"]
    names = {name for union in unions.values() for name in union["discriminator"]["mapping"]}
    assert {example["type"] for example in EXAMPLES} == names | {"start"}


def test_every_code_that_can_be_sent_is_explained() -> None:
    codes = set()
    for folder, families in (
        ("calls", "call|asr|kb"),
        ("agent_ui", "call|screen|access"),
        ("calls", "segment|suggestion|correction|note|transfer"),
    ):
        for path in (ROOT / folder).rglob("*.py"):
            codes.update(re.findall(rf'"((?:{families})\.[a-z_]+)"', path.read_text(encoding="utf-8")))
    events = {name for union in schema()["properties"].values() for name in union["discriminator"]["mapping"]}
    # `call.error` is the name of the whole family; what REST says of articles has a page of its own.
    unexplained = {code for code in codes - events - COMMANDS - {"call.error"} if f"`{code}`" not in PAGE}
    assert len(codes) > 20
    assert unexplained == set()


def test_every_mark_and_private_close_code_and_bound_is_named() -> None:
    for mark in Mark:
        assert f"`{mark}`" in PAGE
    for close_code in (CLOSE_UNAUTHORISED, CLOSE_FOREIGN_ORIGIN, CLOSE_STUCK):
        assert str(close_code) in PAGE
    for bound in (MAX_WAITING, f"{MAX_REPLAY:,}"):
        assert f" {bound} " in PAGE
