"""Whose orders are shown to somebody. Pure.

In: an order, what somebody may see. Out: whether it is shown to them.
Not known here: accounts, scopes, HTTP.
"""

from dataclasses import dataclass

from calls.orders.types import Order, OrderState

NOT_THEIRS = frozenset({OrderState.DRAFT, OrderState.ACCEPTED, OrderState.RETURNED})
"""Where an order only names the department to which it may go, or that sent it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What somebody may see: everything, or whatever one of the others lets them."""

    is_all: bool = False
    seat: str | None = None
    """Orders of the calls of that seat."""
    author: str | None = None
    """Orders that this person began."""
    department_id: str | None = None
    """Orders that are at that department, or were answered by it."""

    def shows(self, order: Order) -> bool:
        """Whether that order is shown."""
        is_at_theirs = order.dispatched_at is not None and order.state not in NOT_THEIRS
        return (
            self.is_all
            or (self.seat is not None and order.operator_id == self.seat)
            or (self.author is not None and order.created_by == self.author)
            or (
                self.department_id is not None
                and is_at_theirs
                and order.content.department_id == self.department_id
            )
        )


ALL_ORDERS = View(is_all=True)
