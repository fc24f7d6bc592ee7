"""REST about the sound of single calls: stretches of it, and the whole as a player asks for it.

In: HTTP requests that passed the door. Out: WAV; errors as `{"code", "message"}` under `detail`.
Not known here: how sound is kept, who may hear what (a dependency looks at that).
"""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from agent_ui.ranges import range_of
from agent_ui.rest import not_found, readable
from asr.types import Party
from calls.audio.sound import Recordings, Sound
from calls.audio.types import AudioError
from calls.recording import MAX_S, cut
from calls.records import Records

_SHORTEST_S = 0.02

Seconds = Annotated[float | None, Query(ge=0.0, le=1_000_000.0)]


def call_sound_router(records: Records, recordings: Recordings) -> APIRouter:
    """The routes of one call's sound, for whoever may read it."""
    router = APIRouter(prefix="/v1/calls/{call_id}", dependencies=[Depends(readable(records))])

    def opened(call_id: str) -> Sound:
        """The sound of a call, or the answer that there is none, or none that can be heard."""
        audio_format = records.audio_format(call_id)
        try:
            sound = recordings.open(call_id, audio_format) if audio_format else None
        except AudioError as error:
            raise HTTPException(503, {"code": error.code, "message": error.message}) from error
        if sound is None:
            raise not_found("call.no_audio", "这通电话没有录音，或录音已到期删除。")
        return sound

    @router.get("/audio", response_class=StreamingResponse, responses={200: {"content": {"audio/wav": {}}}})
    def hear_call(
        call_id: str,
        from_s: Seconds = None,
        to_s: Seconds = None,
        last_s: Annotated[float | None, Query(gt=0.0, le=MAX_S)] = None,
    ) -> StreamingResponse:
        """A stretch of the sound as WAV, one channel per leg: `from_s` to `to_s`, or the `last_s` seconds."""
        with opened(call_id) as sound:
            all_s = sound.seconds
        end_s = min(all_s if to_s is None else to_s, all_s)
        start_s = max(0.0, end_s - last_s) if last_s is not None else from_s or 0.0
        if end_s - start_s < _SHORTEST_S:
            raise _out_of_range(f"这一段没有声音：目前只有 {all_s:.1f} 秒。", all_s)
        if end_s - start_s > MAX_S:
            raise _out_of_range(f"一次最多取 {MAX_S:.0f} 秒，请分段取。", all_s)
        recording = cut(lambda: opened(call_id), start_s, end_s)
        return StreamingResponse(
            recording.blocks(),
            media_type="audio/wav",
            headers={
                "Content-Length": str(recording.n_bytes),
                "Cache-Control": "no-store",
                "X-Start-S": f"{start_s:.3f}",
            },
        )

    @router.get("/sound", response_class=StreamingResponse, responses={206: {"content": {"audio/wav": {}}}})
    def hear_whole_call(
        call_id: str,
        request: Request,
        leg: Annotated[Party | None, Query(description="One leg alone; both where absent.")] = None,
    ) -> StreamingResponse:
        """All of the sound as one WAV file, or stretches of that by `Range`."""
        with opened(call_id) as sound:
            channels, all_s = sound.channels, sound.seconds
        if leg is not None and leg not in channels:
            raise not_found("call.no_leg", "这段录音里没有单独的这一方声音。")
        legs = None if leg is None else (channels.index(leg),)
        recording = cut(lambda: opened(call_id), 0.0, all_s, legs)
        try:
            wanted = range_of(request.headers.get("range"), recording.n_bytes)
        except ValueError:
            raise HTTPException(
                416,
                {"code": "call.audio_out_of_range", "message": "录音没有这一段。"},
                headers={"Content-Range": f"bytes */{recording.n_bytes}"},
            ) from None
        first, last = wanted or (0, recording.n_bytes)
        headers = {"Content-Length": str(last - first), "Accept-Ranges": "bytes", "Cache-Control": "no-store"}
        if wanted is not None:
            headers["Content-Range"] = f"bytes {first}-{last - 1}/{recording.n_bytes}"
        return StreamingResponse(
            recording.blocks(first, last),
            status_code=200 if wanted is None else 206,
            media_type="audio/wav",
            headers=headers,
        )

    return router


def _out_of_range(message: str, all_s: float) -> HTTPException:
    return HTTPException(
        416,
        {"code": "call.audio_out_of_range", "message": message},
        headers={"Content-Range": f"seconds */{all_s:.3f}"},
    )
