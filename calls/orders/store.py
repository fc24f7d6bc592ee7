"""The records of work orders, in the installation's one database.

In: orders, changes of orders as pure functions, comments.
Out: `Order`s, their history, their comments.
Not known here: which change is possible, who may see an order.

A change names the version that was seen. It is applied to the order as it stands, in the transaction that
writes it and its history, and refused where that is another version: of two who change at once one is told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine

from calls.moments import stamp
from calls.orders.events import commented, stepped
from calls.orders.tables import comments as _comments
from calls.orders.tables import orders as _orders
from calls.orders.tables import steps as _steps
from calls.orders.types import (
    Comment,
    MatterType,
    Order,
    OrderConflict,
    OrderContent,
    OrderState,
    Step,
    UnknownOrder,
    Urgency,
)
from calls.orders.views import ALL_ORDERS, NOT_THEIRS, View
from calls.webhooks.outbox import put
from knowledge_base.database import writing

_ORDER = TypeAdapter(Order)
_CONTENT = tuple(field.name for field in fields(OrderContent))
_WHOLE = tuple(field.name for field in fields(Order) if field.name != "content")
_AT_DEPARTMENT = [state.value for state in OrderState if state.is_at_department]
_SILENT = ("version", "changed_at")
"""A step has these itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders; what is empty leaves all."""

    states: Sequence[OrderState] = ()
    type: MatterType | None = None
    urgency: Urgency | None = None
    department_id: str | None = None
    district: str | None = None
    caller_phone: str | None = None
    call_id: str | None = None
    words: str = ""
    """Stands in summary, detail, address or identifier."""
    overdue_at: datetime | None = None
    """Those with which a department is late at that moment."""
    due_before: datetime | None = None
    """Those that a department has and must answer before."""
    returned_from: int = 0
    """Those that were sent back at least so often."""
    due_from: datetime | None = None
    """Those that a department has and must answer no sooner."""
    view: View = ALL_ORDERS
    """Those that somebody may see."""
    is_by_due: bool = False
    """What is due first comes first, what has no deadline last; else the newest comes first."""


class OrderStore:
    """All methods block. Any thread may call them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self,
        content: OrderContent,
        *,
        author: str,
        now: datetime,
        day: str,
        call_id: str | None = None,
        operator_id: str | None = None,
        is_only: bool = False,
    ) -> Order:
        """Begin an order as a draft; its identifier is the city's `day` and a number that only grows.

        One that `is_only` is not begun where its call has an order that is not over: that one is returned.
        """
        with writing(self._engine) as connection:
            if is_only and (theirs := _open_of(connection, call_id)) is not None:
                return theirs
            # The lock of the writer keeps the next number ours until the order is there.
            number = (connection.scalar(sa.select(sa.func.max(_orders.c.number))) or 0) + 1
            order = Order(
                order_id=f"{day}-{number:06d}",
                version=1,
                state=OrderState.DRAFT,
                content=content,
                created_by=author,
                created_at=now,
                changed_at=now,
                call_id=call_id,
                operator_id=operator_id,
            )
            connection.execute(_orders.insert().values(number=number, **_to_row(order)))
            _note(connection, None, order, action="created", author=author, note="")
        return order

    def order(self, order_id: str) -> Order:
        """One order. Raises `UnknownOrder`."""
        with self._engine.connect() as connection:
            return read_order(connection, order_id)

    def orders(self, which: OrderFilter, *, offset: int = 0, limit: int = 50) -> tuple[list[Order], int]:
        """Orders, newest first, and how many fit in all."""
        conditions = _conditions(which)
        order = (_orders.c.due_at.is_(None), _orders.c.due_at) if which.is_by_due else ()
        query = sa.select(_orders).where(*conditions).order_by(*order, _orders.c.number.desc())
        with self._engine.connect() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(_orders).where(*conditions))
            rows = connection.execute(query.limit(limit).offset(offset)).all()
        return [_to_order(row) for row in rows], total or 0

    def counts(self, which: OrderFilter) -> dict[OrderState, int]:
        """How many orders stand where."""
        query = sa.select(_orders.c.state, sa.func.count().label("held")).group_by(_orders.c.state)
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(*_conditions(which))).all()
        return {OrderState(row.state): row.held for row in rows}

    def change(
        self,
        order_id: str,
        do: Callable[[Order], Order],
        *,
        expected: int,
        action: str,
        author: str,
        note: str = "",
    ) -> Order:
        """Change an order. Raises `UnknownOrder`, `OrderConflict`, and what `do` raises."""
        with writing(self._engine) as connection:
            before = _expect(connection, order_id, expected)
            after = do(before)
            write_order(connection, before, after, action=action, author=author, note=note)
        return after

    def change_both(
        self,
        order_id: str,
        other_id: str,
        do: Callable[[Order, Order], tuple[Order, Order]],
        *,
        expected: int,
        actions: tuple[str, str],
        author: str,
        note: str = "",
    ) -> tuple[Order, Order]:
        """Change two orders or none; the version of the first is looked at. Raises as `change`."""
        with writing(self._engine) as connection:
            before, other = _expect(connection, order_id, expected), read_order(connection, other_id)
            after, other_after = do(before, other)
            write_order(connection, before, after, action=actions[0], author=author, note=note)
            write_order(connection, other, other_after, action=actions[1], author=author, note=order_id)
        return after, other_after

    def history(self, order_id: str) -> list[Step]:
        """Every change of an order, oldest first."""
        query = sa.select(_steps).where(_steps.c.order_id == order_id).order_by(_steps.c.version)
        with self._engine.connect() as connection:
            return [_to_step(row) for row in connection.execute(query)]

    def comment(self, order_id: str, text: str, *, author: str, now: datetime) -> Comment:
        """Say something about an order, whatever its version. Raises `UnknownOrder`."""
        row = {"order_id": order_id, "author": author, "at": stamp(now), "text": text}
        with writing(self._engine) as connection:
            order = read_order(connection, order_id)
            key = connection.execute(_comments.insert().values(row)).inserted_primary_key
            assert key is not None
            said = Comment(comment_id=key[0], order_id=order_id, author=author, at=now, text=text)
            put(connection, commented(order, said))
        return said

    def comments(self, order_id: str) -> list[Comment]:
        """What was said about an order, oldest first."""
        query = sa.select(_comments).where(_comments.c.order_id == order_id).order_by(_comments.c.comment_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Comment(
                comment_id=row.comment_id,
                order_id=row.order_id,
                author=row.author,
                at=datetime.fromisoformat(row.at),
                text=row.text,
            )
            for row in rows
        ]


