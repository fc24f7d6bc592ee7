"""Finds the orders of each list of supervision, and what was handed to partner offices.

In: the moment, wishes. Out: identifiers of orders, counts, handovers.
Not known here: what an order says, who may see it. All of it blocks.

A handover is a line of the order's history: it is written with the change of the order, or not at all.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from calls.orders.tables import orders as _orders
from calls.orders.tables import steps as _steps
from calls.orders.types import OrderState, Satisfaction, Urgency
from calls.supervision.types import Handover, Watch

HANDED_OVER = "handed_over"
"""The action in an order's history."""
SEPARATOR = "："
DUE_SOON = timedelta(hours=24)
REPEATED_WITHIN = timedelta(days=30)
REPEATED_FROM = 3
RETURNED_FROM = 2
_OVER = [state.value for state in OrderState if state.is_over]
_AT_DEPARTMENT = [state.value for state in OrderState if state.is_at_department]
_UNANSWERED = [
    state.value
    for state in OrderState
    if not state.is_over and state not in (OrderState.ANSWERED, OrderState.FOLLOWED_UP)
]


class SupervisionStore:
    """Any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def counts(self, now: datetime) -> Mapping[Watch, int]:
        """How many orders each list has."""
        with self._engine.connect() as connection:
            return {
                watch: connection.scalar(
                    sa.select(sa.func.count()).select_from(_orders).where(*_conditions(watch, now))
                )
                or 0
                for watch in Watch
            }

    def order_ids(self, watch: Watch, now: datetime, *, limit: int, offset: int = 0) -> list[str]:
        """The orders of one list: the most pressing first, where there is a deadline by that."""
        query = (
            sa.select(_orders.c.order_id)
            .where(*_conditions(watch, now))
            .order_by(_orders.c.due_at.is_(None), _orders.c.due_at, _orders.c.number)
        )
        if watch is Watch.REPEATED:
            query = query.order_by(None).order_by(_orders.c.caller_phone, _orders.c.number)
        with self._engine.connect() as connection:
            return list(connection.scalars(query.limit(limit).offset(offset)))

    def handovers(
        self, *, order_ids: Sequence[str] | None = None, limit: int = 1000, offset: int = 0
    ) -> list[Handover]:
        """What was handed over, newest first: all of it, or of some orders."""
        query = sa.select(_steps).where(_steps.c.action == HANDED_OVER)
        if order_ids is not None:
            query = query.where(_steps.c.order_id.in_(order_ids))
        query = query.order_by(_steps.c.at.desc(), _steps.c.order_id).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        found = []
        for row in rows:
            office, _, reason = row.note.partition(SEPARATOR)
            at = datetime.fromisoformat(row.at)
            found.append(
                Handover(order_id=row.order_id, office=office, reason=reason, author=row.author, at=at)
            )
        return found


def _conditions(watch: Watch, now: datetime) -> list[sa.ColumnElement[bool]]:
    columns = _orders.c
    is_open = columns.state.not_in(_OVER)
    match watch:
        case Watch.OVERDUE:
            return [columns.state.in_(_AT_DEPARTMENT), columns.due_at < _text(now)]
        case Watch.DUE_SOON:
            is_soon = columns.due_at.between(_text(now), _text(now + DUE_SOON))
            return [columns.state.in_(_AT_DEPARTMENT), is_soon]
        case Watch.RETURNED:
            return [is_open, columns.returns >= RETURNED_FROM]
        case Watch.REPEATED:
            others = _orders.alias()
            many = (
                sa.select(others.c.caller_phone)
                .where(
                    others.c.caller_phone != "",
                    others.c.state != OrderState.MERGED.value,
                    others.c.created_at >= _text(now - REPEATED_WITHIN),
                )
                .group_by(others.c.caller_phone)
                .having(sa.func.count() >= REPEATED_FROM)
            )
            return [is_open, columns.caller_phone.in_(many)]
        case Watch.UNSATISFIED:
            is_unsatisfied = columns.satisfaction == Satisfaction.UNSATISFIED.value
            return [columns.state != OrderState.MERGED.value, is_unsatisfied]
        case Watch.URGENT:
            is_urgent = columns.urgency.in_([Urgency.URGENT.value, Urgency.CRITICAL.value])
            return [columns.state.in_(_UNANSWERED), is_urgent]


def _text(moment: datetime) -> str:
    """As the store of orders writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
