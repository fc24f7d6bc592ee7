"""First tables: the articles, and the journal of the calls."""

import sqlalchemy as sa
from alembic import op

from knowledge_base.migrations.kinds import LONG

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Create the articles and the four tables of the call journal."""
    op.create_table(
        "articles",
        sa.Column("article_id", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("questions", sa.JSON, nullable=False),
        sa.Column("keywords", sa.JSON, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("effective_from", sa.Date),
        sa.Column("expires_on", sa.Date),
        sa.Column("updated_at", sa.Text),
        sa.Column("deleted_at", sa.Text),
    )
    op.create_table(
        "calls",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text),
        sa.Column("operator_id", sa.Text),
        sa.Column("caller", sa.Text),
        sa.Column("dialled", sa.Text),
        sa.Column("seconds", sa.Float, nullable=False, server_default="0"),
        sa.Column("end_reason", sa.Text),
        sa.Column("audio_format", sa.JSON),
        sa.Column("meta", sa.JSON),
    )
    op.create_table(
        "streams",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("last_seq", LONG, nullable=False),
    )
    op.create_table(
        "facts",
        sa.Column("fact_id", LONG, primary_key=True, autoincrement=True),
        sa.Column("call_id", sa.Text),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
    )
    op.create_index("ix_facts_call_id", "facts", ["call_id"])
    op.create_table(
        "stream_entries",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("seq", LONG, primary_key=True, autoincrement=False),
        sa.Column("fact_id", LONG, sa.ForeignKey("facts.fact_id"), nullable=False),
    )


def downgrade() -> None:
    """Drop everything; what was kept is gone."""
    op.drop_table("stream_entries")
    op.drop_index("ix_facts_call_id", "facts")
    op.drop_table("facts")
    op.drop_table("streams")
    op.drop_table("calls")
    op.drop_table("articles")
