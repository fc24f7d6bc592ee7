"""The records of raised warnings, in the installation's one database.

In: warnings as they are raised, changes as pure functions, wishes. Out: `RaisedWarning`s, steps, mutes.
Not known here: how a warning is found, which deed is possible, who may see what. All of it blocks.

A change, its line in the history and what others are told of it (webhooks, mails) are one transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine

from calls.moments import stamp
from calls.orders.tables import orders
from calls.webhooks.outbox import put
from insight.raised.events import event_of
from insight.raised.tables import mutes as _mutes
from insight.raised.tables import steps as _steps
from insight.raised.tables import warnings as _warnings
from insight.raised.transitions import differences
from insight.raised.types import (
    RAISED,
    Layer,
    Mute,
    RaisedWarning,
    Step,
    UnknownWarning,
    WarningConflict,
    WarningState,
)
from knowledge_base.database import writing
from knowledge_base.dialects import JsonTexts

_WARNING = TypeAdapter(RaisedWarning)
_FIELDS = tuple(field.name for field in fields(RaisedWarning))
PENDING = tuple(state for state in WarningState if state not in (WarningState.MUTED, WarningState.CLOSED))
_GOES_ON = (
    *("callers_now", "places", "latest_at", "over_at", "sample_ids"),
    *("district", "districts", "departments", "department_ids"),
)
"""What changes while people do nothing."""
Tell = Callable[[Connection, RaisedWarning, Step], None]
"""Tells somebody else of a step, in the transaction that makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningFilter:
    """Which warnings; what is empty leaves all."""

    states: Sequence[WarningState] = ()
    layers: Sequence[Layer] = ()
    district: str | None = None
    department_id: str | None = None
    """Those that concern that department, or whose order it has."""
    words: str = ""
    """In name, matter, category or identifier."""
    is_true: bool | None = None
    is_rated: bool | None = None
    is_over: bool | None = None
    since: datetime | None = None
    before: datetime | None = None


def tell_nobody(connection: Connection, warning: RaisedWarning, step: Step) -> None:
    """For those who only read, and tests."""


