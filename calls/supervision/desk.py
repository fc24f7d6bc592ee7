"""What supervisors do with orders: see which ones need somebody, tell a partner office of one.

In: a database, orders, who does it. Out: orders, and lines in their history.
Not known here: HTTP, who is a supervisor. All of it blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from calls.orders.desk import OrderDesk
from calls.orders.types import Order, OrderConflict
from calls.supervision.store import HANDED_OVER, SEPARATOR, SupervisionStore
from calls.supervision.types import BadHandover, Watch

LONGEST_OFFICE = 40
LONGEST_REASON = 500
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisionDesk:
    """Any thread may call it."""

    store: SupervisionStore
    orders: OrderDesk

    @classmethod
    def open(cls, engine: Engine, orders: OrderDesk) -> "SupervisionDesk":
        """Open it over the orders."""
        return cls(store=SupervisionStore(engine), orders=orders)

    def counts(self) -> Mapping[Watch, int]:
        """How many orders each list has now."""
        return self.store.counts(self.orders.clock())

    def orders_of(self, watch: Watch, *, limit: int, offset: int = 0) -> list[Order]:
        """One list as it is now."""
        found = self.store.order_ids(watch, self.orders.clock(), limit=limit, offset=offset)
        return [self.orders.store.order(order_id) for order_id in found]

    def hand_over(self, order_id: str, office: str, reason: str, *, author: str) -> Order:
        """Note that a partner office was told of the matter; the order stays where it is.

        Raises `UnknownOrder`, `BadHandover`, `OrderConflict`.
        """
        office, reason = office.strip(), reason.strip()
        if not office or SEPARATOR in office or len(office) > LONGEST_OFFICE:
            raise BadHandover(
                f"请填写抄报的单位（最多 {LONGEST_OFFICE} 字，不含冒号）。", code="handover.office_needed"
            )
        if not reason or len(reason) > LONGEST_REASON:
            raise BadHandover(f"请写明抄报原因（最多 {LONGEST_REASON} 字）。", code="handover.reason_needed")
        now = self.orders.clock()
        for attempt in range(_TRIES):
            seen = self.orders.store.order(order_id)
            try:
                return self.orders.store.change(
                    order_id,
                    lambda order: replace(order, version=order.version + 1, changed_at=now),
                    expected=seen.version,
                    action=HANDED_OVER,
                    author=author,
                    note=f"{office}{SEPARATOR}{reason}",
                )
            except OrderConflict:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("the loop returns or raises")
