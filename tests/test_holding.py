"""Who holds which call: leases and their fencing, beats, leadership, and hearing of what others write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from calls.holding.holdings import Holdings, Listeners
from calls.holding.in_order import InOrder
from calls.holding.store import LeaseStore
from calls.holding.tasks import while_leading
from calls.holding.types import Lease, LeaseLost
from calls.holding.writer import Writer
from calls.journal import Journal
from calls.records import Records
from calls.types import (
    CallConflict,
    CallEnded,
    CallInterrupted,
    CallStarted,
    CallTransferred,
    EndReason,
    Entry,
    NoteTaken,
    SegmentShown,
    StorageFailed,
    Stream,
)
from tests.call_parts import call, segment
from tests.conftest import Clock
from tests.waiting import until_true

AT = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)


class Process:
    """One process, as far as holding goes."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        name: str,
        *,
        lease_s: float = 2.0,
        store: LeaseStore | None = None,
    ):
        self.holdings = Holdings(store=store or LeaseStore(engine), process_id=name, lease_s=lease_s)
        self.journal = Journal(engine, lambda entries: None)
        self.writer = Writer(journal=self.journal, clock=clock, holdings=self.holdings)
        self.orphans: list[Lease] = []
        self.lost: list[str] = []
        self.wanted: list[Lease] = []

    async def adopt(self, lease: Lease) -> None:
        try:
            await self.writer.mark_cut_off(call(lease.call_id), lease)
        except LeaseLost:
            return
        self.orphans.append(lease)

    async def want(self, lease: Lease) -> None:
        self.wanted.append(lease)
        await self.holdings.give_back(lease)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        listeners = Listeners(on_orphan=self.adopt, on_wanted=self.want, on_lost=self.lost.append)
        task = asyncio.create_task(self.holdings.run(listeners))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def pair(engine: Engine, clock: Clock) -> AsyncIterator[tuple[Process, Process]]:
    one, other = Process(engine, clock, "a.1"), Process(engine, clock, "b.1")
    one.journal.start()
    other.journal.start()
    yield one, other
    await one.journal.stop()
    await other.journal.stop()


class AwayStore(LeaseStore):
    """Its database can be away, before it does something or just after."""

    is_away = False

    def give_back(self, lease: Lease) -> None:
        self._see()
        super().give_back(lease)

    def take(self, lease: Lease) -> None:
        super().take(lease)
        self._see()

    def _see(self) -> None:
        if self.is_away:
            raise OperationalError("", None, ConnectionError())


async def test_a_call_that_could_not_be_given_back_is_given_back_when_the_database_is_there_again(
    engine: Engine, clock: Clock
) -> None:
    store = AwayStore(engine)
    one, other = Process(engine, clock, "a.1", store=store), Process(engine, clock, "b.1")
    lease = await one.holdings.take_up("c-1", asks=False, is_urgent=False)
    store.is_away = True
    await one.holdings.give_back(lease)
    with pytest.raises(StorageFailed):
        await one.holdings.take_up("c-2", asks=False, is_urgent=False)  # taken, and nobody was told
    for call_id in ("c-1", "c-2"):
        with pytest.raises(CallConflict):
            await other.holdings.take_up(call_id, asks=False, is_urgent=False)
    async with one.alive():
        await until_true(lambda: one.holdings.failures > 0)
        store.is_away = False
        await until_true(lambda: store.lease("c-1") is None and store.lease("c-2") is None)
    await other.holdings.take_up("c-1", asks=False, is_urgent=False)
    await other.holdings.take_up("c-2", asks=False, is_urgent=False)


async def test_a_call_whose_process_died_is_marked_once_and_its_old_holder_cannot_write(
    engine: Engine, clock: Clock, pair: tuple[Process, Process]
) -> None:
    one, other = pair
    third = Process(engine, clock, "c.1")
    third.journal.start()
    await one.writer.record(call(), CallStarted(call=call()))
    await one.writer.record(call(), SegmentShown(segment=segment(1, "你好")))
    async with other.alive(), third.alive():
        await until_true(lambda: len(other.orphans) + len(third.orphans) == 1)
    await third.journal.stop()
    lease = await other.holdings.take_up("c-1", asks=False, is_urgent=False)
    assert lease.process_id == "b.1"
    with pytest.raises(LeaseLost):  # it comes back from its sleep
        await one.writer.record(call(), SegmentShown(segment=segment(2, "还在吗")))
    await other.writer.record(call(), SegmentShown(segment=segment(2, "我在")))
    await other.writer.record(call(), CallEnded(reason=EndReason.HANGUP, seconds=2.0))
    entries = Records(engine).read(Stream.call("c-1"), since=0, limit=100)
    assert [entry.fact.type for entry in entries] == [
        *("call.started", "segment.shown", "call.interrupted", "segment.shown", "call.ended")
    ]
    assert LeaseStore(engine).lease("c-1") is None
    assert other.holdings.mine == {}


