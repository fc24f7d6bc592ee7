"""What is learnt from use, over REST: gaps, usage, repetitions, expiry, operators' reports.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how the journal is read, how questions are compared.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request

from agent_ui.door import author_of, note_target
from agent_ui.kb_bodies import (
    AdoptIn,
    AnswerIn,
    ArticleOut,
    ArticlesOut,
    DuplicateOut,
    GapOut,
    QuestionsIn,
    ReportIn,
    ReportOut,
    ReportsOut,
    UsageOut,
    UsagesOut,
    duplicates_out,
)
from agent_ui.kb_rest import answering
from agent_ui.knowledge_desk import KnowledgeDesk
from agent_ui.paging import Offset, RowNumber
from calls.usage import ArticleUsage
from knowledge_base.duplicates import find_duplicates
from knowledge_base.store import Order

Days = Annotated[int, Query(ge=1, le=3650, description="Look back, or ahead, so many days.")]
Limit = Annotated[int, Query(ge=1, le=200)]


def learning_router(desk: KnowledgeDesk) -> APIRouter:
    """The routes below `/v1/kb` that tell what to do next."""
    router = APIRouter(prefix="/v1/kb", tags=["learning from use"])

    @router.get("/gaps")
    def list_gaps(days: Days = 30, limit: Limit = 50) -> list[GapOut]:
        """List questions that found nothing good, grouped by likeness, largest group first."""
        return [GapOut.of(missed) for missed in desk.gaps(days=days)[:limit]]

    @router.post("/gaps/adopt")
    def adopt_questions(body: AdoptIn, request: Request) -> ArticleOut | None:
        """Make missed questions similar questions of an article; without an article, set them aside."""
        kept, author = None, author_of(request, body.author)
        note_target(request, body.article_id or "")  # the questions are what citizens said
        with answering():
            if body.article_id is not None:
                kept = desk.articles.add_questions(
                    body.article_id,
                    body.questions,
                    author=author,
                    now=desk.clock(),
                    state=desk.state_for(is_draft=False),
                )
            desk.feedback.settle(body.questions, article_id=body.article_id, author=author, now=desk.clock())
        return ArticleOut.of(kept) if kept else None

    @router.post("/gaps/reopen", status_code=204)
    def reopen_questions(body: QuestionsIn) -> None:
        """List questions again that were set aside; what an article took in stays there."""
        desk.feedback.reopen(body.questions)

    @router.get("/usage")
    def list_usage(
        days: Days = 90,
        never_shown: Annotated[bool, Query(description="Only what was never shown.")] = False,
        offset: Offset = 0,
        limit: Limit = 50,
    ) -> UsagesOut:
        """List how the articles fared on the operators' screens, most shown first."""
        counts = desk.usage.articles(since=desk.clock() - timedelta(days=days))
        rows = [
            (counts.get(article.article_id, ArticleUsage(article_id=article.article_id)), article.title)
            for article in desk.publishable()
        ]
        rows = [row for row in rows if not (never_shown and row[0].shown)]
        rows.sort(key=lambda row: (-row[0].shown, row[0].article_id))
        page = rows[offset : offset + limit]
        return UsagesOut(total=len(rows), articles=[UsageOut.of(usage, title=title) for usage, title in page])

    @router.get("/duplicates")
    def list_duplicates(limit: Limit = 50) -> list[DuplicateOut]:
        """List articles that say nearly the same, or share a similar question, likest first."""
        return duplicates_out(find_duplicates(desk.publishable())[:limit])

    @router.get("/expiring")
    def list_expiring(days: Days = 30, offset: Offset = 0, limit: Limit = 50) -> ArticlesOut:
        """List articles that expire within so many days or have expired, soonest first."""
        page = desk.articles.page(
            expires_before=desk.clock().date() + timedelta(days=days + 1),
            order=Order.EXPIRY,
            offset=offset,
            limit=limit,
        )
        return ArticlesOut(total=page.total, articles=[ArticleOut.of(kept) for kept in page.kept])

    @router.get("/reports")
    def list_reports(
        article_id: str | None = None,
        reporter: str | None = None,
        is_open: Annotated[bool | None, Query(alias="open")] = None,
        offset: Offset = 0,
        limit: Limit = 50,
    ) -> ReportsOut:
        """List errors that operators reported, open ones first."""
        found, total = desk.feedback.reports(
            article_id=article_id, reporter=reporter, is_open=is_open, offset=offset, limit=limit
        )
        return ReportsOut(total=total, reports=[ReportOut.of(report) for report in found])

    @router.post("/reports/{report_id}/answer")
    def answer_report(report_id: RowNumber, body: AnswerIn, request: Request) -> ReportOut:
        """Answer a report; the operator finds the answer in the list."""
        with answering():
            return ReportOut.of(
                desk.feedback.answer(
                    report_id,
                    answer=body.answer,
                    author=author_of(request, body.author),
                    now=desk.clock(),
                )
            )

    return router


def reports_router(desk: KnowledgeDesk) -> APIRouter:
    """The route by which whoever reads articles reports an error in one."""
    router = APIRouter(prefix="/v1/articles", tags=["learning from use"])

    @router.post("/{article_id}/reports", status_code=201)
    def report_error(article_id: str, body: ReportIn, request: Request) -> ReportOut:
        """Report an error in an article; whoever keeps the knowledge answers."""
        with answering():
            desk.articles.kept(article_id, is_deleted_too=True)
            return ReportOut.of(
                desk.feedback.report(
                    article_id,
                    text=body.text,
                    reporter=author_of(request, body.reporter),
                    call_id=body.call_id,
                    now=desk.clock(),
                )
            )

    return router
