"""The index over calls on the real database: what comes in, what is found, what goes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select, text, update

from asr.types import Party, Segment
from calls.facts import to_payload
from calls.journal import Journal
from calls.search.follower import follow
from calls.search.index import FullTextIndex
from calls.search.tables import index_state, indexed_lines
from calls.search.types import BadWish, By, Hit, Order, Page, SearchFailed, Source, Voice, Wish
from calls.search.words import places_of, words_of
from calls.tables import facts
from calls.types import (
    CallEnded,
    CallStarted,
    CallTransferred,
    EndReason,
    Fact,
    NoteChanged,
    NoteTaken,
    SegmentCorrected,
    SegmentShown,
    Stream,
)
from knowledge_base.database import writing
from tests.call_parts import START, call, segment
from tests.databases import both_databases


class Calls:
    """Writes facts through the real journal, and asks the index."""

    def __init__(self, engine: Engine, journal: Journal):
        self.engine = engine
        self.journal = journal
        self.index = FullTextIndex(engine)

    async def tell(self, call_id: str, *some: Fact) -> None:
        for fact in some:
            await self.journal.append(fact, call_id=call_id, streams=(Stream.call(call_id),), at=START)

    async def begin(self, call_id: str, *said: str, hours: float = 0, **about: str) -> None:
        """A call with lines of citizen and operator in turn."""
        started = replace(call(call_id), started_at=START + timedelta(hours=hours), **about)  # type: ignore[arg-type]
        await self.tell(call_id, CallStarted(call=started))
        for number, one in enumerate(said):
            await self.tell(call_id, SegmentShown(segment=line(call_id, number, one)))

    def ids(self, question: str, **wish: object) -> list[str]:
        return [hit.call_id for hit in self.page(question, **wish).hits]

    def page(self, question: str, **wish: object) -> Page:
        while self.index.catch_up(limit=3):
            pass
        return self.index.find(Wish(text=question, **wish))  # type: ignore[arg-type]

    def hit(self, question: str, **wish: object) -> Hit:
        (hit,) = self.page(question, **wish).hits
        return hit


def line(call_id: str, number: int, said: str) -> Segment:
    party = (Party.CITIZEN, Party.OPERATOR)[number % 2]
    return segment(number, said, call_id=call_id, party=party, start_s=2.0 * number, end_s=2.0 * number + 1)


@pytest.fixture
async def calls(engine: Engine) -> AsyncIterator[Calls]:
    journal = Journal(engine, lambda entries: None)
    journal.start()
    yield Calls(engine, journal)
    await journal.stop()


async def test_a_hit_names_the_call_the_line_and_the_place_to_jump_to(calls: Calls) -> None:
    await calls.begin("c-1", "你好", "请讲", "公积金，公积金怎么取？", "公积金带身份证", caller="139")
    hit = calls.hit("公积金")
    assert (hit.call_id, hit.started_at, hit.operator_id, hit.caller) == ("c-1", START, "027", "139")
    assert (hit.line.segment_id, hit.line.start_s, hit.line.voice) == ("citizen-2", 4.0, Voice.CITIZEN)
    assert hit.line.text == "公积金，公积金怎么取？"
    assert hit.line.marks == ((0, 3), (4, 7))
    assert (hit.lines, hit.source) == (2, Source.LIVE)


@both_databases
async def test_homophones_meet_by_sound_both_ways(calls: Calls) -> None:
    await calls.begin("c-1", "想问公积金提取")
    await calls.begin("c-2", "想问攻击尽提取", hours=1)
    assert calls.ids("攻击尽", by=By.SOUND) == ["c-2", "c-1"]
    assert calls.ids("公积金", by=By.SOUND) == ["c-2", "c-1"]
    assert calls.ids("公积金") == ["c-1"]
    assert calls.ids("“公积金”", by=By.SOUND) == ["c-1"]


@both_databases
async def test_all_words_stand_in_one_call_and_the_line_with_most_is_shown(calls: Calls) -> None:
    await calls.begin("c-1", "公积金的事", "您说", "公积金提取要带什么", "提取要身份证")
    await calls.begin("c-2", "公积金的事")
    hit = calls.hit("提取 公积金")
    assert (hit.call_id, hit.line.segment_id, hit.lines) == ("c-1", "citizen-2", 3)


@both_databases
async def test_a_line_is_found_as_it_reads_now(calls: Calls) -> None:
    await calls.begin("c-1", "路灯坏了")
    said = line("c-1", 0, "路灯坏了")
    calls.page("路灯")
    await calls.tell("c-1", SegmentCorrected(segment=replace(said, text="水管坏了"), by="小王"))
    assert (calls.ids("路灯"), calls.ids("水管"), calls.ids("坏了")) == ([], ["c-1"], ["c-1"])
    assert calls.hit("坏了").lines == 1
    await calls.tell("c-1", SegmentCorrected(segment=said, by="小王"))  # put back
    assert (calls.ids("路灯"), calls.ids("水管")) == (["c-1"], [])
    await calls.tell("c-1", SegmentCorrected(segment=replace(said, text=""), by="小王"))
    assert (calls.ids("路灯"), calls.ids("lu", by=By.SOUND)) == ([], [])
    await calls.tell("c-1", SegmentCorrected(segment=said, by="小王"))
    assert calls.hit("路灯").line.segment_id == "citizen-0"


async def test_notes_are_found_and_changed_and_gone(calls: Calls) -> None:
    await calls.begin("c-1", "你好")
    await calls.tell("c-1", NoteTaken(note_id="n-1", text="下午三点回电", by="小王"))
    hit = calls.hit("回电", voice=Voice.NOTE)
    assert (hit.line.note_id, hit.line.segment_id, hit.line.start_s) == ("n-1", None, None)
    await calls.tell("c-1", NoteChanged(note_id="n-1", text="不用再打", by="小王"))
    assert (calls.ids("回电"), calls.ids("再打")) == ([], ["c-1"])
    await calls.tell("c-1", NoteChanged(note_id="n-1", text="", by="小王"))
    assert calls.ids("再打") == []


@both_databases
async def test_filters_narrow_to_callers_seats_times_sources_and_voices(calls: Calls) -> None:
    await calls.begin("c-1", "停水了", caller="139", operator_id="001")
    await calls.begin("c-2", "你好", "停水了", caller="138", operator_id="002", hours=24)
    await calls.tell("c-1", CallEnded(reason=EndReason.RECORDED, seconds=3))
    assert calls.ids("停水", caller="139") == ["c-1"]
    assert calls.ids("停水", operator_id="002") == ["c-2"]
    assert calls.ids("停水", operator_id="002", seat="001") == []
    assert calls.ids("停水", seat="001") == ["c-1"]
    assert calls.ids("停水", source=Source.RECORDING) == ["c-1"]
    assert calls.ids("停水", source=Source.LIVE) == ["c-2"]
    assert calls.ids("停水", voice=Voice.OPERATOR) == ["c-2"]
    noon = START + timedelta(hours=12)
    assert (calls.ids("停水", since=noon), calls.ids("停水", before=noon)) == (["c-2"], ["c-1"])
    assert calls.ids("停水", since=START, before=START + timedelta(hours=24)) == ["c-1"]
    await calls.tell("c-1", CallTransferred(from_operator="001", to_operator="002"))
    assert (calls.ids("停水", seat="001"), calls.ids("停水", seat="002")) == ([], ["c-2", "c-1"])


@both_databases
async def test_pages_newest_first_or_best_first_with_the_number_of_all(calls: Calls) -> None:
    await calls.begin("c-apart", "公积金", "提取", "公积金", "公积金")
    await calls.begin("c-together", "公积金提取", hours=1)
    await calls.begin("c-new", "公积金", "提取", hours=2)
    assert calls.ids("公积金 提取") == ["c-new", "c-together", "c-apart"]
    assert calls.ids("公积金 提取", order=Order.BEST) == ["c-together", "c-apart", "c-new"]
    assert calls.ids("公积金", order=Order.BEST) == ["c-apart", "c-new", "c-together"]
    page = calls.page("公积金", limit=1, offset=1)
    assert ([hit.call_id for hit in page.hits], page.total) == (["c-together"], 3)
    beyond = calls.page("公积金", limit=2, offset=50)
    assert (beyond.hits, beyond.total) == ((), 3)


async def test_each_fact_is_taken_in_once_however_many_follow(calls: Calls) -> None:
    for number in range(5):
        await calls.begin(f"c-{number}", *["公积金"] * 10)
    others = [FullTextIndex(calls.engine) for _ in range(3)]
    following = [asyncio.create_task(follow(index)) for index in others]
    async with asyncio.timeout(60):
        while (page := await asyncio.to_thread(calls.index.find, Wish(text="公积金"))).behind:
            pass
    for task in following:
        task.cancel()
    assert [hit.lines for hit in page.hits] == [10] * 5


async def test_a_restarted_index_goes_on_and_a_cleared_one_begins_again(calls: Calls) -> None:
    await calls.begin("c-1", "公积金", "社保")
    assert calls.index.catch_up(limit=2) == 2
    again = FullTextIndex(calls.engine)
    assert again.find(Wish(text="公积金")).behind == 1
    assert (again.catch_up(limit=100), again.catch_up(limit=100)) == (1, 0)
    calls.index.clear()
    assert calls.index.find(Wish(text="公积金")).total == 0
    assert calls.ids("公积金") == ["c-1"]
    with writing(calls.engine) as connection:  # lines were taken apart by an older program
        connection.execute(update(index_state).values(revision=0))
    await calls.begin("c-2", "公积金", hours=1)
    assert calls.ids("公积金") == ["c-2", "c-1"]


@both_databases
async def test_a_forgotten_call_leaves_nothing_behind(calls: Calls) -> None:
    await calls.begin("c-1", "公积金", "社保")
    await calls.begin("c-2", "公积金", hours=1)
    calls.page("公积金")
    calls.index.forget("c-1")
    calls.index.forget("c-1")
    assert calls.ids("公积金") == ["c-2"]
    assert calls.ids("gongjijin 公积金", by=By.SOUND) == []
    with calls.engine.connect() as connection:
        assert connection.scalars(select(indexed_lines.c.text)).all() == ["公积金"]
    await calls.tell("c-1", SegmentShown(segment=line("c-1", 2, "公积金")))  # a fact that came too late
    assert calls.ids("公积金") == ["c-2"]
    with calls.engine.connect() as connection:
        for table in ("line_texts", "line_sounds"):
            if connection.dialect.name == "sqlite":
                connection.execute(text(f"INSERT INTO {table}({table}) VALUES ('integrity-check')"))
            else:
                assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 1  # of c-2


async def test_a_damaged_fact_does_not_keep_the_others_out(calls: Calls) -> None:
    await calls.begin("c-1", "公积金", "社保")
    with writing(calls.engine) as connection:
        connection.execute(update(facts).where(facts.c.fact_id == 2).values(payload={"segment": {}}))
    assert (calls.ids("公积金"), calls.ids("社保")) == ([], ["c-1"])


async def test_a_bad_question_and_a_lost_table_are_told_apart(calls: Calls) -> None:
    with pytest.raises(BadWish):
        calls.page("，")
    with writing(calls.engine) as connection:
        connection.execute(text("DROP TABLE line_texts"))
    with pytest.raises(SearchFailed):
        calls.page("公积金")


LINES = st.text(alphabet="公积金攻击尽ab12.，㎡ ", max_size=12)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    said=st.lists(st.lists(LINES, min_size=1, max_size=4), min_size=1, max_size=4),
    question=st.text(alphabet='公积金攻击尽ab12."“” ', min_size=1, max_size=6),
    by=st.sampled_from(By),
    voice=st.sampled_from([None, Voice.CITIZEN, Voice.OPERATOR]),
)
def test_the_index_finds_what_reading_every_line_would_find(
    engine: Engine, said: Sequence[Sequence[str]], question: str, by: By, voice: Voice | None
) -> None:
    try:
        words = words_of(question, by)
    except BadWish:
        return
    ids = [f"c-{number}" for number in range(len(said))]
    index = FullTextIndex(engine)
    index.clear()
    with writing(engine) as connection:
        connection.execute(delete(facts))
        for call_id, some in zip(ids, said, strict=True):
            shown = [SegmentShown(segment=line(call_id, at, one)) for at, one in enumerate(some)]
            for fact in (CallStarted(call=call(call_id)), *shown):
                row = {"call_id": call_id, "type": fact.type, "at": "", "payload": to_payload(fact)}
                connection.execute(insert(facts).values(**row))
    while index.catch_up(limit=5):
        pass
    page = index.find(Wish(text=question, by=by, voice=voice))
    expected: dict[str, int] = {}
    for call_id, some in zip(ids, said, strict=True):
        heard = [one for at, one in enumerate(some) if voice is None or voice == (*Voice,)[at % 2]]
        places = [places_of(one, words) for one in heard]
        if all(any(one[at] for one in places) for at in range(len(words))):
            expected[call_id] = sum(any(one) for one in places)
    assert {hit.call_id: hit.lines for hit in page.hits} == expected
    assert page.total == len(expected)
