"""What the board of the hall counts: arrivals in the queue, and indexes by the times it asks for."""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None

_INDEXES = (
    ("ix_calls_started_at", "calls", ["started_at"]),
    ("ix_calls_state", "calls", ["state"]),
    ("ix_orders_closed_at", "orders", ["closed_at"]),
    ("ix_order_steps_action_at", "order_steps", ["action", "at"]),
)


def upgrade() -> None:
    """Add the table and the indexes."""
    op.create_table(
        "arrivals",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("arrived_at", sa.Text, nullable=False),
        sa.Column("answered_at", sa.Text),
        sa.Column("left_at", sa.Text),
        sa.Column("revision", sa.Integer, nullable=False, unique=True),
    )
    op.create_index("ix_arrivals_arrived_at", "arrivals", ["arrived_at"])
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Forget who waited."""
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table)
    op.drop_table("arrivals")
