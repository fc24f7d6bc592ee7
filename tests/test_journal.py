import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from calls.journal import Journal
from calls.records import Records
from calls.types import (
    AudioFormat,
    CallEnded,
    CallInterrupted,
    CallStarted,
    CallState,
    EndReason,
    Entry,
    SegmentShown,
    StorageFailed,
    Stream,
    SuggestionMarked,
    SuggestionShown,
)
from knowledge_base.database import open_database
from retrieval.types import Mark
from tests.call_parts import START, call, segment, suggestion
from tests.databases import both_databases

pytestmark = both_databases
CALL = Stream.call("c-1")
OPERATOR = Stream.operator("027")
TELEPHONE = AudioFormat(encoding="mulaw", sample_rate_hz=8000, channels=("citizen", "operator"))


async def test_a_fact_is_on_disk_before_it_is_told(engine: Engine) -> None:
    told: list[int] = []

    def tell(entries: list[Entry]) -> None:
        other = open_database(engine.url.render_as_string(hide_password=False))
        with other.connect() as connection:
            told.append(connection.scalar(text("select count(*) from facts")) or 0)
        other.dispose()

    journal = Journal(engine, tell)
    journal.start()
    await journal.append(
        CallStarted(call=call()), call_id="c-1", streams=[CALL], at=START, audio_format=TELEPHONE
    )
    await journal.append(SegmentShown(segment=segment(1, "喂")), call_id="c-1", streams=[CALL], at=START)
    await journal.stop()
    assert told == [1, 2]


async def test_what_is_not_durable_yet_is_counted(engine: Engine) -> None:
    journal = Journal(engine, lambda entries: None)
    facts = [
        asyncio.create_task(
            journal.append(SegmentShown(segment=segment(n, "喂")), call_id="c-1", streams=[CALL], at=START)
        )
        for n in range(3)
    ]
    await asyncio.sleep(0)
    assert journal.stats().waiting == 3
    journal.start()
    await asyncio.gather(*facts)
    assert (journal.stats().waiting, journal.stats().failed) == (0, 0)
    await journal.stop()


async def test_every_stream_counts_for_itself_without_gaps(engine: Engine) -> None:
    told: list[Entry] = []
    journal = Journal(engine, told.extend)
    journal.start()
    await journal.append(CallStarted(call=call()), call_id="c-1", streams=[CALL, OPERATOR], at=START)
    await asyncio.gather(
        *(
            journal.append(
                SegmentShown(segment=segment(n, f"第{n}句")),
                call_id="c-1",
                streams=[CALL, OPERATOR] if n % 2 else [CALL],
                at=START,
            )
            for n in range(1, 101)
        )
    )
    await journal.stop()
    assert [entry.seq for entry in told if entry.stream == CALL] == list(range(1, 102))
    assert [entry.seq for entry in told if entry.stream == OPERATOR] == list(range(1, 52))
    read = Records(engine).read(CALL, since=0, limit=1000)
    assert read == [entry for entry in told if entry.stream == CALL]
    assert Records(engine).read(CALL, since=99, limit=1000) == read[99:]
    assert Records(engine).last_seq(CALL) == 101


async def test_the_call_row_follows_its_facts(engine: Engine) -> None:
    journal = Journal(engine, lambda entries: None)
    journal.start()
    await journal.append(
        CallStarted(call=call()), call_id="c-1", streams=[CALL], at=START, audio_format=TELEPHONE
    )
    assert Records(engine).audio_format("c-1") == TELEPHONE
    await journal.append(CallInterrupted(), call_id="c-1", streams=[CALL], at=START)
    assert [found.call_id for found in Records(engine).calls(states=[CallState.INTERRUPTED])] == ["c-1"]
    await journal.append(
        CallEnded(reason=EndReason.HANGUP, seconds=12.5), call_id="c-1", streams=[CALL], at=START
    )
    await journal.stop()
    ended = Records(engine).call("c-1")
    assert ended is not None
    assert (ended.state, ended.seconds, ended.end_reason) == (CallState.ENDED, 12.5, EndReason.HANGUP)
    assert Records(engine).calls(states=[CallState.INTERRUPTED]) == []


async def test_the_view_of_an_operator_is_of_the_newest_call(engine: Engine) -> None:
    journal = Journal(engine, lambda entries: None)
    journal.start()
    for call_id, words in (("c-1", "积水"), ("c-2", "停电")):
        streams = [Stream.call(call_id), OPERATOR]
        await journal.append(CallStarted(call=call(call_id)), call_id=call_id, streams=streams, at=START)
        await journal.append(
            SegmentShown(segment=segment(1, words, call_id=call_id)),
            call_id=call_id,
            streams=streams,
            at=START,
        )
    late = SegmentShown(segment=segment(2, "前一个电话的最后一句"))
    await journal.append(late, call_id="c-1", streams=[CALL, OPERATOR], at=START)
    shown = SuggestionShown(suggestion=suggestion("T128", call_id="c-2"))
    await journal.append(shown, call_id="c-2", streams=[Stream.call("c-2"), OPERATOR], at=START)
    mark = SuggestionMarked(suggestion_id="s-1", article_id="T128", mark=Mark.PINNED)
    await journal.append(mark, call_id="c-2", streams=[Stream.call("c-2"), OPERATOR], at=START)
    await journal.stop()

    view = Records(engine).view(OPERATOR)
    assert view.call is not None
    assert view.call.call_id == "c-2"
    assert [line.text for line in view.segments.values()] == ["停电"]
    assert view.suggestion == shown.suggestion
    assert list(view.marks.values()) == [mark]
    assert view.seq == 7
    assert Records(engine).was_shown("c-2", "s-1", "T128")
    assert not Records(engine).was_shown("c-1", "s-1", "T128")


async def test_an_empty_final_takes_the_line_away(engine: Engine) -> None:
    journal = Journal(engine, lambda entries: None)
    journal.start()
    await journal.append(CallStarted(call=call()), call_id="c-1", streams=[CALL], at=START)
    for words in ("嗯", ""):
        await journal.append(SegmentShown(segment=segment(1, words)), call_id="c-1", streams=[CALL], at=START)
    await journal.stop()
    assert Records(engine).view(CALL).segments == {}


async def test_what_cannot_be_written_is_said_and_not_told(engine: Engine, tmp_path: Path) -> None:
    told: list[Entry] = []
    journal = Journal(engine, told.extend)
    journal.start()
    with engine.begin() as connection:
        for table in ("stream_entries", "facts"):
            connection.execute(text(f"drop table {table}"))
    with pytest.raises(StorageFailed, match="磁盘"):
        await journal.append(SegmentShown(segment=segment(1, "喂")), call_id="c-1", streams=[CALL], at=START)
    await journal.stop()
    assert told == []
