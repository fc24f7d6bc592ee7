"""The tables of holds and deletions.

In: nothing. Out: table descriptions for the modules that write and read them.
Not known here: how the tables come about (the migrations do that).
"""

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table

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
