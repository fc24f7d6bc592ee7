"""The articles over REST: lists, editing by several people at once, history.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how articles are kept, found and published.

An article's revision is its ETag. A change needs `If-Match`; where somebody else was faster the answer is
412 with both versions, so that nothing is lost.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response

from agent_ui.door import author_of, note_target
from agent_ui.kb_bodies import (
    ArticleContent,
    ArticleIn,
    ArticleOut,
    ArticlesOut,
    AuthorIn,
    MoveIn,
    NewArticleIn,
    RevertIn,
    RevisionOut,
)
from agent_ui.knowledge_desk import KnowledgeDesk
from agent_ui.paging import Offset
from knowledge_base.store import Order
from knowledge_base.types import (
    ArticleState,
    BadArticle,
    BadVersion,
    EditConflict,
    KeptArticle,
    KnowledgeError,
    UnknownArticle,
    UnreadableFile,
)

IfMatch = Annotated[
    str | None, Header(description='The ETag of what was edited, as `"3"`; `*` changes whatever is there.')
]
_STATUS: dict[type[KnowledgeError], int] = {
    UnknownArticle: 404,
    EditConflict: 412,
    BadArticle: 422,
    UnreadableFile: 422,
    BadVersion: 409,
}
_STATUS_OF_CODE = {
    "kb.publishing": 409,
    "kb.file_too_large": 413,
    "kb.second_person_needed": 403,
    "kb.unknown_report": 404,
}


@contextmanager
def answering(yours: ArticleContent | None = None) -> Iterator[None]:
    """Turn an error of the memory into an answer; a conflict also tells both versions."""
    try:
        yield
    except KnowledgeError as error:
        status = _STATUS_OF_CODE.get(error.code) or _STATUS.get(type(error), 409)
        detail: dict[str, object] = {"code": error.code, "message": error.message}
        if isinstance(error, EditConflict):
            current = ArticleOut.of(error.current).model_dump(mode="json") if error.current else None
            detail |= {"current": current, "yours": yours.model_dump(mode="json") if yours else None}
        if isinstance(error, UnreadableFile) and error.columns:
            detail["columns"] = list(error.columns)
        raise HTTPException(status, detail) from error


def articles_router(desk: KnowledgeDesk) -> APIRouter:
    """The routes below `/v1/articles`."""
    router = APIRouter(prefix="/v1/articles", tags=["articles"])
    store = desk.articles

    @router.get("")
    def list_articles(
        *,
        q: Annotated[str, Query(max_length=200, description="Looked for in identifier and title.")] = "",
        body: Annotated[bool, Query(description="Look for `q` in the body too.")] = False,
        category: str | None = None,
        department: str | None = None,
        district: str | None = None,
        state: ArticleState | None = None,
        valid_on: date | None = None,
        expires_before: date | None = None,
        deleted: bool = False,
        order: Order = Order.ARTICLE_ID,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ArticlesOut:
        """List one page of the articles that fit; with `deleted` those that can be restored."""
        page = store.page(
            text=q,
            is_body_too=body,
            category=category,
            department=department,
            district=district,
            state=state,
            valid_on=valid_on,
            expires_before=expires_before,
            is_deleted=deleted,
            order=order,
            offset=offset,
            limit=limit,
        )
        return ArticlesOut(total=page.total, articles=[ArticleOut.of(kept) for kept in page.kept])

    @router.post("", status_code=201)
    def create_article(body: NewArticleIn, request: Request, response: Response) -> ArticleOut:
        """Keep a new article; 412 where its identifier is in use."""
        with answering(body):
            article_id = body.article_id.strip() or _made_id(body.title)
            kept = store.save(
                body.to_article(article_id),
                author=author_of(request, body.author),
                now=desk.clock(),
                state=desk.state_for(is_draft=body.draft),
                expected=0,
            )
        note_target(request, article_id)
        response.headers["Location"] = f"/v1/articles/{article_id}"
        return _tagged(kept, response)

    @router.get("/{article_id}")
    def get_article(article_id: str, response: Response) -> ArticleOut:
        """Get one article, deleted or not, with its ETag."""
        with answering():
            return _tagged(store.kept(article_id, is_deleted_too=True), response)

    @router.put("/{article_id}")
    def put_article(
        article_id: str, body: ArticleIn, request: Request, response: Response, if_match: IfMatch = None
    ) -> ArticleOut:
        """Change an article; 412 where it is not in the revision of `If-Match` any more."""
        with answering(body):
            expected = _revision(if_match)
            store.kept(article_id)
            kept = store.save(
                body.to_article(article_id),
                author=author_of(request, body.author),
                now=desk.clock(),
                state=desk.state_for(is_draft=body.draft),
                expected=expected,
            )
        return _tagged(kept, response)

    @router.delete("/{article_id}")
    def delete_article(
        article_id: str,
        request: Request,
        response: Response,
        if_match: IfMatch = None,
        author: Annotated[str, Query(max_length=100)] = "",
    ) -> ArticleOut:
        """Take an article away; `restore` brings it back."""
        with answering():
            kept = store.delete(
                article_id,
                now=desk.clock(),
                author=author_of(request, author),
                expected=_revision(if_match, is_needed=False),
            )
        return _tagged(kept, response)

    @router.post("/{article_id}/restore")
    def restore_article(article_id: str, body: AuthorIn, request: Request, response: Response) -> ArticleOut:
        """Bring a deleted article back."""
        with answering():
            author = author_of(request, body.author)
            return _tagged(store.restore(article_id, now=desk.clock(), author=author), response)

    @router.post("/{article_id}/state")
    def move_article(
        article_id: str, body: MoveIn, request: Request, response: Response, if_match: IfMatch = None
    ) -> ArticleOut:
        """Submit, approve or send back; by the setting `kb_review` nobody approves their own words."""
        with answering():
            kept = store.move(
                article_id,
                to=body.to,
                author=author_of(request, body.author),
                now=desk.clock(),
                expected=_revision(if_match, is_needed=False),
                needs_second_person=desk.needs_review,
                note=body.note,
            )
        return _tagged(kept, response)

    @router.get("/{article_id}/revisions")
    def list_revisions(article_id: str) -> list[RevisionOut]:
        """List every step of an article's history, newest first."""
        with answering():
            return [RevisionOut.of(step) for step in store.history(article_id)]

    @router.post("/{article_id}/revert")
    def revert_article(
        article_id: str, body: RevertIn, request: Request, response: Response, if_match: IfMatch = None
    ) -> ArticleOut:
        """Take up the content of an earlier revision as a new one."""
        with answering():
            expected = _revision(if_match, is_needed=False)
            steps = {step.revision: step for step in store.history(article_id)}
            if body.revision not in steps:
                raise UnknownArticle(f"编号 {article_id} 没有第 {body.revision} 版。")
            kept = store.save(
                steps[body.revision].article,
                author=author_of(request, body.author),
                now=desk.clock(),
                state=desk.state_for(is_draft=False),
                expected=expected,
                action="reverted",
                note=f"第 {body.revision} 版",
            )
        return _tagged(kept, response)

    return router


def _tagged(kept: KeptArticle, response: Response) -> ArticleOut:
    response.headers["ETag"] = f'"{kept.revision}"'
    return ArticleOut.of(kept)


def _revision(if_match: str | None, *, is_needed: bool = True) -> int | None:
    """The revision that the caller knows, or None for any."""
    if if_match is None and is_needed:
        message = "保存时需要 If-Match，说明改的是哪一版。"
        raise HTTPException(428, {"code": "kb.if_match_needed", "message": message})
    tag = (if_match or "*").strip().removeprefix("W/").strip('"')
    if tag == "*":
        return None
    if not tag.isdecimal():
        message = f'If-Match 应为版本号，如 "3"，而不是 {tag[:20]}。'
        raise HTTPException(400, {"code": "kb.bad_if_match", "message": message})
    return int(tag)


def _made_id(title: str) -> str:
    return f"D{hashlib.sha256(title.strip().encode()).hexdigest()[:10]}"
