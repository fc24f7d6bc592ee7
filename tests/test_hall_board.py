"""The rows of the hall's board over a real database: they are what stands there, whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, delete, select

from calls.arrivals.store import ArrivalStore
from calls.arrivals.tables import arrivals
from calls.arrivals.types import Arrival, BadArrival
from calls.audio.keys import read_keys
from calls.audio.sound import Recordings
from calls.forms.types import Form, FormField, OrderMade, Source
from calls.journal import Journal
from calls.keeping.deletion import Deleter
from calls.keeping.retention import Retention
from calls.keeping.types import Policy, Term
from calls.orders.types import (
    Deed,
    MatterType,
    Order,
    OrderContent,
    Part,
    Person,
    Satisfaction,
    Urgency,
    Wish,
)
from calls.orders.workdays import workday
from calls.tables import calls
from calls.types import Call, CallEnded, CallStarted, CallState, EndReason, Fact, WorkOrderDrafted
from insight.hall.board import Board
from insight.hall.reading import HallReader
from insight.hall.types import Answers, CallPhase, CallRow, Day, LateDepartment, OrderCounts
from knowledge_base.database import writing
from tests.databases import both_databases
from tests.order_parts import order_desk

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 5, 12, tzinfo=ZONE)
FORM = Form(
    kind=FormField(value="求助", drafted="咨询"),
    category=FormField(value="供水排水"),
    district=FormField(value="普陀区"),
    urgency=FormField(value="特急"),
    knowledge=(
        Source(article_id="1", title="停水", is_used=False),
        Source(article_id="2", title="水压不足", is_used=False),
    ),
)


class City:
    """A board over a database, and short words for what happens in it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.journal = Journal(engine, lambda entries: None)
        self.arrivals = ArrivalStore(engine)

    def board(self) -> Board:
        return Board(HallReader(self.engine), zone=ZONE, is_working=lambda day: workday(day).is_working)

    async def tell(self, call_id: str, at: datetime, *facts: Fact) -> None:
        for fact in facts:
            await self.journal.append(fact, call_id=call_id, streams=(f"call:{call_id}",), at=at)

    async def start(self, call_id: str, at: datetime = NOON, seat: str = "027", **meta: str) -> None:
        call = Call(call_id=call_id, state=CallState.LIVE, started_at=at, operator_id=seat, meta=meta)
        await self.tell(call_id, at, CallStarted(call=call))

    async def end(self, call_id: str, at: datetime) -> None:
        await self.tell(call_id, at, CallEnded(reason=EndReason.HANGUP, seconds=60.0))


@pytest.fixture
async def city(engine: Engine) -> AsyncIterator[City]:
    city = City(engine)
    city.journal.start()
    yield city
    await city.journal.stop()


def states(board: Board) -> dict[CallPhase, int]:
    found: dict[CallPhase, int] = {}
    for row in board.rows:
        found[row.state] = found.get(row.state, 0) + 1
    return found


@both_databases
async def test_a_call_goes_its_way_over_the_board(city: City) -> None:
    board, at = city.board(), NOON
    assert board.look(at).is_anew
    assert not board.look(at), "nothing happened"
    city.arrivals.tell(Arrival(call_id="c-1", arrived_at=NOON - timedelta(seconds=30)))
    (waiting,) = board.look(at).rows
    assert (waiting.state, waiting.answered_at) == ("waiting", None)
    await city.start("c-1")
    (talking,) = board.look(at).rows
    assert talking.call_key == waiting.call_key != "c-1"
    assert (talking.state, talking.arrived_at, talking.answered_at) == ("talking", waiting.arrived_at, NOON)
    await city.tell("c-1", at, WorkOrderDrafted(work_order=FORM))
    (known,) = board.look(at).rows
    assert known == replace(
        talking, type="求助", category="供水排水", matter="停水", district="普陀区", is_urgent=True
    )
    over = NOON + timedelta(minutes=3)
    await city.end("c-1", over)
    assert [row.state for row in board.look(over).rows] == ["wrapup"]
    assert not board.look(over + timedelta(minutes=4))
    (ended,) = board.look(over + timedelta(minutes=5)).rows
    assert ended == replace(known, state=CallPhase.ENDED, ended_at=over)
    assert board.has_queue
    assert not board.compare(over + timedelta(minutes=5))


async def test_writing_ends_with_the_order_and_with_the_seats_next_call(city: City) -> None:
    board = city.board()
    for number, seat in enumerate(("027", "028"), 1):
        await city.start(f"c-{number}", seat=seat)
        await city.end(f"c-{number}", NOON + timedelta(minutes=1))
    now = NOON + timedelta(minutes=2)
    board.look(now)
    assert states(board) == {CallPhase.WRAPUP: 2}
    await city.start("c-3", now, seat="027")
    made = replace(FORM, order=OrderMade(order_id="20260305-000001", state="accepted", by="li"))
    await city.tell("c-2", now, WorkOrderDrafted(work_order=made))
    board.look(now)
    assert states(board) == {CallPhase.ENDED: 2, CallPhase.TALKING: 1}


