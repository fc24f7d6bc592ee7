"""Whose jobs somebody may see and change, and how refusals around jobs are told.

In: requests that passed the door. Out: the job or file that was asked for; coded HTTP errors.
Not known here: what is done with a job.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import HTTPException, Request
from pydantic import ValidationError

from access.types import Caller, NotAllowed, Scope
from agent_ui.door import caller_of, refusal
from agent_ui.job_bodies import JobOut
from agent_ui.uploads import UploadRefused
from asr.types import BadAudio
from calls.jobs.desk import JobDesk
from calls.jobs.types import Job, JobFile, JobRefused, JobsFull, UnknownJob
from calls.types import CallError, StorageFailed

_STATUS: dict[type[Exception], int] = {UnknownJob: 404, JobRefused: 422, JobsFull: 429, StorageFailed: 507}


@contextmanager
def answering() -> Iterator[None]:
    """Turn what goes wrong around jobs into answers."""
    try:
        yield
    except UploadRefused as error:
        raise HTTPException(error.status, {"code": error.code, "message": error.message}) from None
    except (CallError, BadAudio) as error:
        status = 422 if isinstance(error, BadAudio) else _STATUS.get(type(error), 409)
        raise HTTPException(status, {"code": error.code, "message": error.message}) from error
    except ValidationError as error:
        raise HTTPException(
            422, error.errors(include_url=False, include_context=False, include_input=False)
        ) from None
    except OSError as error:
        message = f"结果无法写入磁盘（{error.strerror}），请管理员清理磁盘。"
        raise HTTPException(507, {"code": "job.storage_failed", "message": message}) from error


@dataclass(frozen=True, slots=True)
class JobAccess:
    """Finds jobs for callers; who may not see every call sees the own jobs alone."""

    desk: JobDesk

    def shown(self, job: Job, caller: Caller) -> JobOut:
        """A job as this caller sees it."""
        return JobOut.of(
            job,
            self.desk.progress(job.job_id),
            is_mine=_is_mine(job, caller),
            elsewhere=self.desk.elsewhere(job),
        )

    async def job(self, request: Request, job_id: str) -> Job:
        """A job to look at. Raises `UnknownJob`."""
        job = await asyncio.to_thread(self.desk.store.job, job_id)
        caller = caller_of(request)
        if not (caller.may(Scope.CALLS_ALL) or job.owner == owner_of(caller)):
            raise UnknownJob(f"没有编号为 {job_id} 的任务，可能已删除。")
        return job

    async def own_job(self, request: Request, job_id: str) -> Job:
        """A job to change. Raises `UnknownJob` and the answer to who may not."""
        job = await self.job(request, job_id)
        if not _is_mine(job, caller_of(request)):
            raise refusal(NotAllowed("这是别人的任务，只有本人和管理员可以更改。", code="job.not_yours"))
        return job

    async def file(self, request: Request, job_id: str, number: int) -> tuple[JobFile, Path]:
        """A file, and its job's folder. Raises `UnknownJob`."""
        self.desk.see_here(await self.job(request, job_id))
        file = await asyncio.to_thread(self.desk.store.file, job_id, number)
        return file, self.desk.folder_of(job_id)


def owner_of(caller: Caller) -> str:
    """By what a person's or a program's jobs are known; no account's name holds a colon."""
    if caller.is_person:
        return caller.name
    return f"token:{caller.token_id}" if caller.token_id is not None else f"key:{caller.name}"


def _is_mine(job: Job, caller: Caller) -> bool:
    return caller.may(Scope.SYSTEM) or job.owner == owner_of(caller)
