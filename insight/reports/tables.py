"""The tables of reports.

In: nothing. Out: table descriptions for the store.
Not known here: how the tables come about (the migrations do that), what is in a report.
"""

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table

metadata = MetaData()
reports = Table(
    "reports",
    metadata,
    Column("report_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("title", String, nullable=False),
    Column("subject", JSON, nullable=False),
    Column("department_id", String, nullable=False),
    Column("start", String, nullable=False),
    Column("until", String, nullable=False),
    Column("made_at", String, nullable=False),
    Column("made_by", String, nullable=False),
    Column("scheduled", String, unique=True),
    Column("removed_at", String),
    Column("content", JSON(none_as_null=True)),
)
words = Table(
    "report_words",
    metadata,
    Column("word_id", Integer, primary_key=True),
    Column("report_id", String, nullable=False),
    Column("place", String, nullable=False),
    Column("call_id", String),
    Column("order_id", String),
    Column("at", String, nullable=False),
    Column("district", String, nullable=False),
    Column("text", String, nullable=False),
)
