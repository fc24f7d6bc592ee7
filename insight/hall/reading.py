"""Reads what the hall counts out of the tables of calls, wrap-ups, arrivals and orders.

In: a day, identifiers. Out: `KnownCall`s, what changed since a place, counts of orders.
Not known here: who looks at it. All of it blocks: call it from a thread.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from calls.arrivals.store import arrival_of
from calls.arrivals.tables import arrivals
from calls.forms.tables import wrapups
from calls.keeping.tables import deletions
from calls.moments import stamp
from calls.orders.tables import orders, steps
from calls.orders.types import Deed, OrderState, Satisfaction
from calls.tables import calls, facts
from calls.types import (
    CallEnded,
    CallStarted,
    CallState,
    CallTransferred,
    EndReason,
    WorkOrderChanged,
    WorkOrderDrafted,
    WorkOrderMade,
)
from calls.wrapup.types import Urgency
from insight.hall.phases import TALKS_AT_MOST, WRAPUP_AT_MOST
from insight.hall.types import Answers, Day, KnownCall, LateDepartment, OrderCounts, Subject

TRIALS = ("话筒试听写", "录音试听写")
"""What is written as the origin of calls that nobody made."""
SIMULATED = "模拟"
"""The origin of calls that were made up (`zhiting simulate`)."""
_TELLING = tuple(
    kind.type
    for kind in (CallStarted, CallEnded, CallTransferred, WorkOrderDrafted, WorkOrderChanged, WorkOrderMade)
)
"""Facts after which a call may count differently."""
_URGENT = (Urgency.URGENT.value, Urgency.AT_ONCE.value)
_OPEN = [state.value for state in OrderState if not state.is_over]
_AT_DEPARTMENT = [state.value for state in OrderState if state.is_at_department]
_DUE_SOON = timedelta(hours=24)
_MONTH = timedelta(days=30)
_LATE_SHOWN = 5
_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far the tables were read: what is numbered higher is new."""

    fact_id: int
    arrival: int
    deletion_id: int


