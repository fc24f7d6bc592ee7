"""Alarms of calls that are no warnings yet, and what was done with those that are.

In: a database. Out: alarms, identifiers with what was done. Not known here: which words raise one. It blocks.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Engine

from calls.alarms import Alarm
from calls.forms.tables import wrapups
from calls.moments import stamp
from calls.safety.tables import alarms as _alarms
from insight.raised.reading import NO_DISTRICT, district_of
from insight.raised.tables import steps as _steps
from insight.raised.tables import warnings as _warnings
from insight.raised.types import WarningState

_ALARM = TypeAdapter(Alarm)
_FIELDS = tuple(Alarm.__dataclass_fields__)
_WITHIN = timedelta(days=2)
"""Alarms that are older were nobody's warning, and are none now."""
_AT_ONCE = 100


class AlarmReader:
    """Any thread may call it."""

    def __init__(self, engine: Engine, districts: Callable[[], Sequence[str]]) -> None:
        self._engine = engine
        self._districts = districts

    def unraised(self, now: datetime) -> list[tuple[Alarm, tuple[str, ...]]]:
        """Alarms without a warning, oldest first, and the district as far as it was written down."""
        is_raised = sa.exists().where(_warnings.c.alarm_id == _alarms.c.alarm_id)
        district = wrapups.c.form["district"]["value"].as_string().label("district")
        query = (
            sa.select(_alarms, district)
            .outerjoin(wrapups, wrapups.c.call_id == _alarms.c.call_id)
            .where(_alarms.c.at >= stamp(now - _WITHIN), ~is_raised)
            .order_by(_alarms.c.at, _alarms.c.alarm_id)
            .limit(_AT_ONCE)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [(_to_alarm(row), self._district(row.district or "")) for row in rows]

    def taken(self) -> Iterator[tuple[str, str]]:
        """Alarms that were taken after their warning was last changed, which is still open; who took them."""
        query = (
            sa.select(_alarms.c.alarm_id, _alarms.c.taken_by)
            .join(_warnings, _warnings.c.alarm_id == _alarms.c.alarm_id)
            .where(_warnings.c.state == WarningState.OPEN.value, _alarms.c.taken_at > _warnings.c.changed_at)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(_AT_ONCE)).all()
        for row in rows:
            yield row.alarm_id, row.taken_by or ""

    def rated(self) -> Iterator[tuple[str, bool, str]]:
        """Alarms that were rated otherwise than their warning, or while that has never been; and by whom."""
        has_step = sa.exists().where(_steps.c.warning_id == _warnings.c.warning_id, _steps.c.action == "rate")
        is_fresh = sa.and_(_warnings.c.is_true.is_(None), ~has_step)
        query = (
            sa.select(_alarms.c.alarm_id, _alarms.c.is_true, _alarms.c.rated_by)
            .join(_warnings, _warnings.c.alarm_id == _alarms.c.alarm_id)
            .where(_alarms.c.is_true.is_not(None), sa.or_(is_fresh, _warnings.c.is_true != _alarms.c.is_true))
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(_AT_ONCE)).all()
        for row in rows:
            yield row.alarm_id, row.is_true, row.rated_by or ""

    def _district(self, said: str) -> tuple[str, ...]:
        found = district_of(said, self._districts())
        return () if found == NO_DISTRICT else (found,)


def _to_alarm(row: sa.Row[tuple[object, ...]]) -> Alarm:
    return _ALARM.validate_python({name: getattr(row, name) for name in _FIELDS})
