"""What editors need: revisions, states, canary questions, error reports, settled gaps."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

_CONTENT = (
    "title",
    "body",
    "questions",
    "keywords",
    "category",
    "department",
    "district",
    "source",
    "effective_from",
    "expires_on",
)


def upgrade() -> None:
    """Add the columns and tables; every article kept so far becomes its own approved first revision."""
    op.add_column("articles", sa.Column("district", sa.Text, nullable=False, server_default=""))
    op.add_column("articles", sa.Column("revision", sa.Integer, nullable=False, server_default="1"))
    op.add_column("articles", sa.Column("state", sa.Text, nullable=False, server_default="approved"))
    op.add_column("articles", sa.Column("author", sa.Text, nullable=False, server_default=""))
    op.add_column("articles", sa.Column("approved_revision", sa.Integer))
    revisions = op.create_table(
        "article_revisions",
        sa.Column("article_id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
    )
    op.create_table(
        "canaries",
        sa.Column("question", sa.Text, primary_key=True),
        sa.Column("article_id", sa.Text, nullable=False),
        sa.Column("within", sa.Integer, nullable=False),
    )
    op.create_table(
        "article_reports",
        sa.Column("report_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("article_id", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("reporter", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("answered_by", sa.Text),
        sa.Column("answered_at", sa.Text),
    )
    op.create_index("ix_article_reports_article_id", "article_reports", ["article_id"])
    op.create_table(
        "settled_gaps",
        sa.Column("question", sa.Text, primary_key=True),
        sa.Column("article_id", sa.Text),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )
    op.create_index("ix_facts_type_at", "facts", ["type", "at"])
    _begin_histories(revisions)


def downgrade() -> None:
    """Back to articles without history; revisions, canaries, reports and settled gaps are gone."""
    op.drop_index("ix_facts_type_at", "facts")
    op.drop_table("settled_gaps")
    op.drop_index("ix_article_reports_article_id", "article_reports")
    op.drop_table("article_reports")
    op.drop_table("canaries")
    op.drop_table("article_revisions")
    with op.batch_alter_table("articles") as table:
        for name in ("approved_revision", "author", "state", "revision", "district"):
            table.drop_column(name)


def _begin_histories(revisions: sa.Table) -> None:
    names = ("article_id", "updated_at", *_CONTENT)
    kinds: dict[str, sa.types.TypeEngine[Any]] = {
        "questions": sa.JSON(),
        "keywords": sa.JSON(),
        "effective_from": sa.Date(),
        "expires_on": sa.Date(),
    }
    articles = sa.table(
        "articles",
        *(sa.column(name, kinds.get(name, sa.Text())) for name in names),
        sa.column("revision", sa.Integer()),
        sa.column("approved_revision", sa.Integer()),
    )
    connection = op.get_bind()
    rows = []
    for row in connection.execute(sa.select(*(articles.c[name] for name in names))).mappings():
        content = {name: row[name] for name in _CONTENT}
        for name in ("effective_from", "expires_on"):
            content[name] = content[name] and content[name].isoformat()
        rows.append(
            {
                "article_id": row["article_id"],
                "revision": 1,
                "action": "imported",
                "state": "approved",
                "author": "",
                "at": row["updated_at"] or "1970-01-01T00:00:00+00:00",
                "note": "",
                "content": content,
            }
        )
    if rows:
        connection.execute(revisions.insert(), rows)
        connection.execute(articles.update().values(approved_revision=articles.c.revision))
