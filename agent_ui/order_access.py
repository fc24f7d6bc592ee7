"""Whose work orders somebody may see and change, and how refusals around orders are told.

In: requests that passed the door. Out: the order that was asked for, who asks; coded HTTP errors.
Not known here: what is done with an order.

Who may see all calls acts for the centre and, until departments have accounts, writes down what they tell
it. Who may see the own calls alone begins, accepts, answers at once and follows up orders of the own seat.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi import HTTPException, Request, Response

from access.types import Caller, NotAllowed, Scope
from agent_ui.door import author_of, caller_of, refusal
from agent_ui.order_bodies import OrderOut
from calls.orders.desk import OrderDesk
from calls.orders.types import (
    BadOrder,
    NotYourPart,
    Order,
    OrderConflict,
    OrderError,
    Part,
    Person,
    UnknownOrder,
)

_STATUS: dict[type[OrderError], int] = {
    UnknownOrder: 404,
    OrderConflict: 412,
    NotYourPart: 403,
    BadOrder: 422,
}


@dataclass(frozen=True, slots=True)
class OrderAccess:
    """Finds orders for callers and tells them what came of what they asked."""

    desk: OrderDesk

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Turn what goes wrong around orders into answers."""
        try:
            yield
        except OrderError as error:
            detail: dict[str, object] = {"code": error.code, "message": error.message}
            if isinstance(error, OrderConflict):
                detail["current"] = OrderOut.of(error.current, self.desk.clock()).model_dump(mode="json")
            raise HTTPException(_STATUS.get(type(error), 409), detail) from None

    def seen(self, order_id: str, request: Request) -> Order:
        """An order to look at. Raises `UnknownOrder`."""
        order = self.desk.store.order(order_id)
        if not _may_see(order, caller_of(request)):
            raise UnknownOrder(f"没有编号为 {order_id[:40]} 的工单。")
        return order

    def tagged(self, order: Order, response: Response) -> OrderOut:
        """An order as an answer, with its ETag."""
        response.headers["ETag"] = f'"{order.version}"'
        return OrderOut.of(order, self.desk.clock())


def see_scope(request: Request) -> None:
    """Let in whoever may see calls: all of them or the own ones."""
    caller = caller_of(request)
    if not (caller.may(Scope.CALLS_ALL) or caller.may(Scope.CALLS_OWN)):
        raise refusal(NotAllowed())


def person_of(request: Request, given: str) -> Person:
    """Who does something, and in what parts."""
    parts = frozenset(Part) if caller_of(request).may(Scope.CALLS_ALL) else frozenset({Part.OPERATOR})
    return Person(name=author_of(request, given), parts=parts)


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


def _may_see(order: Order, caller: Caller) -> bool:
    if caller.may_see_calls_of(order.operator_id):
        return True
    return caller.may(Scope.CALLS_OWN) and caller.is_person and order.created_by == caller.name
