"""Warnings over REST: lists, one with all that is known of it, every deed, their export.

In: HTTP requests that passed the door. Out: JSON and CSV; errors as `{"code", "message"}` under `detail`.
Not known here: how a warning is found.

Who may see all calls sees all warnings and does something with them. A department sees those that concern it,
and those whose order it has, without calls. Whoever does something brings the version that was seen; where
somebody else was faster the answer is 412 with the warning as it stands.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from agent_ui.csv_file import csv_file
from agent_ui.door import caller_of, note_read
from agent_ui.order_access import OrderAccess
from agent_ui.warning_access import WarningAccess, department_of, see_warnings
from agent_ui.warning_bodies import (
    StepIn,
    WarningDetailOut,
    WarningOut,
    WarningsOut,
    WarningsQuery,
)
from calls.orders.desk import OrderDesk
from calls.records import Records
from calls.safety.desk import AlarmDesk
from insight.raised.desk import WarningDesk
from insight.raised.store import WarningFilter
from insight.raised.transitions import NAMES
from insight.raised.types import Layer, RaisedWarning

MOST_EXPORTED = 20_000
_COLUMNS = (
    *(
        "编号",
        "发现时间",
        "事项",
        "分类",
        "区县",
        "涉及区县",
        "时段（小时）",
        "人数",
        "预计人数",
        "偶然的概率",
    ),
    *("最早", "目前人数", "地点数", "涉及部门", "状态", "工单编号", "评定", "评定人", "评定时间", "说明"),
)


def warnings_router(desk: WarningDesk, orders: OrderDesk, alarms: AlarmDesk, records: Records) -> APIRouter:
    """`/v1/warnings`."""
    router = APIRouter(prefix="/v1/warnings", tags=["warnings"], dependencies=[Depends(see_warnings)])
    access = OrderAccess(orders)
    warnings = WarningAccess(desk, orders, alarms, records)

    @router.get("")
    def list_warnings(asked: Annotated[WarningsQuery, Query()], request: Request) -> WarningsOut:
        """List warnings, newest first."""
        theirs = department_of(caller_of(request))
        which = asked.to_filter(zone=desk.zone, department_id=theirs)
        newest = desk.store.newest_step()
        found, total = desk.store.warnings(which, offset=asked.offset, limit=asked.limit)
        return WarningsOut(
            warnings=[WarningOut.of(one, desk.zone) for one in found],
            total=total,
            counts=desk.store.counts(WarningFilter(department_id=theirs)),
            newest_step=newest,
        )

    @router.get("/file", response_class=Response)
    def export_warnings(asked: Annotated[WarningsQuery, Query()], request: Request) -> Response:
        """Download the list as CSV, which Excel opens; 20,000 warnings at most."""
        which = asked.to_filter(zone=desk.zone, department_id=department_of(caller_of(request)))
        found, _ = desk.store.warnings(which, limit=MOST_EXPORTED)
        note_read(request, f"{len(found)}")
        name = f"warnings-{desk.clock().astimezone(desk.zone):%Y%m%d}.csv"
        return Response(
            csv_file(_COLUMNS, (_cells(one, desk) for one in found)),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @router.get("/{warning_id}")
    def get_warning(warning_id: str, request: Request) -> WarningDetailOut:
        """Get one warning with its history, samples and the chart of its hours."""
        with warnings.answering():
            return warnings.detail(warnings.seen(warning_id, request), request)

    @router.post("/{warning_id}/steps")
    async def take_step(warning_id: str, body: StepIn, request: Request) -> WarningDetailOut:
        """Do something with a warning: acknowledge, assign, mute, close, reopen, rate, undo."""
        with warnings.answering(), access.answering(request):
            warning = await warnings.take_step(warning_id, body, request)
            return await run_in_threadpool(warnings.detail, warning, request)

    return router


def _cells(warning: RaisedWarning, desk: WarningDesk) -> tuple[object, ...]:
    def clock(at: datetime | None) -> str:
        return f"{at.astimezone(desk.zone):%Y-%m-%d %H:%M}" if at is not None else ""

    is_counted = warning.layer is not Layer.SAFETY
    return (
        warning.warning_id,
        clock(warning.raised_at),
        warning.name,
        warning.category,
        warning.district or "全市",
        "、".join(warning.districts),
        warning.window_h if is_counted else "",
        warning.observed,
        f"{warning.expected:.2f}" if is_counted else "",
        f"{warning.probability:.2g}" if is_counted else "",
        clock(warning.since),
        warning.callers_now,
        warning.places,
        "、".join(warning.departments),
        NAMES[warning.state],
        warning.order_id or "",
        {None: "", True: "属实", False: "误报"}[warning.is_true],
        warning.rated_by,
        clock(warning.rated_at),
        warning.note,
    )
