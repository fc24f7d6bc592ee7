"""The tables of the memory: articles, their history, and what people say about them.

In: nothing. Out: table descriptions for the store modules of this package.
Not known here: how the tables come about (the migrations do that), what is done with the rows.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

articles = sa.Table(
    "articles",
    metadata,
    sa.Column("article_id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("questions", sa.JSON, nullable=False),
    sa.Column("keywords", sa.JSON, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("district", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("effective_from", sa.Date),
    sa.Column("expires_on", sa.Date),
    sa.Column("updated_at", sa.Text),
    sa.Column("deleted_at", sa.Text),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("approved_revision", sa.Integer),
)
revisions = sa.Table(
    "article_revisions",
    metadata,
    sa.Column("article_id", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
)
canaries = sa.Table(
    "canaries",
    metadata,
    sa.Column("question", sa.Text, primary_key=True),
    sa.Column("article_id", sa.Text, nullable=False),
    sa.Column("within", sa.Integer, nullable=False),
)
reports = sa.Table(
    "article_reports",
    metadata,
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
settled_gaps = sa.Table(
    "settled_gaps",
    metadata,
    sa.Column("question", sa.Text, primary_key=True),
    sa.Column("article_id", sa.Text),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)
