"""What must not happen to a call: held for ever, lost at the edge of a failure, or spoilt by another's."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from websockets.asyncio.client import ClientConnection

from agent_ui.hub import MAX_WAITING, Hub
from asr.types import AsrError, AudioFrame, Party, Segment
from calls.admission import Opening, SwitchboardOptions
from calls.journal import Journal
from calls.line import Line, LineOptions, Span
from calls.notices import audio_dropped
from calls.records import Records
from calls.resumption import resumption_of
from calls.session import Engines
from calls.spool import Spool
from calls.streams import streams_of
from calls.switchboard import Switchboard
from calls.types import (
    AudioFormat,
    CallBroken,
    CallStarted,
    CallState,
    Entry,
    SegmentShown,
    StorageFailed,
    Stream,
    SuggestionShown,
    UnknownCall,
)
from calls.view import CallView
from tests.call_parts import START as MOMENT
from tests.call_parts import ScriptedAssistant, call, find_nothing, hear_seconds, segment, suggestion
from tests.conftest import Clock
from tests.house import START, House, Script, receive, receive_until, running, send, sound

AUDIO, SCREEN = "/v1/calls/audio", "/v1/screens/calls/c-1"
WIDE = AudioFormat(encoding="pcm_s16le", sample_rate_hz=16_000, channels=("citizen",))
TWO_LEGS = AudioFormat(encoding="pcm_s16le", sample_rate_hz=16_000, channels=("citizen", "operator"))


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


async def break_searching(query: Any) -> Any:
    raise ZeroDivisionError


async def test_a_search_that_breaks_leaves_the_transcript_alone(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    script = ScriptedAssistant({"第0秒": ("T001",), "第1秒": ("T001",)})
    board = Board(engine, clock, tmp_path, assistant=script, search=break_searching)
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(2.0))
    await board.switchboard.hang_up(session)
    await board.close()
    told = [entry.fact for entry in board.told if entry.stream == Stream.call("c-1")]
    assert [fact.segment.text for fact in told if isinstance(fact, SegmentShown)] == ["第0秒", "第1秒"]
    assert [getattr(fact, "code", None) for fact in told].count("kb.search_failed") == 1


# ---- when the disk is full ------------------------------------------------------------------------------


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came to that")


class Board:
    """A switchboard with a real journal, whose database can be made to refuse every write."""

    def __init__(self, engine: Engine, clock: Clock, folder: Path, **parts: Any):
        self.told: list[Entry] = []
        self.is_full = False
        self.admitted: set[str] = set()
        self.records = Records(engine)
        self.journal = Journal(engine, self.told.extend)
        self.journal.start()
        assistant = parts.get("assistant") or ScriptedAssistant()
        self.switchboard = Switchboard(
            journal=self.journal,
            records=self.records,
            engines=Engines(
                recognise=hear_seconds,
                admit=self.admitted.add,
                release=self.admitted.discard,
                lag_s=lambda call_id: 0.0,
                search=parts.get("search", find_nothing),
            ),
            open_assistant=lambda call_id: assistant,
            publish=lambda partial, operator_id: None,
            audio_folder=folder,
            clock=clock,
            options=SwitchboardOptions(retry_s=0.02, min_free_bytes=0, **parts.get("options", {})),
            line_options=LineOptions(),
        )
        event.listen(engine, "checkout", self._set_full)

    def _set_full(self, connection: Any, *_: Any) -> None:
        connection.execute(f"PRAGMA query_only = {int(self.is_full)}")

    async def close(self) -> None:
        await self.switchboard.close()
        await self.journal.stop()

    async def state(self, wanted: CallState) -> None:
        await until(lambda: (found := self.records.call("c-1")) is not None and found.state is wanted)

    def texts(self) -> list[str]:
        return [line.text for line in self.records.view(Stream.call("c-1")).segments.values()]


async def test_a_disk_that_is_full_for_a_while_costs_no_text(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path)
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(1.0))
    await until(lambda: board.texts() == ["第0秒"])
    board.is_full = True
    await board.switchboard.feed(session, sound(1.0))
    await until(lambda: board.switchboard.running == 0)
    with pytest.raises(CallBroken):
        await board.switchboard.feed(session, sound(1.0))
    with pytest.raises(CallBroken):
        await board.switchboard.hang_up(session)
    with pytest.raises(StorageFailed):
        await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    board.is_full = False
    await board.state(CallState.INTERRUPTED)
    again, received_s = await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    assert received_s == 2.0
    await board.switchboard.feed(again, sound(1.0))
    assert await board.switchboard.hang_up(again) == 3.0
    assert board.texts() == ["第0秒", "第1秒", "第2秒"]
    assert board.admitted == set()
    seqs = [entry.seq for entry in board.told if entry.stream == Stream.call("c-1")]
    assert seqs == list(range(1, len(seqs) + 1))
    await board.close()


async def test_a_stop_that_cannot_be_written_says_so_and_is_finished_later(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path, options={"resumable_s": 0.05})
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    board.is_full = True
    await board.switchboard.feed(session, sound(1.0))
    with pytest.raises((StorageFailed, CallBroken)):
        await board.switchboard.hang_up(session)
    board.is_full = False
    await board.state(CallState.ENDED)
    assert board.texts() == ["第0秒"]
    await board.close()


async def test_a_return_that_cannot_be_written_does_not_hold_the_line(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path)
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.lose(session)
    board.is_full = True
    with pytest.raises(StorageFailed):
        await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    board.is_full = False
    same, _ = await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    assert same is session
    await board.switchboard.hang_up(session)
    await board.close()


async def test_a_return_while_the_call_ends_waits_and_is_refused(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path, options={"lost_after_s": 0.01})
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(1.0))
    await board.switchboard.lose(session)
    await until(lambda: session.is_ending)
    with pytest.raises(UnknownCall):
        await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    assert board.records.call("c-1").state is CallState.ENDED  # type: ignore[union-attr]
    await board.close()


async def test_days_without_a_server_do_not_become_days_of_silence(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path, options={"max_gap_s": 5.0})
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(1.0))
    await board.switchboard.lose(session)
    clock.advance(3 * 86_400)
    await board.switchboard.reconnect("c-1", WIDE, is_buffered=False)
    assert await board.switchboard.hang_up(session) == 6.0
    assert (tmp_path / "c-1.raw").stat().st_size == 6 * 32_000
    await board.close()


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
    async with asyncio.timeout(5):
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
        spool=Spool(tmp_path / "c-1.raw", WIDE),
        on_skipped=on_skipped,
        options=LineOptions(patience_s=0.2),
    )
    feeding = asyncio.create_task(line.feed(sound(30.0)))
    await asyncio.sleep(0.05)
    assert not feeding.done()
    line.hang_up()
    async with asyncio.timeout(0.1):
        await feeding
    with pytest.raises(CallBroken):
        await line.feed(sound(1.0))
    line.close()


def test_what_was_skipped_before_a_crash_is_heard_after_it() -> None:
    view = CallView()
    facts = [
        CallStarted(call=call()),
        audio_dropped(3.0, 1.0),
        audio_dropped(4.0, 1.0),
        audio_dropped(10.0, 2.0),
        SegmentShown(segment=segment(1, "一", start_s=0.0, end_s=3.0)),
        SegmentShown(segment=segment(2, "二", start_s=5.0, end_s=9.0)),
        SegmentShown(segment=segment(4, "四", start_s=12.0, end_s=20.0)),
        SegmentShown(segment=segment(1, "好", party=Party.OPERATOR, start_s=13.0, end_s=15.0)),
        SegmentShown(segment=segment(5, "三", start_s=10.1, end_s=11.8)),  # heard before the crash
    ]
    for seq, fact in enumerate(facts, 1):
        view.apply(Entry(stream="call:c-1", seq=seq, at=MOMENT, call_id="c-1", fact=fact))
    found = resumption_of(view, TWO_LEGS)
    assert found.skipped == (Span(3 * 64_000, 5 * 64_000),)
    assert found.heard == 15 * 64_000
    assert found.numbers == {Party.CITIZEN: 5, Party.OPERATOR: 1}


async def test_a_call_taken_up_again_hears_what_was_skipped(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path)
    spool = Spool(tmp_path / "c-1.raw", WIDE)
    spool.append(sound(6.0))
    spool.close()
    for fact in (
        CallStarted(call=call()),
        audio_dropped(1.0, 2.0),
        SegmentShown(segment=segment(1, "第0秒", start_s=0.0, end_s=1.0)),
        SegmentShown(segment=segment(2, "第3秒", start_s=3.0, end_s=4.0)),
    ):
        await board.journal.append(
            fact, call_id="c-1", streams=streams_of(fact, call()), at=MOMENT, audio_format=WIDE
        )
    await board.switchboard.recover()
    session, received_s = await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    assert received_s == 6.0
    await board.switchboard.hang_up(session)
    assert sorted(board.texts()) == [f"第{n}秒" for n in range(6)]
    await board.close()


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
    first = json.loads(await asyncio.wait_for(anext(follow), 5))  # the screen is slow to take this one
    await say(MAX_WAITING + 5)
    second = json.loads(await asyncio.wait_for(anext(follow), 5))
    assert (first["type"], second["type"]) == ("snapshot", "snapshot")
    assert len(second["segments"]) == number
    await say(1)
    assert json.loads(await anext(follow))["seq"] == second["seq"] + 1
    await follow.aclose()
    await journal.stop()
