"""How long calls are kept: legal holds, and what was deleted."""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the two tables, and an index by the time at which calls ended."""
    op.create_table(
        "call_holds",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("until", sa.Text),
    )
    op.create_table(
        "call_deletions",
        sa.Column("deletion_id", sa.Integer, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
    )
    op.create_index("ix_call_deletions_call_id", "call_deletions", ["call_id"])
    op.create_index("ix_calls_ended_at", "calls", ["ended_at"])


def downgrade() -> None:
    """Forget holds, and what was deleted."""
    op.drop_index("ix_calls_ended_at", "calls")
    for name in ("call_deletions", "call_holds"):
        op.drop_table(name)
