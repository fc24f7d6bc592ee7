"""REST about single calls: lines of long ones.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: sockets, sound.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from agent_ui.discretion import known_of, masked, sees_in_full
from agent_ui.door import caller_of
from agent_ui.rest import not_found, readable
from agent_ui.shown import SegmentOnScreen
from calls.records import Records
from calls.types import Stream

Seconds = Annotated[float | None, Query(ge=0.0, le=1_000_000.0)]


class LinesOut(BaseModel):
    """Lines of a call in the order of media time, and how many come before them."""

    segments: list[SegmentOnScreen]
    earlier: int


def one_call_router(records: Records, clock: Callable[[], datetime]) -> APIRouter:
    """The routes below one call, for whoever may read it."""
    router = APIRouter(prefix="/v1/calls/{call_id}", dependencies=[Depends(readable(records))])

    @router.get("/lines")
    def list_lines(
        call_id: str,
        request: Request,
        before_s: Seconds = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 200,
    ) -> LinesOut:
        """The last lines that begin before `before_s` (the end of the call where absent)."""
        view = records.view(Stream.call(call_id))
        if view.call is None:
            raise not_found("call.unknown", f"没有编号为 {call_id} 的通话。")
        lines = sorted(view.segments.values(), key=lambda line: (line.start_s, line.segment_id))
        if before_s is not None:
            lines = [line for line in lines if line.start_s < before_s]
        answer = LinesOut(
            segments=[SegmentOnScreen.model_validate(line) for line in lines[-limit:]],
            earlier=max(0, len(lines) - limit),
        )
        is_full = sees_in_full(caller_of(request), view.call, clock())
        return answer if is_full else masked(answer, known_of(view.call))

    return router
