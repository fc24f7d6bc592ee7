"""The articles as their editors keep them, in the database, with every step of their history.

In: `Article`s, who changed them and when.
Out: articles again: one, a page of them, or all that can be published; and what became of them.
Not known here: passages, vectors, what is published at present, whether a review is asked for.

Every change of content or state is a revision of its own. The row in `articles` is the newest one;
the next publish takes the newest approved one, so that a draft never takes away what was there before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from knowledge_base.columns import checked, clean
from knowledge_base.database import writing
from knowledge_base.rows import (
    find_rows,
    from_content,
    next_row,
    to_article,
    to_kept,
    to_revision,
    to_text,
    write_rows,
    writers_since_approval,
)
from knowledge_base.tables import articles as _articles
from knowledge_base.tables import revisions as _revisions
from knowledge_base.types import (
    Article,
    ArticleState,
    BadArticle,
    EditConflict,
    KeptArticle,
    Revision,
    UnknownArticle,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upserted:
    """What became of the articles of one import."""

    added: int
    changed: int
    unchanged: int


class Order(StrEnum):
    """How a page of articles is ordered."""

    ARTICLE_ID = "article_id"
    NEWEST = "newest"
    """Last changed first."""
    EXPIRY = "expiry"
    """Soonest to expire first; without a date last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticlePage:
    """Some of the articles that fit, and how many fit in all."""

    kept: tuple[KeptArticle, ...]
    total: int

    @property
    def articles(self) -> tuple[Article, ...]:
        """The articles alone."""
        return tuple(kept.article for kept in self.kept)


