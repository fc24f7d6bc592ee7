"""What must not happen to a call: held for ever, lost at the edge of a failure, or spoilt by another's."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from websockets.asyncio.client import ClientConnection

from agent_ui.hub import MAX_WAITING, Hub
from asr.types import AsrError, AudioFrame, Party, Segment
from calls.journal import Journal
from calls.line import Line, LineOptions
from calls.records import Records
from calls.spool import Spool
from calls.tape import Tape, Tapes
from calls.types import (
    AudioFormat,
    CallBroken,
    CallStarted,
    Entry,
    SegmentShown,
    StorageFailed,
    Stream,
    SuggestionShown,
)
from tests.call_parts import START as MOMENT
from tests.call_parts import call, hear_seconds, segment, suggestion
from tests.conftest import Clock
from tests.house import START, House, Script, receive, receive_until, running, send, sound

AUDIO, SCREEN = "/v1/calls/audio", "/v1/screens/calls/c-1"
WIDE = AudioFormat(encoding="pcm_s16le", sample_rate_hz=16_000, channels=("citizen",))


# ---- at the door ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        '"meta":{"x":NaN}',
        '"meta":{"x":[1,{"y":-Infinity}]}',
        '"meta":{"x":"\\ud800"}',
        f'"meta":{{"x":"{"长" * 3000}"}}',
        '"started_at":"0001-01-01T00:00:00+08:00"',
        '"started_at":"2026-03-05T10:00:00"',
    ],
)
async def test_what_no_database_or_page_could_read_is_refused_at_the_door(tmp_path: Path, more: str) -> None:
    async with running(tmp_path) as house:
        async with house.socket(AUDIO) as line:
            await line.send(json.dumps(START)[:-1] + "," + more + "}")
            assert (await receive(line))["code"] == "call.bad_message"
        async with house.socket(AUDIO) as line:
            await send(line, START)
            assert (await receive(line))["type"] == "started"


async def test_who_never_says_start_is_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calls.ingest.websocket.START_WITHIN_S", 0.1)
    async with running(tmp_path) as house, house.socket(AUDIO) as line:
        assert (await receive(line))["code"] == "call.not_started"
        await line.wait_closed()
        assert line.close_code == 1007


async def test_a_message_beyond_the_limit_costs_the_line_and_not_the_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        line = await begin(house)
        await line.send(b"\x00" * 1_048_578)
        await line.wait_closed()
        assert line.close_code == 1009
        assert (await take_up(house))["type"] == "started"


async def begin(house: House, **more: Any) -> ClientConnection:
    line = await house.socket(AUDIO)
    await send(line, START | {"call_id": "c-1"} | more)
    assert (await receive(line))["type"] == "started"
    return line


async def take_up(house: House) -> dict[str, Any]:
    async with house.socket(AUDIO) as line:
        await send(line, START | {"call_id": "c-1", "reconnect": True, "buffered": True})
        return await receive(line)


async def test_a_carrier_that_is_gone_before_it_is_answered_holds_no_call(tmp_path: Path) -> None:
    async with running(tmp_path, lost_after_s=0.2) as house:
        for attempt in range(5):
            line = await house.socket(AUDIO)
            await send(line, START | {"call_id": f"c-{attempt}"})
            line.transport.abort()
        async with house.socket("/v1/screens/calls") as screen:
            ended: set[str] = set()

            def all_ended(event: dict[str, Any]) -> bool:
                rows = event.get("calls", [])
                ended.update(row["call_id"] for row in rows if row["state"] == "ended")
                if event["type"] == "call.ended":
                    ended.add(event["call_id"])
                return len(ended) == 5

            await receive_until(screen, all_ended)


# ---- when something of ours breaks ----------------------------------------------------------------------


async def break_after_a_second(
    call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
) -> AsyncIterator[Segment]:
    async for heard in hear_seconds(call_id, frames, numbers):
        yield heard
        if heard.is_final:
            raise AsrError("the engine is gone", code="asr.recognition_failed")


async def test_a_call_that_breaks_stays_ended_and_its_carrier_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, Script(recognise=break_after_a_second)) as house:
        line = await begin(house)
        await line.send(sound(1.2))
        async with house.socket(SCREEN) as screen:
            await receive_until(
                screen,
                lambda event: event["type"] == "call.ended" or (event.get("call") or {}).get("end_reason"),
            )
        await line.send(sound(0.1))
        error = await receive(line)
        assert (error["code"], error["recoverable"]) == ("call.failed", False)
        await line.wait_closed()
        assert line.close_code == 1011
        async with house.socket(SCREEN) as screen:
            snapshot = await receive(screen)
        assert (snapshot["call"]["state"], snapshot["call"]["end_reason"]) == ("ended", "failed")
        assert [line["text"] for line in snapshot["segments"]] == ["第0秒"]
        assert (await take_up(house))["code"] == "call.unknown"


async def test_a_stop_after_something_broke_is_not_called_an_end(tmp_path: Path) -> None:
    async with running(tmp_path, Script(recognise=break_after_a_second)) as house:
        line = await begin(house)
        await line.send(sound(1.2))
        await send(line, {"type": "stop"})
        assert (await receive(line))["code"] == "call.failed"
        await line.wait_closed()
        assert line.close_code == 1011


# ---- the journal ----------------------------------------------------------------------------------------


async def test_a_fact_that_cannot_be_written_fails_alone(engine: Engine) -> None:
    told: list[Entry] = []
    journal = Journal(engine, told.extend)
    poison = suggestion("T001")
    object.__setattr__(poison, "confidence", float("nan"))  # no JSON has it
    stream = [Stream.call("c-1")]

    def append(fact: Any) -> Any:
        return asyncio.create_task(journal.append(fact, call_id="c-1", streams=stream, at=MOMENT))

    appends = [
        append(CallStarted(call=call())),
        *(append(SegmentShown(segment=segment(n, "喂"))) for n in (1, 2)),
    ]
    appends.insert(2, append(SuggestionShown(suggestion=poison)))
    await asyncio.sleep(0)
    journal.start()  # all four are one transaction
    async with asyncio.timeout(60):
        results = await asyncio.gather(*appends, return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [False, False, True, False]
    assert [entry.seq for entry in told] == [1, 2, 3]
    await journal.append(SegmentShown(segment=segment(3, "在")), call_id="c-1", streams=stream, at=MOMENT)
    await journal.stop()
    with pytest.raises(StorageFailed):
        await journal.append(SegmentShown(segment=segment(4, "吗")), call_id="c-1", streams=stream, at=MOMENT)


# ---- line and spool -------------------------------------------------------------------------------------


async def test_a_closed_spool_never_writes_into_another_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a.raw", WIDE)
    spool.append(b"\x01\x00")
    spool.close()
    others = [os.open(tmp_path / f"other-{n}", os.O_RDWR | os.O_CREAT) for n in range(64)]
    with pytest.raises(StorageFailed):
        spool.append(b"\x02\x00")
    assert all(os.fstat(fd).st_size == 0 for fd in others)
    for fd in others:
        os.close(fd)


async def test_a_line_that_is_hung_up_lets_its_carrier_go(tmp_path: Path) -> None:
    async def on_skipped(start_s: float, seconds: float) -> None:
        raise AssertionError("nothing is skipped on a line that is hung up")

    line = Line(
        call_id="c-1",
        audio_format=WIDE,
        tape=Tape(Spool(tmp_path / "c-1.raw", WIDE), Tapes(tmp_path)),
        on_skipped=on_skipped,
        options=LineOptions(patience_s=600),
    )
    feeding = asyncio.create_task(line.feed(sound(30.0)))
    await asyncio.sleep(0.05)
    assert not feeding.done()
    line.hang_up()
    async with asyncio.timeout(60):
        await feeding
    with pytest.raises(CallBroken):
        await line.feed(sound(1.0))
    await line.close()


# ---- the hub --------------------------------------------------------------------------------------------


async def test_a_screen_that_falls_behind_while_it_is_caught_up_misses_nothing(
    engine: Engine, clock: Clock
) -> None:
    hub = Hub(records=Records(engine), clock=clock)
    journal = Journal(engine, hub.tell)
    journal.start()
    number = 0

    async def say(n: int) -> None:
        nonlocal number
        appends = []
        for _ in range(n):
            number += 1
            appends.append(
                journal.append(
                    SegmentShown(segment=segment(number, f"第{number}句")),
                    call_id="c-1",
                    streams=[Stream.call("c-1")],
                    at=MOMENT,
                )
            )
        await asyncio.gather(*appends)

    await journal.append(CallStarted(call=call()), call_id="c-1", streams=[Stream.call("c-1")], at=MOMENT)
    follow = hub.follow(Stream.call("c-1"), None)
    await anext(follow)
    await say(MAX_WAITING + 5)
    first = json.loads(await asyncio.wait_for(anext(follow), 60))  # the screen is slow to take this one
    await say(MAX_WAITING + 5)
    second = json.loads(await asyncio.wait_for(anext(follow), 60))
    assert (first["type"], second["type"]) == ("snapshot", "snapshot")
    assert len(second["segments"]) == number
    await say(1)
    assert json.loads(await anext(follow))["seq"] == second["seq"] + 1
    await follow.aclose()
    await journal.stop()
