"""What orders are about, as vectors, kept so that each text is embedded once.

In: orders, a function that embeds. Out: what is needed of recent orders to compare them.
Not known here: when two are alike.

A vector holds for one text and one model: with another of either it is made anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import Engine

from calls.moments import stamp
from calls.orders.tables import orders as _orders
from calls.orders.tables import vectors as _vectors
from calls.orders.types import Order, OrderState
from knowledge_base.database import writing

Vector: TypeAlias = NDArray[np.float32]
MOST_RECENT = 20_000
"""Orders compared at most, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is needed of an order to compare it with another."""

    order_id: str
    state: OrderState
    summary: str
    caller_phone: str
    place: str
    department_id: str | None
    at: datetime
    vector: Vector | None
    """None where its summary was not embedded by this model yet."""


class OrderVectors:
    """All methods block. Any thread may call them."""

    def __init__(self, engine: Engine, embed: Callable[[str], Vector], *, model: str) -> None:
        self._engine = engine
        self._embed = embed
        self._model = model

    def keep(self, order_id: str, summary: str) -> Vector:
        """The vector of a summary, made and kept where it is not there yet."""
        mine = _vectors.c.order_id == order_id
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_vectors).where(mine)).first()
        if row is not None and (row.model, row.text) == (self._model, summary):
            return np.frombuffer(row.vector, np.float32)
        vector = np.asarray(self._embed(summary), np.float32)
        with writing(self._engine) as connection:
            connection.execute(_vectors.delete().where(mine))
            connection.execute(
                _vectors.insert().values(
                    order_id=order_id, model=self._model, text=summary, vector=vector.tobytes()
                )
            )
        return vector

    def recent(self, since: datetime) -> list[Remembered]:
        """Orders begun since then that did not go on in another one, newest first."""
        columns, both = _orders.c, _orders.outerjoin(_vectors, _vectors.c.order_id == _orders.c.order_id)
        query = (
            sa.select(
                columns.order_id,
                columns.state,
                columns.summary,
                columns.caller_phone,
                columns.district,
                columns.address,
                columns.department_id,
                columns.created_at,
                _vectors.c.model,
                _vectors.c.text,
                _vectors.c.vector,
            )
            .select_from(both)
            .where(columns.created_at >= stamp(since), columns.state != OrderState.MERGED.value)
            .order_by(columns.number.desc())
            .limit(MOST_RECENT)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Remembered(
                order_id=row.order_id,
                state=OrderState(row.state),
                summary=row.summary,
                caller_phone=row.caller_phone,
                place=place_of(row.district, row.address),
                department_id=row.department_id,
                at=datetime.fromisoformat(row.created_at),
                vector=np.frombuffer(row.vector, np.float32)
                if (row.model, row.text) == (self._model, row.summary)
                else None,
            )
            for row in rows
        ]


def place_of(district: str, address: str) -> str:
    """Where it is, the district told once."""
    return address if address.startswith(district) else f"{district}{address}"


def place_of_order(order: Order) -> str:
    """Where an order's matter is."""
    return place_of(order.content.district, order.content.address)
