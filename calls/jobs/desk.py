"""The desk at which jobs are left and fetched: one place that knows the parts of this package.

In: what people and programs want of their jobs. Out: the same, done; jobs as they stand.
Not known here: HTTP, who may do what.
"""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from asr.batch.recorded import RecordedEars
from asr.batch.run import Progress
from calls.jobs.folders import JobFolders
from calls.jobs.queue import JobQueue
from calls.jobs.results import Results
from calls.jobs.sound import Sounds
from calls.jobs.store import JobStore
from calls.jobs.turn import Turn
from calls.jobs.types import Job, JobConflict, JobOptions, JobRefused, JobState, NewFile
from calls.spool import has_room
from calls.types import StorageFailed
from calls.watching import Watch, unwatched

_UPLOADS = "files"
"""Folder within a job's, in which its recordings lie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """How much is taken on."""

    folders: Sequence[Path] = ()
    """Folders of the server whose recordings may be transcribed."""
    max_bytes: int = 2_000_000_000
    """Of one upload."""
    max_files: int = 10_000
    """Of one job."""
    per_owner: int = 8
    """Jobs of one owner that are not over."""
    in_all: int = 100
    """Jobs of all owners that are not over."""
    at_once: int = 2
    """Jobs that run side by side."""
    turn_s: float = 60.0
    """After which a job gives its place to another owner's."""
    min_free_bytes: int = 1_000_000_000
    """Free disk space below which no recording is taken: calls need it more."""


@dataclass(slots=True)
class Incoming:
    """A job whose recordings are on their way."""

    job_id: str
    folder: Path
    """Where to put them."""
    is_taken: bool = False


