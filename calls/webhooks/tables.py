"""The tables of webhooks.

In: nothing. Out: table descriptions for the outbox.
Not known here: how the tables come about (the migrations do that), what is done with the rows.
"""

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table

metadata = MetaData()
receivers = Table(
    "webhook_receivers",
    metadata,
    Column("receiver_id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("url", String, nullable=False),
    Column("secret", String, nullable=False),
    Column("events", JSON, nullable=False),
    Column("pause", String),
    Column("created_by", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("lost", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", String),
    Column("failing_since", String),
    Column("last_error", String, nullable=False),
    Column("last_delivered_at", String),
)
events = Table(
    "webhook_events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("type", String, nullable=False),
    Column("at", String, nullable=False),
    Column("body", String, nullable=False),
    sqlite_autoincrement=True,
)
waiting = Table(
    "webhook_waiting",
    metadata,
    Column("receiver_id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
)