class HallReader:
    """Any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def day(self, day: Day) -> tuple[Place, list[KnownCall]]:
        """All calls that may stand on the board that day, and up to where they are complete."""
        start, end = _whole(day.starts_at), _whole(day.ends_at)
        is_open = [state.value for state in CallState if state is not CallState.ENDED]
        told = arrivals.c.arrived_at.between(stamp(day.starts_at - TALKS_AT_MOST), stamp(day.ends_at))
        conditions = (
            sa.and_(calls.c.started_at >= start, calls.c.started_at < end),
            calls.c.state.in_(is_open),
            sa.and_(calls.c.ended_at >= _whole(day.starts_at - WRAPUP_AT_MOST), calls.c.ended_at < end),
        )
        with self._engine.connect() as connection:
            place = _place(connection)
            found = {call.call_id: call for condition in conditions for call in _calls(connection, condition)}
            known = set(found)
            found |= {call.call_id: call for call in _waiting(connection, told) if call.call_id not in known}
        return place, list(found.values())

    def changed(self, since: Place) -> tuple[Place, set[str]]:
        """Calls about which something may be new, and up to where that was looked for."""
        with self._engine.connect() as connection:
            place = _place(connection)
            # Types are looked at here: asked of the database, it would read every fact of these types.
            told = sa.select(facts.c.call_id, facts.c.type).where(
                facts.c.fact_id > since.fact_id, facts.c.fact_id <= place.fact_id
            )
            touched = {row.call_id for row in connection.execute(told) if row.type in _TELLING}
            for query in (
                sa.select(arrivals.c.call_id).where(arrivals.c.revision > since.arrival),
                sa.select(deletions.c.call_id).where(deletions.c.deletion_id > since.deletion_id),
            ):
                touched.update(connection.scalars(query))
        return place, touched - {None}

    def calls(self, call_ids: Sequence[str]) -> Mapping[str, KnownCall]:
        """Those of them that are on record and count."""
        found: dict[str, KnownCall] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(call_ids), _IDS_AT_ONCE):
                some = call_ids[start : start + _IDS_AT_ONCE]
                here = {call.call_id: call for call in _calls(connection, calls.c.call_id.in_(some))}
                told = arrivals.c.call_id.in_(some)
                found |= {call.call_id: call for call in _waiting(connection, told)} | here
        return found

    def earlier(self, start: datetime, end: datetime) -> list[KnownCall]:
        """Calls that came in within that time, as far as they are counted."""
        started = sa.and_(calls.c.started_at >= _whole(start), calls.c.started_at < _whole(end))
        told = sa.and_(arrivals.c.arrived_at >= stamp(start), arrivals.c.arrived_at < stamp(end))
        with self._engine.connect() as connection:
            return [*_calls(connection, started), *_waiting(connection, told)]

    def month(self, day: Day, now: datetime) -> Answers:
        """What citizens said in the last 30 days."""
        with self._engine.connect() as connection:
            return _answers(connection, stamp(now - _MONTH), stamp(day.ends_at))

    def orders(self, day: Day, now: datetime, *, names: Mapping[str, str], month: Answers) -> OrderCounts:
        """How work orders stand; `names` are those of departments, `month` as it was asked lately."""
        at_department = orders.c.state.in_(_AT_DEPARTMENT)
        is_late = sa.and_(at_department, orders.c.due_at < stamp(now))
        start, end = stamp(day.starts_at), stamp(day.ends_at)

        with self._engine.connect() as connection:

            def held(*conditions: sa.ColumnElement[bool]) -> int:
                query = sa.select(sa.func.count()).select_from(orders).where(*conditions)
                return connection.scalar(query) or 0

            late = connection.execute(
                sa.select(orders.c.department_id, sa.func.count().label("held"))
                .where(is_late, orders.c.department_id.is_not(None))
                .group_by(orders.c.department_id)
                .order_by(sa.desc("held"), orders.c.department_id)
                .limit(_LATE_SHOWN)
            ).all()
            return OrderCounts(
                open=held(orders.c.state.in_(_OPEN)),
                overdue=held(is_late),
                due_soon=held(at_department, orders.c.due_at.between(stamp(now), stamp(now + _DUE_SOON))),
                made_today=held(orders.c.created_at >= start, orders.c.created_at < end),
                closed_today=held(orders.c.closed_at >= start, orders.c.closed_at < end),
                today=_answers(connection, start, end),
                month=month,
                overdue_departments=tuple(
                    LateDepartment(name=names.get(row.department_id, row.department_id), overdue=row.held)
                    for row in late
                ),
            )


def _place(connection: Connection) -> Place:
    def newest(column: sa.Column[Any]) -> int:
        return connection.scalar(sa.select(sa.func.max(column))) or 0

    return Place(
        fact_id=newest(facts.c.fact_id),
        arrival=newest(arrivals.c.revision),
        deletion_id=newest(deletions.c.deletion_id),
    )


def _calls(connection: Connection, condition: sa.ColumnElement[bool]) -> Iterator[KnownCall]:
    form = wrapups.c.form
    query = (
        sa.select(
            calls.c.call_id,
            calls.c.started_at,
            calls.c.ended_at,
            calls.c.operator_id,
            calls.c.end_reason,
            calls.c.meta,
            wrapups.c.order_id,
            form["kind"]["value"].as_string().label("type"),
            form["category"]["value"].as_string().label("category"),
            form["district"]["value"].as_string().label("district"),
            form["urgency"]["value"].as_string().label("urgency"),
            form["knowledge"][0]["title"].as_string().label("matter"),
            arrivals.c.arrived_at,
            arrivals.c.answered_at,
        )
        .select_from(calls)
        .outerjoin(wrapups, wrapups.c.call_id == calls.c.call_id)
        .outerjoin(arrivals, arrivals.c.call_id == calls.c.call_id)
        .where(condition)
    )
    for row in connection.execute(query):
        origin = (row.meta or {}).get("来源")
        if origin in TRIALS:
            continue
        started = datetime.fromisoformat(row.started_at)
        yield KnownCall(
            call_id=row.call_id,
            arrived_at=datetime.fromisoformat(row.arrived_at) if row.arrived_at else started,
            answered_at=datetime.fromisoformat(row.answered_at) if row.answered_at else started,
            ended_at=datetime.fromisoformat(row.ended_at) if row.ended_at else None,
            operator_id=row.operator_id,
            has_order=row.order_id is not None,
            is_recorded=row.end_reason == EndReason.RECORDED,
            is_simulated=origin == SIMULATED,
            has_queued=row.arrived_at is not None,
            subject=Subject(
                type=row.type or "",
                category=row.category or "",
                matter=row.matter or "",
                district=row.district or "",
                is_urgent=row.urgency in _URGENT,
            ),
        )


def _waiting(connection: Connection, condition: sa.ColumnElement[bool]) -> Iterator[KnownCall]:
    """Arrivals of which no sound has come."""
    query = (
        sa.select(arrivals)
        .outerjoin(calls, calls.c.call_id == arrivals.c.call_id)
        .where(condition, calls.c.call_id.is_(None))
    )
    for row in connection.execute(query):
        arrival = arrival_of(row)
        yield KnownCall(
            call_id=arrival.call_id,
            arrived_at=arrival.arrived_at,
            answered_at=arrival.answered_at,
            ended_at=arrival.left_at,
            has_queued=True,
            has_sound=False,
        )


def _answers(connection: Connection, start: str, end: str) -> Answers:
    """What was said at follow-ups within that time, of each order once, as it stands."""
    asked = (
        sa.select(steps.c.order_id)
        .where(steps.c.action == Deed.FOLLOW_UP.value, steps.c.at >= start, steps.c.at < end)
        .distinct()
        .scalar_subquery()
    )
    query = (
        sa.select(orders.c.satisfaction, sa.func.count().label("held"))
        .where(orders.c.order_id.in_(asked), orders.c.satisfaction.is_not(None))
        .group_by(orders.c.satisfaction)
    )
    counts = {row.satisfaction: row.held for row in connection.execute(query)}
    return Answers(**{one.value: counts.get(one.value, 0) for one in Satisfaction})


def _whole(moment: datetime) -> str:
    """As the journal writes moments: one without a fraction sorts before the same one with."""
    return moment.astimezone(UTC).isoformat()
