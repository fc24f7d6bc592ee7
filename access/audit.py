"""The audit log: who changed what, when, from where. It is only ever added to.

In: entries. Out: entries, newest first.
Not known here: what an action means. No entry holds what a citizen said, nor a secret.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Engine

from access.tables import audit as _audit
from knowledge_base.database import writing
from knowledge_base.dialects import SecondInUtc

_MOST_CHARS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done."""

    entry_id: int
    at: datetime
    who: str
    address: str
    """Network address, or `command line`."""
    action: str
    """E.g. `session.opened`, or a request as `PUT /v1/articles/{article_id}`."""
    target: str


class Audit:
    """The log. All methods block."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def note(self, *, who: str, address: str, action: str, target: str, now: datetime) -> None:
        """Add an entry; it is on the disk when this returns."""
        with writing(self._engine) as connection:
            connection.execute(
                _audit.insert().values(
                    at=now.isoformat(),
                    who=who[:_MOST_CHARS],
                    address=address[:_MOST_CHARS],
                    action=action[:_MOST_CHARS],
                    target=target[:_MOST_CHARS],
                )
            )

    def entries(
        self,
        *,
        who: str = "",
        text: str = "",
        actions: Collection[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        offset: int = 0,
        limit: int = 100,
    ) -> tuple[tuple[AuditEntry, ...], int]:
        """Entries that fit, newest first, and their number; `since` and `until` are whole seconds.

        `text` is looked for in action and target; of `actions` an entry has one, where any are named.
        """
        found = sa.select(_audit)
        if who:
            found = found.where(_audit.c.who == who)
        if text:
            places = (_audit.c.action, _audit.c.target)
            found = found.where(sa.or_(*(place.icontains(text, autoescape=True) for place in places)))
        if actions:
            found = found.where(_audit.c.action.in_(actions))
        # Kept moments carry the offset of the clock that they came from.
        if since is not None:
            found = found.where(SecondInUtc(_audit.c.at) >= _in_utc(since))
        if until is not None:
            found = found.where(SecondInUtc(_audit.c.at) < _in_utc(until))
        with self._engine.connect() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(found.subquery())).scalar_one()
            rows = connection.execute(
                found.order_by(_audit.c.entry_id.desc()).offset(offset).limit(limit)
            ).all()
        return tuple(
            AuditEntry(
                entry_id=row.entry_id,
                at=datetime.fromisoformat(row.at),
                who=row.who,
                address=row.address,
                action=row.action,
                target=row.target,
            )
            for row in rows
        ), total


def _in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
