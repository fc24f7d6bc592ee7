"""Whose warnings somebody may see, what they do with them, and how refusals are told.

In: requests that passed the door. Out: warnings with all that is known of them; coded HTTP errors.
Not known here: how a warning is found.

What is done with the warning of an alarm is done with the alarm, and an order is made where one is wanted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from access.types import Caller, NotAllowed, Scope
from agent_ui.discretion import needs_in_full
from agent_ui.door import author_of, caller_of, note_target, refusal
from agent_ui.order_access import person_of
from agent_ui.warning_bodies import (
    HourOut,
    PlaceOut,
    StepIn,
    StepOut,
    WarningDetailOut,
    WarningOrderOut,
    WarningOut,
)
from agent_ui.warning_orders import content_of, make_order
from agent_ui.warning_samples import samples_of
from calls.masking import masked_text
from calls.orders.desk import OrderDesk
from calls.orders.types import UnknownOrder
from calls.records import Records
from calls.safety.desk import AlarmDesk
from calls.safety.types import UnknownAlarm
from insight.raised.desk import WarningDesk
from insight.raised.store import WarningFilter
from insight.raised.transitions import Deed, deeds_of
from insight.raised.types import (
    BadDeed,
    Layer,
    RaisedWarning,
    UnknownWarning,
    WarningConflict,
    WarningError,
)

_STATUS: dict[type[WarningError], int] = {UnknownWarning: 404, WarningConflict: 412, BadDeed: 422}


def see_warnings(request: Request) -> None:
    """Let in whoever may see warnings: all of them, or those of the own department."""
    caller = caller_of(request)
    if not (caller.may(Scope.CALLS_ALL) or caller.may(Scope.ORDERS_DEPARTMENT)):
        raise refusal(NotAllowed())


def department_of(caller: Caller) -> str | None:
    """The department whose warnings alone somebody sees; None: all. One that has no department sees none."""
    return None if caller.may(Scope.CALLS_ALL) else caller.department_id or "-"


@dataclass(frozen=True, slots=True)
class WarningAccess:
    """Finds warnings for callers and does what they want with them."""

    desk: WarningDesk
    orders: OrderDesk
    alarms: AlarmDesk
    records: Records

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn what goes wrong around warnings into answers."""
        try:
            yield
        except WarningError as error:
            told: dict[str, object] = {"code": error.code, "message": error.message}
            if isinstance(error, WarningConflict):
                told["current"] = WarningOut.of(error.current, self.desk.zone).model_dump(mode="json")
            raise HTTPException(_STATUS.get(type(error), 409), told) from None

    def seen(self, warning_id: str, request: Request) -> RaisedWarning:
        """A warning to look at. Blocks. Raises `UnknownWarning`."""
        warning, theirs = self.desk.store.warning(warning_id), department_of(caller_of(request))
        if theirs is not None:
            which = WarningFilter(department_id=theirs, words=warning_id)
            if all(one.warning_id != warning_id for one in self.desk.store.warnings(which)[0]):
                raise UnknownWarning(warning_id)
        return warning

    async def take_step(self, warning_id: str, body: StepIn, request: Request) -> RaisedWarning:
        """Do what somebody wants. Raises `WarningError`, `OrderError`."""
        if not caller_of(request).may(Scope.CALLS_ALL):
            raise refusal(NotAllowed("预警由班长和管理员处理。", code="warning.not_your_part"))
        note_target(request, body.deed.value)
        warning = await run_in_threadpool(self._step, warning_id, body, request)
        await self._follow_alarm(warning, body, author_of(request, body.author))
        return warning

    def detail(self, warning: RaisedWarning, request: Request) -> WarningDetailOut:
        """A warning with all that the asker may know of it. Blocks."""
        caller, desk = caller_of(request), self.desk
        is_centre = caller.may(Scope.CALLS_ALL)
        steps = desk.store.steps(warning.warning_id)
        last = next((one for one in steps if one.version == warning.version), None)
        samples = samples_of(
            warning,
            desk.reports,
            records=self.records,
            orders=self.orders.store,
            is_full=needs_in_full(caller),
        )
        return WarningDetailOut(
            warning=WarningOut.of(warning, desk.zone),
            deeds=list(deeds_of(warning, last=last)) if is_centre else [],
            samples=list(samples) if is_centre else [],
            places=self._places(warning, is_full=needs_in_full(caller)) if is_centre else [],
            hours=[HourOut.model_validate(hour) for hour in desk.hours(warning)],
            steps=[StepOut.model_validate(one) for one in steps],
            order=self._order(warning),
        )

    def _step(self, warning_id: str, body: StepIn, request: Request) -> RaisedWarning:
        author, wish = author_of(request, body.author), body.to_wish(self.desk.zone)
        if body.deed is Deed.ASSIGN:
            before = self.desk.store.warning(warning_id)
            if before.version != body.version:
                raise WarningConflict(before)
            if Deed.ASSIGN in deeds_of(before, last=None):  # no order is made in vain
                order_id = self._order_for(before, body, request)
                note_target(request, f"{body.deed.value} {order_id}")
                wish = replace(wish, order_id=order_id)
        return self.desk.do(warning_id, wish, expected=body.version, author=author)

    def _order_for(self, warning: RaisedWarning, body: StepIn, request: Request) -> str:
        if body.new_order is not None:
            person = person_of(request, body.author)
            content = content_of(
                warning, body.new_order, places=self.desk.places(warning), zone=self.desk.zone
            )
            return make_order(self.orders, content, person, body.new_order).order_id
        if body.order_id:
            return self.orders.store.order(body.order_id).order_id
        raise BadDeed("请选一张工单，或新建一张。", code="warning.order_needed")

    async def _follow_alarm(self, warning: RaisedWarning, body: StepIn, author: str) -> None:
        """Who took an alarm first stays."""
        if warning.layer is not Layer.SAFETY or warning.alarm_id is None:
            return
        try:
            if body.deed is Deed.ACKNOWLEDGE:
                await self.alarms.take(warning.alarm_id, body.note, by=author)
            elif body.deed in (Deed.RATE, Deed.UNDO) and warning.is_true is not None:
                await self.alarms.rate(warning.alarm_id, is_true=warning.is_true, by=author)
        except UnknownAlarm:  # deleted with its call
            return

    def _places(self, warning: RaisedWarning, *, is_full: bool) -> list[PlaceOut]:
        return [
            PlaceOut(place=one.place if is_full else masked_text(one.place), callers=one.callers)
            for one in self.desk.places(warning)
        ]

    def _order(self, warning: RaisedWarning) -> WarningOrderOut | None:
        if warning.order_id is None:
            return None
        try:
            order = self.orders.store.order(warning.order_id)
        except UnknownOrder:
            return None
        unit = self.orders.directory.units.get(order.content.department_id or "")
        return WarningOrderOut(
            order_id=order.order_id,
            state=order.state,
            summary=order.content.summary,
            department=unit.name if unit is not None else "",
        )
