"""The tables of work orders.

In: nothing. Out: table descriptions for the store of orders.
Not known here: how the tables come about (the migrations do that), what is done with the rows.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()
orders = Table(
    "orders",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("order_id", String, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("type", String, nullable=False),
    Column("summary", String, nullable=False),
    Column("urgency", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("caller_name", String, nullable=False),
    Column("caller_phone", String, nullable=False),
    Column("district", String, nullable=False),
    Column("address", String, nullable=False),
    Column("category", String, nullable=False),
    Column("department_id", String),
    Column("created_by", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("changed_at", String, nullable=False),
    Column("call_id", String),
    Column("operator_id", String),
    Column("dispatched_at", String),
    Column("due_at", String),
    Column("is_due_provisional", Boolean, nullable=False),
    Column("left_s", Float),
    Column("resumes_to", String),
    Column("answer", String, nullable=False),
    Column("answered_at", String),
    Column("satisfaction", String),
    Column("closed_at", String),
    Column("merged_into", String),
    Column("returns", Integer, nullable=False),
    Column("reworks", Integer, nullable=False),
)
steps = Table(
    "order_steps",
    metadata,
    Column("order_id", String, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("action", String, nullable=False),
    Column("author", String, nullable=False),
    Column("at", String, nullable=False),
    Column("note", String, nullable=False),
    Column("changes", JSON, nullable=False),
)
comments = Table(
    "order_comments",
    metadata,
    Column("comment_id", Integer, primary_key=True),
    Column("order_id", String, nullable=False),
    Column("author", String, nullable=False),
    Column("at", String, nullable=False),
    Column("text", String, nullable=False),
)
attachments = Table(
    "order_attachments",
    metadata,
    Column("attachment_id", Integer, primary_key=True),
    Column("order_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("n_bytes", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("author", String, nullable=False),
    Column("at", String, nullable=False),
    Column("is_removed", Boolean, nullable=False),
    sqlite_autoincrement=True,
)
attachment_steps = Table(
    "order_attachment_steps",
    metadata,
    Column("step_id", Integer, primary_key=True),
    Column("attachment_id", Integer, nullable=False),
    Column("action", String, nullable=False),
    Column("author", String, nullable=False),
    Column("at", String, nullable=False),
)
vectors = Table(
    "order_vectors",
    metadata,
    Column("order_id", String, primary_key=True),
    Column("model", String, nullable=False),
    Column("text", String, nullable=False),
    Column("vector", LargeBinary, nullable=False),
)
