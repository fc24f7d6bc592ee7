"""The articles as their editors keep them, in the database.

In: `Article`s and the moment of the change.
Out: `Article`s again: one, a page of them, or all that can be published.
Not known here: passages, vectors, what is published at present.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from knowledge_base.database import writing
from knowledge_base.types import Article, UnknownArticle

_articles = sa.Table(
    "articles",
    sa.MetaData(),
    sa.Column("article_id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("questions", sa.JSON, nullable=False),
    sa.Column("keywords", sa.JSON, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("effective_from", sa.Date),
    sa.Column("expires_on", sa.Date),
    sa.Column("updated_at", sa.Text),
    sa.Column("deleted_at", sa.Text),
)
_CONTENT = tuple(c.name for c in _articles.c if c.name not in ("article_id", "updated_at", "deleted_at"))
_IDS_AT_ONCE = 500
"""Bound parameters of one statement; databases allow at least 999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upserted:
    """What became of the articles of one import."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticlePage:
    """Some of the articles that fit, by identifier, and how many fit in all."""

    articles: tuple[Article, ...]
    total: int


class ArticleStore:
    """Articles by identifier. A deleted one keeps its row and can be restored."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def upsert(self, articles: Iterable[Article], *, now: datetime) -> Upserted:
        """Add or replace, all or none. What is equal already keeps its `updated_at`.

        Of several articles with one identifier the last counts. A deleted article is restored.
        """
        wanted = {article.article_id: article for article in articles}
        with writing(self._engine) as connection:
            present: dict[str, tuple[Any, ...]] = {}
            for ids in _slices(list(wanted)):
                columns = [_articles.c[name] for name in (*_CONTENT, "deleted_at")]
                rows = connection.execute(
                    sa.select(_articles.c.article_id, *columns).where(_articles.c.article_id.in_(ids))
                )
                present |= {row[0]: tuple(row[1:]) for row in rows}
            added, changed = [], []
            for article_id, article in wanted.items():
                row = _to_row(article, now)
                if article_id not in present:
                    added.append(row)
                elif present[article_id] != (*(row[name] for name in _CONTENT), None):
                    changed.append({f"new_{name}": value for name, value in row.items()})
            if added:
                connection.execute(_articles.insert(), added)
            if changed:
                connection.execute(
                    _articles.update()
                    .where(_articles.c.article_id == sa.bindparam("new_article_id"))
                    .values(
                        {
                            name: sa.bindparam(f"new_{name}")
                            for name in (*_CONTENT, "updated_at", "deleted_at")
                        }
                    ),
                    changed,
                )
        return Upserted(
            added=len(added), changed=len(changed), unchanged=len(wanted) - len(added) - len(changed)
        )

    def get(self, article_id: str) -> Article:
        """Return the article; raises `UnknownArticle` when there is none or it was deleted."""
        with self._engine.connect() as connection:
            row = connection.execute(_live().where(_articles.c.article_id == article_id)).one_or_none()
        if row is None:
            raise UnknownArticle(f"没有编号为 {article_id} 的知识。")
        return _to_article(row)

    def page(
        self,
        *,
        text: str = "",
        category: str | None = None,
        department: str | None = None,
        valid_on: date | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> ArticlePage:
        """Articles in the order of their identifiers; `text` is looked for in identifier and title."""
        if offset < 0 or not 1 <= limit <= 1000:
            raise ValueError("offset must not be negative and limit must be within 1 and 1000")
        fitting = _live()
        if text:
            fitting = fitting.where(
                _articles.c.article_id.icontains(text, autoescape=True)
                | _articles.c.title.icontains(text, autoescape=True)
            )
        if category is not None:
            fitting = fitting.where(_articles.c.category == category)
        if department is not None:
            fitting = fitting.where(_articles.c.department == department)
        if valid_on is not None:
            begun = _articles.c.effective_from.is_(None) | (_articles.c.effective_from <= valid_on)
            fitting = fitting.where(begun & _not_expired(valid_on))
        with self._engine.connect() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(fitting.subquery()))
            rows = connection.execute(
                fitting.order_by(_articles.c.article_id).offset(offset).limit(limit)
            ).all()
        return ArticlePage(articles=tuple(_to_article(row) for row in rows), total=total or 0)

    def publishable(self, day: date) -> tuple[Article, ...]:
        """Everything that holds on that day or will hold later, in the order of identifiers."""
        with self._engine.connect() as connection:
            rows = connection.execute(_live().where(_not_expired(day)).order_by(_articles.c.article_id)).all()
        return tuple(_to_article(row) for row in rows)

    def count(self) -> int:
        """How many articles there are, deleted ones left out."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(_live().subquery())) or 0

    def delete(self, article_id: str, *, now: datetime) -> None:
        """Take the article away; `restore` brings it back. Raises `UnknownArticle`."""
        self._set_deleted(article_id, _to_text(now), only=_articles.c.deleted_at.is_(None))

    def restore(self, article_id: str) -> None:
        """Bring a deleted article back. Raises `UnknownArticle` when it was never there."""
        self._set_deleted(article_id, None, only=sa.true())

    def _set_deleted(self, article_id: str, at: str | None, *, only: sa.ColumnElement[bool]) -> None:
        with writing(self._engine) as connection:
            touched = connection.execute(
                _articles.update().where(_articles.c.article_id == article_id, only).values(deleted_at=at)
            ).rowcount
        if not touched:
            raise UnknownArticle(f"没有编号为 {article_id} 的知识。")


def _live() -> sa.Select[Any]:
    return sa.select(_articles).where(_articles.c.deleted_at.is_(None))


def _not_expired(day: date) -> sa.ColumnElement[bool]:
    return _articles.c.expires_on.is_(None) | (_articles.c.expires_on > day)


def _slices(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _IDS_AT_ONCE] for start in range(0, len(ids), _IDS_AT_ONCE))


def _to_text(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(UTC).isoformat()


def _to_row(article: Article, now: datetime) -> dict[str, Any]:
    return {
        "article_id": article.article_id,
        "title": article.title,
        "body": article.body,
        "questions": list(article.questions),
        "keywords": list(article.keywords),
        "category": article.category,
        "department": article.department,
        "source": article.source,
        "effective_from": article.effective_from,
        "expires_on": article.expires_on,
        "updated_at": _to_text(now),
        "deleted_at": None,
    }


def _to_article(row: sa.Row[Any]) -> Article:
    article = Article(
        article_id=row.article_id,
        title=row.title,
        body=row.body,
        questions=tuple(row.questions),
        keywords=tuple(row.keywords),
        category=row.category,
        department=row.department,
        source=row.source,
        effective_from=row.effective_from,
        expires_on=row.expires_on,
    )
    return replace(article, updated_at=datetime.fromisoformat(row.updated_at)) if row.updated_at else article