class ArticleStore:
    """Articles by identifier. A deleted one keeps its row and can be restored."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def upsert(
        self,
        articles: Iterable[Article],
        *,
        now: datetime,
        author: str = "",
        state: ArticleState = ArticleState.APPROVED,
        note: str = "",
    ) -> Upserted:
        """Add or replace, all or none. What is equal already keeps its revision.

        Of several articles with one identifier the last counts. A deleted article is restored.
        """
        wanted = {article.article_id: article for article in articles}
        added = changed = 0
        with writing(self._engine) as connection:
            present = find_rows(connection, list(wanted))
            written = []
            for article_id, article in wanted.items():
                row = present.get(article_id)
                if row is None:
                    added += 1
                elif _is_same(row, article, state):
                    continue
                else:
                    changed += 1
                written.append(next_row(row, article, action="imported", state=state, author=author, now=now))
            write_rows(connection, written, note)
        return Upserted(added=added, changed=changed, unchanged=len(wanted) - added - changed)

    def save(
        self,
        article: Article,
        *,
        author: str,
        now: datetime,
        state: ArticleState,
        expected: int | None = None,
        action: str | None = None,
        note: str = "",
    ) -> KeptArticle:
        """Keep one article; `expected` is the revision that was edited, 0 for a new article.

        Raises `EditConflict` when the article is in another revision; None takes any. What is equal
        already keeps its revision.
        """
        with writing(self._engine) as connection:
            row = find_rows(connection, [article.article_id]).get(article.article_id)
            _expect(row, article.article_id, expected)
            if row is not None and _is_same(row, article, state):
                return to_kept(row)
            action = action or ("created" if row is None else "edited")
            write_rows(
                connection, [next_row(row, article, action=action, state=state, author=author, now=now)], note
            )
            return to_kept(find_rows(connection, [article.article_id])[article.article_id])

    def add_questions(
        self,
        article_id: str,
        questions: Iterable[str],
        *,
        author: str,
        now: datetime,
        state: ArticleState,
    ) -> KeptArticle:
        """Add similar questions to the newest revision; one that waits goes on waiting.

        Raises `UnknownArticle`, and `BadArticle` where it would have too many.
        """
        kept = self.kept(article_id)
        together = tuple(dict.fromkeys((*kept.article.questions, *filter(None, map(clean, questions)))))
        return self.save(
            checked(replace(kept.article, questions=together)),
            author=author,
            now=now,
            state=state if kept.state is ArticleState.APPROVED else kept.state,
            expected=kept.revision,
        )

    def move(
        self,
        article_id: str,
        *,
        to: ArticleState,
        author: str,
        now: datetime,
        expected: int | None = None,
        needs_second_person: bool = False,
        note: str = "",
    ) -> KeptArticle:
        """Submit, approve or send back the newest revision.

        With `needs_second_person` nobody approves what they wrote themselves. Raises `UnknownArticle`,
        `EditConflict`, and `BadArticle` (`kb.second_person_needed`).
        """
        action = {
            ArticleState.IN_REVIEW: "submitted",
            ArticleState.APPROVED: "approved",
            ArticleState.DRAFT: "rejected",
        }[to]
        with writing(self._engine) as connection:
            row = self._live_row(connection, article_id, expected)
            if row.state == to:
                return to_kept(row)
            is_approval = to is ArticleState.APPROVED and needs_second_person
            if is_approval and (not author or author in writers_since_approval(connection, row)):
                raise BadArticle(
                    "需要由另一位同事审核，不能审核自己写的内容。", code="kb.second_person_needed"
                )
            write_rows(
                connection,
                [next_row(row, to_article(row), action=action, state=to, author=author, now=now)],
                note,
            )
            return to_kept(find_rows(connection, [article_id])[article_id])

    def get(self, article_id: str) -> Article:
        """Return the article; raises `UnknownArticle` when there is none or it was deleted."""
        return self.kept(article_id).article

    def kept(self, article_id: str, *, is_deleted_too: bool = False) -> KeptArticle:
        """Return the article with its revision and state; raises `UnknownArticle`."""
        with self._engine.connect() as connection:
            row = find_rows(connection, [article_id]).get(article_id)
        if row is None or (row.deleted_at is not None and not is_deleted_too):
            raise _unknown(article_id)
        return to_kept(row)

    def history(self, article_id: str) -> tuple[Revision, ...]:
        """Every revision, newest first; raises `UnknownArticle` when there never was one."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(_revisions)
                .where(_revisions.c.article_id == article_id)
                .order_by(_revisions.c.revision.desc())
            ).all()
        if not rows:
            raise _unknown(article_id)
        return tuple(to_revision(row) for row in rows)

    def page(
        self,
        *,
        text: str = "",
        is_body_too: bool = False,
        category: str | None = None,
        department: str | None = None,
        district: str | None = None,
        state: ArticleState | None = None,
        valid_on: date | None = None,
        expires_before: date | None = None,
        is_deleted: bool = False,
        order: Order = Order.ARTICLE_ID,
        offset: int = 0,
        limit: int = 50,
    ) -> ArticlePage:
        """Articles that fit every condition; `text` is looked for in identifier, title, and the body too."""
        if offset < 0 or not 1 <= limit <= 1000:
            raise ValueError("offset must not be negative and limit must be within 1 and 1000")
        c = _articles.c
        fitting = sa.select(_articles).where(c.deleted_at.is_not(None) if is_deleted else _is_live())
        if text:
            places = (c.article_id, c.title, c.body) if is_body_too else (c.article_id, c.title)
            fitting = fitting.where(sa.or_(*(place.icontains(text, autoescape=True) for place in places)))
        for column, value in (
            (c.category, category),
            (c.department, department),
            (c.district, district),
            (c.state, state),
        ):
            if value is not None:
                fitting = fitting.where(column == value)
        if valid_on is not None:
            begun = c.effective_from.is_(None) | (c.effective_from <= valid_on)
            fitting = fitting.where(begun & (c.expires_on.is_(None) | (c.expires_on > valid_on)))
        if expires_before is not None:
            fitting = fitting.where(c.expires_on < expires_before)
        ordering: dict[Order, tuple[sa.ColumnElement[Any], ...]] = {
            Order.ARTICLE_ID: (),
            Order.NEWEST: (c.updated_at.desc().nulls_last(),),
            Order.EXPIRY: (c.expires_on.is_(None), c.expires_on),
        }
        with self._engine.connect() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(fitting.subquery()))
            rows = connection.execute(
                fitting.order_by(*ordering[order], c.article_id).offset(offset).limit(limit)
            ).all()
        return ArticlePage(kept=tuple(to_kept(row) for row in rows), total=total or 0)

    def every(self) -> tuple[Article, ...]:
        """The newest revision of every article that is not deleted, in the order of identifiers."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(_articles).where(_is_live()).order_by(_articles.c.article_id)
            ).all()
        return tuple(to_article(row) for row in rows)

    def publishable(self, day: date) -> tuple[Article, ...]:
        """Everything approved that holds on that day or will hold later, in the order of identifiers."""
        joined = sa.and_(
            _revisions.c.article_id == _articles.c.article_id,
            _revisions.c.revision == _articles.c.approved_revision,
        )
        with self._engine.connect() as connection:
            rows = connection.execute(
                sa.select(_revisions.c.content, _revisions.c.article_id, _revisions.c.at)
                .join(_articles, joined)
                .where(_is_live())
                .order_by(_articles.c.article_id)
            ).all()
        found = (from_content(row) for row in rows)
        return tuple(article for article in found if article.expires_on is None or article.expires_on > day)

    def count(self) -> int:
        """How many articles there are, deleted ones left out."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(_articles).where(_is_live())) or 0

    def delete(
        self, article_id: str, *, now: datetime, author: str = "", expected: int | None = None
    ) -> KeptArticle:
        """Take the article away; `restore` brings it back. Raises `UnknownArticle`, `EditConflict`."""
        with writing(self._engine) as connection:
            row = self._live_row(connection, article_id, expected)
            gone = next_row(
                row, to_article(row), action="deleted", state=ArticleState(row.state), author=author, now=now
            )
            write_rows(connection, [gone | {"deleted_at": to_text(now)}], "")
            return to_kept(find_rows(connection, [article_id])[article_id])

    def restore(self, article_id: str, *, now: datetime, author: str = "") -> KeptArticle:
        """Bring a deleted article back. Raises `UnknownArticle` when it was never there."""
        with writing(self._engine) as connection:
            row = find_rows(connection, [article_id]).get(article_id)
            if row is None:
                raise _unknown(article_id)
            if row.deleted_at is None:
                return to_kept(row)
            back = next_row(
                row, to_article(row), action="restored", state=ArticleState(row.state), author=author, now=now
            )
            write_rows(connection, [back], "")
            return to_kept(find_rows(connection, [article_id])[article_id])

    def _live_row(self, connection: Connection, article_id: str, expected: int | None) -> sa.Row[Any]:
        row = find_rows(connection, [article_id]).get(article_id)
        if row is None or row.deleted_at is not None:
            raise _unknown(article_id)
        _expect(row, article_id, expected)
        return row


def _expect(row: sa.Row[Any] | None, article_id: str, expected: int | None) -> None:
    if expected is None or expected == (0 if row is None else row.revision):
        return
    if row is None:
        raise EditConflict(f"没有编号为 {article_id} 的知识。", current=None)
    whom = f"被 {row.author} " if row.author else ""
    message = (
        f"编号 {article_id} 已存在。"
        if expected == 0
        else f"这条知识已{whom}改为第 {row.revision} 版，请核对后再保存。"
    )
    raise EditConflict(message, current=to_kept(row))


def _is_same(row: sa.Row[Any], article: Article, state: ArticleState) -> bool:
    is_far_enough = row.state in (state, ArticleState.APPROVED)
    content = replace(to_article(row), updated_at=None)
    return row.deleted_at is None and is_far_enough and content == replace(article, updated_at=None)


def _is_live() -> sa.ColumnElement[bool]:
    return _articles.c.deleted_at.is_(None)


def _unknown(article_id: str) -> UnknownArticle:
    return UnknownArticle(f"没有编号为 {article_id} 的知识。")
