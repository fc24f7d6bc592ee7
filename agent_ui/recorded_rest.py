"""Transcribed recordings over REST: they come in as calls that have ended.

In: HTTP requests that passed the door. Out: JSON; errors as `{"code", "message"}` under `detail`.
Not known here: how recordings are transcribed, how calls are kept.
"""

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from access.types import Caller, NotAllowed, Scope
from agent_ui.door import caller_of, note_target, refusal
from asr.types import Correction, Party, Segment, Word
from calls.recorded import InFuture, RecordedCall, Recorder
from calls.types import StorageFailed

MAX_BYTES = 8_000_000
MAX_SEGMENTS = 20_000
_LONGEST_S = 48 * 3600.0
_YEARS = range(2000, 2200)

Name = Annotated[str, Field(min_length=1, max_length=64)]
Seconds = Annotated[float, Field(ge=0.0, le=_LONGEST_S, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=10_000)]


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WordIn(_In):
    """A piece of text with its place in media time."""

    text: Annotated[str, Field(max_length=200)]
    start_s: Seconds
    end_s: Seconds
    probability: Annotated[float, Field(ge=0.0, le=1.0)]


class CorrectionIn(_In):
    """A replacement that was made in the text, so that a person can undo it."""

    start: Annotated[int, Field(ge=0)]
    heard: Text
    written: Text
    reason: Annotated[str, Field(max_length=200)]


class SegmentIn(_In):
    """One line."""

    segment_id: Annotated[str, Field(pattern=r"^(citizen|operator|mixed)-[0-9]{1,9}$")]
    party: Party
    start_s: Seconds
    end_s: Seconds
    text: Annotated[Text, Field(min_length=1)]
    raw_text: Text
    words: Annotated[tuple[WordIn, ...], Field(max_length=2_000)] = ()
    avg_logprob: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    no_speech_prob: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    corrections: Annotated[tuple[CorrectionIn, ...], Field(max_length=200)] = ()
    is_unclear: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.end_s < self.start_s:
            raise ValueError("a line ends before it begins")
        if any(one.start + len(one.written) > len(self.text) for one in self.corrections):
            raise ValueError("a correction lies outside of its line")
        return self

    def segment(self, call_id: str) -> Segment:
        """As the rest of the house knows it."""
        return Segment(
            call_id=call_id,
            segment_id=self.segment_id,
            party=self.party,
            start_s=self.start_s,
            end_s=self.end_s,
            text=self.text,
            raw_text=self.raw_text,
            is_final=True,
            words=tuple(Word(**word.model_dump()) for word in self.words),
            avg_logprob=self.avg_logprob,
            no_speech_prob=self.no_speech_prob,
            corrections=tuple(Correction(**one.model_dump()) for one in self.corrections),
            is_unclear=self.is_unclear,
        )


class RecordedIn(_In):
    """A transcribed recording; `digest` is the SHA-256 of the file, by which it is known again."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    name: Annotated[str, Field(min_length=1, max_length=400)]
    started_at: AwareDatetime
    seconds: Seconds
    operator_id: Name | None = None
    caller: Name | None = None
    segments: Annotated[tuple[SegmentIn, ...], Field(max_length=MAX_SEGMENTS)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.started_at.year not in _YEARS:
            raise ValueError("started_at is no time of a telephone call")
        if len({one.segment_id for one in self.segments}) < len(self.segments):
            raise ValueError("two lines have the same segment_id")
        return self


class RecordedOut(BaseModel):
    """The call, and whether it came in now (`stored`) or was there before (`known`)."""

    call_id: str
    status: Literal["stored", "known"]


_PLACE = "#/paths/~1v1~1calls~1recorded/post/requestBody/content/application~1json/schema/$defs/{model}"
"""Where the parts of the schema stand in OpenAPI's document: the body is read here and not by FastAPI, so
that a large one is refused before it is in memory."""
_SCHEMA = RecordedIn.model_json_schema(ref_template=_PLACE)
_BODY = {"content": {"application/json": {"schema": _SCHEMA}}, "required": True}


def recorded_router(recorder: Recorder) -> APIRouter:
    """The route `/v1/calls/recorded`. Who sees their own calls alone brings calls of their own seat."""
    router = APIRouter(prefix="/v1/calls/recorded", tags=["recordings"])

    known: dict[int | str, dict[str, Any]] = {200: {"model": RecordedOut, "description": "Known before"}}

    @router.post("", status_code=201, openapi_extra={"requestBody": _BODY}, responses=known)
    async def store_recorded(request: Request, response: Response) -> RecordedOut:
        """Put a transcribed recording on record; 200 where the same file is there already."""
        body = await _body(request)
        recorded = RecordedCall(
            digest=body.digest,
            name=body.name,
            started_at=body.started_at,
            seconds=body.seconds,
            operator_id=_seat(caller_of(request), body.operator_id),
            caller=body.caller,
            segments=tuple(
                one.segment("") for one in sorted(body.segments, key=lambda one: (one.end_s, one.segment_id))
            ),
        )
        note_target(request, recorded.call_id)
        try:
            is_new = await recorder.record(recorded)
        except InFuture as error:
            raise HTTPException(422, {"code": error.code, "message": error.message}) from error
        except StorageFailed as error:
            raise HTTPException(507, {"code": error.code, "message": error.message}) from error
        response.status_code = 201 if is_new else 200
        return RecordedOut(call_id=recorded.call_id, status="stored" if is_new else "known")

    return router


async def _body(request: Request) -> RecordedIn:
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MAX_BYTES:
            message = f"转写结果超过 {MAX_BYTES // 1_000_000} MB，不能入库。"
            raise HTTPException(413, {"code": "recorded.too_large", "message": message})
    try:
        return RecordedIn.model_validate_json(bytes(content))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        message = f"内容格式不对：{where} {first['msg']}".replace("： ", "：")
        raise HTTPException(422, {"code": "recorded.bad", "message": message}) from error


def _seat(caller: Caller, wished: str | None) -> str | None:
    if not caller.is_person or caller.may(Scope.CALLS_ALL):
        return wished
    if caller.operator_id is None:
        raise refusal(NotAllowed("您的账号还没有坐席号，不能存入通话，请联系管理员。"))
    return caller.operator_id
