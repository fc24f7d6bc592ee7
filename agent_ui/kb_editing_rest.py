"""What editing asks beside the articles themselves: words in use, counts, titles, a preview, many at once.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how articles are kept, how a page shows them.

A change of many reports on each: what cannot be done is told by code and sentence, the rest is done.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from threading import Lock
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from agent_ui.door import author_of, change_nothing, note_target
from agent_ui.kb_bodies import ArticleContent, ArticleOut, UsageOut
from agent_ui.kb_rest import answering
from agent_ui.knowledge_desk import KnowledgeDesk
from calls.usage import ArticleUsage
from knowledge_base.columns import checked, clean
from knowledge_base.types import (
    ArticleState,
    BadArticle,
    KeptArticle,
    KnowledgeError,
    UnknownArticle,
)
from retrieval.excerpt import excerpt

MAX_AT_ONCE = 200
EXPIRING_DAYS = 30
USAGE_DAYS = 90
USAGE_KEPT_S = 300.0
"""Counts beside the list may be that old: reading the journal takes its time."""


class WordOut(BaseModel):
    """A word in use, and by how many articles."""

    word: str
    count: int


class SurveyOut(BaseModel):
    """The knowledge at a glance, and the words in use, commonest first."""

    needs_review: bool = Field(description="Whether a second person must approve.")
    total: int
    states: dict[ArticleState, int]
    expiring: int = Field(description="Expired, or expiring within 30 days.")
    deleted: int
    categories: list[WordOut]
    departments: list[WordOut]
    districts: list[WordOut]


class ManyIn(BaseModel):
    """Which articles."""

    article_ids: list[str] = Field(min_length=1, max_length=MAX_AT_ONCE)


class TitleOut(BaseModel):
    """What an identifier stands for."""

    title: str
    is_deleted: bool


class PreviewIn(BaseModel):
    """An article as it is being written, and a question to it."""

    content: ArticleContent
    asked: str = Field(default="", max_length=500)


class PreviewOut(BaseModel):
    """The words on the operator's card."""

    excerpt: str


class Deed(StrEnum):
    """What to do with each of many."""

    SUBMIT = "submit"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    DELETE = "delete"
    RESTORE = "restore"
    SET = "set"
    REVERT = "revert"


class Fields(BaseModel):
    """Fields that can be set for many; what is not sent stays."""

    category: str | None = None
    department: str | None = None
    district: str | None = None
    effective_from: date | None = None
    expires_on: date | None = None


class ChosenIn(BaseModel):
    """One of many, in the revision that was looked at; `to` is the revision to take up again."""

    article_id: str
    revision: int | None = None
    to: int | None = None


class BulkIn(BaseModel):
    """Do one thing with many articles."""

    deed: Deed
    articles: list[ChosenIn] = Field(min_length=1, max_length=MAX_AT_ONCE)
    fields: Fields = Fields()
    author: str = Field(default="", max_length=100)


class DoneOut(BaseModel):
    """What became of one of them."""

    article_id: str
    code: str | None = None
    message: str | None = None
    article: ArticleOut | None = None


class BulkOut(BaseModel):
    """What became of each, in the order asked."""

    done: int
    results: list[DoneOut]


_MOVES = {
    Deed.SUBMIT: ArticleState.IN_REVIEW,
    Deed.APPROVE: ArticleState.APPROVED,
    Deed.SEND_BACK: ArticleState.DRAFT,
}


