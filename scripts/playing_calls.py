"""Plays simulated calls into a house: the queue, the call, its wrap-up, its order, each at its own time.

In: `SimulatedCall`s, the parts of a house, a pace. Out: arrivals, facts, orders, as real calls leave them.
Not known here: chance, sockets, who looks at it.

What is to come at a moment carries that moment, however late this machine is with it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from asr.types import Party, Segment
from calls.arrivals.store import ArrivalStore
from calls.arrivals.types import Arrival
from calls.forms.departments import unit_of
from calls.forms.desk import FormDesk, content_of
from calls.forms.keeping import FormStore
from calls.forms.merging import with_draft, with_order
from calls.forms.types import EMPTY_FORM, Form, OrderMade
from calls.journal import Journal
from calls.orders.desk import OrderDesk
from calls.orders.types import Deed, Order, OrderError, Part, Person, Wish
from calls.records import Records
from calls.streams import streams_of
from calls.types import (
    Call,
    CallEnded,
    CallStarted,
    CallState,
    EndReason,
    Fact,
    SegmentShown,
    Stream,
    WorkOrderDrafted,
    WorkOrderMade,
)
from calls.wrapup.types import Draft, Field, Knowledge
from insight.hall.reading import SIMULATED
from scripts.simulated_calls import OrderPlan, SimulatedCall

log = logging.getLogger(__name__)

ENGINE = "simulated"
_SURE = 0.9
_AT_ONCE = 200
_LONGEST_SLEEP_S = 60.0
_REPLIED_AFTER = timedelta(seconds=9)


class Pace:
    """A clock that begins at a moment and goes faster than others."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._began: float | None = None

    def begin(self) -> None:
        """Let it go; until then it stands still."""
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The present of the simulation."""
        if self._began is None:
            return self._start
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    async def until(self, moment: datetime) -> None:
        """Wait for it."""
        while (left := (moment - self.now()).total_seconds() / self._speed) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, _LONGEST_SLEEP_S))


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """What is still to be done with an order."""

    order_id: str
    steps: tuple[tuple[datetime, Wish], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """Writes calls through the journal, the desk of forms and the desk of orders."""

    journal: Journal
    records: Records
    arrivals: ArrivalStore
    forms: FormStore
    orders: OrderDesk
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while something is written: of many that wait for the disk at once, one would wait too long."""

    async def write_past(
        self, calls: Iterable[SimulatedCall], until: datetime
    ) -> AsyncIterator[tuple[int, list[Todo]]]:
        """Write calls that are over by then, many at once; yields how many, and what is left to do."""
        batch: list[SimulatedCall] = []
        for call in calls:
            batch.append(call)
            if len(batch) == _AT_ONCE:
                yield len(batch), await self._write(batch, until)
                batch = []
        if batch:
            yield len(batch), await self._write(batch, until)

    async def _write(self, batch: Sequence[SimulatedCall], until: datetime) -> list[Todo]:
        made = await asyncio.to_thread(lambda: [self._begin(call, until) for call in batch])
        answered = [(call, form) for call, (form, _) in zip(batch, made, strict=True) if call.answered_at]
        await asyncio.gather(*(self._record(call, form) for call, form in answered))
        return [todo for _, todo in made if todo is not None and todo.steps]

    def _begin(self, call: SimulatedCall, until: datetime) -> tuple[Form, Todo | None]:
        """The arrival, the order as far as it had come by then, and the form that it was made of. Blocks."""
        self.arrivals.tell(
            Arrival(
                call_id=call.call_id,
                arrived_at=call.arrived_at,
                answered_at=call.answered_at,
                left_at=call.ended_at,
            )
        )
        form = self._form(call)
        if call.order is None:
            return form, None
        desk, person = replace(self.orders, clock=lambda: call.written_at), _person(call.seat)
        order = desk.begin(content_of(form), person, call_id=call.call_id, operator_id=call.seat)
        order = desk.move(order.order_id, Wish(deed=Deed.ACCEPT), person, expected=order.version)
        form = with_order(form, OrderMade(order_id=order.order_id, state=order.state.value, by=person.name))
        return form, self._go_on(self._todo(order, call.order), until)

    async def _record(self, call: SimulatedCall, form: Form) -> None:
        """Facts of a call of the past, in its own and its seat's stream: no list is told of it."""
        assert call.answered_at is not None
        facts: list[tuple[datetime, Fact]] = [
            (call.answered_at, CallStarted(call=_call(call))),
            *((at, SegmentShown(segment=segment)) for at, segment in _segments(call)),
            (call.ended_at, WorkOrderDrafted(work_order=replace(form, order=None, version=0))),
            (call.ended_at, _ended(call)),
        ]
        if form.order is not None:
            made = WorkOrderMade(work_order=form, by=form.order.by)
            facts.append((call.written_at, made))
        await self.journal.append_whole(
            facts,
            now=call.ended_at,
            call_id=call.call_id,
            streams=(Stream.call(call.call_id), Stream.operator(call.seat)),
        )

    async def play(self, call: SimulatedCall, pace: Pace) -> Todo | None:
        """One call at its pace, to the end of its wrap-up."""
        arrival = Arrival(call_id=call.call_id, arrived_at=call.arrived_at)
        await pace.until(call.arrived_at)
        async with self.writing:
            await asyncio.to_thread(self.arrivals.tell, arrival)
        if call.answered_at is None:
            await pace.until(call.ended_at)
            async with self.writing:
                await asyncio.to_thread(self.arrivals.tell, replace(arrival, left_at=call.ended_at))
            return None
        await pace.until(call.answered_at)
        await self._append(call, CallStarted(call=_call(call)), call.answered_at)
        at = call.answered_at
        for at, segment in _segments(call):
            await pace.until(at)
            await self._append(call, SegmentShown(segment=segment), at)
        drafted_at = max(at, call.answered_at + (call.ended_at - call.answered_at) * 0.6)
        await pace.until(drafted_at)
        await self._desk(drafted_at).draft(call.call_id, _draft(call), engine=ENGINE, is_final=False)
        await pace.until(call.ended_at)
        await self._append(call, _ended(call), call.ended_at)
        await self._desk(call.ended_at).draft(call.call_id, _draft(call), engine=ENGINE, is_final=True)
        await pace.until(call.written_at)
        if call.order is None:
            return None
        async with self.writing:
            _, order = await self._desk(call.written_at).make_order(call.call_id, _person(call.seat))
        return self._todo(order, call.order)

    async def see_to(self, todo: Todo, pace: Pace) -> None:
        """Let the order go its way, at its pace."""
        for step in todo.steps:
            await pace.until(step[0])
            async with self.writing:
                await asyncio.to_thread(self._go_on, Todo(order_id=todo.order_id, steps=(step,)), step[0])

    def _go_on(self, todo: Todo, until: datetime) -> Todo:
        """Do what is due by then; the rest is handed back. Blocks."""
        for done, (at, wish) in enumerate(todo.steps):
            if at > until:
                return replace(todo, steps=todo.steps[done:])
            desk = replace(self.orders, clock=lambda at=at: at)  # type: ignore[misc]  # bound as it is now
            version = desk.store.order(todo.order_id).version
            try:
                desk.move(todo.order_id, wish, _EVERYBODY, expected=version)
            except OrderError as error:  # somebody at the page was faster: their order is theirs
                log.info("order %s goes its own way: %s", todo.order_id, error.code)
                break
        return replace(todo, steps=())

    def _todo(self, order: Order, plan: OrderPlan) -> Todo:
        to = order.content.department_id or next(
            unit.unit_id for unit in self.orders.directory.units.values() if unit.parent_id
        )
        answer = Wish(
            deed=Deed.ANSWER_AT_ONCE if plan.is_answered_at_once else Deed.ANSWER, answer=plan.answer
        )
        dispatch, take = Wish(deed=Deed.DISPATCH, department_id=to), Wish(deed=Deed.TAKE)
        steps: list[tuple[datetime, Wish]] = []
        if not plan.is_answered_at_once:
            steps += [(plan.dispatched_at, dispatch), (plan.taken_at, take)]
            if plan.sent_back_at is not None:
                back = Wish(deed=Deed.SEND_BACK, note="不属于本单位职责。")
                again = plan.sent_back_at + timedelta(hours=1)
                steps += [(plan.sent_back_at, back), (again, dispatch), (again + timedelta(hours=1), take)]
        asked = Wish(deed=Deed.FOLLOW_UP, satisfaction=plan.satisfaction)
        steps += [(plan.answered_at, answer), (plan.followed_up_at, asked)]
        return Todo(order_id=order.order_id, steps=(*steps, (plan.closed_at, Wish(deed=Deed.CLOSE))))

    def _form(self, call: SimulatedCall) -> Form:
        directory = self.orders.directory
        return with_draft(
            EMPTY_FORM,
            _draft(call),
            engine=ENGINE,
            is_final=True,
            used=(),
            unit_of=lambda name: unit_of(directory, name),
        )

    def _desk(self, at: datetime) -> FormDesk:
        return FormDesk(
            journal=self.journal,
            records=self.records,
            store=self.forms,
            orders=replace(self.orders, clock=lambda: at),
            clock=lambda: at,
        )

    async def _append(self, call: SimulatedCall, fact: Fact, at: datetime) -> None:
        await self.journal.append(fact, call_id=call.call_id, streams=streams_of(fact, _call(call)), at=at)


