"""The tables of processes, of the calls that they hold, and of who leads.

In: nothing. Out: table descriptions. Not known here: what holding a call means.
"""

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table

metadata = MetaData()
processes = Table(
    "web_processes",
    metadata,
    Column("process_id", String, primary_key=True),
    Column("beat", Integer, nullable=False),
)
leases = Table(
    "call_leases",
    metadata,
    Column("call_id", String, primary_key=True),
    Column("process_id", String, nullable=False),
    Column("token", String, nullable=False),
    Column("wanted_by", String),
    Column("is_urgent", Boolean, nullable=False),
)
leaders = Table(
    "web_leaders",
    metadata,
    Column("name", String, primary_key=True),
    Column("process_id", String, nullable=False),
)
