"""A work order made of a warning.

In: a warning, what somebody chose for the order. Out: the order, accepted, and dispatched if that is wanted.
Not known here: HTTP, what becomes of the warning.
"""

from collections.abc import Sequence
from datetime import tzinfo

from agent_ui.warning_bodies import NewOrderIn
from calls.orders.desk import OrderDesk
from calls.orders.types import Deed, MatterType, Order, OrderContent, Person
from calls.orders.types import Wish as OrderWish
from insight.raised.progress import Place
from insight.raised.types import RaisedWarning
from insight.raised.wording import explanation_of, title_of

_MOST_NAMED = 20


def content_of(
    warning: RaisedWarning, wanted: NewOrderIn, *, places: Sequence[Place], zone: tzinfo
) -> OrderContent:
    """What the order says: why there is a warning, where, and which calls and orders to look at."""
    lines = [explanation_of(warning, zone), f"预警编号：{warning.warning_id}"]
    if places:
        lines.append(f"多人提到的地点：{'、'.join(f'{one.place}（{one.callers} 人）' for one in places)}")
    if warning.sample_ids:
        named = "、".join(one.removeprefix("order:") for one in warning.sample_ids[:_MOST_NAMED])
        lines.append(f"相关通话或工单：{named}")
    if wanted.detail.strip():
        lines.insert(0, wanted.detail.strip())
    department_id = wanted.department_id or next(iter(warning.department_ids), None)
    return OrderContent(
        type=MatterType.HELP,
        summary=f"预警：{title_of(warning)}"[:60],
        urgency=wanted.urgency,
        detail="\n".join(lines),
        district=warning.district or next(iter(warning.districts), ""),
        category=warning.category,
        department_id=department_id,
    )


def make_order(orders: OrderDesk, content: OrderContent, person: Person, wanted: NewOrderIn) -> Order:
    """Begin and accept an order, and dispatch it if there is a department. Blocks. Raises `OrderError`."""
    order = orders.begin(content, person, call_id=None, operator_id=None)
    order = orders.move(order.order_id, OrderWish(deed=Deed.ACCEPT), person, expected=order.version)
    if wanted.is_dispatched and content.department_id is not None:
        order = orders.move(order.order_id, OrderWish(deed=Deed.DISPATCH), person, expected=order.version)
    return order
