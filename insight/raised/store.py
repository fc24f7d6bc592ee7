"""The store of raised warnings.

In: wishes. Out: `RaisedWarning`s, steps.
Not known here: how a warning is found, who is told. All of it blocks.
"""

from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Engine

from insight.raised.tables import warnings as _warnings
from insight.raised.types import Layer, RaisedWarning, UnknownWarning, WarningState

_WARNING = TypeAdapter(RaisedWarning)
_FIELDS = tuple(field.name for field in fields(RaisedWarning))
PENDING = tuple(state for state in WarningState if state not in (WarningState.MUTED, WarningState.CLOSED))


class WarningStore:
    """Any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def warning(self, warning_id: str) -> RaisedWarning:
        """One of them. Raises `UnknownWarning`."""
        query = sa.select(_warnings).where(_warnings.c.warning_id == warning_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownWarning(warning_id)
        return to_warning(row)

    def open_warnings(
        self, *, layers: tuple[Layer, ...] = tuple(Layer), limit: int = 20
    ) -> list[RaisedWarning]:
        """What goes on and is neither muted nor closed, newest first."""
        query = (
            sa.select(_warnings)
            .where(_warnings.c.state.in_(PENDING), _warnings.c.over_at.is_(None))
            .where(_warnings.c.layer.in_(layers))
            .order_by(_warnings.c.raised_at.desc(), _warnings.c.number.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [to_warning(row) for row in connection.execute(query)]


def to_warning(row: sa.Row[Any]) -> RaisedWarning:
    """A row as a warning."""
    return _WARNING.validate_python({name: getattr(row, name) for name in _FIELDS})
