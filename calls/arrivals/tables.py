"""The table of arrivals.

In: nothing. Out: a table description for the modules that write and read it.
Not known here: how the table comes about (the migrations do that).
"""

from sqlalchemy import Column, Integer, MetaData, String, Table

metadata = MetaData()
arrivals = Table(
    "arrivals",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("arrived_at", String, nullable=False),
    Column("answered_at", String),
    Column("left_at", String),
    Column("revision", Integer, nullable=False, unique=True),
)
"""`revision` is greater than any before, so that a follower sees what is new or changed."""
