"""REST about single calls: their sound, and lines of long ones.

In: HTTP requests that passed the door. Out: WAV, JSON; errors as `{"code", "message"}` under `detail`.
Not known here: sockets, how sound is stored beyond its file.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from agent_ui.discretion import known_of, masked, sees_in_full
from agent_ui.door import caller_of
from agent_ui.rest import is_readable, not_found
from agent_ui.shown import SegmentOnScreen
from calls.recording import MAX_S, cut, received_s
from calls.records import Records
from calls.spool import spool_path
from calls.types import Stream

_SHORTEST_S = 0.02

Seconds = Annotated[float | None, Query(ge=0.0, le=1_000_000.0)]


class LinesOut(BaseModel):
    """Lines of a call in the order of media time, and how many come before them."""

    segments: list[SegmentOnScreen]
    earlier: int


def one_call_router(*, records: Records, audio_folder: Path, clock: Callable[[], datetime]) -> APIRouter:
    """The routes below one call, for whoever may read it."""

    def may_read(call_id: str, request: Request) -> None:
        call = records.call(call_id)
        if call is None or not is_readable(call, caller_of(request), records):
            raise not_found("call.unknown", f"没有编号为 {call_id} 的通话。")

    router = APIRouter(prefix="/v1/calls/{call_id}", dependencies=[Depends(may_read)])

    @router.get("/audio", response_class=StreamingResponse, responses={200: {"content": {"audio/wav": {}}}})
    def hear_call(
        call_id: str,
        from_s: Seconds = None,
        to_s: Seconds = None,
        last_s: Annotated[float | None, Query(gt=0.0, le=MAX_S)] = None,
    ) -> StreamingResponse:
        """A stretch of the sound as WAV, one channel per leg: `from_s` to `to_s`, or the `last_s` seconds."""
        audio_format = records.audio_format(call_id)
        path = spool_path(audio_folder, call_id)
        all_s = received_s(path, audio_format) if audio_format else None
        if audio_format is None or all_s is None:
            raise not_found("call.no_audio", "这通电话没有录音，或录音已到期删除。")
        end_s = min(all_s if to_s is None else to_s, all_s)
        start_s = max(0.0, end_s - last_s) if last_s is not None else from_s or 0.0
        if end_s - start_s < _SHORTEST_S:
            raise _out_of_range(f"这一段没有声音：目前只有 {all_s:.1f} 秒。", all_s)
        if end_s - start_s > MAX_S:
            raise _out_of_range(f"一次最多取 {MAX_S:.0f} 秒，请分段取。", all_s)
        recording = cut(path, audio_format, start_s, end_s)
        return StreamingResponse(
            recording.blocks(),
            media_type="audio/wav",
            headers={
                "Content-Length": str(recording.n_bytes),
                "Cache-Control": "no-store",
                "X-Start-S": f"{start_s:.3f}",
            },
        )

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


def _out_of_range(message: str, all_s: float) -> HTTPException:
    return HTTPException(
        416,
        {"code": "call.audio_out_of_range", "message": message},
        headers={"Content-Range": f"seconds */{all_s:.3f}"},
    )
