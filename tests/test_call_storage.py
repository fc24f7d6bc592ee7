"""Calls whose disk fills up, whose server dies, whose line comes back late: what was said is not lost."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from asr.types import AudioFrame, Party, Segment
from calls.admission import Opening
from calls.line import Span
from calls.notices import audio_dropped, sound_away
from calls.resumption import resumption_of
from calls.spool import Spool
from calls.streams import streams_of
from calls.types import (
    AudioFormat,
    CallBroken,
    CallDegraded,
    CallStarted,
    CallState,
    CallStuck,
    Entry,
    Fact,
    SegmentShown,
    StorageFailed,
    Stream,
    UnknownCall,
)
from calls.view import CallView
from retrieval.types import Findings, Query, Suggestion
from scripts.kills.ears import recognise
from tests.board import WIDE, Board, until
from tests.call_parts import START as MOMENT
from tests.call_parts import ScriptedAssistant, call, find_nothing, hear_seconds, segment
from tests.conftest import Clock
from tests.house import sound

TWO_LEGS = AudioFormat(encoding="pcm_s16le", sample_rate_hz=16_000, channels=("citizen", "operator"))


async def break_searching(query: Any) -> Any:
    raise ZeroDivisionError


class BreaksAsking(ScriptedAssistant):
    def ask(self, segment: Segment) -> Query | None:
        raise ZeroDivisionError


class BreaksAdvising(ScriptedAssistant):
    def advise(self, segment: Segment, query: Query | None, findings: Findings | None) -> Suggestion | None:
        raise ZeroDivisionError


async def cut_off(board: Board, audio_format: AudioFormat, *facts: Fact) -> None:
    """Put them on record of the call, as of an earlier run that died."""
    for fact in facts:
        await board.journal.append(
            fact, call_id="c-1", streams=streams_of(fact, call()), at=MOMENT, audio_format=audio_format
        )
    await board.switchboard.recover()


@pytest.mark.parametrize(
    ("kind", "search"),
    [(ScriptedAssistant, break_searching), (BreaksAsking, find_nothing), (BreaksAdvising, find_nothing)],
)
async def test_an_assistant_that_breaks_leaves_the_transcript_alone(
    engine: Engine, clock: Clock, tmp_path: Path, kind: type[ScriptedAssistant], search: Any
) -> None:
    script = kind({"第0秒": ("T001",), "第1秒": ("T001",)})
    board = Board(engine, clock, tmp_path, assistant=script, search=search)
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(2.0))
    await board.switchboard.hang_up(session)
    await board.close()
    told = [entry.fact for entry in board.told if entry.stream == Stream.call("c-1")]
    assert [fact.segment.text for fact in told if isinstance(fact, SegmentShown)] == ["第0秒", "第1秒"]
    assert [getattr(fact, "code", None) for fact in told].count("kb.search_failed") == 1


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


async def test_the_journal_counts_what_the_disk_did_not_take(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path)
    assert board.journal.stats().failed == 0
    board.is_full = True
    with pytest.raises(StorageFailed):
        await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    stats = board.journal.stats()
    assert (stats.waiting, stats.failed, stats.last_failed_at) == (0, 1, clock())
    board.is_full = False
    session = await board.switchboard.open(Opening(call_id="c-2", audio_format=WIDE))
    await board.switchboard.hang_up(session)
    assert (board.journal.stats().waiting, board.journal.stats().failed) == (0, 1)
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
    assert found.skipped == (Span(3 * 64_000, 5 * 64_000), Span(10 * 64_000, 12 * 64_000))
    assert found.missed_s == {Party.CITIZEN: ((3.0, 5.0),), Party.OPERATOR: ((3.0, 5.0), (10.0, 12.0))}
    assert found.heard == 15 * 64_000
    assert found.numbers == {Party.CITIZEN: 5, Party.OPERATOR: 1}


async def test_a_call_taken_up_again_hears_what_was_skipped(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path)
    spool = Spool(tmp_path / "c-1.raw", WIDE)
    spool.append(sound(6.0))
    spool.close()
    await cut_off(
        board,
        WIDE,
        CallStarted(call=call()),
        audio_dropped(1.0, 2.0),
        SegmentShown(segment=segment(1, "第0秒", start_s=0.0, end_s=1.0)),
        SegmentShown(segment=segment(2, "第3秒", start_s=3.0, end_s=4.0)),
    )
    session, received_s = await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    assert received_s == 6.0
    await board.switchboard.hang_up(session)
    assert sorted(board.texts()) == [f"第{n}秒" for n in range(6)]
    await board.close()


async def test_what_was_skipped_and_lies_elsewhere_is_told_once_and_not_heard_out_of_silence(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path)
    spool = Spool(tmp_path / "c-1.raw", WIDE)  # of an earlier time here; the rest came to another process
    spool.append(sound(2.0))
    spool.close()
    await cut_off(
        board,
        WIDE,
        CallStarted(call=call()),
        audio_dropped(1.0, 2.0),
        SegmentShown(segment=segment(1, "第0秒", start_s=0.0, end_s=1.0)),
        SegmentShown(segment=segment(2, "第3秒", start_s=3.0, end_s=4.0)),
    )
    session, received_s = await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    assert received_s == 4.0
    await board.switchboard.feed(session, sound(1.0))
    session.suspend()  # and once more
    await until(lambda: not board.switchboard.sessions())
    session, _ = await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    await board.switchboard.hang_up(session)
    assert sorted(board.texts()) == ["第0秒", "第1秒", "第3秒", "第4秒"]
    facts = [entry.fact for entry in board.records.read(Stream.call("c-1"), since=0, limit=100)]
    assert facts.count(sound_away(2.0, 1.0)) == 1
    assert [fact for fact in facts if isinstance(fact, CallDegraded)] == [
        audio_dropped(1.0, 2.0),
        sound_away(2.0, 1.0),
    ]
    await board.close()


async def test_what_was_skipped_before_a_line_of_one_leg_alone_is_heard_on_that_leg_too(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    board = Board(engine, clock, tmp_path, recognise=recognise)
    spool = Spool(tmp_path / "c-1.raw", TWO_LEGS)
    spool.append(sound(6.0, channels=2))
    spool.close()
    await cut_off(
        board,
        TWO_LEGS,
        CallStarted(call=call()),
        audio_dropped(1.0, 1.0),
        audio_dropped(3.5, 1.0),
        SegmentShown(segment=segment(1, "第0秒", start_s=0.0, end_s=1.0)),
        SegmentShown(segment=segment(1, "第0秒", party=Party.OPERATOR, start_s=0.0, end_s=1.0)),
        SegmentShown(segment=segment(2, "第2秒", start_s=2.0, end_s=3.5)),
        SegmentShown(segment=segment(3, "第4秒", start_s=4.5, end_s=5.0)),
    )
    session, _ = await board.switchboard.reconnect("c-1", TWO_LEGS, is_buffered=True)
    await board.switchboard.hang_up(session)
    view = board.records.view(Stream.call("c-1"))
    for party in (Party.CITIZEN, Party.OPERATOR):
        lines = sorted(
            (one.start_s, one.end_s) for one in view.segments.values() if one.party is party and one.text
        )
        assert (lines[0][0], lines[-1][1]) == (0.0, 6.0)
        assert [end_s for _, end_s in lines[:-1]] == [start_s for start_s, _ in lines[1:]], party
    await board.close()


async def test_a_crash_on_a_full_disk_keeps_no_house_shut(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    before = Board(engine, clock, tmp_path)
    session = await before.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await before.switchboard.feed(session, sound(1.0))
    await until(lambda: before.texts() == ["第0秒"])
    before.is_full = True  # and this server is gone, as if killed
    after = Board(engine, clock, tmp_path, options={"resumable_s": 60.0})
    after.is_full = True
    await after.switchboard.recover()
    with pytest.raises(StorageFailed):
        await after.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    before.is_full = after.is_full = False
    await after.state(CallState.INTERRUPTED)
    again, received_s = await after.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    assert received_s == 1.0
    await after.switchboard.feed(again, sound(1.0))
    assert await after.switchboard.hang_up(again) == 2.0
    assert after.texts() == ["第0秒", "第1秒"]
    await after.close()
    await before.close()


class StuckEars:
    """Ears that hear nothing, until they are told to."""

    def __init__(self) -> None:
        self.are_stuck = True

    async def hear(
        self, call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
    ) -> AsyncIterator[Segment]:
        if self.are_stuck:
            await asyncio.Event().wait()
        async for heard in hear_seconds(call_id, frames, numbers):
            yield heard


async def test_ears_that_hang_hold_neither_the_line_nor_the_call(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    ears = StuckEars()
    board = Board(
        engine, clock, tmp_path, recognise=ears.hear, options={"stuck_s": 0.05, "resumable_s": 0.05}
    )
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(2.0))
    with pytest.raises(CallStuck):
        await board.switchboard.hang_up(session)
    assert not board.admitted
    await board.state(CallState.INTERRUPTED)
    ears.are_stuck = False
    await board.state(CallState.ENDED)
    assert board.texts() == ["第0秒", "第1秒"]
    await board.close()


async def test_an_assistant_that_cannot_recall_keeps_no_call_from_going_on(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    class Forgetful(ScriptedAssistant):
        def recall(self, *what: Any) -> None:
            raise ZeroDivisionError

    board = Board(engine, clock, tmp_path, assistant=Forgetful())
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(1.0))
    await board.close()
    board = Board(engine, clock, tmp_path, assistant=Forgetful())
    await board.switchboard.recover()
    session, _ = await board.switchboard.reconnect("c-1", WIDE, is_buffered=True)
    await board.switchboard.feed(session, sound(1.0))
    await board.switchboard.hang_up(session)
    assert board.texts() == ["第0秒", "第1秒"]
    await board.close()


@pytest.mark.parametrize("hours", [-5, 5])
async def test_a_clock_that_is_set_makes_no_silence(
    engine: Engine, clock: Clock, tmp_path: Path, hours: int
) -> None:
    elapsed = 100.0
    board = Board(engine, clock, tmp_path, elapsed_s=lambda: elapsed)
    session = await board.switchboard.open(Opening(call_id="c-1", audio_format=WIDE))
    await board.switchboard.feed(session, sound(1.0))
    await board.switchboard.lose(session)
    clock.advance(hours * 3600)
    elapsed += 2.0
    await board.switchboard.reconnect("c-1", WIDE, is_buffered=False)
    await board.switchboard.feed(session, sound(1.0))
    assert await board.switchboard.hang_up(session) == 4.0
    seqs = [entry.seq for entry in board.told if entry.stream == Stream.call("c-1")]
    assert seqs == list(range(1, len(seqs) + 1))
    await board.close()
