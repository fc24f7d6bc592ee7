"""What several servers share beside calls: small files that admins edit, and which of them works on a job."""

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Add the table, and two columns to jobs."""
    op.create_table(
        "shared_papers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("content", sa.Text),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.add_column("jobs", sa.Column("held_by", sa.Text))
    op.add_column("jobs", sa.Column("server", sa.Text))


def downgrade() -> None:
    """Forget what was shared; the files that the servers have stay."""
    with op.batch_alter_table("jobs") as batch:
        batch.drop_column("server")
        batch.drop_column("held_by")
    op.drop_table("shared_papers")
