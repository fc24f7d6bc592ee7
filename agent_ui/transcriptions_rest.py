"""`POST /v1/audio/transcriptions`, for programs that were written for OpenAI's interface.

In: a form with a recording and what is wanted. Out: the text in the form that was asked for, at once or as
server-sent events; errors as `{"error": {"message", "type", "param", "code"}}`.
Not known here: how anything is recognised.

Bound: so many transcriptions at once; past it 503. For whoever hangs up nothing is transcribed any longer.
"""

import asyncio
import json
import logging
import secrets
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from access.types import AccessError, NotAllowed, Scope
from agent_ui.door import Door, refusal
from agent_ui.transcription_answers import (
    ERROR_SCHEMA,
    delta_event,
    delta_of,
    done_event,
    error_json,
    simple_json,
    subtitles,
    text_of,
    verbose_json,
)
from agent_ui.transcription_wish import ResponseFormat, Wish, WishRefused, form_schema, read_wish
from agent_ui.uploads import Uploaded, UploadLimits, UploadRefused, disk_full, drain, receive_form
from asr.batch.awaited import transcribe_awaited
from asr.batch.papers.formats import Format
from asr.batch.papers.types import Paper
from asr.batch.recorded import HearingOptions, RecordedEars
from asr.batch.types import ListeningOptions
from asr.prompt import lexicon_of
from asr.types import AsrError, BadAudio, Segment
from calls.spool import has_room

log = logging.getLogger(__name__)

_RETRY_S = 10
_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": "Refused", "content": {"application/json": {"schema": ERROR_SCHEMA}}}
    for status in (400, 401, 403, 404, 408, 413, 415, 429, 503, 507)
}
_RESPONSES[200] = {
    "content": {media: {} for media in ("application/json", "text/plain", "text/event-stream")}
}
_SUBTITLES = {ResponseFormat.SRT: Format.SRT, ResponseFormat.VTT: Format.VTT}

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionOptions:
    """How much is taken."""

    folder: Path
    """Where recordings lie while they are transcribed; emptied at the start."""
    max_bytes: int
    """Of one recording."""
    beam_size: int = 5
    max_at_once: int = 8
    min_free_bytes: int = 1_000_000_000
    """Free disk space below which no recording is taken: calls need it more."""


class Gone(Exception):
    """Whoever asked has hung up."""


class _Busy(Exception):
    """Enough is being transcribed."""


def transcriptions_router(door: Door, ears: RecordedEars, options: TranscriptionOptions) -> APIRouter:
    """The route. It asks the door itself, because its refusals have a form of their own."""
    router = APIRouter(prefix="/v1/audio", tags=["recordings"])
    room = asyncio.Semaphore(options.max_at_once)
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(mode=0o700, parents=True)

    @router.post("/transcriptions", openapi_extra=form_schema(), response_model=None, responses=_RESPONSES)
    async def create_transcription(request: Request) -> Response:
        """Transcribe a recording, as OpenAI's interface does."""
        async with AsyncExitStack() as stack:
            try:
                await asyncio.to_thread(_let_in, door, request)
                if room.locked():
                    raise _Busy
                await stack.enter_async_context(room)
                folder = stack.enter_context(_folder_of_its_own(options))
                wish, given = await _begin(request, folder, ears, options)
                stack.push_async_callback(given.aclose)
                if not wish.is_streamed:
                    return _answer(await _while_there(request, _whole(given)), wish)
                first = await _while_there(request, anext(given))  # most files that are none are refused here
                return _Events(_events(request, first, given), stack.pop_all())
            except Gone:
                return Response(status_code=499)
            except Exception as error:  # noqa: BLE001 - whatever the engine raises is told in this form
                await drain(request, options.max_bytes)
                return _refused(error)

    return router


def _let_in(door: Door, request: Request) -> None:
    caller = door.caller(request)
    if not caller.may(Scope.AUDIO):
        raise NotAllowed
    request.state.caller = caller