class JobDesk:
    """Made by `open_jobs`; all methods are called from its event loop."""

    def __init__(
        self,
        store: JobStore,
        *,
        folder: Path,
        ears: RecordedEars,
        limits: JobLimits,
        clock: Callable[[], datetime],
        is_alone: bool = True,
        watch: Watch = unwatched,
    ) -> None:
        """Of several servers each has the jobs that were brought to it, and works on those alone."""
        self._is_alone, self._watch = is_alone, watch
        self.store = store
        self.limits = limits
        self.results = Results(store=store, ears=ears)
        self.sounds = Sounds()
        self.clock = clock
        self._folder = folder
        self._ears = ears
        self._folders = JobFolders(limits.folders)
        self._loop = asyncio.get_running_loop()
        self._queue = JobQueue(
            store,
            open_turn=self._open_turn,
            clock=clock,
            at_once=limits.at_once,
            turn_s=limits.turn_s,
            is_here=lambda job: is_alone or self.folder_of(job.job_id).is_dir(),
        )

    async def start(self) -> None:
        """Go on where the last start of the server ended."""
        await asyncio.to_thread(self._tidy)
        await self._queue.look()

    async def close(self) -> None:
        """Stop; the next start goes on."""
        await self._queue.close()

    def folder_of(self, job_id: str) -> Path:
        """Where everything of a job lies that is not in the database."""
        return self._folder / job_id

    def progress(self, job_id: str) -> Progress | None:
        """How far the present turn of a job has come; None where it has none."""
        return self._queue.progress(job_id)

    def under_way(self, job_id: str) -> dict[int, float]:
        """The files of a job that are worked on now, by number, with the seconds of each that were read."""
        return self._queue.under_way(job_id)

    async def see_room(self, owner: str) -> None:
        """Raises `JobsFull` and `StorageFailed` where no further job is taken."""
        limits = self.limits
        if not has_room(self._folder, min_free_bytes=limits.min_free_bytes):
            raise StorageFailed("服务器磁盘空间不足，暂不接收录音，请管理员清理磁盘。", code="job.disk_full")
        await asyncio.to_thread(self.store.see_room, owner, per_owner=limits.per_owner, in_all=limits.in_all)

    @asynccontextmanager
    async def incoming(self) -> AsyncIterator[Incoming]:
        """Make room for recordings; if they are not taken, nothing of them stays."""
        job_id = f"j-{secrets.token_hex(8)}"
        coming = Incoming(job_id, self.folder_of(job_id) / _UPLOADS)
        await asyncio.to_thread(coming.folder.mkdir, mode=0o700, parents=True)
        try:
            yield coming
        finally:
            if not coming.is_taken:
                await asyncio.to_thread(shutil.rmtree, self.folder_of(job_id), ignore_errors=True)

    async def add(
        self,
        coming: Incoming,
        files: Sequence[NewFile],
        options: JobOptions,
        *,
        owner: str,
        owner_name: str,
        name: str,
    ) -> Job:
        """Take a job whose recordings have come. Raises `JobsFull`, `JobRefused`."""
        if not files:
            raise JobRefused("没有文件，请选择要转写的录音。", code="job.no_files")
        job = Job(
            job_id=coming.job_id,
            owner=owner,
            owner_name=owner_name,
            name=name.strip()[:200] or files[0].name,
            state=JobState.QUEUED,
            options=options,
            created_at=self.clock(),
        )
        await asyncio.to_thread(
            self.store.add, job, files, per_owner=self.limits.per_owner, in_all=self.limits.in_all
        )
        coming.is_taken = True
        await self._queue.look()
        return await asyncio.to_thread(self.store.job, job.job_id)

    async def find(self, paths: Sequence[str]) -> list[NewFile]:
        """The recordings of the server that paths stand for. Raises `JobRefused`."""
        return await asyncio.to_thread(self._folders.find, paths, max_files=self.limits.max_files)

    async def cancel(self, job_id: str) -> Job:
        """Go no further; what was transcribed is kept. Raises `JobConflict`, `UnknownJob`."""
        is_changed = await asyncio.to_thread(
            self.store.change,
            job_id,
            JobState.CANCELLED,
            only_from=(JobState.QUEUED, JobState.RUNNING),
            at=self.clock(),
        )
        if not is_changed:
            raise JobConflict("任务已经结束，不能取消。")
        await self._queue.stop(job_id)
        await self._queue.look()
        return await asyncio.to_thread(self.store.job, job_id)

    async def retry(self, job_id: str) -> Job:
        """Try again what failed, and go on with what was left. Raises `JobConflict`, `JobsFull`."""
        job = await asyncio.to_thread(self.store.job, job_id)
        if job.state.is_over and not (job.files.failed or job.files.waiting):
            raise JobConflict("所有文件都已转写，不需要重试。")
        is_queued = await asyncio.to_thread(
            self.store.retry,
            job_id,
            per_owner=self.limits.per_owner,
            in_all=self.limits.in_all,
        )
        if not is_queued:
            raise JobConflict("任务还没有结束，不需要重试。")
        await self._queue.look()
        return await asyncio.to_thread(self.store.job, job_id)

    async def delete(self, job_id: str) -> None:
        """Stop it and forget all of it: recordings that were uploaded, transcripts, people's lines."""
        await asyncio.to_thread(
            self.store.change,
            job_id,
            JobState.CANCELLED,
            only_from=(JobState.QUEUED, JobState.RUNNING),
            at=self.clock(),
        )
        await self._queue.stop(job_id)
        await asyncio.to_thread(self.store.delete, job_id)
        await asyncio.to_thread(shutil.rmtree, self.folder_of(job_id), ignore_errors=True)
        await self._queue.look()

    def is_readable(self, path: str) -> bool:
        """Whether a recording of the server may be heard now. Blocks."""
        return self._folders.holds(path)

    def _open_turn(self, job: Job, gives_way: Callable[[], bool]) -> Turn:
        return Turn(
            job=job,
            folder=self.folder_of(job.job_id),
            store=self.store,
            folders=self._folders,
            ears=self._ears,
            loop=self._loop,
            gives_way=gives_way,
            watch=self._watch,
        )

    def _tidy(self) -> None:
        """Clear away uploads that broke off and jobs that were deleted, and queue what had begun."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = self.store.known()
        for folder in self._folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
            for left in folder.glob("results-*.zip"):
                left.unlink(missing_ok=True)
        here = None if self._is_alone else [folder.name for folder in self._folder.iterdir()]
        self.store.requeue_running(here)


@asynccontextmanager
async def open_jobs(
    database: Engine,
    *,
    folder: Path,
    ears: RecordedEars,
    limits: JobLimits,
    clock: Callable[[], datetime],
    is_alone: bool = True,
    watch: Watch = unwatched,
) -> AsyncIterator[JobDesk]:
    """Work on jobs while the house is open; `is_alone`: there are no other servers."""
    desk = JobDesk(
        JobStore(database),
        folder=folder,
        ears=ears,
        limits=limits,
        clock=clock,
        is_alone=is_alone,
        watch=watch,
    )
    await desk.start()
    try:
        yield desk
    finally:
        await desk.close()
