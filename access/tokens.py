"""Tokens: keys of telephone systems and other programs.

In: what a token may do and for how long; tokens that programs bring. Out: `Token`s.
Not known here: HTTP, people.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from access.keys import hash_of, new_token
from access.tables import tokens as _tokens
from access.types import BadAccount, Scope, Token
from knowledge_base.database import writing

LONGEST = timedelta(days=5 * 365)
_NOTED_EVERY = timedelta(minutes=5)


class Tokens:
    """The tokens. All methods block."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def add(
        self, name: str, *, scopes: Collection[Scope], by: str, now: datetime, lasts: timedelta
    ) -> tuple[Token, str]:
        """Make a token; returns it and the key, which is kept nowhere. Raises `BadAccount`."""
        if not name.strip() or not scopes:
            raise BadAccount("令牌要有名称，并至少有一项权限。", code="access.bad_token")
        if not timedelta(0) < lasts <= LONGEST:
            raise BadAccount("令牌的有效期须在 1 天到 5 年之间。", code="access.bad_token")
        key = new_token()
        with writing(self._engine) as connection:
            inserted = connection.execute(
                _tokens.insert().values(
                    token_hash=hash_of(key),
                    name=name.strip()[:100],
                    scopes=sorted(scopes),
                    created_by=by,
                    created_at=now.isoformat(),
                    expires_at=(now + lasts).isoformat(),
                )
            ).inserted_primary_key
            assert inserted is not None
            found = connection.execute(sa.select(_tokens).where(_tokens.c.token_id == inserted[0])).one()
        return _to_token(found), key

    def every(self, *, by: str | None = None) -> tuple[Token, ...]:
        """All tokens, or those that somebody made; newest first."""
        found = sa.select(_tokens).order_by(_tokens.c.token_id.desc())
        if by is not None:
            found = found.where(_tokens.c.created_by == by)
        with self._engine.connect() as connection:
            return tuple(_to_token(row) for row in connection.execute(found))

    def holder(self, key: str, now: datetime) -> Token | None:
        """The token of that key, if it still holds."""
        is_it = _tokens.c.token_hash == hash_of(key)
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_tokens).where(is_it)).first()
        if row is None:
            return None
        token = _to_token(row)
        if token.revoked_at is not None or token.expires_at <= now:
            return None
        if token.last_used_at is None or now - token.last_used_at > _NOTED_EVERY:
            with writing(self._engine) as connection:
                connection.execute(_tokens.update().where(is_it).values(last_used_at=now.isoformat()))
        return token

    def holds(self, token_id: int, now: datetime) -> bool:
        """Whether a token that was let in would still be let in."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_tokens).where(_tokens.c.token_id == token_id)).first()
        if row is None:
            return False
        token = _to_token(row)
        return token.revoked_at is None and token.expires_at > now

    def revoke(self, token_id: int, *, by: str | None, now: datetime) -> Token:
        """Let a token hold no longer; with `by` only one of theirs. Raises `BadAccount`."""
        is_it = _tokens.c.token_id == token_id
        if by is not None:
            is_it &= _tokens.c.created_by == by
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(_tokens).where(is_it)).first()
            if row is None:
                raise BadAccount(f"没有编号为 {token_id} 的令牌。", code="access.unknown_token")
            if row.revoked_at is None:
                connection.execute(_tokens.update().where(is_it).values(revoked_at=now.isoformat()))
            return _to_token(connection.execute(sa.select(_tokens).where(is_it)).one())


def _to_token(row: Any) -> Token:
    def moment(text: str | None) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    return Token(
        token_id=row.token_id,
        name=row.name,
        scopes=frozenset(Scope(scope) for scope in row.scopes if scope in set(Scope)),
        created_by=row.created_by,
        created_at=datetime.fromisoformat(row.created_at),
        expires_at=datetime.fromisoformat(row.expires_at),
        revoked_at=moment(row.revoked_at),
        last_used_at=moment(row.last_used_at),
    )
