"""Whose job is next: a few at a time, each owner in turn, and nobody behind another's archive."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from calls.jobs.queue import JobQueue, choose
from calls.jobs.store import JobStore
from calls.jobs.turn import Turn
from calls.jobs.types import FileState, Job, JobOptions, JobState, NewFile
from tests.conftest import Clock
from tests.databases import both_databases
from tests.test_jobs import until_so

BEGAN = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


def job(job_id: str, owner: str, minute: int = 0) -> Job:
    return Job(
        job_id=job_id,
        owner=owner,
        owner_name=owner,
        name=job_id,
        state=JobState.QUEUED,
        options=JobOptions(),
        created_at=BEGAN + timedelta(minutes=minute),
    )


def test_the_next_job_is_of_whoever_was_served_least() -> None:
    waiting = [job("1", "A", 1), job("2", "A", 2), job("3", "B", 3), job("4", "C", 4)]

    def chosen(running: dict[str, int], served_at: dict[str, float]) -> str:
        found = choose(waiting, Counter(running), served_at)
        return found.job_id if found else ""

    assert chosen({}, {}) == "1"
    assert chosen({"A": 1}, {"A": 1.0}) == "3"
    assert chosen({}, {"A": 1.0, "B": 2.0}) == "4"
    assert chosen({}, {"A": 3.0, "B": 2.0, "C": 4.0}) == "3"
    assert choose([], Counter(), {}) is None


class SlowTurn(Turn):
    """Takes a moment for each file, and gives way when it is told to."""

    def run(self) -> None:
        for file in self.store.files(self.job.job_id, state=FileState.WAITING):
            if self.is_stopped or self.gives_way():
                return
            time.sleep(0.02)
            assert MAY_GO.wait(60)
            WORKED.append(self.job.owner)
            self.store.finish_file(
                self.job.job_id, file.number, digest="d", fingerprint="f", seconds=1.0, notes=()
            )


WORKED: list[str] = []
MAY_GO = threading.Event()


def add(store: JobStore, job_id: str, owner: str, files: int) -> None:
    new = [NewFile(name=f"{n}", path=f"/{n}", is_upload=True, n_bytes=1) for n in range(files)]
    store.add(job(job_id, owner), new, per_owner=9, in_all=9)


@both_databases
async def test_a_large_job_gives_way_to_others_and_goes_on(engine: Engine, clock: Clock) -> None:
    store = JobStore(engine)
    WORKED.clear()
    MAY_GO.set()

    def open_turn(job: Job, gives_way: Callable[[], bool]) -> Turn:
        parts = dict.fromkeys(("folder", "folders", "ears", "loop"))
        return SlowTurn(job=job, store=store, gives_way=gives_way, **parts)  # type: ignore[arg-type]

    queue = JobQueue(store, open_turn=open_turn, clock=clock, at_once=1, turn_s=0.1)
    add(store, "large", "A", 60)
    await queue.look()
    await until_so(lambda: len(WORKED) >= 10)  # longer than a turn, and nobody else waits
    MAY_GO.clear()  # until the others are there
    add(store, "small", "B", 2)
    add(store, "second", "A", 1)
    await queue.look()
    MAY_GO.set()
    await until_so(lambda: store.job("small").state is JobState.DONE)
    assert store.job("large").files.done < 40
    assert store.job("second").files.done == 0
    await until_so(lambda: store.job("second").state is JobState.DONE)
    await until_so(lambda: store.job("large").state is JobState.DONE)
    assert Counter(WORKED) == {"A": 61, "B": 2}
    await queue.close()
    assert threading.active_count() < 20


@both_databases
async def test_what_ran_when_the_server_stopped_is_queued_again(engine: Engine, clock: Clock) -> None:
    store = JobStore(engine)
    add(store, "1", "A", 3)
    assert store.change("1", JobState.RUNNING, only_from=(JobState.QUEUED,), at=clock())
    assert not store.change("1", JobState.RUNNING, only_from=(JobState.QUEUED,), at=clock())
    begun_at = store.job("1").begun_at
    store.requeue_running()
    clock.advance(60)
    assert store.change("1", JobState.RUNNING, only_from=(JobState.QUEUED,), at=clock())
    assert store.job("1").begun_at == begun_at
    await asyncio.sleep(0)
