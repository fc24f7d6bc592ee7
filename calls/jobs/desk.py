"""The desk at which jobs are left and fetched: one place that knows the parts of this package.

In: what people and programs want of their jobs. Out: the same, done; jobs as they stand.
Not known here: HTTP, who may do what.
"""

import asyncio
import logging
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from asr.batch.recorded import RecordedEars
from asr.batch.run import Progress
from calls.jobs.folders import JobFolders
from calls.jobs.queue import JobQueue
from calls.jobs.results import Results
from calls.jobs.sharing import Sharing
from calls.jobs.sound import Sounds
from calls.jobs.store import JobStore
from calls.jobs.turn import Turn
from calls.jobs.types import Job, JobConflict, JobElsewhere, JobOptions, JobRefused, JobState, NewFile
from calls.spool import has_room
from calls.types import StorageFailed
from calls.watching import Watch, unwatched

log = logging.getLogger(__name__)

_TIDY_EVERY_S = 10.0
_LEFT_AFTER_S = 86_400.0
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
        sharing: Sharing | None = None,
        watch: Watch = unwatched,
    ) -> None:
        """Of several servers (`sharing`) each works on jobs whose files are in its folder.

        That is every job where they have one folder, else those that were brought to it.
        """
        self._sharing, self._watch = sharing, watch
        self._is_on_network = sharing is not None and sharing.has_one_folder
        self._coming: set[str] = set()
        self.store = store
        self.limits = limits
        self.results = Results(store=store, ears=ears, is_on_network=self._is_on_network)
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
            is_here=lambda job_id: sharing is None or self.folder_of(job_id).is_dir(),
            sharing=sharing,
        )
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on where the last start of the server ended."""
        await asyncio.to_thread(self._tidy)
        await self._queue.look()
        if self._sharing is not None:
            self._following = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Stop; the next start goes on, or another server."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await self._queue.close()

    async def _follow(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._queue.follow())
            tasks.create_task(self._keep_tidy())

    async def _keep_tidy(self) -> None:
        """Clear away what another server has deleted."""
        while True:
            await asyncio.sleep(_TIDY_EVERY_S)
            try:
                await asyncio.to_thread(self._clear_away)
            except (SQLAlchemyError, OSError) as error:
                log.error("jobs that were deleted could not be cleared away (%s)", type(error).__name__)

    def elsewhere(self, job: Job) -> str | None:
        """The name of the server that alone has the files of a job; None where that is this one."""
        is_other = self._sharing is not None and job.server != self._sharing.server
        return job.server if is_other else None

    def see_here(self, job: Job) -> None:
        """Raises `JobElsewhere` where another server has the files of a job."""
        if self._sharing is not None and not self.folder_of(job.job_id).is_dir():
            raise JobElsewhere(job.server)

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
        self._coming.add(job_id)
        try:
            await asyncio.to_thread(coming.folder.mkdir, mode=0o700, parents=True)
            yield coming
        finally:
            self._coming.discard(job_id)
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
            server=self._sharing.server if self._sharing and not self._is_on_network else None,
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
            is_on_network=self._is_on_network,
        )

    def _tidy(self) -> None:
        """Clear away uploads that broke off and jobs that were deleted, and queue what had begun."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear_away()
        for left in self._folder.glob("*/results-*.zip"):
            if self._is_over(left):
                left.unlink(missing_ok=True)
        if self._sharing is None:
            self.store.requeue_running()

    def _clear_away(self) -> None:
        """Remove the folders of jobs that nobody knows and that are not on their way."""
        folders = list(self._folder.iterdir())
        coming = set(self._coming)
        known = self.store.known()  # read last: what has come meanwhile is in it
        for folder in folders:
            if folder.name not in known and folder.name not in coming and self._is_over(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def _is_over(self, path: Path) -> bool:
        """Whether nobody can be at work on it: in a folder that others have as well, after a day."""
        if not self._is_on_network:
            return True
        with suppress(OSError):  # it is gone meanwhile
            newest_s = max(one.stat().st_mtime for one in (path, *path.glob("*")))
            return time.time() - newest_s > _LEFT_AFTER_S
        return False


@asynccontextmanager
async def open_jobs(
    database: Engine,
    *,
    folder: Path,
    ears: RecordedEars,
    limits: JobLimits,
    clock: Callable[[], datetime],
    sharing: Sharing | None = None,
    watch: Watch = unwatched,
) -> AsyncIterator[JobDesk]:
    """Work on jobs while the house is open; `sharing`: beside other servers."""
    desk = JobDesk(
        JobStore(database),
        folder=folder,
        ears=ears,
        limits=limits,
        clock=clock,
        sharing=sharing,
        watch=watch,
    )
    await desk.start()
    try:
        yield desk
    finally:
        await desk.close()
