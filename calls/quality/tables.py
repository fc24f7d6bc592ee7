"""The tables of quality: scores, what was said of them, how far calls were scored.

In: nothing. Out: table descriptions for the store.
Not known here: how the tables come about (the migrations do that), what is done with the rows.
"""

from sqlalchemy import JSON, BigInteger, Column, Float, Integer, MetaData, String, Table

metadata = MetaData()
scores = Table(
    "quality_scores",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("operator_id", String),
    Column("started_at", String, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("by_rules", Float, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("state", String, nullable=False),
)
remarks = Table(
    "quality_remarks",
    metadata,
    Column("remark_id", Integer, primary_key=True),
    Column("call_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("author", String, nullable=False),
    Column("text", String, nullable=False),
    Column("score", Float),
    Column("at", String, nullable=False),
)
progress = Table("quality_state", metadata, Column("scored_to", BigInteger, nullable=False))
