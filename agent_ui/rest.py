"""REST under `/v1`, for pages, integrators and people with curl; documented by OpenAPI at `/docs`.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: sockets, how anything is stored or found.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from agent_ui.events import CallOnScreen, CardOnScreen, SegmentOnScreen
from calls.records import Records
from calls.types import CallState, Stream
from knowledge_base.store import ArticleStore
from knowledge_base.types import Article, UnknownArticle
from retrieval.excerpt import excerpt
from retrieval.types import Findings, Match


class ArticleOut(BaseModel):
    """An article as it is kept."""

    article_id: str
    title: str
    body: str
    questions: list[str]
    keywords: list[str]
    category: str
    department: str
    source: str
    effective_from: str | None
    expires_on: str | None
    updated_at: str | None


class ArticlesOut(BaseModel):
    """One page of articles, and how many there are."""

    total: int
    articles: list[ArticleOut]


class MatchOut(BaseModel):
    """An article that was found, and why."""

    article_id: str
    title: str
    excerpt: str
    category: str
    department: str
    source: str
    score: float
    passage: str
    channels: dict[str, dict[str, float]]


class SearchOut(BaseModel):
    """What a search found, best first."""

    query: str
    kb_version: str
    matches: list[MatchOut]


class CallsOut(BaseModel):
    """Calls, newest first."""

    calls: list[CallOnScreen]


class CallOut(BaseModel):
    """One call with its final text and the cards last on screen."""

    call: CallOnScreen
    segments: list[SegmentOnScreen]
    cards: list[CardOnScreen]


Find = Callable[[str, int], Awaitable[Findings]]
"""(text, k) → the best matches."""


def rest_router(*, records: Records, articles: ArticleStore, find: Find) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1")

    @router.get("/search")
    async def search_knowledge(
        q: Annotated[str, Query(min_length=1, max_length=500)],
        k: Annotated[int, Query(ge=1, le=50)] = 5,
    ) -> SearchOut:
        """Search the published knowledge base."""
        found = await find(q, k)
        return SearchOut(
            query=q,
            kb_version=found.kb_version,
            matches=[_match_out(match) for match in found.matches],
        )

    @router.get("/articles")
    def list_articles(
        q: Annotated[str, Query(max_length=200)] = "",
        category: str | None = None,
        department: str | None = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ArticlesOut:
        """Articles by identifier, filtered."""
        page = articles.page(text=q, category=category, department=department, offset=offset, limit=limit)
        return ArticlesOut(total=page.total, articles=[_article_out(article) for article in page.articles])

    @router.get("/articles/{article_id}")
    def get_article(article_id: str) -> ArticleOut:
        """One article."""
        try:
            return _article_out(articles.get(article_id))
        except UnknownArticle as error:
            raise not_found(error.code, error.message) from error

    @router.get("/calls")
    def list_calls(
        state: Annotated[list[CallState] | None, Query()] = None,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> CallsOut:
        """Calls, newest first."""
        found = records.calls(states=state or (), limit=limit, offset=offset)
        return CallsOut(calls=[CallOnScreen.model_validate(call) for call in found])

    @router.get("/calls/{call_id}")
    async def get_call(call_id: str) -> CallOut:
        """One call with its transcript."""
        view = await run_in_threadpool(records.view, Stream.call(call_id))
        if view.call is None:
            raise not_found("call.unknown", f"没有编号为 {call_id} 的通话。")
        cards = view.suggestion.cards if view.suggestion else ()
        return CallOut(
            call=CallOnScreen.model_validate(view.call),
            segments=[SegmentOnScreen.model_validate(segment) for segment in view.segments.values()],
            cards=[CardOnScreen.model_validate(card) for card in cards],
        )

    return router


def not_found(code: str, message: str) -> HTTPException:
    """A 404 with a code and a sentence."""
    return HTTPException(404, {"code": code, "message": message})


def _article_out(article: Article) -> ArticleOut:
    def text(value: Any) -> str | None:
        return value.isoformat() if value is not None else None

    return ArticleOut(
        article_id=article.article_id,
        title=article.title,
        body=article.body,
        questions=list(article.questions),
        keywords=list(article.keywords),
        category=article.category,
        department=article.department,
        source=article.source,
        effective_from=text(article.effective_from),
        expires_on=text(article.expires_on),
        updated_at=text(article.updated_at),
    )


def _match_out(match: Match) -> MatchOut:
    return MatchOut(
        article_id=match.article.article_id,
        title=match.article.title,
        excerpt=excerpt(match.article, match.passage.text),
        category=match.article.category,
        department=match.article.department,
        source=match.article.source,
        score=match.score,
        passage=match.passage.text,
        channels={
            channel.value: {"score": found.score, "rank": found.rank}
            for channel, found in match.channels.items()
        },
    )