async def play_all(
    player: Player, calls: Iterable[SimulatedCall], pace: Pace, todos: Sequence[Todo] = ()
) -> None:
    """Play calls as they come in, and see to orders, until nothing is left to do."""
    running: set[asyncio.Task[None]] = set()

    def begin(work: asyncio.Task[None]) -> None:
        running.add(work)
        work.add_done_callback(running.discard)

    async def whole(call: SimulatedCall) -> None:
        try:
            todo = await player.play(call, pace)
        except Exception:
            log.exception("the simulated call %s broke", call.call_id)
        else:
            if todo is not None:
                await see_to(todo)

    async def see_to(todo: Todo) -> None:
        try:
            await player.see_to(todo, pace)
        except Exception:
            log.exception("the simulated order %s broke", todo.order_id)

    for todo in todos:
        begin(asyncio.create_task(see_to(todo)))
    for call in calls:
        await pace.until(call.arrived_at)
        begin(asyncio.create_task(whole(call)))
    while running:
        await asyncio.wait(running)


_EVERYBODY = Person(name=SIMULATED, parts=frozenset(Part))


def _person(seat: str) -> Person:
    return Person(name=f"{SIMULATED}{seat}", parts=frozenset(Part))


def _call(call: SimulatedCall) -> Call:
    assert call.answered_at is not None
    return Call(
        call_id=call.call_id,
        state=CallState.LIVE,
        started_at=call.answered_at,
        operator_id=call.seat,
        caller=call.caller,
        dialled="12345",
        meta={"来源": SIMULATED},
    )


