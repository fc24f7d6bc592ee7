"""Searching calls over REST.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how calls are found.

Bound: 2 searches at a time, since each holds one of the database's connections, which live calls need too;
32 may wait, more are refused.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from access.types import Caller, Scope
from agent_ui.discretion import masked, needs_in_full
from agent_ui.door import caller_of
from agent_ui.moments import Moment, moment_of
from agent_ui.paging import Offset
from calls.search.types import BadWish, By, CallIndex, Order, SearchFailed, Source, Voice, Wish

_AT_ONCE = 2
_MAX_WAITING = 32

Number = Annotated[str, Field(min_length=1, max_length=64)]


class SearchIn(BaseModel):
    """What is looked for. `from` and `to` are moments, or days of which both are meant whole."""

    q: str = ""
    by: By = By.TEXT
    party: Voice | None = None
    caller: Number | None = None
    """A number, or `*` and its last digits."""
    operator_id: Number | None = None
    source: Source | None = None
    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None
    order: Order = Order.NEWEST
    offset: Offset = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class FoundLineOut(BaseModel):
    """A line; `marks` are the matched places, from and to in characters of `text`."""

    model_config = ConfigDict(from_attributes=True)

    segment_id: str | None
    note_id: str | None
    voice: Voice
    start_s: float | None
    text: str
    marks: list[tuple[int, int]]


class HitOut(BaseModel):
    """A call, the line to show, and how many of its lines hold any of the words."""

    model_config = ConfigDict(from_attributes=True)

    call_id: str
    started_at: datetime
    operator_id: str | None
    caller: str | None
    source: Source
    line: FoundLineOut
    lines: int


class CallsFoundOut(BaseModel):
    """A page of what was found; `behind` facts are not in the index yet."""

    model_config = ConfigDict(from_attributes=True)

    total: int
    hits: list[HitOut]
    behind: int


def call_search_router(index: CallIndex, zone: ZoneInfo) -> APIRouter:
    """The route `/v1/calls/search`. Who may see their own calls alone finds no others."""
    router = APIRouter(prefix="/v1/calls")
    queue = _Queue()

    @router.get("/search")
    async def search_calls(request: Request, asked: Annotated[SearchIn, Query()]) -> CallsFoundOut:
        """Find calls by what was said in them: all words of `q`, by text or by sound."""
        wish = Wish(
            text=asked.q,
            by=asked.by,
            voice=asked.party,
            caller=asked.caller,
            operator_id=asked.operator_id,
            seat=_seat(caller_of(request)),
            source=asked.source,
            since=moment_of(asked.from_, zone),
            before=moment_of(asked.to, zone, days=1),
            order=asked.order,
            limit=asked.limit,
            offset=asked.offset,
        )
        try:
            async with queue.turn():
                page = await asyncio.to_thread(index.find, wish)
        except BadWish as error:
            raise HTTPException(422, {"code": error.code, "message": error.message}) from error
        except SearchFailed as error:
            raise HTTPException(503, {"code": error.code, "message": error.message}) from error
        return _discreet(CallsFoundOut.model_validate(page), caller_of(request))

    return router


def _discreet(page: CallsFoundOut, who: Caller) -> CallsFoundOut:
    """Masked hit by hit: what is known of one citizen says nothing of another. No place in a line moves."""
    return (
        page if needs_in_full(who) else page.model_copy(update={"hits": [masked(hit) for hit in page.hits]})
    )


class _Queue:
    """Lets searches in, a few at a time."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        if self._waiting >= _MAX_WAITING:
            raise SearchFailed("正在查找的人太多，请稍后再试。", code="search.busy")
        self._waiting += 1
        try:
            await self._room.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._room.release()


def _seat(who: Caller) -> str | None:
    return None if who.may(Scope.CALLS_ALL) else who.operator_id or ""