async def test_midnight_begins_a_day_and_takes_along_who_still_talks(city: City) -> None:
    board, late = city.board(), datetime(2026, 3, 5, 23, 58, tzinfo=ZONE)
    for call_id in ("over", "goes-on"):
        await city.start(call_id, late)
    await city.end("over", late + timedelta(minutes=1))
    city.arrivals.tell(Arrival(call_id="waits", arrived_at=late + timedelta(minutes=1)))
    board.look(late + timedelta(minutes=1, seconds=50))
    assert len(board.rows) == 3
    after = datetime(2026, 3, 6, 0, 0, 30, tzinfo=ZONE)
    assert board.look(after).is_anew
    # Whoever is still written about is there as well.
    assert states(board) == {CallPhase.TALKING: 1, CallPhase.WAITING: 1, CallPhase.WRAPUP: 1}
    await city.end("goes-on", after)
    gone = board.look(after + timedelta(minutes=6))
    assert len(gone.gone) == 2
    assert states(board) == {CallPhase.WAITING: 1}
    await city.start("waits", after + timedelta(minutes=7))
    (row,) = board.look(after + timedelta(minutes=7)).rows
    assert (row.state, row.arrived_at) == (CallPhase.TALKING, late + timedelta(minutes=1))


async def test_trials_do_not_count_recordings_count_on_their_own_day(city: City) -> None:
    board = city.board()
    await city.start("trial", 来源="话筒试听写")
    await city.start("played", 来源="录音试听写")
    await city.start("made-up", 来源="模拟")
    for call_id, day in (("rec-today", 5), ("rec-before", 4)):
        await city.start(call_id, datetime(2026, 3, day, 9, tzinfo=ZONE), 来源="录音转写")
        ended = CallEnded(reason=EndReason.RECORDED, seconds=60.0)
        await city.tell(call_id, datetime(2026, 3, day, 9, 1, tzinfo=ZONE), ended)
    board.look(datetime(2026, 3, 5, 9, 2, tzinfo=ZONE))
    assert states(board) == {CallPhase.TALKING: 1, CallPhase.ENDED: 1}
    assert board.is_simulated


@both_databases
async def test_a_call_that_is_deleted_leaves_the_board(city: City, engine: Engine) -> None:
    board = city.board()
    await city.start("c-1")
    await city.start("c-2")
    board.look(NOON)
    with writing(engine) as connection:  # as somebody else might who leaves no line about it
        connection.execute(delete(calls).where(calls.c.call_id == "c-1"))
    assert not board.look(NOON)
    assert len(board.compare(NOON).gone) == 1
    assert len(board.rows) == 1
    assert not board.compare(NOON)


@both_databases
async def test_rows_that_were_followed_are_those_that_are_read_anew(city: City) -> None:
    """Two hundred calls at once, looked at while they are written."""
    board, seen = city.board(), {}
    board.look(NOON)

    async def live(number: int) -> None:
        call_id, at = f"c-{number}", NOON + timedelta(seconds=number)
        city_arrival = Arrival(call_id=call_id, arrived_at=at - timedelta(seconds=20))
        await asyncio.to_thread(city.arrivals.tell, city_arrival)
        if number % 10 == 0:
            await asyncio.to_thread(city.arrivals.tell, replace(city_arrival, left_at=at))
            return
        await city.start(call_id, at, seat=str(number))
        form = replace(FORM, district=FormField(value=f"区{number % 3}"))
        await city.tell(call_id, at, WorkOrderDrafted(work_order=form))
        if number % 2:
            await city.end(call_id, at + timedelta(seconds=90))

    living = asyncio.gather(*(live(number) for number in range(200)))
    now = NOON + timedelta(minutes=20)
    while not living.done():
        change = await asyncio.to_thread(board.look, now)
        seen.update({row.call_key: row for row in change.rows})
        await asyncio.sleep(0)
    await living
    seen.update({row.call_key: row for row in board.look(now).rows})
    fresh = city.board()
    fresh.look(now)
    assert states(board) == {CallPhase.ABANDONED: 20, CallPhase.TALKING: 80, CallPhase.ENDED: 100}
    assert without_keys(board.rows) == without_keys(fresh.rows)
    assert sorted(seen) == sorted(row.call_key for row in board.rows), "every row was told"
    assert all(seen[row.call_key] == row for row in board.rows), "and as it is now"


def without_keys(rows: object) -> list[CallRow]:
    """Keys are another board's secret."""
    assert isinstance(rows, list)
    return sorted((replace(row, call_key="") for row in rows), key=lambda row: (row.arrived_at, row.state))


