"""Forms and the drafter without a house: what a draft may change, and who waits for whom."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.types import Segment
from calls.forms.departments import name_of, unit_of
from calls.forms.drafter import MAX_WAITING, Drafter, DrafterOptions
from calls.forms.engines import Drafting, remembering
from calls.forms.merging import is_worth_telling, with_draft, with_order, with_values
from calls.forms.refusals import BadForm
from calls.forms.types import EMPTY_FORM, FieldName, Form, OrderMade
from calls.orders.directory import read_directory, sample_directory
from calls.types import (
    CallDegraded,
    CallEnded,
    CallInterrupted,
    CallStarted,
    EndReason,
    Entry,
    Fact,
    SegmentShown,
    Stream,
)
from calls.view import CallView
from calls.wrapup.types import Draft, Field, Knowledge, Span
from tests.board import until
from tests.call_parts import call, segment
from tests.wrapup_parts import embed

AT = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)
WORDS = st.sampled_from(["", "投诉", "求助", "咨询"])
UNITS = {"市住建局": "SZ04"}


def draft(**values: str) -> Draft:
    """A draft of these values, each said in the first line and sure."""
    span = Span(segment_id="citizen-1", start=0, end=2)
    fields = {
        name: Field(value=value, confidence=0.9, spans=(span,)) for name, value in values.items() if value
    }
    return Draft(**fields)  # type: ignore[arg-type]


def drafted(form: Form, new: Draft, **more: Any) -> Form:
    more = {"engine": "embedded", "is_final": False, "used": (), "unit_of": UNITS.get} | more
    return with_draft(form, new, **more)


def changed(form: Form, **values: str | None) -> Form:
    wishes = {FieldName(name): value for name, value in values.items()}
    return with_values(form, wishes, department_id=None, by="李敏", at=AT)[0]


@given(drafts=st.lists(WORDS, min_size=1, max_size=6), value=WORDS, at=st.integers(0, 5))
def test_what_a_person_set_survives_every_draft_and_comes_back_only_by_a_person(
    drafts: list[str], value: str, at: int
) -> None:
    form = EMPTY_FORM
    for number, kind in enumerate(drafts):
        form = drafted(form, draft(kind=kind))
        if number == min(at, len(drafts) - 1):
            form = changed(form, kind=value)
        assert form.kind.drafted == kind
    assert (form.kind.value, form.kind.set_by, form.version) == (value, "李敏", 1)
    assert changed(form, kind=None).kind.value == drafts[-1]


def test_only_what_a_reader_would_see_is_worth_a_fact() -> None:
    first = drafted(EMPTY_FORM, draft(kind="投诉"))
    wavering = replace(draft(kind="投诉"), kind=replace(draft(kind="投诉").kind, confidence=0.8))
    assert not is_worth_telling(first, drafted(first, wavering))
    unsure = replace(draft(kind="投诉"), kind=replace(draft(kind="投诉").kind, confidence=0.3))
    assert is_worth_telling(first, drafted(first, unsure))
    assert is_worth_telling(first, drafted(first, draft(kind="投诉"), is_final=True))


def test_the_marks_and_the_change_say_how_it_was() -> None:
    form = drafted(EMPTY_FORM, Draft(caller_phone=Field(value="13900000159", confidence=0.6)))
    assert not form.caller_phone.is_unsure
    form = drafted(form, Draft(caller_phone=Field(value="13900000159", confidence=0.5)))
    assert form.caller_phone.is_unsure
    wishes: dict[FieldName, str | None] = {FieldName.CALLER_PHONE: " 13900000152 "}
    after, (change,) = with_values(form, wishes, department_id=None, by="李敏", at=AT)
    assert (after.caller_phone.value, after.caller_phone.is_unsure) == ("13900000152", False)
    assert (change.drafted, change.before, change.value, change.confidence) == (
        "13900000159",
        "13900000159",
        "13900000152",
        0.5,
    )
    with pytest.raises(BadForm, match="60"):
        changed(form, summary="字" * 61)


def test_used_cards_come_before_what_only_speaks_of_the_matter_and_once() -> None:
    found = (
        Knowledge(article_id="T1", title="一", confidence=0.9),
        Knowledge(article_id="T2", title="二", confidence=0.8),
    )
    form = drafted(EMPTY_FORM, Draft(knowledge=found), used=(("T2", "二"),))
    assert [(one.article_id, one.is_used) for one in form.knowledge] == [("T2", True), ("T1", False)]


def test_a_department_keeps_its_identifier_with_whoever_named_it() -> None:
    form = drafted(EMPTY_FORM, draft(department="市住建局"))
    assert form.department_id == "SZ04"
    wishes: dict[FieldName, str | None] = {FieldName.DEPARTMENT: "市教育局"}
    mine, _ = with_values(form, wishes, department_id="SZ12", by="李敏", at=AT)
    assert drafted(mine, draft(department="市住建局")).department_id == "SZ12"
    unlisted = drafted(EMPTY_FORM, draft(department="没有的局"))
    assert (unlisted.department_id, unlisted.department.is_unsure) == (None, True)


def test_a_form_whose_order_is_made_is_left_alone_by_drafts() -> None:
    form = with_order(
        drafted(EMPTY_FORM, draft(kind="投诉")), OrderMade(order_id="1", state="accepted", by="李敏")
    )
    assert drafted(form, draft(kind="求助"), is_final=True) == form


def test_names_of_departments_lead_to_one_unit_or_none() -> None:
    sample = sample_directory()
    assert unit_of(sample, "市教育局") == "SZ12"
    assert (unit_of(sample, "定海区教育局"), name_of(sample, "DH01")) == ("DH01", "定海区教育局")
    assert unit_of(sample, "市12345热线中心") is None
    assert unit_of(sample, "") is None
    units = "A,东区,区县,ZX\nB,西区,区县,ZX\nA1,教育局,部门,A\nB1,教育局,部门,B\n"
    rows = f"编号,名称,类别,上级\nZX,中心,中心,\n{units}"
    districts = read_directory(rows).directory
    assert districts is not None
    assert unit_of(districts, "教育局") is None  # of which district?
    assert unit_of(districts, name_of(districts, "B1")) == "B1"
    city = read_directory(rows + "C1,教育局,部门,ZX\n").directory
    assert city is not None
    assert unit_of(city, "教育局") == "C1"


def test_sentences_are_embedded_once_and_the_oldest_are_forgotten() -> None:
    asked: list[str] = []

    def count(text: str) -> Any:
        asked.append(text)
        return embed(text)

    remember = remembering(count, limit=2)
    for text in ("甲", "乙", "甲", "丙", "甲", "乙"):
        assert (remember(text) == embed(text)).all()
    assert asked == ["甲", "乙", "丙", "乙"]


class Engine:
    """Drafts by counting finals; can be held, and break."""

    name = "counting"

    def __init__(self) -> None:
        self.begun = 0
        self.drafted: list[int] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.is_broken = False

    def open(self) -> Drafting:
        def draft_it(segments: Sequence[Segment], caller: str) -> Draft:
            self.begun += 1
            self.may_go.wait(60)
            if self.is_broken:
                raise RuntimeError("broken")
            self.drafted.append(len(segments))
            return draft(summary=f"{len(segments)} 句")

        return draft_it


class Desk:
    """Takes drafts in, in the order in which they come."""

    def __init__(self) -> None:
        self.drafts: list[tuple[str, bool]] = []
        self.told: list[tuple[str, str]] = []

    async def draft(self, call_id: str, new: Draft, **how: Any) -> bool:
        self.drafts.append((call_id, how["is_final"]))
        return True

    async def degrade(self, call_id: str, fact: CallDegraded) -> None:
        self.told.append((call_id, fact.code))


class Archive:
    """Records and store: what was heard before, and what is unfinished."""

    def __init__(self) -> None:
        self.views: dict[str, CallView] = {}
        self.left: list[str] = []

    def view(self, stream: str) -> CallView:
        return self.views.get(stream) or CallView()

    def unfinished(self, *, ended_after: datetime, limit: int) -> list[str]:
        return self.left[:limit]


class Room:
    """A drafter with its parts, and the facts it is told."""

    def __init__(self, every_s: float = 0.0) -> None:
        self.engine, self.desk, self.archive = Engine(), Desk(), Archive()
        self.drafter = Drafter(
            desk=self.desk,  # type: ignore[arg-type]
            records=self.archive,  # type: ignore[arg-type]
            store=self.archive,  # type: ignore[arg-type]
            engine=self.engine,
            late=None,
            clock=lambda: AT,
            options=DrafterOptions(every_s=every_s),
        )
        self.running = asyncio.create_task(self.drafter.run())

    def tell(self, call_id: str, *facts: Fact) -> None:
        stream = Stream.call(call_id)
        for fact in facts:
            self.drafter.hear([Entry(stream=stream, seq=1, at=AT, call_id=call_id, fact=fact)])

    def say(self, call_id: str, number: int) -> None:
        self.tell(call_id, SegmentShown(segment=segment(number, "门口积水", call_id=call_id)))

    async def close(self) -> None:
        self.engine.may_go.set()
        self.running.cancel()
        await self.drafter.close()


def begun(call_id: str) -> CallStarted:
    return CallStarted(call=call(call_id))


ENDED = CallEnded(reason=EndReason.HANGUP, seconds=9.0)


async def test_of_much_that_is_said_at_once_one_draft_is_made() -> None:
    room = Room(every_s=0.2)
    room.tell("c-1", begun("c-1"))
    for number in range(5):
        room.say("c-1", number)
    await until(lambda: len(room.desk.drafts) == 1)
    for number in range(5, 9):
        room.say("c-1", number)
    room.tell("c-1", ENDED)  # at once, not after the pause
    await until(lambda: room.desk.drafts[1:] == [("c-1", True)])
    assert room.engine.drafted == [5, 9]
    await room.close()


async def test_who_has_hung_up_goes_before_who_talks_and_recordings_come_last() -> None:
    room = Room()
    room.engine.may_go.clear()
    room.tell("c-0", begun("c-0"))
    room.say("c-0", 1)
    await until(lambda: room.engine.begun == 1)  # the thread is busy with it
    recorded = CallEnded(reason=EndReason.RECORDED, seconds=9.0)
    room.tell("r-1", begun("r-1"), SegmentShown(segment=segment(1, "门口积水", call_id="r-1")), recorded)
    for call_id in ("c-1", "c-2"):
        room.tell(call_id, begun(call_id))
        room.say(call_id, 1)
    room.tell("c-3", begun("c-3"), ENDED)
    await asyncio.sleep(0.05)
    room.engine.may_go.set()
    await until(lambda: len(room.desk.drafts) == 5)
    assert [call_id for call_id, _ in room.desk.drafts] == ["c-0", "c-3", "c-1", "c-2", "r-1"]
    await room.close()


async def test_past_the_bound_a_talking_call_is_passed_over_and_told_once() -> None:
    room = Room()
    room.engine.may_go.clear()
    names = [f"c-{number}" for number in range(MAX_WAITING + 2)]
    for name in names:
        room.tell(name, begun(name))
        room.say(name, 1)
        await asyncio.sleep(0)
    await until(lambda: room.desk.told != [])
    await asyncio.sleep(0.05)
    left_out = {call_id for call_id, _ in room.desk.told}
    assert {code for _, code in room.desk.told} == {"wrapup.busy"}
    assert 1 <= len(left_out) <= 2
    for name in left_out:
        room.say(name, 2)
        room.tell(name, ENDED)  # its end is not passed over
    await asyncio.sleep(0.05)
    room.engine.may_go.set()
    await until(lambda: {(name, True) for name in left_out} <= set(room.desk.drafts))
    assert len(room.desk.told) == len(left_out)
    await room.close()


async def test_a_draft_that_breaks_is_told_once_and_the_next_one_may_do_better(
    caplog: pytest.LogCaptureFixture,
) -> None:
    room = Room()
    room.engine.is_broken = True
    room.tell("c-1", begun("c-1"))
    for number in (1, 2):
        room.say("c-1", number)
        await until(lambda: room.engine.begun == number)  # noqa: B023 - it is waited for
    await until(lambda: room.desk.told == [("c-1", "wrapup.failed")])
    assert "门口积水" not in caplog.text
    room.engine.is_broken = False
    room.tell("c-1", ENDED)
    await until(lambda: room.desk.drafts == [("c-1", True)])
    assert room.engine.drafted == [2]
    await room.close()


async def test_an_interrupted_call_is_read_from_the_records_when_it_goes_on() -> None:
    room = Room()
    view = CallView()
    for seq, fact in enumerate((begun("c-1"), SegmentShown(segment=segment(1, "积水"))), 1):
        view.apply(Entry(stream=Stream.call("c-1"), seq=seq, at=AT, call_id="c-1", fact=fact))
    room.archive.views[Stream.call("c-1")] = view
    room.tell("c-1", begun("c-1"))
    room.say("c-1", 1)
    await until(lambda: room.engine.drafted == [1])
    room.tell("c-1", CallInterrupted())
    room.say("c-1", 2)
    await until(lambda: room.engine.drafted == [1, 2])
    await room.close()


async def test_a_start_drafts_what_ended_without_one() -> None:
    room = Room()
    room.archive.left = ["c-9"]
    room.running.cancel()
    room.running = asyncio.create_task(room.drafter.run())
    await until(lambda: [call_id for call_id, _ in room.desk.drafts] == ["c-9"])
    await room.close()
