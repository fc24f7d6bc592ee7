"""Alarms, read: lists of them, and one.

In: wishes. Out: `Alarm`s. Not known here: who writes them, who may see them. All of it blocks.
"""

from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Engine

from calls.alarms import Alarm
from calls.safety.kinds import AlarmKind
from calls.safety.rows import sortable
from calls.safety.tables import alarms as _alarms

_ALARM = TypeAdapter(Alarm)
_FIELDS = tuple(field.name for field in fields(Alarm))


class AlarmStore:
    """Any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def alarm(self, alarm_id: str) -> Alarm | None:
        """One alarm, or None."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_alarms).where(_alarms.c.alarm_id == alarm_id)).one_or_none()
        return _to_alarm(row) if row is not None else None

    def kinds_of(self, call_id: str) -> list[AlarmKind]:
        """For which kinds an alarm was raised in the call."""
        query = sa.select(_alarms.c.kind).where(_alarms.c.call_id == call_id)
        with self._engine.connect() as connection:
            return [AlarmKind(kind) for kind in connection.scalars(query)]

    def current(self, *, since: datetime, operator_id: str | None = None, limit: int = 100) -> list[Alarm]:
        """Alarms that nobody has taken, and all since then; newest first."""
        is_current = sa.or_(_alarms.c.taken_at.is_(None), _alarms.c.at >= sortable(since))
        return self._read([is_current], operator_id, limit, 0)

    def alarms(
        self,
        *,
        is_open: bool | None = None,
        is_rated: bool | None = None,
        operator_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Alarm]:
        """Alarms, newest first: all, or those that (nobody) has taken or rated."""
        conditions: list[sa.ColumnElement[bool]] = []
        if is_open is not None:
            conditions.append(_alarms.c.taken_at.is_(None) if is_open else _alarms.c.taken_at.is_not(None))
        if is_rated is not None:
            conditions.append(_alarms.c.is_true.is_not(None) if is_rated else _alarms.c.is_true.is_(None))
        return self._read(conditions, operator_id, limit, offset)

    def _read(
        self, conditions: list[sa.ColumnElement[bool]], operator_id: str | None, limit: int, offset: int
    ) -> list[Alarm]:
        query = sa.select(_alarms).where(*conditions).order_by(_alarms.c.at.desc(), _alarms.c.alarm_id)
        if operator_id is not None:
            query = query.where(_alarms.c.operator_id == operator_id)
        with self._engine.connect() as connection:
            return [_to_alarm(row) for row in connection.execute(query.limit(limit).offset(offset))]


def _to_alarm(row: sa.Row[Any]) -> Alarm:
    return _ALARM.validate_python({name: getattr(row, name) for name in _FIELDS})
