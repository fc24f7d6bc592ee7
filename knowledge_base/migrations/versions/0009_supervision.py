"""Supervision: alarms in calls, matters handed to partner offices, quality of service."""

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "alarms",
        sa.Column("alarm_id", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, sa.ForeignKey("calls.call_id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("segment_id", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("operator_id", sa.Text),
        sa.Column("caller", sa.Text),
        sa.Column("taken_at", sa.Text),
        sa.Column("taken_by", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("is_true", sa.Boolean),
        sa.Column("rated_by", sa.Text),
    )
    for column in ("at", "call_id", "taken_at"):
        op.create_index(f"ix_alarms_{column}", "alarms", [column])


def downgrade() -> None:
    """Forget them."""
    op.drop_table("alarms")
