"""The path of a call with scripted engines on virtual time, held against golden traces."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from asr.types import AsrError, AudioFrame, Party, Segment
from calls.facts import to_json, to_payload
from calls.live import run_call
from calls.types import Fact, SegmentShown
from retrieval.types import Findings, Query
from tests.call_parts import ScriptedAssistant, segment
from tests.virtual_time import run_virtually

GOLDEN = Path(__file__).parent / "golden"


async def no_frames() -> AsyncIterator[AudioFrame]:
    return
    yield


async def surely(error: Exception) -> None:
    raise error


async def nothing_found(query: Query) -> Findings:
    return Findings(kb_version="v1", matches=())


async def trace(script: dict[str, Any]) -> list[dict[str, Any]]:
    """Play a script; returns what was recorded and published, with the time."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    events: list[dict[str, Any]] = []

    def note(kind: str, payload: Any) -> None:
        events.append({"at": round(loop.time() - begun, 3), "kind": kind, **payload})

    async def recognise(frames: AsyncIterator[AudioFrame]) -> AsyncIterator[Segment]:
        for line in script["segments"]:
            await asyncio.sleep(begun + line["at"] - loop.time())
            yield segment(line["number"], line["text"], party=Party(line["party"]), is_final=line["final"])

    async def search(query: Query) -> Findings:
        await asyncio.sleep(script["search_takes_s"])
        return Findings(kb_version="v1", matches=())

    async def record(fact: Fact) -> None:
        note(fact.type, to_payload(fact))

    assistant = ScriptedAssistant(script["suggests"])
    await run_call(
        frames=no_frames(),
        recognise=recognise,
        ask=assistant.ask,
        search=search,
        advise=assistant.advise,
        record=record,
        publish=lambda partial: note("partial", {"segment": to_json(partial)}),
        failed=surely,
    )
    return events


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.script.json")), ids=lambda path: path.name)
def test_golden_traces(path: Path) -> None:
    events = run_virtually(trace(json.loads(path.read_text(encoding="utf-8"))))
    lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    golden = path.with_name(path.name.replace(".script.json", ".golden.jsonl"))
    if os.environ.get("ZHITING_WRITE_GOLDEN"):
        golden.write_text(lines, encoding="utf-8")
    assert lines == golden.read_text(encoding="utf-8")


def test_a_slow_search_delays_no_text() -> None:
    script = {
        "suggests": {"停电了": ["T128"]},
        "search_takes_s": 30.0,
        "segments": [
            {"at": 1.0, "party": "citizen", "number": 1, "text": "停电了", "final": True},
            {"at": 2.0, "party": "citizen", "number": 2, "text": "整栋楼都停了", "final": True},
        ],
    }
    events = run_virtually(trace(script))
    assert [(event["at"], event["kind"]) for event in events] == [
        (1.0, "segment.shown"),
        (2.0, "segment.shown"),
        (31.0, "suggestion.shown"),
    ]


def test_broken_ears_end_the_call_with_their_error() -> None:
    recorded: list[Fact] = []

    async def recognise(frames: AsyncIterator[AudioFrame]) -> AsyncIterator[Segment]:
        yield segment(1, "喂")
        raise AsrError("model gone", code="asr.recognition_failed")

    async def record(fact: Fact) -> None:
        recorded.append(fact)

    async def work() -> None:
        assistant = ScriptedAssistant()
        await run_call(
            frames=no_frames(),
            recognise=recognise,
            ask=assistant.ask,
            search=nothing_found,
            advise=assistant.advise,
            record=record,
            publish=lambda partial: None,
            failed=surely,
        )

    with pytest.raises(ExceptionGroup) as caught:
        run_virtually(work())
    assert caught.group_contains(AsrError, match="model gone")
    assert recorded == [SegmentShown(segment=segment(1, "喂"))]
