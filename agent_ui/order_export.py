"""A list of work orders as a file that Excel opens.

In: orders, the directory, the city's time zone. Out: CSV.
Not known here: which orders, who asks.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from agent_ui.csv_file import csv_file
from calls.forms.departments import name_of
from calls.orders.directory import Directory
from calls.orders.transitions import NAMES
from calls.orders.types import Order, Satisfaction

COLUMNS = (
    "工单编号",
    "状态",
    "类型",
    "紧急程度",
    "诉求摘要",
    "诉求详情",
    "市民姓名",
    "联系电话",
    "区县",
    "地址",
    "类别",
    "承办单位",
    "登记时间",
    "派单时间",
    "答复期限",
    "是否逾期",
    "答复时间",
    "答复内容",
    "满意度",
    "办结时间",
    "退回次数",
    "重办次数",
    "并入工单",
    "登记人",
)
_SATISFACTION = {
    Satisfaction.SATISFIED: "满意",
    Satisfaction.NEUTRAL: "基本满意",
    Satisfaction.UNSATISFIED: "不满意",
    Satisfaction.UNREACHED: "未联系上",
}


def orders_file(orders: Iterable[Order], *, directory: Directory, zone: tzinfo, now: datetime) -> bytes:
    """Write them down, one a row."""
    return csv_file(COLUMNS, _rows(orders, directory, zone, now))


def _rows(
    orders: Iterable[Order], directory: Directory, zone: tzinfo, now: datetime
) -> Iterator[tuple[object, ...]]:
    def moment(at: datetime | None) -> str:
        return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""

    for order in orders:
        content = order.content
        yield (
            order.order_id,
            NAMES[order.state],
            content.type,
            content.urgency,
            content.summary,
            content.detail,
            content.caller_name,
            content.caller_phone,
            content.district,
            content.address,
            content.category,
            _unit(directory, content.department_id),
            moment(order.created_at),
            moment(order.dispatched_at),
            moment(order.due_at),
            "逾期" if order.is_overdue(now) else "",
            moment(order.answered_at),
            order.answer,
            _SATISFACTION[order.satisfaction] if order.satisfaction else "",
            moment(order.closed_at),
            order.returns,
            order.reworks,
            order.merged_into or "",
            order.created_by,
        )


def _unit(directory: Directory, unit_id: str | None) -> str:
    """Its name; one that the directory has no more is told by its identifier."""
    if unit_id is None:
        return ""
    return name_of(directory, unit_id) if unit_id in directory.units else unit_id
