"""REST under `/v1`, for pages, integrators and people with curl; documented by OpenAPI at `/docs`.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: sockets, how anything is stored or found.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field, field_validator

from access.types import Caller, Scope
from agent_ui.discretion import known_of, masked, needs_in_full, sees_in_full
from agent_ui.door import caller_of
from agent_ui.moments import Moment, moment_of
from agent_ui.paging import Offset
from agent_ui.sheets import HEAD, call_cells, csv_answer, masked_cells
from agent_ui.shown import CallOnScreen, CardOnScreen, SegmentOnScreen
from calls.listing import CallWish, WrapupLine
from calls.records import Records
from calls.types import Call, CallState, Stream
from knowledge_base.types import KnowledgeError
from retrieval.excerpt import excerpt
from retrieval.types import Findings, Match

_MOST_EXPORTED = 50_000
_LEAST_DIGITS = 4


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
    """A call in a list, with what its wrap-up says; without one it has a `matter` where that is asked for."""

    matter: str | None = None
    """What it was about, in a line: its summary, the first article that came up, or what was asked first."""
    kind: str | None = None
    category: str | None = None


class CallsOut(BaseModel):
    """A page of calls, newest first, and how many fit in all."""

    calls: list[CallListed]
    total: int


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


class CallsAsked(BaseModel):
    """Which calls are listed. `from` and `to` are moments, or days of which both are meant whole."""

    state: list[CallState] | None = None
    caller: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    """A number, or `*` and its last digits, four at least."""
    operator_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None
    kind: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    category: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    matter: bool = False
    """Whether each says what it was about, also without a wrap-up; of one number's calls each does."""
    offset: Offset = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 50

    @field_validator("caller")
    @classmethod
    def _says_enough(cls, value: str | None) -> str | None:
        if value is not None and value.startswith("*") and len(value) < _LEAST_DIGITS + 1:
            raise ValueError("four digits at least")
        return value


def calls_router(records: Records, clock: Callable[[], datetime], zone: ZoneInfo) -> APIRouter:
    """The routes below `/v1/calls`. Who may see their own calls alone is told of no others."""
    router = APIRouter(prefix="/v1")

    def wish_of(asked: CallsAsked, who: Caller) -> CallWish:
        sees = who.may(Scope.CALLS_ALL) or _is_on_the_line(asked.caller, who, records)
        return CallWish(
            states=tuple(asked.state or ()),
            caller=asked.caller,
            operator_id=asked.operator_id,
            seat=None if sees else who.operator_id or "",
            since=moment_of(asked.from_, zone),
            before=moment_of(asked.to, zone, days=1),
            kind=asked.kind,
            category=asked.category,
        )

    @router.get("/calls")
    def list_calls(request: Request, asked: Annotated[CallsAsked, Query()]) -> CallsOut:
        """Calls, newest first; those of one number with what they were about."""
        who = caller_of(request)
        found, total = records.calls_like(wish_of(asked, who), limit=asked.limit, offset=asked.offset)
        wrapups = records.wrapups([call.call_id for call in found])
        listed = []
        for call in found:
            line = wrapups.get(call.call_id, WrapupLine())
            is_told = asked.matter or asked.caller is not None
            matter = line.summary or (records.matter(call.call_id) if is_told else None)
            more = {"matter": matter, "kind": line.kind or None, "category": line.category or None}
            one = CallListed.model_validate(call).model_copy(update=more)
            listed.append(one if needs_in_full(who) else masked(one))
        return CallsOut(calls=listed, total=total)

    @router.get("/calls/file", response_class=Response)
    def export_calls(request: Request, asked: Annotated[CallsAsked, Query()]) -> Response:
        """The same list as CSV, with a byte order mark so that Excel reads it as UTF-8."""
        who = caller_of(request)
        found, _ = records.calls_like(wish_of(asked, who), limit=_MOST_EXPORTED)
        wrapups = records.wrapups([call.call_id for call in found])
        rows = (call_cells(call, wrapups.get(call.call_id, WrapupLine()), zone) for call in found)
        return csv_answer(HEAD, rows if needs_in_full(who) else map(masked_cells, rows), name="calls.csv")

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
