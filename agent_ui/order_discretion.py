"""Work orders as lists and files show them: without what leads to a person.

In: orders, who asks. Out: the same orders, masked where they have to be.
Not known here: how a number is recognised (calls/masking.py), HTTP.

One order that somebody opens, or compares with another, is shown in full: whoever handles it has to call the
citizen, and to see whether two called.
"""

from collections.abc import Iterable
from dataclasses import replace

from access.types import Caller
from agent_ui.discretion import needs_in_full
from calls.masking import Known, masked_name, masked_phone, masked_text
from calls.orders.types import Order


def as_listed(orders: Iterable[Order], who: Caller) -> list[Order]:
    """Orders of a list, masked for everybody but programs that work with numbers and names."""
    return list(orders) if needs_in_full(who) else [_masked(order) for order in orders]


def _masked(order: Order) -> Order:
    content = order.content
    known = Known(
        names=(content.caller_name,) if content.caller_name else (),
        numbers=(content.caller_phone,) if content.caller_phone else (),
    )
    return replace(
        order,
        content=replace(
            content,
            caller_name=masked_name(content.caller_name),
            caller_phone=masked_phone(content.caller_phone),
            summary=masked_text(content.summary, known),
            detail=masked_text(content.detail, known),
            address=masked_text(content.address, known),
        ),
        answer=masked_text(order.answer, known),
    )
