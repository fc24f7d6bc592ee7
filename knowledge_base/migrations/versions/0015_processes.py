"""Several web processes: who lives, who holds which call, who does what one alone must do."""

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "web_processes",
        sa.Column("process_id", sa.Text, primary_key=True),
        sa.Column("beat", sa.Integer, nullable=False),
    )
    op.create_table(
        "call_leases",
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("process_id", sa.Text, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("wanted_by", sa.Text),
        sa.Column("is_urgent", sa.Boolean, nullable=False),
    )
    op.create_table(
        "web_leaders",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("process_id", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Forget who held what."""
    for name in ("web_leaders", "call_leases", "web_processes"):
        op.drop_table(name)
