"""Which calls a list shows, and what each was about.

In: wishes, calls. Out: conditions over the table of calls; lines of wrap-ups.
Not known here: who asks, how a wrap-up comes about: it is read in the facts that tell it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, select

from calls.tables import calls, facts
from calls.types import CallState

_TOLD_BY = ("work_order.drafted", "work_order.changed", "work_order.made")
"""Facts that hold a wrap-up as it then stood; the newest one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWish:
    """Which calls are wanted; what is not said does not matter."""

    states: tuple[CallState, ...] = ()
    caller: str | None = None
    """A number, or `*` and the digits with which it ends."""
    operator_id: str | None = None
    seat: str | None = None
    """The one seat whose calls may be told of."""
    since: datetime | None = None
    before: datetime | None = None
    kind: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapupLine:
    """What a list says of a wrap-up; empty where it is not known."""

    kind: str = ""
    category: str = ""
    summary: str = ""


def conditions_of(wish: CallWish) -> Iterator[ColumnElement[bool]]:
    """What must be true of a call's row."""
    if wish.states:
        yield calls.c.state.in_(wish.states)
    if wish.caller is not None and wish.caller.startswith("*"):
        yield calls.c.caller.endswith(wish.caller[1:], autoescape=True)
    elif wish.caller is not None:
        yield calls.c.caller == wish.caller
    for seat in (wish.operator_id, wish.seat):
        if seat is not None:
            yield calls.c.operator_id == seat
    if wish.since is not None:
        yield calls.c.started_at >= _sortable(wish.since)
    if wish.before is not None:
        yield calls.c.started_at < _sortable(wish.before)
    for name, value in (("kind", wish.kind), ("category", wish.category)):
        if value is not None:
            yield _says(name, value)


def wrapup_lines(connection: Connection, call_ids: Sequence[str]) -> dict[str, WrapupLine]:
    """Those of several calls."""
    names = ("kind", "category", "summary")
    query = (
        select(facts.c.call_id, *(_field(name).label(name) for name in names))
        .where(facts.c.call_id.in_(call_ids), facts.c.type.in_(_TOLD_BY))
        .order_by(facts.c.fact_id)
    )
    return {
        row.call_id: WrapupLine(kind=row.kind or "", category=row.category or "", summary=row.summary or "")
        for row in connection.execute(query)
    }


def _says(name: str, value: str) -> ColumnElement[bool]:
    """Whether the newest wrap-up of a call says so."""
    newer = facts.alias()
    newest = (
        select(func.max(newer.c.fact_id))
        .where(newer.c.call_id == calls.c.call_id, newer.c.type.in_(_TOLD_BY))
        .correlate(calls)
        .scalar_subquery()
    )
    return exists().where(facts.c.fact_id == newest, _field(name) == value)


def _field(name: str) -> Any:
    return facts.c.payload["work_order"][name]["value"].as_string()


def _sortable(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
