"""Compares an order with those of the last weeks: duplicates, repeats, who handled the same before.

In: an order, what is remembered of recent ones, a function that embeds. Out: orders that are alike, and why.
Not known here: HTTP, who may see an order.

Vectors of one model point all the same way, so what they have in common with those of usual sentences is
taken away first: only what is left tells two matters apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from calls.orders.likeness import (
    Duplicate,
    LikenessOptions,
    Repeats,
    Trace,
    count_repeats,
    find_duplicates,
)
from calls.orders.types import Order, OrderState
from calls.orders.vectors import OrderVectors, Remembered, Vector, place_of_order
from calls.wrapup.files import example_texts

_EMBEDDED_AT_ONCE = 50
"""Recent orders without a vector that are embedded while somebody waits."""
_HANDLED = (OrderState.ANSWERED, OrderState.FOLLOWED_UP, OrderState.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Earlier orders that may be about the same, and those of the same caller."""

    duplicates: tuple[Duplicate, ...]
    repeats: Repeats


class Comparer:
    """All methods block. Any thread may call them."""

    def __init__(
        self,
        vectors: OrderVectors,
        embed: Callable[[str], Vector],
        options: LikenessOptions | None = None,
    ) -> None:
        self._vectors = vectors
        self._embed = embed
        self._options = options or LikenessOptions()
        self._usual: Vector | None = None

    def remember(self, order: Order) -> None:
        """Embed what an order is about, so that nobody waits for it later."""
        self._vectors.keep(order.order_id, order.content.summary)

    def alike(self, order: Order) -> Alike:
        """What the last weeks have that is like it."""
        new, earlier = self._traces(order, order.created_at)
        return Alike(
            duplicates=find_duplicates(new, earlier, self._options),
            repeats=count_repeats(new, earlier, self._options),
        )

    def handled_by(self, order: Order, now: datetime) -> dict[str, int]:
        """How many orders of the same matter each department has answered in the last weeks."""
        found: dict[str, int] = {}
        vector = self._own(self._vectors.keep(order.order_id, order.content.summary))
        for other in self._vectors.recent(now - timedelta(days=self._options.within_days)):
            if other.order_id == order.order_id or other.state not in _HANDLED or other.vector is None:
                continue
            if other.department_id and float(self._own(other.vector) @ vector) >= self._options.matter:
                found[other.department_id] = found.get(other.department_id, 0) + 1
        return found

    def _traces(self, order: Order, at: datetime) -> tuple[Trace, list[Trace]]:
        new = Trace(
            order_id=order.order_id,
            caller=order.content.caller_phone,
            place=place_of_order(order),
            matter=self._own(self._vectors.keep(order.order_id, order.content.summary)),
            at=at,
        )
        recent = self._vectors.recent(at - timedelta(days=self._options.within_days))
        return new, self._earlier([one for one in recent if one.order_id != order.order_id], new.matter)

    def _earlier(self, recent: Sequence[Remembered], like: Vector) -> list[Trace]:
        traces, embedded = [], 0
        for one in recent:
            vector = one.vector
            if vector is None and embedded < _EMBEDDED_AT_ONCE:
                vector = self._vectors.keep(one.order_id, one.summary)
                embedded += 1
            traces.append(
                Trace(
                    order_id=one.order_id,
                    caller=one.caller_phone,
                    place=one.place,
                    matter=self._own(vector) if vector is not None else np.zeros_like(like),
                    at=one.at,
                )
            )
        return traces

    def _own(self, vector: Vector) -> Vector:
        """What tells a vector from the usual one, at length 1."""
        if self._usual is None:
            self._usual = np.mean([self._embed(text) for text in example_texts()], axis=0, dtype=np.float32)
        left = vector - self._usual
        return np.asarray(left / max(float(np.linalg.norm(left)), 1e-6), np.float32)
