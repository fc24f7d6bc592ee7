"""Recordings over REST: a file that is played into the server as a live call, for whoever has no telephone.

In: HTTP requests that passed the door; the file is the body. Out: JSON; errors as `{"code", "message"}`.
Not known here: how files are decoded and played, what is heard in them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect

from access.types import Caller, NotAllowed, Scope
from agent_ui.door import caller_of, refusal
from asr.types import AsrError
from calls.ingest.playing import Playback
from calls.ingest.recording import (
    NobodyWaits,
    Recordings,
    RecordingsBusy,
    RecordingTooLarge,
    UnknownRecording,
    Wish,
)
from calls.types import CallError, HouseFull, StorageFailed

_STATUS: dict[type[Exception], int] = {
    UnknownRecording: 404,
    RecordingTooLarge: 413,
    RecordingsBusy: 503,
    HouseFull: 503,
    StorageFailed: 507,
    NobodyWaits: 499,
}

_LOOK_S = 0.05


class PlaybackOut(BaseModel):
    """A recording and where it stands."""

    call_id: str
    name: str
    parties: list[str]
    seconds: float
    speed: float
    state: str
    position_s: float
    is_truncated: bool
    is_alike: bool
    error: dict[str, str] | None

    @classmethod
    def of(cls, playback: Playback) -> "PlaybackOut":
        """Show it."""
        error = playback.error
        return cls(
            call_id=playback.call_id,
            name=playback.name,
            parties=[party.value for party in playback.parties],
            seconds=round(playback.seconds, 3),
            speed=playback.speed,
            state=playback.state.value,
            position_s=round(playback.position_s, 3),
            is_truncated=playback.is_truncated,
            is_alike=playback.is_alike,
            error={"code": error.code, "message": error.message} if error else None,
        )


class SteerIn(BaseModel):
    """What shall become of a recording that plays."""

    model_config = ConfigDict(extra="forbid")

    paused: bool


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except ClientDisconnect:
        gone = {"code": NobodyWaits.code, "message": "页面已离开，录音没有开始。"}
        raise HTTPException(499, gone) from None
    except (AsrError, CallError) as error:
        status = 422 if isinstance(error, AsrError) else _STATUS.get(type(error), 409)
        raise HTTPException(status, {"code": error.code, "message": error.message}) from error


Seat = Callable[[str], Awaitable[str | None]]
"""The seat of a call."""


def recordings_router(recordings: Recordings, seat_of: Seat) -> APIRouter:
    """The routes below `/v1/calls/recordings`. Who sees their own calls alone plays for their own seat."""
    router = APIRouter(prefix="/v1/calls/recordings", tags=["recordings"])

    @router.post("", status_code=201)
    async def play_recording(
        request: Request,
        name: Annotated[str, Query(min_length=1, max_length=200)],
        left: Literal["citizen", "operator", "mixed"] = "citizen",
        speed: Annotated[float, Query(ge=1.0, le=4.0)] = 1.0,
        operator_id: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    ) -> PlaybackOut:
        """Play a file, the body of the request, as a live call; answers once the call is open."""
        operator_id = _seat(caller_of(request), operator_id)

        async def is_wanted() -> bool:
            # `request.is_disconnected` never learns of it behind a middleware
            try:
                async with asyncio.timeout(_LOOK_S):
                    return bool((await request.receive())["type"] != "http.disconnect")
            except TimeoutError:
                return True

        wish = Wish(name=name, left=left, speed=speed, operator_id=operator_id)
        with _answering():
            return PlaybackOut.of(await recordings.start(request.stream(), wish, is_wanted=is_wanted))

    @router.get("")
    async def list_recordings(request: Request) -> list[PlaybackOut]:
        """List what plays, and the last that are over."""
        caller = caller_of(request)
        return [
            PlaybackOut.of(playback)
            for playback in recordings.all()
            if _is_theirs(caller, await seat_of(playback.call_id))
        ]

    async def find(call_id: str, request: Request) -> Playback:
        playback = recordings.get(call_id)
        if not _is_theirs(caller_of(request), await seat_of(call_id)):
            raise UnknownRecording(f"没有正在播放的录音 {call_id}。")
        return playback

    @router.get("/{call_id}")
    async def get_recording(call_id: str, request: Request) -> PlaybackOut:
        """Say where a recording stands."""
        with _answering():
            return PlaybackOut.of(await find(call_id, request))

    @router.patch("/{call_id}")
    async def steer_recording(call_id: str, body: SteerIn, request: Request) -> PlaybackOut:
        """Pause or go on."""
        with _answering():
            playback = await find(call_id, request)
            playback.pause(is_paused=body.paused)
            return PlaybackOut.of(playback)

    @router.delete("/{call_id}")
    async def stop_recording(call_id: str, request: Request) -> PlaybackOut:
        """Hang up; what was said up to here is still written."""
        with _answering():
            playback = await find(call_id, request)
            playback.stop()
            return PlaybackOut.of(playback)

    return router


def _seat(caller: Caller, wished: str | None) -> str | None:
    if not caller.is_person or caller.may(Scope.CALLS_ALL):
        return wished
    if caller.operator_id is None:
        raise refusal(NotAllowed("您的账号还没有坐席号，不能接入通话，请联系管理员。"))
    return caller.operator_id


def _is_theirs(caller: Caller, seat: str | None) -> bool:
    return not caller.is_person or caller.may_see_calls_of(seat)