def _ended(call: SimulatedCall) -> CallEnded:
    assert call.answered_at is not None
    return CallEnded(reason=EndReason.HANGUP, seconds=(call.ended_at - call.answered_at).total_seconds())


def _segments(call: SimulatedCall) -> list[tuple[datetime, Segment]]:
    """What is said: one sentence of the citizen, one of the operator."""
    assert call.answered_at is not None
    said = ((Party.CITIZEN, call.said, timedelta(seconds=1)), (Party.OPERATOR, call.replied, _REPLIED_AFTER))
    return [
        (
            call.answered_at + start + timedelta(seconds=6),
            Segment(
                call_id=call.call_id,
                segment_id=f"{party}-1",
                party=party,
                start_s=start.total_seconds(),
                end_s=start.total_seconds() + 6.0,
                text=text,
                raw_text=text,
                is_final=True,
            ),
        )
        for party, text, start in said
    ]


def _draft(call: SimulatedCall) -> Draft:
    def sure(value: str) -> Field:
        return Field(value=value, confidence=_SURE)

    return Draft(
        kind=sure(call.kind),
        urgency=sure(call.urgency),
        caller_phone=sure(call.caller) if call.caller else Field(),
        district=sure(call.district),
        place=sure(call.place),
        category=sure(call.category),
        department=sure(call.department),
        departments=(sure(call.department),),
        summary=sure(f"{call.district}{call.place}{call.matter}"),
        detail=sure(call.said),
        knowledge=(Knowledge(article_id=f"{ENGINE}-{call.matter}", title=call.matter, confidence=_SURE),),
    )
