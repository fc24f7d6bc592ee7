"""The table of small files that admins edit.

In: nothing. Out: a table description. Not known here: what is in the files, who has copies.
"""

from sqlalchemy import Column, Integer, MetaData, String, Table

metadata = MetaData()
papers = Table(
    "shared_papers",
    metadata,
    Column("name", String, primary_key=True),
    Column("content", String),
    Column("revision", Integer, nullable=False),
    Column("author", String, nullable=False),
    Column("at", String, nullable=False),
)
