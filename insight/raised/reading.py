"""A call or an order as the early warning counts it. Pure.

In: rows of calls, wrap-ups and orders. Out: `Told`, or None where there is nothing to count.
Not known here: databases, warnings.

The matter is the article that the operator used, else the first that was drafted, as on the hall's board;
where a person has set another category, or no article speaks of it, it is the rest of the category; where
there is neither, it has no name. The order that was made of a call has the last word on category, district
and place.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calls.forms.types import EMPTY_FORM, Form
from calls.orders.types import OrderContent

ORDER_PREFIX = "order:"
NO_DISTRICT = "区县不明"
"""Where the district was not said, or is none of the city's."""
_TRIAL = "试听写"
"""In `meta.来源` of what was only tried out."""
_LEAST_OF_NAME = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is kept of a call or an order for counting."""

    report_id: str
    call_id: str | None
    order_id: str | None
    at: datetime
    """When the call began, or the order where there was no call."""
    known_at: datetime
    caller: str | None
    """A keyed hash; None where nobody knows the number."""
    district: str
    matter: str
    """Empty: it has no name, and is counted by what was said alone."""
    category: str
    department: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A call with what was written down of it."""

    call_id: str
    started_at: datetime
    is_over: bool
    caller: str | None
    meta: Mapping[str, Any]
    form: Form = EMPTY_FORM
    order_id: str | None = None
    order: OrderContent | None = None


def told_by_call(
    call: CallRow,
    *,
    known_at: datetime,
    key: bytes,
    districts: Sequence[str],
    unit_name: Callable[[str], str],
) -> Told | None:
    """What to count of a call: nothing while it goes on, of a trial, and where it says nothing."""
    form, order = call.form, call.order
    if not (call.is_over or order is not None) or _TRIAL in str(call.meta.get("来源", "")):
        return None
    category = (order.category if order else form.category.value).strip()
    matter = _matter(form, category)
    if not matter and not (order.summary if order else form.summary.value).strip():
        return None
    number = call.caller or (order.caller_phone if order else form.caller_phone.value)
    return Told(
        report_id=call.call_id,
        call_id=call.call_id,
        order_id=call.order_id,
        at=call.started_at,
        known_at=known_at,
        caller=hashed(number, key),
        district=district_of(order.district if order else form.district.value, districts),
        matter=matter,
        category=category,
        department=_department(order, unit_name) or form.department.value,
        place=(order.address if order else form.place.value).strip(),
    )


def told_by_order(
    order_id: str,
    content: OrderContent,
    *,
    created_at: datetime,
    known_at: datetime,
    key: bytes,
    districts: Sequence[str],
    unit_name: Callable[[str], str],
) -> Told | None:
    """What to count of an order without a call."""
    category = content.category.strip()
    if not category and not content.summary.strip():
        return None
    return Told(
        report_id=f"{ORDER_PREFIX}{order_id}",
        call_id=None,
        order_id=order_id,
        at=created_at,
        known_at=known_at,
        caller=hashed(content.caller_phone, key),
        district=district_of(content.district, districts),
        matter=other_of(category),
        category=category,
        department=_department(content, unit_name),
        place=content.address.strip(),
    )


def other_of(category: str) -> str:
    """The matter of what is of a category and of none of its known matters."""
    return f"{category}（其他）" if category else ""


def district_of(said: str, districts: Sequence[str]) -> str:
    """The district of the list that was meant; 定海 is 定海区."""
    said = said.strip()
    if said in districts:
        return said
    if len(said) >= _LEAST_OF_NAME:
        for name in districts:
            if name.startswith(said) or said.startswith(name) or said.endswith(name):
                return name
    return NO_DISTRICT


def hashed(number: str | None, key: bytes) -> str | None:
    """A number as something that tells callers apart and nothing else."""
    number = (number or "").strip()
    return hmac.digest(key, number.encode(), hashlib.sha256).hex()[:24] if number else None


def _department(order: OrderContent | None, unit_name: Callable[[str], str]) -> str:
    return unit_name(order.department_id) if order is not None and order.department_id else ""


def _matter(form: Form, category: str) -> str:
    is_changed = category != form.category.drafted
    if form.knowledge and not is_changed:
        used = [source for source in form.knowledge if source.is_used]
        return (used or list(form.knowledge))[0].title
    return other_of(category)
