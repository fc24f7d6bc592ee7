"""The index of what was said in calls, by text and by sound; the running server fills it from the facts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from knowledge_base.migrations.kinds import LONG

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_FULL_TEXT = ("line_texts", "line_sounds")


def upgrade() -> None:
    """Add the tables; the full-text ones are of each database's own kind and hold no text but its pieces."""
    op.create_table(
        "indexed_calls",
        sa.Column("call_no", sa.Integer, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False, unique=True),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("operator_id", sa.Text),
        sa.Column("caller", sa.Text),
        sa.Column("is_recording", sa.Boolean, nullable=False),
        sa.Column("lines", sa.Integer, nullable=False),
    )
    op.create_table(
        "indexed_lines",
        sa.Column("line_no", LONG, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("voice", sa.Text, nullable=False),
        sa.Column("start_s", sa.Float),
        sa.Column("text", sa.Text, nullable=False),
    )
    state = op.create_table(
        "index_state",
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("indexed_to", LONG, nullable=False),
    )
    op.bulk_insert(state, [{"revision": 0, "indexed_to": 0}])
    if op.get_bind().dialect.name == "sqlite":
        for name in _FULL_TEXT:
            op.execute(
                f"CREATE VIRTUAL TABLE {name} USING fts5(citizen, operator, mixed, note, "
                "content='', columnsize=0, tokenize=\"ascii tokenchars '._'\")"
            )
    else:
        for name in _FULL_TEXT:
            op.create_table(
                name,
                sa.Column("line_no", LONG, primary_key=True, autoincrement=False),
                sa.Column("voice", sa.Text, nullable=False),
                sa.Column("tokens", postgresql.TSVECTOR, nullable=False),
            )
            op.create_index(f"ix_{name}_tokens", name, ["tokens"], postgresql_using="gin")


def downgrade() -> None:
    """Back to calls that are found by number and time alone."""
    for name in (*_FULL_TEXT, "index_state", "indexed_lines", "indexed_calls"):
        op.drop_table(name)
