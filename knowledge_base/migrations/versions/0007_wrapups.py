"""Wrap-ups of calls: each as it stands, and what people corrected in it."""

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "wrapups",
        sa.Column("call_id", sa.Text, sa.ForeignKey("calls.call_id"), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("is_final", sa.Boolean, nullable=False),
        sa.Column("order_id", sa.Text),
        sa.Column("changed_at", sa.Text, nullable=False),
        sa.Column("form", sa.JSON, nullable=False),
    )
    op.create_table(
        "wrapup_corrections",
        sa.Column("correction_id", sa.Integer, primary_key=True),
        sa.Column("call_id", sa.Text, sa.ForeignKey("calls.call_id"), nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("drafted", sa.Text, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_index("ix_wrapup_corrections_call_id", "wrapup_corrections", ["call_id"])


def downgrade() -> None:
    """Forget all wrap-ups; the facts of the calls still tell them."""
    for name in ("wrapup_corrections", "wrapups"):
        op.drop_table(name)
