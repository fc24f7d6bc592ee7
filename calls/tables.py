"""The tables of calls, their facts and the streams of those facts.

In: nothing. Out: table descriptions for the modules that write and read them.
Not known here: how the tables come about (the migrations do that), what a fact means.
"""

from sqlalchemy import JSON, BigInteger, Column, Float, MetaData, String, Table

metadata = MetaData()
calls = Table(
    "calls",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("ended_at", String),
    Column("operator_id", String),
    Column("caller", String),
    Column("dialled", String),
    Column("seconds", Float, nullable=False),
    Column("end_reason", String),
    Column("audio_format", JSON),
    Column("meta", JSON),
)
streams = Table(
    "streams",
    metadata,
    Column("stream", String, primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
)
facts = Table(
    "facts",
    metadata,
    Column("fact_id", BigInteger, primary_key=True),
    Column("call_id", String),
    Column("type", String, nullable=False),
    Column("at", String, nullable=False),
    Column("payload", JSON, nullable=False),
)
entries = Table(
    "stream_entries",
    metadata,
    Column("stream", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("fact_id", BigInteger, nullable=False),
)
