"""Work orders: the orders, every change of each, and comments."""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "orders",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.Text, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("urgency", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("caller_name", sa.Text, nullable=False),
        sa.Column("caller_phone", sa.Text, nullable=False),
        sa.Column("district", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("department_id", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text),
        sa.Column("operator_id", sa.Text),
        sa.Column("dispatched_at", sa.Text),
        sa.Column("due_at", sa.Text),
        sa.Column("is_due_provisional", sa.Boolean, nullable=False),
        sa.Column("left_s", sa.Float),
        sa.Column("resumes_to", sa.Text),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered_at", sa.Text),
        sa.Column("satisfaction", sa.Text),
        sa.Column("closed_at", sa.Text),
        sa.Column("merged_into", sa.Text),
        sa.Column("returns", sa.Integer, nullable=False),
        sa.Column("reworks", sa.Integer, nullable=False),
    )
    for column in ("state", "department_id", "caller_phone", "call_id", "operator_id", "due_at"):
        op.create_index(f"ix_orders_{column}", "orders", [column])
    op.create_table(
        "order_steps",
        sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite numbers every table's rows by itself
        op.add_column("order_steps", sa.Column("rowid", sa.BigInteger, sa.Identity(), nullable=False))
        op.create_index("ix_order_steps_rowid", "order_steps", ["rowid"], unique=True)
    op.create_table(
        "order_comments",
        sa.Column("comment_id", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_order_comments_order_id", "order_comments", ["order_id"])


def downgrade() -> None:
    """Forget all orders."""
    for name in ("order_comments", "order_steps", "orders"):
        op.drop_table(name)
