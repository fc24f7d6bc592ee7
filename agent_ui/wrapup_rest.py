"""The wrap-up of a call over REST: read it, set its fields, make a work order of it.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how a wrap-up is drafted, what becomes of an order.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from agent_ui.door import caller_of, note_target
from agent_ui.order_access import OrderAccess, parts_of, person_of, version_of
from agent_ui.order_bodies import OrderOut
from agent_ui.orders_rest import IfMatch
from agent_ui.rest import is_readable, not_found
from agent_ui.screen_commands import Typed
from agent_ui.shown import WorkOrderOnScreen
from calls.forms.desk import FormDesk
from calls.forms.refusals import BadForm, FormChanged, FormError
from calls.forms.types import FieldName, Form
from calls.orders.desk import OrderDesk
from calls.records import Records
from calls.types import CallError, StorageFailed

_STATUS: dict[type[CallError], int] = {FormChanged: 412, BadForm: 422, StorageFailed: 507}


class WrapupChange(BaseModel):
    """Fields to set; null gives one back to the drafts. The department is set by its identifier."""

    fields: dict[FieldName, Typed | None] = Field(min_length=1)
    author: Typed = Field(default="", max_length=100, description="For whom a program acts.")


class OrderWish(BaseModel):
    """Who makes the order, where a program acts for somebody."""

    author: Typed = Field(default="", max_length=100)


def wrapup_router(desk: FormDesk, orders: OrderDesk, records: Records) -> APIRouter:
    """`/v1/calls/{call_id}/wrapup`."""
    router = APIRouter(prefix="/v1/calls/{call_id}/wrapup", tags=["wrap-ups"])
    access = OrderAccess(orders)

    async def see(call_id: str, request: Request, *, to_change: bool) -> None:
        """Whoever may read a call reads its wrap-up; only whose call it is changes that."""
        caller = caller_of(request)
        call = await run_in_threadpool(records.call, call_id)
        may = call is not None and (
            caller.may_see_calls_of(call.operator_id)
            if to_change
            else await run_in_threadpool(is_readable, call, caller, records)
        )
        if not may:
            raise not_found("call.unknown", f"没有编号为 {call_id} 的通话。")

    @router.get("")
    async def get_wrapup(call_id: str, request: Request, response: Response) -> WorkOrderOnScreen:
        """Get the wrap-up as it stands, with its ETag; empty where nothing was drafted yet."""
        await see(call_id, request, to_change=False)
        return _tagged(await desk.form(call_id), response)

    @router.patch("")
    async def change_wrapup(
        call_id: str, body: WrapupChange, request: Request, response: Response, if_match: IfMatch = None
    ) -> WorkOrderOnScreen:
        """Set fields of the wrap-up; what a person set is changed by no later draft."""
        await see(call_id, request, to_change=True)
        expected = version_of(if_match)
        with access.answering(request), _answering():
            form = await desk.change(
                call_id, body.fields, expected=expected, by=person_of(request, body.author)
            )
        note_target(request, " ".join(body.fields))
        return _tagged(form, response)

    @router.post("/order")
    async def make_order(call_id: str, request: Request, body: OrderWish | None = None) -> OrderOut:
        """Make a work order of the wrap-up and accept it; asked again, the same one is answered."""
        await see(call_id, request, to_change=True)
        with access.answering(request), _answering():
            _, order = await desk.make_order(call_id, person_of(request, body.author if body else ""))
        note_target(request, order.order_id)
        return OrderOut.of(order, orders.clock(), parts_of(request))

    return router


def _tagged(form: Form, response: Response) -> WorkOrderOnScreen:
    response.headers["ETag"] = f'"{form.version}"'
    return WorkOrderOnScreen.model_validate(form)


@contextmanager
def _answering() -> Iterator[None]:
    """Turn what goes wrong around forms into answers."""
    try:
        yield
    except (FormError, StorageFailed) as error:
        detail: dict[str, object] = {"code": error.code, "message": error.message}
        if isinstance(error, FormChanged):
            detail["current"] = WorkOrderOnScreen.model_validate(error.current).model_dump(mode="json")
        raise HTTPException(_STATUS.get(type(error), 409), detail) from None
