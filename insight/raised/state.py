"""Small things that outlive the server: how far was followed, what a watch remembers, the days of storms.

In: a name and bytes. Out: the bytes again. Not known here: what they mean. All of it blocks.
"""

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from calls.moments import stamp
from insight.raised.tables import state as _state
from knowledge_base.database import writing

_KEY = "key"


def read_state(connection: Connection, name: str) -> bytes | None:
    """What was kept under that name."""
    value: bytes | None = connection.scalar(sa.select(_state.c.value).where(_state.c.name == name))
    return value


def write_state(connection: Connection, name: str, value: bytes, now: datetime) -> None:
    """Keep it instead of what was there."""
    row = {"at": stamp(now), "value": value}
    changed = connection.execute(_state.update().where(_state.c.name == name).values(row))
    if changed.rowcount == 0:
        connection.execute(_state.insert().values(name=name, **row))


def own_key(engine: Engine, now: datetime) -> bytes:
    """The installation's own key for hashes of numbers, made when it is first needed."""
    with writing(engine) as connection:
        key = read_state(connection, _KEY)
        if key is None:
            key = secrets.token_bytes(32)
            write_state(connection, _KEY, key, now)
    return key
