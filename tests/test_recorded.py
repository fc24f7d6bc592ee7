"""Recorded calls among the facts: what they count for and what not, all of them or nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, text

from asr.types import Segment
from calls.journal import Journal
from calls.recorded import InFuture, RecordedCall, Recorder
from calls.records import Records
from calls.tables import facts
from calls.types import CallEnded, CallStarted, EndReason, Entry, SegmentShown, StorageFailed, Stream
from calls.usage import Usage
from knowledge_base.database import writing
from tests.call_parts import START, call, segment
from tests.conftest import Clock

YEARS_AGO = datetime(2024, 1, 1, tzinfo=UTC)
QUESTION = "公积金怎么提取要带什么材料"
RECORDED = RecordedCall(
    digest="ab" * 32,
    name="a.wav",
    started_at=START - timedelta(days=1),
    seconds=62.5,
    segments=(segment(1, QUESTION, end_s=4.0), segment(2, "好的谢谢", end_s=9.0)),
    operator_id="027",
)


@pytest.fixture
def told() -> list[Entry]:
    return []


async def journal_of(engine: Engine, told: list[Entry]) -> Journal:
    journal = Journal(engine, told.extend)
    journal.start()
    return journal


def asked_in(call_id: str, segments: Sequence[Segment]) -> list[str]:
    return [each.segment_id for each in segments]


async def test_a_recorded_call_misses_no_answer_where_a_live_one_does(
    engine: Engine, told: list[Entry], clock: Clock
) -> None:
    journal = await journal_of(engine, told)
    recorder = Recorder(journal=journal, records=Records(engine), clock=clock)
    assert await recorder.record(RECORDED)
    usage = Usage(engine)
    assert usage.missed(since=YEARS_AGO, asked_in=asked_in) == ()
    for fact in (
        CallStarted(call=call("c-live")),
        SegmentShown(segment=segment(1, QUESTION, call_id="c-live")),
        CallEnded(reason=EndReason.HANGUP, seconds=5),
    ):
        await journal.append(fact, call_id="c-live", streams=[Stream.call("c-live")], at=START)
    await journal.stop()
    assert [one.call_id for one in usage.missed(since=YEARS_AGO, asked_in=asked_in)] == ["c-live"]


async def test_its_facts_have_its_own_times_and_stand_in_its_own_stream(
    engine: Engine, told: list[Entry], clock: Clock
) -> None:
    journal = await journal_of(engine, told)
    records = Records(engine)
    assert await Recorder(journal=journal, records=records, clock=clock).record(RECORDED)
    await journal.stop()
    began = RECORDED.started_at
    assert [(entry.seq, entry.at - began) for entry in told] == [
        (1, timedelta()),
        (2, timedelta(seconds=4)),
        (3, timedelta(seconds=9)),
        (4, timedelta(seconds=62.5)),
    ]
    assert {entry.stream for entry in told} == {Stream.call(RECORDED.call_id)}
    assert records.read(Stream.call(RECORDED.call_id), since=0, limit=10) == told
    for stream in (Stream.CALLS, Stream.operator("027")):
        assert records.last_seq(stream) == 0
    view = records.view(Stream.call(RECORDED.call_id))
    assert [line.text for line in view.segments.values()] == [QUESTION, "好的谢谢"]


async def test_all_of_it_is_on_record_or_nothing(engine: Engine, told: list[Entry], clock: Clock) -> None:
    with writing(engine) as connection:  # the disk takes no line
        connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON facts WHEN new.type = 'call.ended' "
                "BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        )
    journal = await journal_of(engine, told)
    records = Records(engine)
    recorder = Recorder(journal=journal, records=records, clock=clock)
    with pytest.raises(StorageFailed):
        await recorder.record(RECORDED)
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(facts)) == 0
    assert (records.call(RECORDED.call_id), told) == (None, [])
    with writing(engine) as connection:
        connection.execute(text("DROP TRIGGER full"))
    assert await recorder.record(RECORDED)
    await journal.stop()


async def test_a_recording_from_the_future_is_refused(
    engine: Engine, told: list[Entry], clock: Clock
) -> None:
    journal = await journal_of(engine, told)
    recorder = Recorder(journal=journal, records=Records(engine), clock=clock)
    with pytest.raises(InFuture):
        await recorder.record(replace(RECORDED, started_at=clock() + timedelta(minutes=5)))
    assert await recorder.record(replace(RECORDED, started_at=clock()))  # a clock that is a minute ahead
    await journal.stop()