def editing_router(desk: KnowledgeDesk) -> APIRouter:
    """The routes below `/v1/kb` for whoever edits."""
    router = APIRouter(prefix="/v1/kb", tags=["editing"])
    counts = _Counts(desk)

    @router.get("/survey")
    def survey() -> SurveyOut:
        """Tell how much there is of what, and which words are in use."""
        seen = desk.look_over(desk.clock().date() + timedelta(days=EXPIRING_DAYS + 1))
        return SurveyOut(
            needs_review=desk.needs_review,
            total=seen.total,
            states=dict(seen.states),
            expiring=seen.expiring,
            deleted=seen.deleted,
            categories=_words(seen.categories),
            departments=_words(seen.departments),
            districts=_words(seen.districts),
        )

    @router.post("/titles", dependencies=[Depends(change_nothing)])
    def list_titles(body: ManyIn) -> dict[str, TitleOut]:
        """Tell the titles of articles, deleted ones too; what never was is left out."""
        found = {}
        for article_id in body.article_ids:
            try:
                kept = desk.articles.kept(article_id, is_deleted_too=True)
            except UnknownArticle:
                continue
            found[article_id] = TitleOut(title=kept.article.title, is_deleted=kept.deleted_at is not None)
        return found

    @router.post("/usage", dependencies=[Depends(change_nothing)])
    def list_usage_of(body: ManyIn) -> dict[str, UsageOut]:
        """Tell how these articles fared in the last 90 days; the counts may be five minutes old."""
        found = counts.now()
        return {
            article_id: UsageOut.of(found.get(article_id, ArticleUsage(article_id=article_id)), title="")
            for article_id in body.article_ids
        }

    @router.post("/preview", dependencies=[Depends(change_nothing)])
    def preview(body: PreviewIn) -> PreviewOut:
        """Tell what an operator's card would read out, as long as it is still being written."""
        content = body.content.model_copy(
            update={"title": body.content.title.strip() or "—", "body": body.content.body.strip() or "—"}
        )
        with answering():
            article = content.to_article("preview")
        return PreviewOut(excerpt=excerpt(article, body.asked) if body.content.body.strip() else "")

    @router.post("/bulk")
    def change_many(body: BulkIn, request: Request) -> BulkOut:
        """Do one thing with up to 200 articles and report on each."""
        signed = body.model_copy(update={"author": author_of(request, body.author)})
        results = [_one(desk, signed, chosen) for chosen in body.articles]
        done = [result.article_id for result in results if result.code is None]
        note_target(request, f"{body.deed} {' '.join(done)}")
        return BulkOut(done=len(done), results=results)

    return router


def _one(desk: KnowledgeDesk, body: BulkIn, chosen: ChosenIn) -> DoneOut:
    try:
        kept = _done(desk, body, chosen)
    except KnowledgeError as error:
        return DoneOut(article_id=chosen.article_id, code=error.code, message=error.message)
    return DoneOut(article_id=chosen.article_id, article=ArticleOut.of(kept))


def _done(desk: KnowledgeDesk, body: BulkIn, chosen: ChosenIn) -> KeptArticle:
    store, author, now = desk.articles, body.author, desk.clock()
    article_id, expected = chosen.article_id, chosen.revision
    if body.deed in _MOVES:
        return store.move(
            article_id,
            to=_MOVES[body.deed],
            author=author,
            now=now,
            expected=expected,
            needs_second_person=desk.needs_review,
        )
    if body.deed is Deed.DELETE:
        return store.delete(article_id, now=now, author=author, expected=expected)
    if body.deed is Deed.RESTORE:
        return store.restore(article_id, now=now, author=author)
    kept = store.kept(article_id)
    if body.deed is Deed.REVERT:
        steps = {step.revision: step for step in store.history(article_id)}
        if chosen.to not in steps:
            raise UnknownArticle(f"编号 {article_id} 没有第 {chosen.to} 版。")
        article, note = steps[chosen.to].article, f"第 {chosen.to} 版"
        is_draft = steps[chosen.to].state is ArticleState.DRAFT
    else:
        changes: dict[str, Any] = {
            name: clean(value) if isinstance(value, str) else value
            for name, value in body.fields.model_dump(exclude_unset=True).items()
            if value is not None or name in ("effective_from", "expires_on")
        }
        if not changes:
            raise BadArticle("没有选择要设置的内容。")
        article, note = checked(replace(kept.article, **changes)), ""
        is_draft = kept.state is ArticleState.DRAFT
    return store.save(
        article,
        author=author,
        now=now,
        state=desk.state_for(is_draft=is_draft),
        expected=kept.revision if expected is None else expected,
        action="reverted" if body.deed is Deed.REVERT else None,
        note=note,
    )


class _Counts:
    """Counts of use, read from the journal at most every few minutes, by one request at a time."""

    def __init__(self, desk: KnowledgeDesk, monotonic_s: Callable[[], float] = time.monotonic):
        self._desk = desk
        self._monotonic_s = monotonic_s
        self._lock = Lock()
        self._read_at_s = float("-inf")
        self._found: Mapping[str, ArticleUsage] = {}

    def now(self) -> Mapping[str, ArticleUsage]:
        """The counts by article. Blocks while they are read."""
        with self._lock:
            if self._monotonic_s() - self._read_at_s >= USAGE_KEPT_S:
                since = self._desk.clock() - timedelta(days=USAGE_DAYS)
                self._found = self._desk.usage.articles(since=since)
                self._read_at_s = self._monotonic_s()
            return self._found


def _words(counted: Sequence[tuple[str, int]]) -> list[WordOut]:
    return [WordOut(word=word, count=count) for word, count in counted]
