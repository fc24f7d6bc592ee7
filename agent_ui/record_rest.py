"""REST about the record of one call: all of it, in full with a reason, as a file, held, deleted.

In: HTTP requests that passed the door. Out: JSON and files; errors as `{"code", "message"}` under `detail`.
Not known here: how calls are kept and deleted.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from access.types import Scope
from agent_ui.discretion import known_of, masked_document, sees_in_full
from agent_ui.door import author_of, caller_of, note_target
from agent_ui.job_files_rest import MEDIA
from agent_ui.keeping_desk import KeepingDesk
from agent_ui.record_bodies import DeletionOut, HoldIn, HoldOut, ReasonIn, RecordOut, SoundOut
from agent_ui.rest import not_found, readable
from agent_ui.wire import call_snapshot_text
from asr.batch.papers.formats import Format, put_on_paper
from asr.batch.papers.types import Paper
from asr.types import Party
from calls.audio.sound import Recordings
from calls.audio.types import AudioAway, AudioError, Codec
from calls.keeping.types import CallHeld, CallRuns, Hold, What
from calls.masking import masked_lines, masked_text
from calls.records import Records
from calls.types import Call, CallError, Stream, UnknownCall
from calls.view import CallView

Why = Annotated[str, Query(min_length=2, max_length=200)]
_STATUS: dict[type[CallError], int] = {UnknownCall: 404, CallHeld: 409, CallRuns: 409}
_NOT_KEPT = {"Cache-Control": "no-store"}


def record_router(
    records: Records,
    recordings: Recordings,
    keeping: KeepingDesk,
    clock: Callable[[], datetime],
    manages: Callable[[Request], None],
) -> APIRouter:
    """The routes of one call's record, for whoever may read it; `manages` lets admins alone go on."""
    router = APIRouter(prefix="/v1/calls/{call_id}", dependencies=[Depends(readable(records))])
    of_admins = [Depends(manages)]

    def record_of(call_id: str, request: Request, *, is_asked_in_full: bool) -> RecordOut:
        view = records.view(Stream.call(call_id))
        if view.call is None:
            raise not_found("call.unknown", f"没有编号为 {call_id} 的通话。")
        is_full = is_asked_in_full or sees_in_full(caller_of(request), view.call, clock())
        snapshot = json.loads(call_snapshot_text(view, (), clock()))
        hold = keeping.holds.of(call_id)
        return RecordOut(
            snapshot=snapshot if is_full else masked_document(snapshot),
            sound=_sound_of(call_id, records, recordings),
            hold=_hold_out(hold, clock()) if hold else None,
            is_masked=not is_full,
            may_manage=caller_of(request).may(Scope.SYSTEM),
        )

    @router.get("/record")
    def get_record(call_id: str, request: Request) -> RecordOut:
        """All that is kept of a call, without the citizen's numbers and names where it is over."""
        return record_of(call_id, request, is_asked_in_full=False)

    @router.post("/unmask")
    def unmask_record(call_id: str, body: ReasonIn, request: Request) -> RecordOut:
        """The same in full, once. The audit log keeps who asked, and why."""
        note_target(request, masked_text(body.reason))
        return record_of(call_id, request, is_asked_in_full=True)

    @router.get("/export", response_class=Response)
    async def export_call(
        call_id: str, request: Request, form: Annotated[Format, Query(alias="format")] = Format.TXT
    ) -> Response:
        """What was said, as a file; `json` holds all of the record. Masked like the record."""
        if form is Format.JSON:
            told = await run_in_threadpool(record_of, call_id, request, is_asked_in_full=False)
            content = told.model_dump_json(indent=1).encode()
        else:
            view = await run_in_threadpool(records.view, Stream.call(call_id))
            if view.call is None:
                raise not_found("call.unknown", f"没有编号为 {call_id} 的通话。")
            is_full = sees_in_full(caller_of(request), view.call, clock())
            content = await run_in_threadpool(put_on_paper, _paper_of(view.call, view, is_full=is_full), form)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(call_id)}.{form}"}
        return Response(content, media_type=MEDIA[form], headers=headers | _NOT_KEPT)

    @router.put("/hold", dependencies=of_admins)
    def hold_call(call_id: str, body: HoldIn, request: Request) -> HoldOut:
        """Keep the call from being deleted, until then or for good."""
        hold = Hold(call_id=call_id, who=author_of(request), reason=body.reason, at=clock(), until=body.until)
        with _answering():
            keeping.holds.put(hold)
        note_target(request, masked_text(body.reason))
        return _hold_out(hold, clock())

    @router.delete("/hold", dependencies=of_admins, status_code=204)
    def release_call(call_id: str, reason: Why, request: Request) -> None:
        """Let the call go its way again."""
        if not keeping.holds.lift(call_id):
            raise not_found("call.not_held", "这通电话没有设保留。")
        note_target(request, masked_text(reason))

    @router.delete("", dependencies=of_admins)
    def delete_call(
        call_id: str,
        reason: Why,
        request: Request,
        later: BackgroundTasks,
        what: Literal[What.CALL, What.AUDIO] = What.CALL,
    ) -> DeletionOut:
        """Delete the call, or its sound alone, for good."""
        told = masked_text(reason)
        with _answering():
            deletion = keeping.deleter.delete(call_id, what, who=author_of(request), reason=told, now=clock())
        counts = " ".join(f"{name}={count}" for name, count in deletion.counts.items())
        note_target(request, f"{what} {told} {counts}")
        later.add_task(keeping.deleter.settle)  # of a large index that takes a while
        return DeletionOut.model_validate(deletion)

    return router


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except CallError as error:
        status = _STATUS.get(type(error), 503)
        raise HTTPException(status, {"code": error.code, "message": error.message}) from error


def _sound_of(call_id: str, records: Records, recordings: Recordings) -> SoundOut | None:
    audio_format = records.audio_format(call_id)
    try:
        sound = recordings.open(call_id, audio_format) if audio_format else None
    except AudioError as error:
        return SoundOut(
            seconds=0.0,
            legs=[],
            codec=Codec.RAW,
            n_bytes=0 if isinstance(error, AudioAway) else recordings.n_bytes(call_id),
            is_sealed=not isinstance(error, AudioAway),
            code=error.code,
            message=error.message,
        )
    if sound is None:
        return None
    with sound:
        return SoundOut(
            seconds=sound.seconds,
            legs=list(sound.channels),
            codec=sound.kept.codec,
            n_bytes=sound.kept.n_bytes,
            is_sealed=sound.kept.key is not None,
        )


def _hold_out(hold: Hold, now: datetime) -> HoldOut:
    return HoldOut(
        who=hold.who, reason=hold.reason, at=hold.at, until=hold.until, is_over=not hold.holds(now)
    )


def _paper_of(call: Call, view: CallView, *, is_full: bool) -> Paper:
    """The transcript as it stands, for the writers that recordings have too."""
    lines = sorted(view.segments.values(), key=lambda line: (line.start_s, line.segment_id))
    if not is_full:
        texts = masked_lines([line.text for line in lines], known_of(call))
        lines = [replace(line, text=text) for line, text in zip(lines, texts, strict=True)]
    parties = tuple(party for party in Party if any(line.party is party for line in lines))
    return Paper(name=call.call_id, seconds=call.seconds, parties=parties, segments=tuple(lines), notes=())
