"""Supervision: alarms in calls, quality of service."""

import sqlalchemy as sa
from alembic import op

from knowledge_base.migrations.kinds import LONG

revision: str = "0009"
down_revision: str | None = "0008"
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
    op.create_table(
        "quality_scores",
        sa.Column("call_id", sa.Text, sa.ForeignKey("calls.call_id"), primary_key=True),
        sa.Column("operator_id", sa.Text),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("by_rules", sa.Float, nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    for column in ("operator_id", "started_at", "state"):
        op.create_index(f"ix_quality_scores_{column}", "quality_scores", [column])
    op.create_table(
        "quality_remarks",
        sa.Column("remark_id", sa.Integer, primary_key=True),
        sa.Column("call_id", sa.Text, sa.ForeignKey("quality_scores.call_id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_index("ix_quality_remarks_call_id", "quality_remarks", ["call_id"])
    state = op.create_table("quality_state", sa.Column("scored_to", LONG, nullable=False))
    # What ended before there were scores is not scored: begin with the newest fact.
    newest = op.get_bind().scalar(sa.text("SELECT coalesce(max(fact_id), 0) FROM facts"))
    op.bulk_insert(state, [{"scored_to": newest}])


def downgrade() -> None:
    """Forget them."""
    for name in ("quality_state", "quality_remarks", "quality_scores", "alarms"):
        op.drop_table(name)
