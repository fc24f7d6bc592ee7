"""The table of alarms.

In: nothing. Out: a table description for the modules that write and read it.
Not known here: how the table comes about (the migrations do that), who looks at it.
"""

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table

metadata = MetaData()
alarms = Table(
    "alarms",
    metadata,
    Column("alarm_id", String, primary_key=True),
    Column("call_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("segment_id", String, nullable=False),
    Column("said", String, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("start_s", Float, nullable=False),
    Column("at", String, nullable=False),
    Column("operator_id", String),
    Column("caller", String),
    Column("taken_at", String),
    Column("taken_by", String),
    Column("note", String, nullable=False),
    Column("is_true", Boolean),
    Column("rated_by", String),
)