async def test_the_usual_day_is_that_of_days_of_this_kind(city: City) -> None:
    for day in (2, 3, 4, 1):  # Monday to Wednesday, and a Sunday
        await city.start(f"c-{day}", datetime(2026, 3, day, 9, 30, tzinfo=ZONE))
    await city.start("c-x", datetime(2026, 3, 4, 23, 59, 59, tzinfo=ZONE))
    board = city.board()
    board.look(NOON)
    assert (board.usual.days, board.usual.kind) == (3, "workday")
    assert board.usual.calls[9] == 1.0
    assert board.usual.calls[23] == pytest.approx(1 / 3, abs=0.001)


def test_an_arrival_is_told_bit_by_bit_and_in_order(engine: Engine) -> None:
    store = ArrivalStore(engine)
    first = Arrival(call_id="c-1", arrived_at=NOON)
    store.tell(first)
    answered = replace(first, answered_at=NOON + timedelta(seconds=5))
    assert store.tell(answered) == answered
    left = store.tell(replace(first, left_at=NOON + timedelta(minutes=1)))
    assert left == replace(answered, left_at=NOON + timedelta(minutes=1)), "what was told before stays"
    with pytest.raises(BadArrival) as refused:
        store.tell(replace(first, call_id="c-2", left_at=NOON - timedelta(seconds=1)))
    assert refused.value.code == "arrival.bad"


def _same(policy: Policy) -> Policy:
    return policy


@both_databases
async def test_arrivals_are_kept_no_longer_than_calls(city: City, engine: Engine, tmp_path: Path) -> None:
    for call_id, days in (("gone", 40), ("answered", 40), ("recent", 20)):
        city.arrivals.tell(Arrival(call_id=call_id, arrived_at=NOON - timedelta(days=days)))
    await city.start("answered", NOON - timedelta(days=40))
    sounds = Recordings(folder=tmp_path, keys=read_keys(None))
    for policy, left in (
        (Policy(), {"gone", "answered", "recent"}),
        (Policy(usual=Term(transcript_days=30)), {"answered", "recent"}),
    ):
        deleter = Deleter(engine, sounds)
        retention = Retention(engine=engine, deleter=deleter, policy=partial(_same, policy))
        await asyncio.to_thread(retention.run, NOON)
        with engine.connect() as connection:
            assert set(connection.scalars(select(arrivals.c.call_id))) == left


@both_databases
async def test_work_orders_are_counted_as_they_stand(city: City, engine: Engine, tmp_path: Path) -> None:
    at = NOON
    desk = order_desk(engine, tmp_path, lambda: at)
    content = OrderContent(
        type=MatterType.HELP,
        summary="停水",
        category="供水排水",
        department_id="SZ15",
        urgency=Urgency.CRITICAL,
    )
    everybody = Person(name="li", parts=frozenset(Part))

    def go(order: Order, *wishes: Wish) -> Order:
        for wish in wishes:
            order = desk.move(order.order_id, wish, everybody, expected=order.version)
        return order

    accept, dispatch, take = (Wish(deed=deed) for deed in (Deed.ACCEPT, Deed.DISPATCH, Deed.TAKE))
    at = NOON - timedelta(days=2)
    for satisfaction in (Satisfaction.SATISFIED, Satisfaction.UNREACHED):
        order = go(desk.begin(content, everybody, call_id=None, operator_id=None), accept, dispatch, take)
        order = go(order, Wish(deed=Deed.ANSWER, answer="已恢复。"))
        go(order, Wish(deed=Deed.FOLLOW_UP, satisfaction=satisfaction), Wish(deed=Deed.CLOSE))
    late = go(desk.begin(content, everybody, call_id=None, operator_id=None), accept, dispatch)
    at = NOON
    soon = go(desk.begin(content, everybody, call_id=None, operator_id=None), accept, dispatch, take)
    assert late.due_at is not None
    assert soon.due_at is not None
    assert late.due_at < NOON < soon.due_at
    today = go(desk.begin(content, everybody, call_id=None, operator_id=None), accept, dispatch, take)
    today = go(today, Wish(deed=Deed.ANSWER, answer="已恢复。"))
    go(today, Wish(deed=Deed.FOLLOW_UP, satisfaction=Satisfaction.UNSATISFIED), Wish(deed=Deed.CLOSE))
    reader, day = HallReader(engine), Day(day=NOON.date(), zone=ZONE)
    month = reader.month(day, NOON)
    assert month == Answers(satisfied=1, unsatisfied=1, unreached=1)
    assert reader.orders(day, NOON, names={"SZ15": "市水务集团"}, month=month) == OrderCounts(
        open=2,
        overdue=1,
        due_soon=1,
        made_today=2,
        closed_today=1,
        today=Answers(unsatisfied=1),
        month=month,
        overdue_departments=(LateDepartment(name="市水务集团", overdue=1),),
    )
