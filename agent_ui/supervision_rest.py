"""Supervision of work orders over REST: lists with counts, matters handed to partner offices, their export.

In: HTTP requests that passed the door. Out: JSON and CSV; errors as `{"code", "message"}` under `detail`.
Not known here: which orders a list has.
"""

import csv
import io
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from access.types import Caller
from agent_ui.discretion import masked, needs_in_full
from agent_ui.door import author_of, caller_of, note_target
from agent_ui.order_access import parts_of
from agent_ui.order_bodies import OrderOut
from agent_ui.paging import Offset
from agent_ui.screen_commands import Typed
from calls.masking import masked_text
from calls.orders.types import OrderConflict, UnknownOrder
from calls.supervision.desk import SupervisionDesk
from calls.supervision.types import PARTNERS, BadHandover, Handover, Watch

_MOST_EXPORTED = 50_000


class HandoverOut(BaseModel):
    """A matter that a partner office was told of."""

    model_config = ConfigDict(from_attributes=True)

    order_id: str
    office: str
    reason: str
    author: str
    at: datetime


class WatchedOut(BaseModel):
    """An order of a list, with the name of the department that has it."""

    order: OrderOut
    department: str
    handovers: list[HandoverOut]


class SupervisionOut(BaseModel):
    """All lists by their counts, and a page of one of them."""

    counts: dict[Watch, int]
    watch: Watch
    orders: list[WatchedOut]
    partners: tuple[str, ...] = PARTNERS


class HandoverIn(BaseModel):
    """Whom to tell of an order, and why."""

    model_config = ConfigDict(extra="forbid")

    order_id: str = Field(max_length=64)
    office: Typed = Field(max_length=200)
    reason: Typed = Field(max_length=2000)
    author: Typed = Field(default="", max_length=64, description="For whom a program acts.")


def supervision_router(desk: SupervisionDesk) -> APIRouter:
    """`/v1/supervision`."""
    router = APIRouter(prefix="/v1/supervision", tags=["supervision"])

    @router.get("")
    def list_watched(
        request: Request,
        watch: Watch = Watch.OVERDUE,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> SupervisionOut:
        """List the orders that have to be looked after for that reason, the most pressing first."""
        now, directory = desk.orders.clock(), desk.orders.directory
        found = desk.orders_of(watch, limit=limit, offset=offset)
        told = desk.store.handovers(order_ids=[order.order_id for order in found])
        rows = []
        for order in found:
            unit = directory.units.get(order.content.department_id or "")
            mine = [HandoverOut.model_validate(one) for one in told if one.order_id == order.order_id]
            name = unit.name if unit else order.content.department_id or ""
            rows.append(
                WatchedOut(order=OrderOut.of(order, now, parts_of(request)), department=name, handovers=mine)
            )
        answer = SupervisionOut(counts=dict(desk.counts()), watch=watch, orders=rows)
        return answer if needs_in_full(caller_of(request)) else masked(answer)

    @router.get("/handovers")
    def list_handovers(
        request: Request,
        order_id: Annotated[str | None, Query(max_length=64)] = None,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> list[HandoverOut]:
        """List what was handed over, newest first."""
        found = desk.store.handovers(
            order_ids=None if order_id is None else [order_id], limit=limit, offset=offset
        )
        told = [HandoverOut.model_validate(one) for one in found]
        return told if needs_in_full(caller_of(request)) else [masked(one) for one in told]

    @router.post("/handovers", status_code=201)
    def hand_over(body: HandoverIn, request: Request) -> HandoverOut:
        """Note that a partner office was told of an order; it stands in the order's history."""
        author = author_of(request, body.author)
        try:
            order = desk.hand_over(body.order_id, body.office, body.reason, author=author)
        except UnknownOrder as error:
            raise HTTPException(404, {"code": error.code, "message": error.message}) from None
        except BadHandover as error:
            raise HTTPException(422, {"code": error.code, "message": error.message}) from None
        except OrderConflict as error:
            raise HTTPException(412, {"code": error.code, "message": error.message}) from None
        note_target(request, order.order_id)
        (newest, *_) = desk.store.handovers(order_ids=[order.order_id], limit=1)
        return HandoverOut.model_validate(newest)

    @router.get("/handovers/file", response_class=Response)
    def export_handovers(request: Request) -> Response:
        """Download what was handed over as CSV, with a byte order mark so that Excel reads it as UTF-8."""
        return Response(
            "\ufeff" + _csv(desk, desk.store.handovers(limit=_MOST_EXPORTED), who=caller_of(request)),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="handovers.csv"'},
        )

    return router


def _csv(desk: SupervisionDesk, handovers: list[Handover], *, who: Caller) -> str:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("工单编号", "诉求", "区县", "地址", "紧急程度", "抄报单位", "原因", "经办人", "时间"))
    zone = desk.orders.deadlines.zone
    for one in handovers:
        content = desk.orders.store.order(one.order_id).content
        cells = (
            one.order_id,
            content.summary,
            content.district,
            content.address,
            content.urgency.value,
            one.office,
            one.reason,
            one.author,
            f"{one.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        )
        hidden = cells if needs_in_full(who) else (cells[0], *map(masked_text, cells[1:-1]), cells[-1])
        rows.writerow([_harmless(cell) for cell in hidden])
    return text.getvalue()


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