@contextmanager
def _folder_of_its_own(options: TranscriptionOptions) -> Iterator[Path]:
    if not has_room(options.folder, min_free_bytes=options.min_free_bytes):
        raise disk_full()
    folder = options.folder / secrets.token_hex(8)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _begin(
    request: Request, folder: Path, ears: RecordedEars, options: TranscriptionOptions
) -> tuple[Wish, AsyncGenerator[Segment | Paper]]:
    """Take the form and say what is to be done with it."""
    limits = UploadLimits(max_bytes=options.max_bytes, min_free_bytes=options.min_free_bytes)
    form = await receive_form(request, folder, limits)
    wish = read_wish(form.fields, model=ears.model)
    file = _recording(form.files)
    words = await asyncio.to_thread(lexicon_of, wish.prompt, wish.keywords)
    given = transcribe_awaited(
        file.path,
        name=file.name,
        call_id=folder.name,
        ears=ears,
        hearing=HearingOptions(
            listening=ListeningOptions(channels=wish.channels, left=wish.left),
            beam_size=options.beam_size,
            word_times=wish.has_words,
        ),
        words=words,
    )
    return wish, given


def _recording(files: list[Uploaded]) -> Uploaded:
    if len(files) != 1 or files[0].field != "file":
        raise WishRefused("请用 file 上传一个录音文件。", param="file", code="missing_required_parameter")
    return files[0]


async def _whole(given: AsyncGenerator[Segment | Paper]) -> Paper:
    async for each in given:
        if isinstance(each, Paper):
            return each
    raise RuntimeError("no paper came")


async def _while_there(request: Request, work: Awaitable[Done]) -> Done:
    """Wait for it, but no longer than somebody waits for us. Raises `Gone`."""
    task, leaving = asyncio.ensure_future(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait([task, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        return task.result()
    finally:
        for one in (task, leaving):
            one.cancel()
        await asyncio.wait([task, leaving])


async def _left(request: Request) -> None:
    # `request.is_disconnected` never learns of it behind a middleware (measured with Starlette 1.10)
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _answer(paper: Paper, wish: Wish) -> Response:
    if wish.response_format is ResponseFormat.TEXT:
        return PlainTextResponse(text_of(paper.segments) + "\n")
    if wish.response_format in _SUBTITLES:
        return PlainTextResponse(subtitles(paper, _SUBTITLES[wish.response_format]))
    if wish.response_format is ResponseFormat.VERBOSE_JSON:
        return JSONResponse(verbose_json(paper, has_segments=wish.has_segments, has_words=wish.has_words))
    return JSONResponse(simple_json(paper))


class _Events(StreamingResponse):
    """Server-sent events; what stands behind them is closed when they end, however they end."""

    def __init__(self, events: AsyncIterator[str], behind: AsyncExitStack) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._behind = behind

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        async with self._behind:
            await super().__call__(scope, receive, send)


async def _events(
    request: Request, first: Segment | Paper, given: AsyncGenerator[Segment | Paper]
) -> AsyncGenerator[str]:
    text, before, each = "", None, first
    try:
        while isinstance(each, Segment):
            delta = delta_of(each, before)
            text, before = text + delta, each
            yield _event(delta_event(delta))
            each = await _while_there(request, anext(given))
        yield _event(done_event(text))
    except Gone:
        return
    except Exception as error:  # noqa: BLE001 - as above
        _, told = _told(error)
        yield _event(told)


def _event(told: dict[str, Any]) -> str:
    return f"data: {json.dumps(told, ensure_ascii=False)}\n\n"


def _refused(error: Exception) -> Response:
    status, told = _told(error)
    headers = {"Retry-After": str(_RETRY_S)} if status == 503 else None
    if isinstance(error, AccessError):
        headers = dict(refusal(error).headers or {})
    return JSONResponse(told, status_code=status, headers=headers)


def _told(error: Exception) -> tuple[int, dict[str, Any]]:
    """The status and the words of a refusal."""
    param: str | None = None
    if isinstance(error, WishRefused):
        status, message, code, param = error.status, error.message, error.code, error.param
    elif isinstance(error, UploadRefused):
        status, message, code, param = error.status, error.message, error.code, "file"
    elif isinstance(error, AccessError):
        status, message, code = refusal(error).status_code, error.message, error.code
    elif isinstance(error, BadAudio):
        status, message, code, param = 400, error.message, error.code, "file"
    elif isinstance(error, _Busy):
        status, message, code = 503, "服务器正在转写的录音太多，请稍后再试。", "transcription.busy"
    elif isinstance(error, AsrError):
        status, message, code = 503, "语音识别正在停止，请稍后再试。", error.code
    else:
        log.error("a transcription failed", exc_info=error)
        status, code = 500, "asr.recognition_failed"
        message = "识别这个文件时引擎出错，请稍后重试；仍不行时请把错误代码告诉管理员。"
    kind = _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return status, error_json(message, kind=kind, code=code, param=param)
