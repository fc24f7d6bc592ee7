"""Legal holds: whose word keeps a call, why, and until when.

In: holds. Out: holds. A call has one at most; who holds it anew takes the other's place.
Not known here: deletion, who may hold. All of it blocks.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from calls.keeping.tables import holds
from calls.keeping.types import Hold
from calls.tables import calls
from calls.types import UnknownCall
from knowledge_base.database import writing


class Holds:
    """Sets and lifts holds."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def put(self, hold: Hold) -> None:
        """Hold a call. Raises `UnknownCall`."""
        with writing(self._engine) as connection:
            if connection.scalar(select(calls.c.call_id).where(calls.c.call_id == hold.call_id)) is None:
                raise UnknownCall(f"没有编号为 {hold.call_id} 的通话。")
            connection.execute(delete(holds).where(holds.c.call_id == hold.call_id))
            connection.execute(
                insert(holds).values(
                    call_id=hold.call_id,
                    who=hold.who,
                    reason=hold.reason,
                    at=hold.at.astimezone(UTC).isoformat(),
                    until=hold.until.astimezone(UTC).isoformat() if hold.until else None,
                )
            )

    def lift(self, call_id: str) -> bool:
        """Let a call go its way again; False where nothing held it."""
        with writing(self._engine) as connection:
            return bool(connection.execute(delete(holds).where(holds.c.call_id == call_id)).rowcount)

    def of(self, call_id: str) -> Hold | None:
        """What holds a call, also where its time is over."""
        with self._engine.connect() as connection:
            return hold_of(connection, call_id)


def hold_of(connection: Connection, call_id: str) -> Hold | None:
    """The same within a transaction."""
    row = connection.execute(select(holds).where(holds.c.call_id == call_id)).first()
    return _hold(row) if row else None


def holds_of(connection: Connection, call_ids: Collection[str]) -> dict[str, Hold]:
    """Those of several calls."""
    rows = connection.execute(select(holds).where(holds.c.call_id.in_(call_ids)))
    return {row.call_id: _hold(row) for row in rows}


def _hold(row: Any) -> Hold:
    return Hold(
        call_id=row.call_id,
        who=row.who,
        reason=row.reason,
        at=datetime.fromisoformat(row.at),
        until=datetime.fromisoformat(row.until) if row.until else None,
    )
