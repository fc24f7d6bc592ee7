"""Jobs over REST: recordings by the hundred, their progress and their transcripts.

In: HTTP requests that passed the door. Out: JSON, files; errors as `{"code", "message"}` under `detail`.
Not known here: how jobs are worked on, how an upload is read.
"""

import asyncio
import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from access.types import Caller, Scope
from agent_ui.door import caller_of
from agent_ui.job_access import JobAccess, answering, owner_of
from agent_ui.job_bodies import (
    JobFileOut,
    JobLimitsOut,
    JobOut,
    JobsOut,
    JobWish,
    JobWithFilesOut,
    PathsIn,
)
from agent_ui.paging import Offset
from agent_ui.uploads import UploadLimits, drain, receive_form, receive_json
from asr.batch.papers.formats import Format
from calls.jobs.desk import JobDesk
from calls.jobs.types import FileState, Job, JobState, NewFile
from calls.types import CallError


def jobs_router(desk: JobDesk) -> APIRouter:
    """The routes below `/v1/jobs`. Who may not see every call sees the own jobs alone."""
    router = APIRouter(prefix="/v1/jobs", tags=["recordings"])
    access = JobAccess(desk)
    shown = access.shown

    @router.post("", status_code=201, openapi_extra=_DOCUMENTED)
    async def add_job(request: Request) -> JobOut:
        """Leave recordings: as a form with files, or as JSON with `paths` of the server's allowed folders."""
        caller = caller_of(request)
        with answering():
            try:
                await desk.see_room(owner_of(caller))
            except CallError:
                await drain(request, desk.limits.max_bytes)
                raise
            return shown(await _left(request, desk, caller), caller)

    @router.get("")
    async def list_jobs(
        request: Request,
        state: Annotated[list[JobState] | None, Query()] = None,
        mine: Annotated[bool, Query(description="The caller's own alone.")] = False,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> JobsOut:
        """List jobs, newest first."""
        caller = caller_of(request)
        owner = owner_of(caller) if mine or not caller.may(Scope.CALLS_ALL) else None
        found, total = await asyncio.to_thread(
            lambda: desk.store.jobs(owner=owner, states=state or (), offset=offset, limit=limit)
        )
        return JobsOut(jobs=[shown(job, caller) for job in found], total=total)

    @router.get("/limits")
    async def get_limits() -> JobLimitsOut:
        """Say how much one job may bring, and where from."""
        limits = desk.limits
        folders = [str(folder) for folder in limits.folders]
        return JobLimitsOut(max_bytes=limits.max_bytes, max_files=limits.max_files, folders=folders)

    @router.get("/{job_id}")
    async def get_job(
        job_id: str,
        request: Request,
        state: Annotated[FileState | None, Query(description="Files in this state alone.")] = None,
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=0, le=1000)] = 200,
    ) -> JobWithFilesOut:
        """Say where a job stands, with its files from `offset` on."""
        with answering():
            job = await access.job(request, job_id)
            files = await asyncio.to_thread(
                lambda: desk.store.files(job_id, state=state, offset=offset, limit=limit) if limit else []
            )
            under_way = desk.under_way(job_id)
            return JobWithFilesOut(
                job=shown(job, caller_of(request)),
                files=[JobFileOut.of(file, under_way.get(file.number)) for file in files],
            )

    @router.post("/{job_id}/cancel")
    async def cancel_job(job_id: str, request: Request) -> JobOut:
        """Go no further; what was transcribed is kept."""
        with answering():
            await access.own_job(request, job_id)
            return shown(await desk.cancel(job_id), caller_of(request))

    @router.post("/{job_id}/retry")
    async def retry_job(job_id: str, request: Request) -> JobOut:
        """Try again the files that failed, and go on with those that were left."""
        with answering():
            await access.own_job(request, job_id)
            return shown(await desk.retry(job_id), caller_of(request))

    @router.delete("/{job_id}", status_code=204)
    async def delete_job(job_id: str, request: Request) -> None:
        """Delete a job, its uploaded recordings and its transcripts for good."""
        with answering():
            await access.own_job(request, job_id)
            await desk.delete(job_id)

    @router.get("/{job_id}/results.zip", response_class=FileResponse)
    async def get_results(
        job_id: str,
        request: Request,
        form: Annotated[list[Format] | None, Query(alias="format")] = None,
    ) -> Response:
        """Download all transcripts, in the formats of the job unless others are named."""
        with answering():
            job = await access.job(request, job_id)
            desk.see_here(job)
            target = desk.folder_of(job_id) / f"results-{secrets.token_hex(8)}.zip"
            await asyncio.to_thread(_pack, desk, job, form or job.options.formats, target)
            return _Passing(target, filename=f"{job.name}.zip", media_type="application/zip")

    return router


class _Passing(FileResponse):
    """A file that is gone once it was sent, or was not to be sent any longer."""

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with suppress(OSError):
                os.unlink(self.path)


def _pack(desk: JobDesk, job: Job, formats: Iterable[Format], target: Path) -> None:
    try:
        desk.results.archive(job, desk.folder_of(job.job_id), formats, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


async def _left(request: Request, desk: JobDesk, caller: Caller) -> Job:
    """Take a job with its recordings."""
    async with desk.incoming() as coming:
        if request.headers.get("content-type", "").startswith("application/json"):
            asked = PathsIn.model_validate_json(await receive_json(request))
            wish: JobWish = asked
            files: Sequence[NewFile] = await desk.find(asked.paths)
        else:
            wish, files = await _received(request, coming.folder, desk)
        return await desk.add(
            coming,
            files,
            wish.options,
            owner=owner_of(caller),
            owner_name=caller.display_name,
            name=wish.name,
        )


async def _received(request: Request, folder: Path, desk: JobDesk) -> tuple[JobWish, Sequence[NewFile]]:
    limits = UploadLimits(
        max_bytes=desk.limits.max_bytes,
        max_files=desk.limits.max_files,
        min_free_bytes=desk.limits.min_free_bytes,
    )
    form = await receive_form(request, folder, limits)
    files = [
        NewFile(name=file.name, path=str(file.path), is_upload=True, n_bytes=file.n_bytes)
        for file in form.files
    ]
    return JobWish.of_fields(form.fields), files


def _described(**own: dict[str, object]) -> dict[str, object]:
    """The description of a body: what is common to uploads and paths, and its own."""
    common: dict[str, object] = {
        "name": {"type": "string"},
        "channels": {"type": "string", "enum": ["auto", "stereo", "mono"]},
        "left": {"type": "string", "enum": ["citizen", "operator"]},
        "beam": {"type": "integer", "minimum": 1, "maximum": 10},
        "words": {"type": "boolean"},
        "formats": {"type": "string", "description": "With commas between them."},
    }
    return {"schema": {"type": "object", "required": list(own), "properties": {**own, **common}}}


_DOCUMENTED = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _described(
                files={"type": "array", "items": {"type": "string", "format": "binary"}}
            ),
            "application/json": _described(paths={"type": "array", "items": {"type": "string"}}),
        },
    }
}
