"""The tables of holds and deletions.

In: nothing. Out: table descriptions for the modules that write and read them, the row of a deletion.
Not known here: how the tables come about (the migrations do that).
"""

from datetime import UTC
from typing import Any

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table

from calls.keeping.types import Deletion

metadata = MetaData()
holds = Table(
    "call_holds",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("who", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", String, nullable=False),
    Column("until", String),
)
deletions = Table(
    "call_deletions",
    metadata,
    Column("deletion_id", Integer, primary_key=True),
    Column("call_id", String, nullable=False),
    Column("what", String, nullable=False),
    Column("at", String, nullable=False),
    Column("who", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("counts", JSON, nullable=False),
)


def deletion_row(deletion: Deletion) -> dict[str, Any]:
    """A deletion as it is written down."""
    return {
        "call_id": deletion.call_id,
        "what": deletion.what,
        "at": deletion.at.astimezone(UTC).isoformat(),
        "who": deletion.who,
        "reason": deletion.reason,
        "counts": dict(deletion.counts),
    }
