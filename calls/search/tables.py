"""The tables of the index of calls.

In: nothing. Out: table descriptions for the module that writes and reads them.
Not known here: how the tables come about (the migrations do that), what is looked for.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Integer,
    MetaData,
    String,
    Table,
)

from calls.search.full_text import LINE_BITS

metadata = MetaData()
indexed_calls = Table(
    "indexed_calls",
    metadata,
    Column("call_no", Integer, primary_key=True),
    Column("call_id", String, nullable=False, unique=True),
    Column("started_at", String, nullable=False),
    Column("operator_id", String),
    Column("caller", String),
    Column("is_recording", Boolean, nullable=False),
    Column("lines", Integer, nullable=False),  # that ever were: the next one's number
)
indexed_lines = Table(
    "indexed_lines",
    metadata,
    Column("line_no", BigInteger, primary_key=True),  # call_no << LINE_BITS | number within the call
    Column("key", String, nullable=False),
    Column("voice", String, nullable=False),
    Column("start_s", Float),
    Column("text", String, nullable=False),
)
index_state = Table(
    "index_state",
    metadata,
    Column("revision", Integer, nullable=False),
    Column("indexed_to", BigInteger, nullable=False),
)
"""One row: how lines were taken apart, and the last fact that was taken in."""


def is_of(call_no: int) -> ColumnElement[bool]:
    """Whether a row of `indexed_lines` is a line of that call."""
    first = call_no << LINE_BITS
    return indexed_lines.c.line_no.between(first, first + (1 << LINE_BITS) - 1)
