"""Takes out of a work order whatever leads to a person, and leaves that there was one.

In: an order that is over, who wants it, why. Out: a line of what went.
Not known here: who may do that, when an order's time is over.

What stays of the order is what figures are counted by: number, kind, district, department, state, times, of
which call it was. Its words, its people, its address, its history's words, comments, files and everything
else that other tables keep under its identifier go; events of it that nobody has taken yet go as well, and
receivers are told to follow.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from calls.keeping.tables import deletion_row, deletions
from calls.keeping.types import Deletion, What
from calls.orders.attachments import Attachments
from calls.orders.store import read_order, write_order
from calls.orders.tables import attachment_steps as _attachment_steps
from calls.orders.tables import attachments as _attachments
from calls.orders.tables import steps as _steps
from calls.orders.types import Order, OrderState, StepRefused
from calls.webhooks.outbox import forget
from knowledge_base.database import writing

ERASED = "（已删除）"
"""In place of the summary."""
ACTION = "erased"
_STAYS = frozenset({"orders", "order_steps", "warnings", "warning_reports", "wrapups"})
"""Tables that go on naming the order: a warning of which it was made, a wrap-up that goes with its call, and
what is counted for warnings, which follows an order's history by itself."""


class OrderNotOver(StepRefused):
    """Somebody still needs to know whom it is about."""

    def __init__(self) -> None:
        super().__init__("工单还没有办结，办结后才能删除其中的个人信息。", code="order.not_over")


@dataclass(frozen=True, slots=True)
class OrderEraser:
    """All methods block; any thread, and another process, may call them."""

    engine: Engine
    attachments: Attachments

    def erase(self, order_id: str, *, who: str, reason: str, now: datetime, is_over: bool = True) -> Deletion:
        """Take everything personal out.

        Raises `UnknownOrder`; `OrderNotOver` where it must be `is_over`; `AttachmentAway`, with nothing done,
        where its files lie in a store that does not answer.
        """
        self.attachments.reach()
        with writing(self.engine) as connection:
            before = read_order(connection, order_id)
            if is_over and not before.state.is_over and before.state is not OrderState.DRAFT:
                raise OrderNotOver
            hashes = _hashes_of(connection, order_id)
            counts = {"files": len(hashes)} | _forget(connection, order_id)
            write_order(connection, before, _emptied(before, now), action=ACTION, author=who, note=reason)
            _leave_no_words(connection, order_id)
            deletion = Deletion(
                call_id=order_id, what=What.ORDER, at=now, who=who, reason=reason, counts=counts
            )
            connection.execute(sa.insert(deletions).values(deletion_row(deletion)))
            # Here and not later: nobody can bring a file of the same content in between.
            for sha256 in hashes - _in_use(connection, hashes):
                self.attachments.drop(sha256)
        return deletion


def _emptied(order: Order, now: datetime) -> Order:
    content = replace(order.content, summary=ERASED, detail="", caller_name="", caller_phone="", address="")
    return replace(order, version=order.version + 1, content=content, answer="", changed_at=now)


def _hashes_of(connection: Connection, order_id: str) -> set[str]:
    its = sa.select(_attachments.c.sha256).where(_attachments.c.order_id == order_id)
    return set(connection.scalars(its))


def _in_use(connection: Connection, hashes: set[str]) -> set[str]:
    return set(connection.scalars(sa.select(_attachments.c.sha256).where(_attachments.c.sha256.in_(hashes))))


def _forget(connection: Connection, order_id: str) -> dict[str, int]:
    """Empty every table that knows the order by its identifier, also one that came later than this module."""
    files = sa.select(_attachments.c.attachment_id).where(_attachments.c.order_id == order_id)
    connection.execute(sa.delete(_attachment_steps).where(_attachment_steps.c.attachment_id.in_(files)))
    counts: dict[str, int] = {}
    found = sa.inspect(connection)
    for name in sorted(set(found.get_table_names()) - _STAYS):
        if any(column["name"] == "order_id" for column in found.get_columns(name)):
            table = sa.table(name, sa.column("order_id"))
            if count := connection.execute(sa.delete(table).where(table.c.order_id == order_id)).rowcount:
                counts[name] = count
    if count := forget(connection, f"{order_id}."):
        counts["events"] = count
    return counts


def _leave_no_words(connection: Connection, order_id: str) -> None:
    """Of the history stays who did what, and when; of this last step its reason too."""
    its = _steps.c.order_id == order_id
    connection.execute(sa.update(_steps).where(its).values(changes={}))
    connection.execute(sa.update(_steps).where(its, _steps.c.action != ACTION).values(note=""))
