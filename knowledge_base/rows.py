"""How articles and their steps lie in the tables.

In: a connection, rows, `Article`s.
Out: the row after a step, rows written, and the types that stores emit.
Not known here: who may take which step.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from knowledge_base.article_json import from_json, to_json
from knowledge_base.tables import articles as _articles
from knowledge_base.tables import revisions as _revisions
from knowledge_base.types import Article, ArticleState, KeptArticle, Revision

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
_WRITING_ACTIONS = ("created", "edited", "imported", "reverted")
_IDS_AT_ONCE = 500
"""Bound parameters of one statement; databases allow at least 999."""


def find_rows(connection: Connection, ids: Sequence[str]) -> dict[str, sa.Row[Any]]:
    """Newest rows by identifier, deleted ones too."""
    found: dict[str, sa.Row[Any]] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[start : start + _IDS_AT_ONCE]
        rows = connection.execute(sa.select(_articles).where(_articles.c.article_id.in_(some)))
        found |= {row.article_id: row for row in rows}
    return found


def next_row(
    row: sa.Row[Any] | None,
    article: Article,
    *,
    action: str,
    state: ArticleState,
    author: str,
    now: datetime,
) -> dict[str, Any]:
    """Make the row of `articles` after this step; `action` goes along for the history."""
    revision = 1 if row is None else row.revision + 1
    approved = None if row is None else row.approved_revision
    is_content_approved = state is ArticleState.APPROVED
    return {
        **{name: getattr(article, name) for name in _CONTENT},
        "article_id": article.article_id,
        "questions": list(article.questions),
        "keywords": list(article.keywords),
        "updated_at": to_text(now),
        "deleted_at": None,
        "revision": revision,
        "state": state,
        "author": author,
        "approved_revision": revision if is_content_approved else approved,
        "action": action,
    }


def write_rows(connection: Connection, rows: Sequence[dict[str, Any]], note: str) -> None:
    """Write rows of `_next`, and the history beside them."""
    steps, added, changed = [], [], []
    for row in rows:
        kept = {name: value for name, value in row.items() if name != "action"}
        article = Article(
            article_id=row["article_id"],
            **{name: row[name] for name in _CONTENT}
            | {"questions": tuple(row["questions"]), "keywords": tuple(row["keywords"])},
        )
        steps.append(
            {
                **{name: row[name] for name in ("article_id", "revision", "action", "state", "author")},
                "at": row["updated_at"],
                "note": note,
                "content": to_json(article),
            }
        )
        if row["revision"] == 1:
            added.append(kept)
        else:
            changed.append({f"new_{name}": value for name, value in kept.items()})
    if added:
        connection.execute(_articles.insert(), added)
    if changed:
        names = [column.name for column in _articles.c if column.name != "article_id"]
        connection.execute(
            _articles.update()
            .where(_articles.c.article_id == sa.bindparam("new_article_id"))
            .values({name: sa.bindparam(f"new_{name}") for name in names}),
            changed,
        )
    if steps:
        connection.execute(_revisions.insert(), steps)


def writers_since_approval(connection: Connection, row: sa.Row[Any]) -> set[str]:
    """Who wrote something since the last approval."""
    steps = sa.select(_revisions.c.author).where(
        _revisions.c.article_id == row.article_id,
        _revisions.c.revision > (row.approved_revision or 0),
        _revisions.c.action.in_(_WRITING_ACTIONS),
    )
    return set(connection.scalars(steps))


def to_text(moment: datetime) -> str:
    """Write a moment so that texts sort as moments do."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC).isoformat()


def to_article(row: sa.Row[Any]) -> Article:
    """The article of a row of `articles`."""
    values = {name: getattr(row, name) for name in _CONTENT}
    return Article(
        article_id=row.article_id,
        **values | {"questions": tuple(row.questions), "keywords": tuple(row.keywords)},
        updated_at=datetime.fromisoformat(row.updated_at) if row.updated_at else None,
    )


def to_kept(row: sa.Row[Any]) -> KeptArticle:
    """The article with what its editors need to know."""
    return KeptArticle(
        article=to_article(row),
        revision=row.revision,
        state=ArticleState(row.state),
        author=row.author,
        approved_revision=row.approved_revision,
        deleted_at=datetime.fromisoformat(row.deleted_at) if row.deleted_at else None,
    )


def from_content(row: Any) -> Article:
    """The article of a row of the history."""
    article = from_json(row.content | {"article_id": row.article_id})
    return replace(article, updated_at=datetime.fromisoformat(row.at))


def to_revision(row: sa.Row[Any]) -> Revision:
    """The step that a row of the history tells."""
    return Revision(
        article=from_content(row),
        revision=row.revision,
        action=row.action,
        state=ArticleState(row.state),
        author=row.author,
        at=datetime.fromisoformat(row.at),
        note=row.note,
    )
