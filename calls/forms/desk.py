"""The desk of forms: drafts come in, people change them, an order is made of one.

In: drafts, wishes of persons. Out: facts on record, and the form as it stands then.
Not known here: HTTP, who may see a call, how anything is drafted.

All changes of one form go one after the other, from reading it to its fact being durable; what another
process changed meanwhile is seen in the transaction that writes the fact.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from weakref import WeakValueDictionary

from calls.forms.departments import name_of, unit_of
from calls.forms.keeping import FormStore, unchanged
from calls.forms.merging import is_worth_telling, with_draft, with_order, with_values
from calls.forms.refusals import BadForm, FormChanged, FormClosed, StaleForm
from calls.forms.types import FieldName, Form, OrderMade
from calls.journal import Journal
from calls.orders.desk import OrderDesk
from calls.orders.store import OrderFilter
from calls.orders.types import (
    Deed,
    MatterType,
    Order,
    OrderConflict,
    OrderContent,
    OrderState,
    Person,
    StepRefused,
    Urgency,
    Wish,
)
from calls.records import Records
from calls.streams import streams_of
from calls.types import (
    Call,
    CallDegraded,
    EndReason,
    Fact,
    Stream,
    UnknownCall,
    WorkOrderChanged,
    WorkOrderDrafted,
    WorkOrderMade,
)
from calls.wrapup.types import Draft


class FormDesk:
    """Changes forms; runs on the event loop."""

    def __init__(
        self,
        *,
        journal: Journal,
        records: Records,
        store: FormStore,
        orders: OrderDesk,
        clock: Callable[[], datetime],
    ):
        self._journal = journal
        self._records = records
        self._store = store
        self._orders = orders
        self._clock = clock
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def form(self, call_id: str) -> Form:
        """The form as it stands, empty where nothing was drafted or set yet."""
        return await asyncio.to_thread(self._store.form, call_id)

    async def draft(
        self,
        call_id: str,
        draft: Draft,
        *,
        engine: str,
        is_final: bool,
        used: Sequence[tuple[str, str]] = (),
    ) -> bool:
        """Take a draft in; put on record only what a reader would see. Says whether it was.

        Raises `UnknownCall`, `StorageFailed`.
        """
        directory = self._orders.directory
        async with self._lock(call_id):
            while True:
                before = await self.form(call_id)
                after = with_draft(
                    before,
                    draft,
                    engine=engine,
                    is_final=is_final or before.is_final,
                    used=used,
                    unit_of=lambda name: unit_of(directory, name),
                )
                if not is_worth_telling(before, after):
                    return False
                try:
                    await self._record(await self._call(call_id), WorkOrderDrafted(work_order=after), before)
                except StaleForm:  # another process has just changed it
                    continue
                return True

    async def change(
        self, call_id: str, values: Mapping[FieldName, str | None], *, expected: int, by: Person
    ) -> Form:
        """Set fields; a department is set by its identifier, and by None a field is given back to the drafts.

        Where the order is made already and nobody has it yet, the order changes with the form.
        Raises `FormError`, `UnknownCall`, `StorageFailed`, `OrderError`.
        """
        directory = self._orders.directory
        async with self._lock(call_id):
            call, before = await self._call(call_id), await self.form(call_id)
            if before.version != expected:
                raise FormChanged(before)
            wanted = dict(values)
            department_id = None
            if FieldName.DEPARTMENT in wanted:
                department_id = wanted[FieldName.DEPARTMENT]
                if department_id is None:
                    department_id = unit_of(directory, before.department.drafted)
                elif department_id:
                    if not directory.may_handle(department_id):
                        message = "名录里没有这个单位，请从列表里选。"
                        raise BadForm(message, code="wrapup.unknown_department")
                    wanted[FieldName.DEPARTMENT] = name_of(directory, department_id)
            now = self._clock()
            after, changes = with_values(
                before, wanted, department_id=department_id or None, by=by.name, at=now
            )
            if before.order is not None:
                await asyncio.to_thread(self._follow, before.order.order_id, after, by)
            try:
                await self._record(
                    call, WorkOrderChanged(work_order=after, changes=changes, by=by.name), before
                )
            except StaleForm:
                raise FormChanged(await self.form(call_id)) from None
            return after

    async def make_order(self, call_id: str, person: Person) -> tuple[Form, Order]:
        """Make a work order of the form and accept it; asked again, the same one is answered.

        Where the call has an order already that is not over, that one is taken.
        Raises `FormError`, `UnknownCall`, `StorageFailed`, `OrderError`.
        """
        async with self._lock(call_id):
            while True:
                call, form = await self._call(call_id), await self.form(call_id)
                if form.order is not None:
                    return form, await asyncio.to_thread(self._orders.store.order, form.order.order_id)
                content = content_of(form)
                order = await asyncio.to_thread(self._accepted, call, content, person)
                after = with_order(
                    form, OrderMade(order_id=order.order_id, state=order.state.value, by=person.name)
                )
                try:
                    await self._record(call, WorkOrderMade(work_order=after, by=person.name), form)
                except StaleForm:  # another process has just changed it
                    continue
                return after, order

    async def degrade(self, call_id: str, fact: CallDegraded) -> None:
        """Tell the screens of a call how its drafts fare. Raises `UnknownCall`, `StorageFailed`."""
        await self._record(await self._call(call_id), fact)

    def _accepted(self, call: Call, content: OrderContent, person: Person) -> Order:
        """An order of that call that is accepted, begun now where there is none. Blocks."""
        theirs, _ = self._orders.store.orders(OrderFilter(call_id=call.call_id))
        open_ones = [order for order in theirs if not order.state.is_over]
        order = (
            open_ones[0]
            if open_ones
            else self._orders.begin(
                content, person, call_id=call.call_id, operator_id=call.operator_id, is_only=True
            )
        )
        while order.state is OrderState.DRAFT:
            try:
                order = self._orders.move(
                    order.order_id, Wish(deed=Deed.ACCEPT), person, expected=order.version
                )
            except OrderConflict:  # another process is just doing the same
                order = self._orders.store.order(order.order_id)
        return order

    def _follow(self, order_id: str, form: Form, person: Person) -> None:
        """Write into the order what the form says now. Blocks."""
        order = self._orders.store.order(order_id)
        try:
            self._orders.edit(order_id, content_of(form), person, expected=order.version)
        except StepRefused:
            raise FormClosed(order_id) from None

    def _lock(self, call_id: str) -> asyncio.Lock:
        return self._changing.setdefault(call_id, asyncio.Lock())

    async def _call(self, call_id: str) -> Call:
        call = await asyncio.to_thread(self._records.call, call_id)
        if call is None:
            raise UnknownCall(f"没有编号为 {call_id} 的通话。")
        return call

    async def _record(self, call: Call, fact: Fact, before: Form | None = None) -> None:
        """Like the call itself, what comes of a recording is told in its own stream alone.

        Raises `StaleForm` where the form is not as it was `before`.
        """
        is_recorded = call.end_reason is EndReason.RECORDED
        streams = (Stream.call(call.call_id),) if is_recorded else streams_of(fact, call)
        within = None if before is None else unchanged(call.call_id, before.version)
        await self._journal.append(
            fact, call_id=call.call_id, streams=streams, at=self._clock(), within=within
        )


def content_of(form: Form) -> OrderContent:
    """What a form says as the content of an order. Raises `BadForm` where what an order needs is missing."""
    if not form.kind.value:
        raise BadForm("请先选类型。", code="wrapup.kind_needed")
    if not form.summary.value:
        raise BadForm("请先填摘要。", code="wrapup.summary_needed")
    return OrderContent(
        type=MatterType(form.kind.value),
        summary=form.summary.value,
        urgency=Urgency(form.urgency.value) if form.urgency.value else Urgency.ROUTINE,
        detail=form.detail.value,
        caller_name=form.caller_name.value,
        caller_phone=form.caller_phone.value,
        district=form.district.value,
        address=form.place.value,
        category=form.category.value,
        department_id=form.department_id,
    )
