"""Recordings that are transcribed as a job: jobs, their files, and lines that people put right."""

import sqlalchemy as sa
from alembic import op

from knowledge_base.migrations.kinds import LONG

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("owner_name", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("begun_at", sa.Text),
        sa.Column("ended_at", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("worked_s", sa.Float, nullable=False, server_default="0"),
    )
    op.create_index("ix_jobs_created_at", "jobs", ["created_at"])
    op.create_table(
        "job_files",
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("is_upload", sa.Boolean, nullable=False),
        sa.Column("n_bytes", LONG, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("digest", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("seconds", sa.Float),
        sa.Column("notes", sa.JSON),
    )
    op.create_table(
        "job_lines",
        sa.Column("job_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("segment_id", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Forget all jobs; what was uploaded for them stays in the data folder."""
    for name in ("job_lines", "job_files", "jobs"):
        op.drop_table(name)