def _open_of(connection: Connection, call_id: str | None) -> Order | None:
    """The newest order of a call that is not over."""
    over = [state.value for state in OrderState if state.is_over]
    query = sa.select(_orders).where(_orders.c.call_id == call_id, _orders.c.state.not_in(over))
    row = connection.execute(query.order_by(_orders.c.number.desc()).limit(1)).first()
    return _to_order(row) if row else None


def _conditions(which: OrderFilter) -> list[sa.ColumnElement[bool]]:
    columns = _orders.c
    found: list[sa.ColumnElement[bool]] = [
        column == value
        for column, value in (
            (columns.type, which.type),
            (columns.urgency, which.urgency),
            (columns.department_id, which.department_id),
            (columns.district, which.district),
            (columns.caller_phone, which.caller_phone),
            (columns.call_id, which.call_id),
        )
        if value is not None
    ]
    if which.states:
        found.append(columns.state.in_([state.value for state in which.states]))
    if which.words:
        places = (columns.summary, columns.detail, columns.address, columns.order_id)
        found.append(sa.or_(*(place.icontains(which.words, autoescape=True) for place in places)))
    bounds = [columns.due_at < stamp(at) for at in (which.overdue_at, which.due_before) if at is not None]
    bounds += [columns.due_at >= stamp(which.due_from)] if which.due_from is not None else []
    if bounds:
        found += [*bounds, columns.state.in_(_AT_DEPARTMENT)]
    if which.returned_from:
        found.append(columns.returns >= which.returned_from)
    if not which.view.is_all:
        found.append(_is_shown(which.view))
    return found


def _is_shown(view: View) -> sa.ColumnElement[bool]:
    """What `View.shows` says, for the database."""
    columns = _orders.c
    ways: list[sa.ColumnElement[bool]] = []
    if view.seat is not None:
        ways.append(columns.operator_id == view.seat)
    if view.author is not None:
        ways.append(columns.created_by == view.author)
    if view.department_id is not None:
        ways.append(
            sa.and_(
                columns.department_id == view.department_id,
                columns.dispatched_at.is_not(None),
                columns.state.not_in([state.value for state in NOT_THEIRS]),
            )
        )
    return sa.or_(sa.false(), *ways)


def read_order(connection: Connection, order_id: str) -> Order:
    """One order, within a transaction. Raises `UnknownOrder`."""
    row = connection.execute(sa.select(_orders).where(_orders.c.order_id == order_id)).one_or_none()
    if row is None:
        raise UnknownOrder(f"没有编号为 {order_id[:40]} 的工单。")
    return _to_order(row)


def _expect(connection: Connection, order_id: str, expected: int) -> Order:
    found = read_order(connection, order_id)
    if found.version != expected:
        raise OrderConflict(found)
    return found


def write_order(
    connection: Connection, before: Order, after: Order, *, action: str, author: str, note: str
) -> None:
    """Write a change with its line of history, within a transaction. Raises `OrderConflict`."""
    assert after.version == before.version + 1, "a change is one version"
    change = _orders.update().where(
        _orders.c.order_id == before.order_id, _orders.c.version == before.version
    )
    if connection.execute(change.values(_to_row(after))).rowcount != 1:
        raise OrderConflict(
            read_order(connection, before.order_id)
        )  # where a database locks less than SQLite
    _note(connection, before, after, action=action, author=author, note=note)


def _note(
    connection: Connection, before: Order | None, after: Order, *, action: str, author: str, note: str
) -> None:
    old: Mapping[str, Any] = _to_row(before) if before is not None else {}
    changes = {
        name: [old.get(name), value]
        for name, value in _to_row(after).items()
        if name not in _SILENT and old.get(name) != value
    }
    row = {
        "order_id": after.order_id,
        "version": after.version,
        "action": action,
        "author": author,
        "at": stamp(after.changed_at),
        "note": note,
        "changes": changes,
    }
    connection.execute(_steps.insert().values(row))
    put(connection, stepped(after, action=action, author=author, note=note))


def _to_row(order: Order) -> dict[str, Any]:
    values = {name: getattr(order, name) for name in _WHOLE} | asdict(order.content)
    return {name: stamp(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _to_order(row: sa.Row[Any]) -> Order:
    values: dict[str, Any] = {name: getattr(row, name) for name in _WHOLE}
    return _ORDER.validate_python(values | {"content": {name: getattr(row, name) for name in _CONTENT}})


def _to_step(row: sa.Row[Any]) -> Step:
    return Step(
        order_id=row.order_id,
        version=row.version,
        action=row.action,
        author=row.author,
        at=datetime.fromisoformat(row.at),
        note=row.note,
        changes={name: (before, after) for name, (before, after) in row.changes.items()},
    )
