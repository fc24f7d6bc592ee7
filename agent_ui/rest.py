"""REST under `/v1`, for pages, integrators and people with curl; documented by OpenAPI at `/docs`.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: sockets, how anything is stored or found.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from access.types import Caller, Scope
from agent_ui.discretion import known_of, masked, needs_in_full, sees_in_full
from agent_ui.door import caller_of
from agent_ui.paging import Offset
from agent_ui.shown import CallOnScreen, CardOnScreen, SegmentOnScreen
from calls.records import Records
from calls.types import Call, CallState, Stream
from knowledge_base.types import KnowledgeError
from retrieval.excerpt import excerpt
from retrieval.types import Findings, Match


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


class CallListed(CallOnScreen):
    """A call in a list; `matter` is filled where the calls of one number are asked for."""

    matter: str | None = None
    """What it was about, in a line: the first article that came up, or the first thing that was asked."""


class CallsOut(BaseModel):
    """Calls, newest first."""

    calls: list[CallListed]


class CallOut(BaseModel):
    """One call with its final text and the cards last on screen."""

    call: CallOnScreen
    segments: list[SegmentOnScreen]
    cards: list[CardOnScreen]


Find = Callable[[str, int], Awaitable[Findings]]
"""(text, k) → the best matches."""


def search_router(*, find: Find) -> APIRouter:
    """The route `/v1/search`."""
    router = APIRouter(prefix="/v1")

    @router.get("/search")
    async def search_knowledge(
        q: Annotated[str, Query(min_length=1, max_length=500)],
        k: Annotated[int, Query(ge=1, le=50)] = 5,
    ) -> SearchOut:
        """Search the published knowledge base."""
        try:
            found = await find(q, k)
        except KnowledgeError as error:
            raise HTTPException(503, {"code": error.code, "message": error.message}) from error
        return SearchOut(
            query=q,
            kb_version=found.kb_version,
            matches=[_match_out(match) for match in found.matches],
        )

    return router


def calls_router(records: Records, clock: Callable[[], datetime]) -> APIRouter:
    """The routes below `/v1/calls`. Who may see their own calls alone is told of no others."""
    router = APIRouter(prefix="/v1")

    @router.get("/calls")
    def list_calls(
        request: Request,
        state: Annotated[list[CallState] | None, Query()] = None,
        caller: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> CallsOut:
        """Calls, newest first; those of one number with what they were about."""
        who = caller_of(request)
        seat = (
            None
            if who.may(Scope.CALLS_ALL) or _is_on_the_line(caller, who, records)
            else who.operator_id or ""
        )
        found = records.calls(states=state or (), caller=caller, operator_id=seat, limit=limit, offset=offset)
        listed = [CallListed.model_validate(call) for call in found]
        if caller is not None:
            listed = [call.model_copy(update={"matter": records.matter(call.call_id)}) for call in listed]
        answer = CallsOut(calls=listed)
        return answer if needs_in_full(who) else masked(answer)

    @router.get("/calls/{call_id}")
    async def get_call(call_id: str, request: Request) -> CallOut:
        """One call with its transcript."""
        view = await run_in_threadpool(records.view, Stream.call(call_id))
        may = view.call is not None and await run_in_threadpool(
            is_readable, view.call, caller_of(request), records
        )
        if view.call is None or not may:
            raise not_found("call.unknown", f"没有编号为 {call_id} 的通话。")
        cards = view.suggestion.cards if view.suggestion else ()
        answer = CallOut(
            call=CallOnScreen.model_validate(view.call),
            segments=[SegmentOnScreen.model_validate(segment) for segment in view.segments.values()],
            cards=[CardOnScreen.model_validate(card) for card in cards],
        )
        is_full = sees_in_full(caller_of(request), view.call, clock())
        return answer if is_full else masked(answer, known_of(view.call))

    return router


def is_readable(call: Call, who: Caller, records: Records) -> bool:
    """Whether a call is one's own, or an earlier one of the citizen with whom one talks now. Blocks."""
    return who.may_see_calls_of(call.operator_id) or _is_on_the_line(call.caller, who, records)


def readable(records: Records) -> Callable[[str, Request], None]:
    """Make a dependency: a call that somebody may not read is not there."""

    def check(call_id: str, request: Request) -> None:
        call = records.call(call_id)
        if call is None or not is_readable(call, caller_of(request), records):
            raise not_found("call.unknown", f"没有编号为 {call_id} 的通话。")

    return check


def _is_on_the_line(number: str | None, who: Caller, records: Records) -> bool:
    if number is None or who.operator_id is None or not who.may(Scope.CALLS_OWN):
        return False
    running = (CallState.LIVE, CallState.LOST, CallState.INTERRUPTED)
    return bool(records.calls(states=running, caller=number, operator_id=who.operator_id, limit=1))


def not_found(code: str, message: str) -> HTTPException:
    """A 404 with a code and a sentence."""
    return HTTPException(404, {"code": code, "message": message})


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
