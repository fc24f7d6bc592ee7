"""The tables of jobs.

In: nothing. Out: table descriptions for the store of jobs.
Not known here: how the tables come about (the migrations do that), what is done with the rows.
"""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, MetaData, String, Table

metadata = MetaData()
jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("owner_name", String, nullable=False),
    Column("name", String, nullable=False),
    Column("state", String, nullable=False),
    Column("options", JSON, nullable=False),
    Column("created_at", String, nullable=False),
    Column("begun_at", String),
    Column("ended_at", String),
    Column("code", String),
    Column("worked_s", Float, nullable=False, server_default="0"),
    Column("held_by", String),
    Column("server", String),
)
files = Table(
    "job_files",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("path", String, nullable=False),
    Column("is_upload", Boolean, nullable=False),
    Column("n_bytes", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("code", String),
    Column("digest", String),
    Column("fingerprint", String),
    Column("seconds", Float),
    Column("notes", JSON),
)
lines = Table(
    "job_lines",
    metadata,
    Column("job_id", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("segment_id", String, primary_key=True),
    Column("text", String, nullable=False),
    Column("author", String, nullable=False),
    Column("at", String, nullable=False),
)