class WarningStore:
    """Any thread may call it."""

    def __init__(self, engine: Engine, tell: Tell = tell_nobody) -> None:
        """`tell`: whom, beside the receivers of webhooks."""
        self._engine = engine
        self._tell = tell

    def warning(self, warning_id: str) -> RaisedWarning:
        """One of them. Raises `UnknownWarning`."""
        with self._engine.connect() as connection:
            return _read(connection, warning_id)

    def by_alarm(self, alarm_id: str) -> RaisedWarning | None:
        """The warning of an alarm."""
        query = sa.select(_warnings).where(_warnings.c.alarm_id == alarm_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return to_warning(row) if row is not None else None

    def open_warnings(
        self, *, layers: tuple[Layer, ...] = tuple(Layer), limit: int = 20
    ) -> list[RaisedWarning]:
        """What goes on and is neither muted nor closed, newest first."""
        which = WarningFilter(states=PENDING, layers=layers, is_over=False)
        return self.warnings(which, limit=limit)[0]

    def warnings(
        self, which: WarningFilter, *, offset: int = 0, limit: int = 50
    ) -> tuple[list[RaisedWarning], int]:
        """Warnings, newest first, and how many fit in all."""
        conditions = _conditions(which)
        query = sa.select(_warnings).where(*conditions)
        query = query.order_by(_warnings.c.raised_at.desc(), _warnings.c.number.desc())
        count = sa.select(sa.func.count()).select_from(_warnings).where(*conditions)
        with self._engine.connect() as connection:
            total = connection.scalar(count) or 0
            rows = connection.execute(query.limit(limit).offset(offset)).all()
        return [to_warning(row) for row in rows], total

    def counts(self, which: WarningFilter) -> dict[WarningState, int]:
        """How many stand where."""
        query = sa.select(_warnings.c.state, sa.func.count().label("held")).group_by(_warnings.c.state)
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(*_conditions(which))).all()
        return {WarningState(row.state): row.held for row in rows}

    def going_on(self, layer: Layer, matter: str, districts: Sequence[str | None]) -> RaisedWarning | None:
        """The newest warning of a matter that is not over yet, in one of the districts."""
        named = _warnings.c.district.in_([one for one in districts if one is not None])
        is_there = sa.or_(named, _warnings.c.district.is_(None)) if None in districts else named
        query = (
            sa.select(_warnings)
            .where(_warnings.c.layer == layer.value, _warnings.c.matter == matter)
            .where(_warnings.c.over_at.is_(None), is_there)
            .order_by(_warnings.c.number.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return to_warning(row) if row is not None else None

    def steps(self, warning_id: str) -> list[Step]:
        """All that was done with a warning, oldest first."""
        query = sa.select(_steps).where(_steps.c.warning_id == warning_id).order_by(_steps.c.step_id)
        with self._engine.connect() as connection:
            return [_to_step(row) for row in connection.execute(query)]

    def newest_step(self) -> int:
        """The number of the newest thing that was done with any of them."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(_steps.c.step_id))) or 0

    def add(self, warning: RaisedWarning, *, author: str, day: str) -> RaisedWarning:
        """Keep a warning that was just raised; its identifier is the `day` and a number that only grows."""
        with writing(self._engine) as connection:
            number = (connection.scalar(sa.select(sa.func.max(_warnings.c.number))) or 0) + 1
            kept = replace(warning, warning_id=f"Y{day}-{number:04d}")
            connection.execute(_warnings.insert().values(number=number, **_to_row(kept)))
            self._note(connection, None, kept, action=RAISED, author=author, note="")
        return kept

    def change(
        self,
        warning_id: str,
        do: Callable[[RaisedWarning, Step | None], RaisedWarning],
        *,
        expected: int | None,
        action: str,
        author: str,
        note: str = "",
        mute: Mute | None = None,
        lifts_mutes: bool = False,
    ) -> RaisedWarning:
        """Change a warning; `do` gets it with its newest version's step. `expected` None: however it stands.

        Raises `UnknownWarning`, `WarningConflict`, and what `do` raises.
        """
        with writing(self._engine) as connection:
            before = _read(connection, warning_id)
            if expected is not None and before.version != expected:
                raise WarningConflict(before)
            after = do(before, _last_step(connection, before))
            if after == before:
                return before
            change = _warnings.update().where(_warnings.c.warning_id == warning_id)
            connection.execute(change.values(_to_row(after)))
            if lifts_mutes:
                _lift(connection, before)
            if mute is not None:
                _add_mute(connection, mute)
            self._note(connection, before, after, action=action, author=author, note=note)
        return after

    def update(
        self, before: RaisedWarning, after: RaisedWarning, *, action: str | None, now: datetime
    ) -> None:
        """Keep how a matter goes on, beside what people do; `action` None: nobody is told."""
        values = {name: _to_row(after)[name] for name in _GOES_ON}
        with writing(self._engine) as connection:
            mine = _warnings.c.warning_id == before.warning_id
            connection.execute(_warnings.update().where(mine).values(values))
            if action is not None:
                kept = _read(connection, before.warning_id)
                self._note(connection, None, kept, action=action, author="", note="", at=now)

    def mutes(self, now: datetime) -> list[Mute]:
        """What nobody wants to hear of now, what ends first first."""
        query = sa.select(_mutes).where(_mutes.c.until > stamp(now)).order_by(_mutes.c.until)
        with self._engine.connect() as connection:
            return [_to_mute(row) for row in connection.execute(query)]

    def lift_mute(self, mute_id: int) -> bool:
        """Hear of it again; False: there was no such mute."""
        with writing(self._engine) as connection:
            gone = connection.execute(_mutes.delete().where(_mutes.c.mute_id == mute_id))
        return gone.rowcount > 0

    def _note(
        self,
        connection: Connection,
        before: RaisedWarning | None,
        after: RaisedWarning,
        *,
        action: str,
        author: str,
        note: str,
        at: datetime | None = None,
    ) -> None:
        is_news = at is not None
        step = Step(
            step_id=0,
            warning_id=after.warning_id,
            version=after.version,
            action=action,
            author=author,
            at=at or after.changed_at,
            note=note,
            changes={} if is_news else differences(before, after),
        )
        row = {name: getattr(step, name) for name in ("warning_id", "version", "action", "author", "note")}
        row |= {"at": stamp(step.at), "changes": {name: list(pair) for name, pair in step.changes.items()}}
        key = connection.execute(_steps.insert().values(row)).inserted_primary_key
        assert key is not None
        step = replace(step, step_id=key[0])
        put(connection, event_of(after, step))
        self._tell(connection, after, step)


def _conditions(which: WarningFilter) -> list[sa.ColumnElement[bool]]:
    columns = _warnings.c
    found: list[sa.ColumnElement[bool]] = []
    if which.states:
        found.append(columns.state.in_([state.value for state in which.states]))
    if which.layers:
        found.append(columns.layer.in_([layer.value for layer in which.layers]))
    if which.district is not None:
        found.append(sa.or_(columns.district == which.district, _holds(columns.districts, which.district)))
    if which.department_id is not None:
        concerns = _holds(columns.department_ids, which.department_id)
        theirs = sa.select(orders.c.order_id).where(
            orders.c.department_id == which.department_id, orders.c.dispatched_at.is_not(None)
        )
        found.append(sa.or_(concerns, columns.order_id.in_(theirs)))
    if which.words:
        places = (columns.name, columns.matter, columns.category, columns.warning_id)
        found.append(sa.or_(*(place.icontains(which.words, autoescape=True) for place in places)))
    if which.is_true is not None:
        found.append(columns.is_true.is_(which.is_true))
    if which.is_rated is not None:
        found.append(columns.is_true.is_not(None) if which.is_rated else columns.is_true.is_(None))
    if which.is_over is not None:
        found.append(columns.over_at.is_not(None) if which.is_over else columns.over_at.is_(None))
    if which.since is not None:
        found.append(columns.raised_at >= stamp(which.since))
    if which.before is not None:
        found.append(columns.raised_at < stamp(which.before))
    return found


def _holds(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    each = JsonTexts(column).table_valued("value", joins_implicitly=True)
    return sa.exists(sa.select(sa.literal(1)).select_from(each).where(each.c.value == value))


def _read(connection: Connection, warning_id: str) -> RaisedWarning:
    query = sa.select(_warnings).where(_warnings.c.warning_id == warning_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownWarning(warning_id)
    return to_warning(row)


def _last_step(connection: Connection, warning: RaisedWarning) -> Step | None:
    """The step that made the version; news of how it goes on have none of their own."""
    query = sa.select(_steps).where(
        _steps.c.warning_id == warning.warning_id, _steps.c.version == warning.version
    )
    row = connection.execute(query.order_by(_steps.c.step_id).limit(1)).first()
    return _to_step(row) if row is not None else None


def _lift(connection: Connection, warning: RaisedWarning) -> None:
    mine = sa.or_(_mutes.c.district.is_(None), _mutes.c.district == warning.district)
    connection.execute(_mutes.delete().where(_mutes.c.matter == warning.matter, mine))


def _add_mute(connection: Connection, mute: Mute) -> None:
    row = {name: getattr(mute, name) for name in ("matter", "name", "district", "author", "note")}
    connection.execute(_mutes.insert().values(row | {"until": stamp(mute.until), "at": stamp(mute.at)}))


def to_warning(row: sa.Row[Any]) -> RaisedWarning:
    """A row as a warning."""
    return _WARNING.validate_python({name: getattr(row, name) for name in _FIELDS})


def _to_row(warning: RaisedWarning) -> dict[str, Any]:
    values = {name: getattr(warning, name) for name in _FIELDS}
    return {name: _kept(value) for name, value in values.items()}


def _kept(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp(value)
    return list(value) if isinstance(value, tuple) else value


def _to_step(row: Any) -> Step:
    return Step(
        step_id=row.step_id,
        warning_id=row.warning_id,
        version=row.version,
        action=row.action,
        author=row.author,
        at=datetime.fromisoformat(row.at),
        note=row.note,
        changes={name: (before, after) for name, (before, after) in row.changes.items()},
    )


def _to_mute(row: Any) -> Mute:
    return Mute(
        mute_id=row.mute_id,
        matter=row.matter,
        name=row.name,
        district=row.district,
        until=datetime.fromisoformat(row.until),
        author=row.author,
        at=datetime.fromisoformat(row.at),
        note=row.note,
    )
