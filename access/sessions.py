"""Sessions of people who have signed in.

In: accounts' names, secrets of cookies, moments. Out: who is behind a secret.
Not known here: cookies, passwords, roles.

A session ends 12 hours after it was last used, a week after it began, when its owner signs out or changes
the password, and when an admin locks the account.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from access.keys import hash_of, new_secret
from access.tables import accounts as _accounts
from access.tables import sessions as _sessions
from knowledge_base.database import writing

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
_NOTED_EVERY = timedelta(minutes=5)
_MOST_OF_ONE = 20
"""Sessions of one account; beyond it the oldest end."""


class Sessions:
    """The sessions. All methods block."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def open(self, name: str, *, address: str, now: datetime) -> str:
        """Begin a session; returns its secret, which is kept nowhere."""
        secret = new_secret()
        stamp = now.isoformat()
        with writing(self._engine) as connection:
            connection.execute(_sessions.delete().where(_sessions.c.seen_at < (now - LONGEST).isoformat()))
            older = connection.execute(
                sa.select(_sessions.c.session_hash)
                .where(_sessions.c.name == name)
                .order_by(_sessions.c.created_at.desc())
                .offset(_MOST_OF_ONE - 1)
            ).scalars()
            connection.execute(_sessions.delete().where(_sessions.c.session_hash.in_(list(older))))
            connection.execute(
                _sessions.insert().values(
                    session_hash=hash_of(secret), name=name, created_at=stamp, seen_at=stamp, address=address
                )
            )
        return secret

    def owner(self, session_hash: str, now: datetime) -> str | None:
        """The name of the active account whose session that is; None where it has ended."""
        is_it = _sessions.c.session_hash == session_hash
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(_sessions)
                .join(_accounts, _accounts.c.name == _sessions.c.name)
                .where(is_it, _accounts.c.is_active)
            ).first()
        if row is None:
            return None
        seen, created = datetime.fromisoformat(row.seen_at), datetime.fromisoformat(row.created_at)
        if now - seen > IDLE or now - created > LONGEST:
            return None
        if now - seen > _NOTED_EVERY:
            with writing(self._engine) as connection:
                connection.execute(_sessions.update().where(is_it).values(seen_at=now.isoformat()))
        return str(row.name)

    def close(self, session_hash: str) -> None:
        """End one session."""
        with writing(self._engine) as connection:
            connection.execute(_sessions.delete().where(_sessions.c.session_hash == session_hash))

    def close_all(self, name: str, *, but: str | None = None) -> int:
        """End every session of an account, but the one of that hash; returns how many."""
        with writing(self._engine) as connection:
            return connection.execute(
                _sessions.delete().where(_sessions.c.name == name, _sessions.c.session_hash != (but or ""))
            ).rowcount
