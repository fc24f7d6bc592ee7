"""The whole machine: real weights, a real process, a real call, and `kill -9` in the middle of it."""

import asyncio
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from asr.types import Party
from scripts.call_data import ReferenceCall, read_calls
from scripts.replay import Replay, read_recording, replay
from scripts.text_scores import TextErrors, compare
from tests.house import receive_until
from tests.real_server import ROOT, RealServer, free_port, serving

pytestmark = [pytest.mark.weights, pytest.mark.process, pytest.mark.timeout(600)]

DEMO = ROOT / "scripts" / "demo"
MAX_CER = 0.30
MAX_LOST = 0.03
"""Share of characters that may be missing or too many; 0.01 without any kill."""
SPEED = 4.0


@pytest.fixture(scope="session")
def references() -> dict[str, ReferenceCall]:
    return {call.call_id: call for call in read_calls(DEMO)}


def topics_of(name: str) -> list[str]:
    return list(json.loads((DEMO / f"{name}.json").read_text(encoding="utf-8"))["topic_ids"])


async def play(server_url: str, name: str) -> dict[str, Any]:
    options = Replay(server=server_url, speed=SPEED, call_id=name, operator_id="027")
    return await replay(read_recording(DEMO / f"{name}.ogg"), options, lambda call_id, media_s: None)


async def events_of(server: RealServer, name: str) -> list[dict[str, Any]]:
    """Everything durable of a call that has ended, but its first event."""
    async with connect(f"{server.url.replace('http', 'ws')}/v1/screens/calls/{name}?since=1") as screen:
        return await receive_until(screen, lambda event: event["type"] == "call.ended", wait_s=120)


def final_segments(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    finals = {}
    for event in events:
        if event["type"] == "segment.shown" and event["segment"]["is_final"]:
            finals[event["segment"]["segment_id"]] = event["segment"]
    return {segment_id: segment for segment_id, segment in finals.items() if segment["text"]}


def errors_of(reference: ReferenceCall, finals: dict[str, dict[str, Any]]) -> TextErrors:
    total = TextErrors()
    for party in reference.parties:
        lines = [line for line in finals.values() if line["party"] == party]
        heard = "".join(line["text"] for line in sorted(lines, key=lambda line: line["start_s"]))
        total += compare(reference.text_of(party), heard)
    return total


def assert_in_order(events: list[dict[str, Any]]) -> None:
    assert [event["seq"] for event in events] == list(range(2, 2 + len(events)))


async def test_a_call_is_heard_and_its_matter_is_on_the_screen(
    data_dir: Path, references: dict[str, ReferenceCall]
) -> None:
    async with serving(data_dir) as server:
        ended = await play(server.url, "C064")
        events = await events_of(server, "C064")
        log = "".join(server.log)
    assert ended["seconds"] == pytest.approx(references["C064"].seconds, abs=0.1)
    assert_in_order(events)
    finals = final_segments(events)
    errors = errors_of(references["C064"], finals)
    print(f"C064: CER {errors.rate:.3f}, {len(finals)} segments")
    assert errors.rate is not None
    assert errors.rate < MAX_CER
    assert {line["party"] for line in finals.values()} == {Party.CITIZEN, Party.OPERATOR}
    shown = [
        {card["article_id"] for card in event["suggestion"]["cards"]}
        for event in events
        if event["type"] == "suggestion.shown"
    ]
    assert topics_of("C064")[0] in set().union(*shown)
    assert all(len(cards) <= 3 for cards in shown)
    for line in finals.values():
        assert line["text"] not in log or len(line["text"]) < 4, "a citizen's words are in the log"


async def test_kill_9_in_mid_call_loses_and_doubles_nothing(
    data_dir: Path, references: dict[str, ReferenceCall]
) -> None:
    port = free_port()
    async with serving(data_dir, port) as server:
        playing = asyncio.create_task(play(server.url, "C052"))
        before: list[dict[str, Any]] = []

        def has_three_finals(event: dict[str, Any]) -> bool:
            before.append(event)
            return len(final_segments(before)) >= 3

        while not (data_dir / "audio" / "C052.raw").exists():
            await asyncio.sleep(0.05)
            assert not playing.done()
        async with connect(f"ws://127.0.0.1:{port}/v1/screens/calls/C052?since=1") as screen:
            await receive_until(screen, has_three_finals, wait_s=240)
        os.kill(server.process.pid, 9)
        await server.process.wait()
    async with serving(data_dir, port) as server:
        ended = await playing
        events = await events_of(server, "C052")
    assert ended["seconds"] == pytest.approx(references["C052"].seconds, abs=0.1)
    assert_in_order(events)
    types = [event["type"] for event in events]
    assert types.count("call.interrupted") == 1
    assert types.index("call.interrupted") < types.index("call.reconnected")
    assert events[-1]["reason"] == "hangup"
    finals = final_segments(events)
    for segment_id, segment in final_segments(before).items():
        assert finals[segment_id] == segment, "a line that was final has changed"
    for party in (Party.CITIZEN, Party.OPERATOR):
        lines = sorted(
            (line for line in finals.values() if line["party"] == party), key=lambda line: line["start_s"]
        )
        for earlier, later in pairwise(lines):
            assert later["start_s"] >= earlier["end_s"] - 0.05, "the same sound was written twice"
    errors = errors_of(references["C052"], finals)
    print(f"C052, killed after {len(final_segments(before))} finals: {errors}")
    assert errors.rate is not None
    assert errors.rate < MAX_CER
    # A line that is lost or doubled changes the length; one that is misheard hardly does.
    assert errors.deletions + errors.insertions < MAX_LOST * errors.characters
