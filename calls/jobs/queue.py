"""Whose job is next: so many at a time, each owner in turn.

In: jobs in the store. Out: turns on threads, and the state of each job on record.
Not known here: files, sound, HTTP.

A job gives its place away after `turn_s` where another owner waits: it takes up no further file, and goes on
when its turn comes again. So nobody waits for longer than a turn and the longest file of it.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from asr.batch.run import Progress
from calls.jobs.sharing import Sharing
from calls.jobs.store import JobStore
from calls.jobs.turn import Turn, trouble_of
from calls.jobs.types import Job, JobState, UnknownJob

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
"""How often a server looks what others have done to jobs."""
_RETRY_S = 30.0  # after the database could not be written


def choose(waiting: Sequence[Job], running: Counter[str], served_at: Mapping[str, float]) -> Job | None:
    """The next of those that wait: the oldest of the owner with the fewest running, served longest ago."""
    return min(
        waiting,
        key=lambda job: (running[job.owner], served_at.get(job.owner, 0.0), job.created_at),
        default=None,
    )


class JobQueue:
    """All methods are called from the event loop in which it was made."""

    def __init__(
        self,
        store: JobStore,
        *,
        open_turn: Callable[[Job, Callable[[], bool]], Turn],
        clock: Callable[[], datetime],
        at_once: int,
        turn_s: float,
        is_here: Callable[[str], bool] = lambda job_id: True,
        sharing: Sharing | None = None,
    ) -> None:
        """`open_turn` makes the turn of a job, given a function that says whether to give way.

        Of several servers (`sharing`) each works on jobs whose files are here.
        """
        self._is_here = is_here
        self._sharing = sharing
        self._store = store
        self._open_turn = open_turn
        self._clock = clock
        self._at_once = at_once
        self._turn_s = turn_s
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="job")
        self._turns: dict[str, Turn] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._served_at: dict[str, float] = {}
        self._waiting_owners: set[str] = set()
        self._lock = asyncio.Lock()
        self._is_open = True

    def progress(self, job_id: str) -> Progress | None:
        """How far the present turn of a job has come; None where it has none."""
        turn = self._turns.get(job_id)
        return turn.progress if turn else None

    def under_way(self, job_id: str) -> dict[int, float]:
        """The files of a job that are read or decoded now, with the seconds of each that were read."""
        turn = self._turns.get(job_id)
        return turn.under_way if turn else {}

    async def look(self) -> None:
        """Begin turns while there is room."""
        async with self._lock:
            await self._see_others()
            waiting, _ = await asyncio.to_thread(
                self._store.jobs, states=(JobState.QUEUED,), is_oldest_first=True, limit=1000
            )
            waiting = [job for job in waiting if job.job_id not in self._turns and self._is_here(job.job_id)]
            while self._is_open and waiting and len(self._turns) < self._at_once:
                running = Counter(turn.job.owner for turn in self._turns.values())
                job = choose(waiting, running, self._served_at)
                assert job is not None
                waiting.remove(job)
                await self._begin(job)
            self._waiting_owners = {job.owner for job in waiting}

    async def follow(self) -> None:
        """Look again and again what other servers have done, without end."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except SQLAlchemyError as error:
                log.error("jobs could not be looked at (%s)", type(error).__name__)

    async def _see_others(self) -> None:
        """Let go of jobs that were stopped elsewhere, and let those go on that nobody works on any more."""
        sharing = self._sharing
        if sharing is None:
            return
        running = await asyncio.to_thread(self._store.running)
        for job_id, turn in list(self._turns.items()):
            if running.get(job_id) != sharing.process_id:
                await asyncio.to_thread(turn.stop)
        for job_id, holder in running.items():
            if job_id in self._turns or not sharing.is_left(holder) or not self._is_here(job_id):
                continue
            if await asyncio.to_thread(self._store.requeue, job_id, holder):
                log.info("job %s goes on where it was left", job_id)

    async def stop(self, job_id: str) -> None:
        """Stop the turn of a job, if it has one, and wait until it has ended."""
        turn, ended = self._turns.get(job_id), self._ended.get(job_id)
        if turn is not None and ended is not None:
            await asyncio.to_thread(turn.stop)
            await ended.wait()

    async def close(self) -> None:
        """Stop all turns; the next start of the server goes on with them."""
        self._is_open = False
        for turn in list(self._turns.values()):
            turn.stop()
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._threads.shutdown()

    async def _begin(self, job: Job) -> None:
        is_ours = await asyncio.to_thread(
            self._store.change,
            job.job_id,
            JobState.RUNNING,
            only_from=(JobState.QUEUED,),
            at=self._clock(),
            held_by=self._sharing.process_id if self._sharing else None,
        )
        if not is_ours:
            return
        until_s = time.monotonic() + self._turn_s
        self._served_at[job.owner] = time.monotonic()

        def gives_way() -> bool:
            return time.monotonic() > until_s and bool(self._waiting_owners - {job.owner})

        turn = self._turns[job.job_id] = self._open_turn(job, gives_way)
        self._ended[job.job_id] = asyncio.Event()
        task = asyncio.create_task(self._take(turn), name=f"job {job.job_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, turn: Turn) -> None:
        job_id = turn.job.job_id
        code = None
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, turn.run)
        except Exception as error:  # noqa: BLE001 - whatever broke it, the others go on
            code = trouble_of(error)
        await self._settle(turn, code)
        del self._turns[job_id]
        self._ended.pop(job_id).set()
        if self._is_open:
            await self.look()

    async def _settle(self, turn: Turn, code: str | None) -> None:
        """Put on record what became of the job, unless a person has decided otherwise meanwhile."""

        def settle() -> None:
            if code is not None:
                state = JobState.FAILED
            elif turn.is_stopped and not self._is_open:
                if self._sharing is None:
                    return  # the next start goes on
                state = JobState.QUEUED  # whoever can
            else:
                has_more = bool(self._store.job(turn.job.job_id).files.waiting)
                state = JobState.QUEUED if has_more else JobState.DONE
            self._store.change(
                turn.job.job_id,
                state,
                only_from=(JobState.RUNNING,),
                at=self._clock(),
                code=code,
                only_held_by=self._sharing.process_id if self._sharing else None,
            )

        while True:
            try:
                await asyncio.to_thread(settle)
            except UnknownJob:
                return  # deleted meanwhile
            except Exception as error:  # noqa: BLE001 - a full disk, mostly
                log.error("a job's state could not be written: %s", type(error).__name__)
                if not self._is_open:
                    return
                await asyncio.sleep(_RETRY_S)
            else:
                return
