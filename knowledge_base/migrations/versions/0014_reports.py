"""Reports: those that were made, and what citizens said in them, by call."""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0012"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "reports",
        sa.Column("report_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("subject", sa.JSON, nullable=False),
        sa.Column("department_id", sa.Text, nullable=False),
        sa.Column("start", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
        sa.Column("made_at", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("scheduled", sa.Text, unique=True),
        sa.Column("removed_at", sa.Text),
        sa.Column("content", sa.JSON),
    )
    op.create_index("ix_reports_made_at", "reports", ["made_at"])
    op.create_table(
        "report_words",
        sa.Column("word_id", sa.Integer, primary_key=True),
        sa.Column("report_id", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text),
        sa.Column("order_id", sa.Text),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("district", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    for column in ("report_id", "call_id"):
        op.create_index(f"ix_report_words_{column}", "report_words", [column])


def downgrade() -> None:
    """Forget the reports."""
    for name in ("report_words", "reports"):
        op.drop_table(name)
