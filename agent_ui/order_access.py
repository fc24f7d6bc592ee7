"""Whose work orders somebody may see and change, and how refusals around orders are told.

In: requests that passed the door. Out: the order that was asked for, who asks; coded HTTP errors.
Not known here: what is done with an order.

Who may see all calls acts for the centre and writes down what departments tell it that have no account. Who
may see the own calls alone begins, accepts, answers at once and follows up orders of the own seat. An account
of a department takes, sends back and answers what was dispatched there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import HTTPException, Request, Response

from access.types import NotAllowed, Scope
from agent_ui.door import author_of, caller_of, refusal
from agent_ui.order_bodies import OrderOut
from calls.orders.desk import OrderDesk
from calls.orders.types import (
    AttachmentAway,
    BadOrder,
    NotYourPart,
    Order,
    OrderConflict,
    OrderError,
    Part,
    Person,
    UnknownOrder,
)
from calls.orders.views import ALL_ORDERS, View

_STATUS: dict[type[OrderError], int] = {
    UnknownOrder: 404,
    OrderConflict: 412,
    NotYourPart: 403,
    BadOrder: 422,
    AttachmentAway: 503,
}


@dataclass(frozen=True, slots=True)
class OrderAccess:
    """Finds orders for callers and tells them what came of what they asked."""

    desk: OrderDesk

    @contextmanager
    def answering(self, request: Request) -> Iterator[None]:
        """Turn what goes wrong around orders into answers."""
        try:
            yield
        except OrderError as error:
            detail: dict[str, object] = {"code": error.code, "message": error.message}
            if isinstance(error, OrderConflict):
                parts = parts_of(request)
                current = OrderOut.of(error.current, self.desk.clock(), parts)
                detail["current"] = current.model_dump(mode="json")
            raise HTTPException(_STATUS.get(type(error), 409), detail) from None

    def seen(self, order_id: str, request: Request) -> Order:
        """An order to look at. Raises `UnknownOrder`."""
        order = self.desk.store.order(order_id)
        if not view_of(request).shows(order):
            raise UnknownOrder(f"没有编号为 {order_id[:40]} 的工单。")
        return order

    def tagged(self, order: Order, request: Request, response: Response) -> OrderOut:
        """An order as an answer, with its ETag."""
        response.headers["ETag"] = f'"{order.version}"'
        return OrderOut.of(order, self.desk.clock(), parts_of(request))


def see_scope(request: Request) -> None:
    """Let in whoever may see orders: all of them, those of the own calls or those of the own department."""
    caller = caller_of(request)
    if not any(map(caller.may, (Scope.CALLS_ALL, Scope.CALLS_OWN, Scope.ORDERS_DEPARTMENT))):
        raise refusal(NotAllowed())


def person_of(request: Request, given: str) -> Person:
    """Who does something, and in what parts."""
    return Person(name=author_of(request, given), parts=parts_of(request))


def parts_of(request: Request) -> frozenset[Part]:
    """In what parts somebody acts."""
    caller = caller_of(request)
    if caller.may(Scope.CALLS_ALL):
        return frozenset(Part)
    return frozenset({Part.OPERATOR if caller.may(Scope.CALLS_OWN) else Part.DEPARTMENT})


def view_of(request: Request) -> View:
    """Which orders somebody may see."""
    caller = caller_of(request)
    if caller.may(Scope.CALLS_ALL):
        return ALL_ORDERS
    if caller.may(Scope.CALLS_OWN):
        return View(seat=caller.operator_id, author=caller.name if caller.is_person else None)
    return View(department_id=caller.department_id)


def version_of(if_match: str | None) -> int:
    """The version that the caller knows."""
    if if_match is None:
        message = "修改工单需要 If-Match，说明看到的是哪一版。"
        raise HTTPException(428, {"code": "order.if_match_needed", "message": message})
    tag = if_match.strip().removeprefix("W/").strip('"')
    if not (tag.isascii() and tag.isdecimal() and len(tag) < 10):
        message = f'If-Match 应为版本号，如 "3"，而不是 {tag[:20]}。'
        raise HTTPException(400, {"code": "order.bad_if_match", "message": message})
    return int(tag)
