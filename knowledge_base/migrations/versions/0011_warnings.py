"""Early warning: what is counted, what was raised, what people did with it, and mails about it."""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "warning_reports",
        sa.Column("report_id", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text),
        sa.Column("order_id", sa.Text),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("known_at", sa.Text, nullable=False),
        sa.Column("caller", sa.Text),
        sa.Column("district", sa.Text, nullable=False),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
    )
    for column in ("at", "call_id", "order_id"):
        op.create_index(f"ix_warning_reports_{column}", "warning_reports", [column])
    op.create_index("ix_warning_reports_matter", "warning_reports", ["matter", "at"])
    op.create_table(
        "warnings",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("warning_id", sa.Text, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("layer", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("district", sa.Text),
        sa.Column("districts", sa.JSON, nullable=False),
        sa.Column("raised_at", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("window_h", sa.Integer, nullable=False),
        sa.Column("observed", sa.Integer, nullable=False),
        sa.Column("expected", sa.Float, nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("false_share", sa.Float, nullable=False),
        sa.Column("places", sa.Integer, nullable=False),
        sa.Column("callers_now", sa.Integer, nullable=False),
        sa.Column("latest_at", sa.Text, nullable=False),
        sa.Column("over_at", sa.Text),
        sa.Column("sample_ids", sa.JSON, nullable=False),
        sa.Column("departments", sa.JSON, nullable=False),
        sa.Column("department_ids", sa.JSON, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("alarm_id", sa.Text, unique=True),
        sa.Column("order_id", sa.Text),
        sa.Column("muted_until", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Text, nullable=False),
        sa.Column("is_true", sa.Boolean),
        sa.Column("rated_by", sa.Text, nullable=False),
        sa.Column("rated_at", sa.Text),
        sqlite_autoincrement=True,
    )
    for column in ("raised_at", "state", "order_id"):
        op.create_index(f"ix_warnings_{column}", "warnings", [column])
    op.create_table(
        "warning_steps",
        sa.Column("step_id", sa.Integer, primary_key=True),
        sa.Column("warning_id", sa.Text, sa.ForeignKey("warnings.warning_id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
    )
    op.create_index("ix_warning_steps_warning_id", "warning_steps", ["warning_id"])
    op.create_table(
        "warning_mutes",
        sa.Column("mute_id", sa.Integer, primary_key=True),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("district", sa.Text),
        sa.Column("until", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "warning_state",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "warning_mails",
        sa.Column("mail_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("warning_id", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try_at", sa.Text),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("sent_at", sa.Text),
        sa.Column("gave_up_at", sa.Text),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Forget them."""
    for name in (
        "warning_mails",
        "warning_state",
        "warning_mutes",
        "warning_steps",
        "warnings",
        "warning_reports",
    ):
        op.drop_table(name)