async def test_a_process_that_slept_learns_what_it_lost(pair: tuple[Process, Process]) -> None:
    one, other = pair
    await one.writer.record(call(), CallStarted(call=call()))
    async with other.alive():
        await until_true(lambda: len(other.orphans) == 1)
    async with one.alive():
        await until_true(lambda: one.lost == ["c-1"])
    assert one.holdings.mine == {}


async def test_a_call_is_asked_for_and_let_go(pair: tuple[Process, Process]) -> None:
    one, other = pair
    await one.writer.record(call(), CallStarted(call=call()))
    with pytest.raises(CallConflict):
        await other.holdings.take_up("c-1", asks=False, is_urgent=False)
    async with one.alive():
        lease = await other.holdings.take_up("c-1", asks=True, is_urgent=True)
    assert (one.wanted[0].wanted_by, one.wanted[0].is_urgent) == ("b.1", True)
    assert other.holdings.mine == {"c-1": lease}


async def test_a_fact_goes_to_the_seat_where_the_call_is_by_now(
    engine: Engine, clock: Clock, pair: tuple[Process, Process]
) -> None:
    one, other = pair
    await one.writer.record(call(), CallStarted(call=call()))
    transfer = CallTransferred(from_operator="027", to_operator="028")
    await other.journal.append(
        transfer, call_id="c-1", streams=("call:c-1", "operator:027", "operator:028"), at=clock()
    )
    written = await one.writer.record(call(), SegmentShown(segment=segment(1, "接着说")))
    assert written.operator_id == "028"
    (_, shown) = Records(engine).read(Stream.operator("028"), since=0, limit=10)
    assert shown.fact == SegmentShown(segment=segment(1, "接着说"))


async def test_a_call_that_was_let_go_in_peace_is_nobodys(
    engine: Engine, pair: tuple[Process, Process]
) -> None:
    one, other = pair
    await one.writer.record(call(), CallStarted(call=call()))
    await one.writer.record(call(), CallInterrupted())
    await other.holdings.take_up("c-1", asks=False, is_urgent=False)
    with pytest.raises(LeaseLost):
        await one.writer.record(call(), SegmentShown(segment=segment(1, "你好")))


async def test_another_process_leads_when_the_leader_is_dead_and_work_goes_with_it(
    pair: tuple[Process, Process],
) -> None:
    one, other = pair
    worked: list[str] = []

    async def work(name: str) -> None:
        worked.append(name)
        await asyncio.Event().wait()

    workers = [
        asyncio.create_task(while_leading(lambda: one.holdings.is_leader, [lambda: work("a")])),
        asyncio.create_task(while_leading(lambda: other.holdings.is_leader, [lambda: work("b")])),
    ]
    async with other.alive():
        async with one.alive():
            await until_true(lambda: worked != [])
            await until_true(lambda: one.holdings.others == 1 and other.holdings.others == 1)
            assert one.holdings.is_leader != other.holdings.is_leader
        await until_true(lambda: other.holdings.is_leader)
        await until_true(lambda: worked[-1] == "b")
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert len(worked) <= 2


# What others write of a call that is held here.


class Ear:
    """Hears of one call, whose facts two journals write."""

    def __init__(self, engine: Engine, journal: Journal):
        self.told: list[Entry] = []
        self.in_order = InOrder(read=Records(engine).read, settled=journal.settled, tell=self.told.extend)
        self.in_order.follow("c-1", 0)

    @property
    def seqs(self) -> list[int]:
        return [entry.seq for entry in self.told]


async def write(journal: Journal, n: int) -> list[Entry]:
    fact = NoteTaken(note_id=f"n-{n}", text="记一笔")
    return await journal.append(fact, call_id="c-1", streams=("call:c-1",), at=AT)


async def test_what_others_write_is_heard_once_and_in_order(engine: Engine) -> None:
    noted: list[Entry] = []
    ears: list[Ear] = []

    def note(entries: list[Entry]) -> None:
        ears[0].in_order.note(entries)

    journal = Journal(engine, note)
    elsewhere = Journal(engine, noted.extend)
    ear = Ear(engine, journal)
    ears.append(ear)
    journal.start()
    elsewhere.start()
    first = await write(elsewhere, 1)  # 1
    ear.in_order.hear(first)
    ear.in_order.hear(first)
    assert ear.seqs == [1]
    await write(journal, 2)  # 2, our own
    missed = await write(elsewhere, 3)  # 3, never told
    await write(journal, 4)  # 4, our own, before we know of 3
    later = await write(elsewhere, 5)  # 5, told before 3
    ear.in_order.hear(later)
    await until_true(lambda: ear.seqs == [1, 3, 5])
    ear.in_order.hear(missed)
    await write(elsewhere, 6)  # 6, found by looking
    ear.in_order.look({"call:c-1": 6, "call:c-2": 9})
    await until_true(lambda: ear.seqs == [1, 3, 5, 6])
    ear.in_order.drop("c-1")
    ear.in_order.hear(await write(elsewhere, 7))
    await ear.in_order.close()
    assert ear.seqs == [1, 3, 5, 6]
    await journal.stop()
    await elsewhere.stop()
