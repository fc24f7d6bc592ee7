"""Work orders over REST: lists, one order with its history, every step, comments.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: which step is possible, how orders are kept.

An order's version is its ETag. A change needs `If-Match`; where somebody else was faster the answer is 412
with the order as it stands.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response

from access.types import NotAllowed, Scope
from agent_ui.door import caller_of, note_read, note_target, refusal
from agent_ui.order_access import OrderAccess, parts_of, person_of, see_scope, version_of, view_of
from agent_ui.order_bodies import (
    SOON,
    CommentIn,
    CommentOut,
    CountsOut,
    OrderEdit,
    OrderIn,
    OrderOut,
    OrdersOut,
    OrdersQuery,
    StepIn,
    StepOut,
)
from agent_ui.order_discretion import as_listed
from agent_ui.order_export import orders_file
from calls.orders.desk import OrderDesk
from calls.orders.store import OrderFilter
from calls.orders.types import Part
from calls.records import Records

MOST_EXPORTED = 20_000
IfMatch = Annotated[str | None, Header(description='The ETag of what was seen, as `"3"`.')]


def orders_router(desk: OrderDesk, records: Records) -> APIRouter:
    """`/v1/orders`."""
    router = APIRouter(prefix="/v1/orders", tags=["orders"], dependencies=[Depends(see_scope)])
    access = OrderAccess(desk)

    @router.get("")
    def list_orders(asked: Annotated[OrdersQuery, Query()], request: Request) -> OrdersOut:
        """List orders, newest first: all of them, those of the own seat, or those of the own department."""
        now, parts = desk.clock(), parts_of(request)
        which = asked.to_filter(now=now, zone=desk.deadlines.zone, view=view_of(request))
        found, total = desk.store.orders(which, offset=asked.offset, limit=asked.limit)
        return OrdersOut(
            orders=[OrderOut.of(order, now, parts) for order in as_listed(found, caller_of(request))],
            total=total,
        )

    @router.get("/counts")
    def count_orders(request: Request) -> CountsOut:
        """Count the orders that one may see: by state, and those that are late or due within 24 hours."""
        now, view = desk.clock(), view_of(request)
        at_department = OrderFilter(view=view, due_from=now, due_before=now + SOON)
        return CountsOut(
            states=desk.store.counts(OrderFilter(view=view)),
            overdue=sum(desk.store.counts(OrderFilter(view=view, overdue_at=now)).values()),
            due_soon=sum(desk.store.counts(at_department).values()),
        )

    @router.get("/file", response_class=Response)
    def export_orders(asked: Annotated[OrdersQuery, Query()], request: Request) -> Response:
        """Download the list as CSV, which Excel opens; 20,000 orders at most. Goes into the audit log."""
        now, zone = desk.clock(), desk.deadlines.zone
        which = asked.to_filter(now=now, zone=zone, view=view_of(request))
        found, _ = desk.store.orders(which, limit=MOST_EXPORTED)
        note_read(request, f"{len(found)}")
        name = f"orders-{now.astimezone(zone):%Y%m%d}.csv"
        return Response(
            orders_file(as_listed(found, caller_of(request)), directory=desk.directory, zone=zone, now=now),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @router.post("", status_code=201)
    def begin_order(body: OrderIn, request: Request, response: Response) -> OrderOut:
        """Begin an order as a draft, from a call or (who may see all calls) without one."""
        caller = caller_of(request)
        if not parts_of(request) & {Part.OPERATOR, Part.CENTRE}:
            raise refusal(NotAllowed("工单由话务员和中心新建。", code="order.not_your_part"))
        call = records.call(body.call_id) if body.call_id else None
        if body.call_id and (call is None or not caller.may_see_calls_of(call.operator_id)):
            message = f"没有编号为 {body.call_id} 的通话。"
            raise HTTPException(404, {"code": "call.unknown", "message": message})
        if call is None and not caller.may(Scope.CALLS_ALL):
            raise refusal(NotAllowed("请从自己的通话里新建工单。", code="order.call_needed"))
        with access.answering(request):
            order = desk.begin(
                body.to_content(),
                person_of(request, body.author),
                call_id=call.call_id if call else None,
                operator_id=call.operator_id if call else None,
            )
        note_target(request, order.order_id)
        response.headers["Location"] = f"/v1/orders/{order.order_id}"
        return access.tagged(order, request, response)

    return router


def one_order_router(desk: OrderDesk) -> APIRouter:
    """The routes below one order."""
    router = APIRouter(prefix="/v1/orders/{order_id}", tags=["orders"], dependencies=[Depends(see_scope)])
    access = OrderAccess(desk)

    @router.get("")
    def get_order(order_id: str, request: Request, response: Response) -> OrderOut:
        """Get one order with its ETag."""
        with access.answering(request):
            return access.tagged(access.seen(order_id, request), request, response)

    @router.put("")
    def put_order(
        order_id: str, body: OrderEdit, request: Request, response: Response, if_match: IfMatch = None
    ) -> OrderOut:
        """Write down something else, as long as no department has it."""
        with access.answering(request):
            expected = version_of(if_match)
            access.seen(order_id, request)
            person = person_of(request, body.author)
            order = desk.edit(order_id, body.to_content(), person, expected=expected)
        return access.tagged(order, request, response)

    @router.post("/steps")
    def take_step(
        order_id: str, body: StepIn, request: Request, response: Response, if_match: IfMatch = None
    ) -> OrderOut:
        """Do something with an order: accept, dispatch, …, or merge it `into` another one."""
        with access.answering(request):
            expected = version_of(if_match)
            access.seen(order_id, request)
            person = person_of(request, body.author)
            order = desk.move(order_id, body.to_wish(), person, expected=expected)
        note_target(request, f"{body.deed} {body.into or ''}".strip())
        return access.tagged(order, request, response)

    @router.get("/history")
    def list_history(order_id: str, request: Request) -> list[StepOut]:
        """List every change of an order, oldest first."""
        with access.answering(request):
            access.seen(order_id, request)
        return [StepOut.model_validate(step) for step in desk.store.history(order_id)]

    @router.get("/comments")
    def list_comments(order_id: str, request: Request) -> list[CommentOut]:
        """List what was said about an order, oldest first."""
        with access.answering(request):
            access.seen(order_id, request)
        return [CommentOut.model_validate(comment) for comment in desk.store.comments(order_id)]

    @router.post("/comments", status_code=201)
    def add_comment(order_id: str, body: CommentIn, request: Request) -> CommentOut:
        """Say something about an order; this is no change of it and needs no `If-Match`."""
        with access.answering(request):
            access.seen(order_id, request)
            comment = desk.comment(order_id, body.text, person_of(request, body.author))
        return CommentOut.model_validate(comment)

    return router
