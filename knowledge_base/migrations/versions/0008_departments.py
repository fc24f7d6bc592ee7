"""Accounts of departments, attachments and vectors of work orders, events for other systems."""

import sqlalchemy as sa
from alembic import op

from knowledge_base.migrations.kinds import LONG

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add a column to the accounts, and six tables."""
    op.add_column("accounts", sa.Column("department_id", sa.Text))
    op.create_table(
        "order_attachments",
        sa.Column("attachment_id", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("n_bytes", LONG, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("is_removed", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_order_attachments_order_id", "order_attachments", ["order_id"])
    op.create_table(
        "order_attachment_steps",
        sa.Column("step_id", sa.Integer, primary_key=True),
        sa.Column(
            "attachment_id",
            sa.Integer,
            sa.ForeignKey("order_attachments.attachment_id"),
            nullable=False,
            index=True,
        ),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_table(
        "order_vectors",
        sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_orders_created_at", "orders", ["created_at"])
    op.create_table(
        "webhook_receivers",
        sa.Column("receiver_id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("pause", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("delivered", sa.Integer, nullable=False),
        sa.Column("lost", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.Text),
        sa.Column("failing_since", sa.Text),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("last_delivered_at", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhook_events",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.Text, nullable=False, unique=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_autoincrement=True,  # a number that was forgotten must not come back for another event
    )
    op.create_table(
        "webhook_waiting",
        sa.Column(
            "receiver_id",
            sa.Integer,
            sa.ForeignKey("webhook_receivers.receiver_id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column(
            "number",
            sa.Integer,
            sa.ForeignKey("webhook_events.number"),
            primary_key=True,
            autoincrement=False,
            index=True,
        ),
    )


def downgrade() -> None:
    """Forget all of it."""
    op.drop_index("ix_orders_created_at", "orders")
    for name in (
        "webhook_waiting",
        "webhook_events",
        "webhook_receivers",
        "order_vectors",
        "order_attachment_steps",
        "order_attachments",
    ):
        op.drop_table(name)
    op.drop_column("accounts", "department_id")
