"""The tables of forms.

In: nothing. Out: table descriptions for the module that writes and reads them.
Not known here: how the tables come about (the migrations do that), what is in a form.
"""

from sqlalchemy import JSON, Boolean, Column, Float, Integer, MetaData, String, Table

metadata = MetaData()
wrapups = Table(
    "wrapups",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("is_final", Boolean, nullable=False),
    Column("order_id", String),
    Column("changed_at", String, nullable=False),
    Column("form", JSON, nullable=False),
)
corrections = Table(
    "wrapup_corrections",
    metadata,
    Column("correction_id", Integer, primary_key=True),
    Column("call_id", String, nullable=False),
    Column("field", String, nullable=False),
    Column("drafted", String, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("before", String, nullable=False),
    Column("value", String),
    Column("engine", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", String, nullable=False),
)
