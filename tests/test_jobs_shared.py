"""Jobs of several servers with one database: seen and changed at any of them, gone on with by another one."""

import io
import shutil
import threading
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from asr.batch.manifest import Manifest
from asr.types import Hypothesis, Samples
from calls.jobs.sharing import Sharing
from calls.jobs.store import JobStore
from calls.jobs.tables import files, jobs
from knowledge_base.database import open_database
from tests.asr_parts import LengthTranscriber
from tests.test_jobs import OVER, Desk, call, opened
from tests.waiting import until_true


class HaltingTranscriber(LengthTranscriber):
    """Hears one batch; whatever comes after it waits until it may `go_on`."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.is_halting = False
        self._first = threading.Semaphore(1)

    def transcribe(self, clips: Sequence[Samples], **options: Any) -> list[Hypothesis]:
        if not self._first.acquire(blocking=False):
            self.is_halting = True
            assert self.go_on.wait(300)
        return super().transcribe(clips, **options)


@asynccontextmanager
async def two(
    folder: Path, url: str, ears: LengthTranscriber | None = None, **changes: Any
) -> AsyncIterator[tuple[Desk, Desk]]:
    """Of which the first one has these ears."""
    settings: dict[str, Any] = {"database_url": url, "bus": "database", "lease_s": 60.0} | changes
    async with (
        opened(folder / "a", ears, **settings) as one,
        opened(folder / "b", **settings) as other,
    ):
        yield one, other


async def first_done(desk: Desk, job_id: str) -> int:
    """The number of a file that has its transcript; 0 where there is none yet."""
    done = (await desk.ask("GET", f"/{job_id}?state=done"))["files"]
    return int(done[0]["number"]) if done else 0


async def over(desk: Desk, job_id: str) -> Any:
    async def is_over() -> bool:
        return (await desk.ask("GET", f"/{job_id}"))["job"]["state"] in OVER

    await until_true(is_over)
    return await desk.ask("GET", f"/{job_id}")


async def test_a_job_is_seen_and_changed_at_a_server_that_has_not_its_files(
    tmp_path: Path, postgres_url: str
) -> None:
    ears = HaltingTranscriber()
    async with two(tmp_path, postgres_url, ears) as (one, other):
        job = await one.leave(*(call(number) for number in range(1, 6)))
        path = f"/{job['job_id']}"

        async def has_one() -> bool:
            return ears.is_halting and await first_done(other, job["job_id"]) > 0

        await until_true(has_one)
        number = await first_done(other, job["job_id"])
        listed = await other.ask("GET", "")
        assert [told["job_id"] for told in listed["jobs"]] == [job["job_id"]]
        for asked in (f"{path}/results.zip", f"{path}/files/{number}/result", f"{path}/files/1/audio"):
            assert await other.refused("GET", asked, code=409) == "job.elsewhere"
        assert not (tmp_path / "b" / "jobs" / job["job_id"]).exists()
        assert len(await one.ask("GET", f"{path}/files/{number}/result?format=txt")) > 0

        assert (await other.ask("POST", f"{path}/cancel"))["state"] == "cancelled"

        async def has_no_turn() -> bool:
            return (await one.ask("GET", path))["job"]["read_s"] is None

        await until_true(has_no_turn)
        ears.go_on.set()
        assert (await one.ask("GET", path))["job"]["files"]["waiting"] > 0
        await other.ask("POST", f"{path}/retry")
        told = await over(other, job["job_id"])
        assert (told["job"]["state"], told["job"]["files"]["done"]) == ("done", 5)

        await other.ask("DELETE", path, code=204)
        assert await one.refused("GET", path, code=404) == "job.unknown"
        await until_true(lambda: not (tmp_path / "a" / "jobs" / job["job_id"]).exists())


async def test_with_one_folder_results_are_read_anywhere_and_jobs_go_on_elsewhere(
    tmp_path: Path, postgres_url: str
) -> None:
    ears = HaltingTranscriber()
    settings: dict[str, Any] = {
        "database_url": postgres_url,
        "bus": "database",
        "lease_s": 60.0,
        "jobs_dir": tmp_path / "jobs",
    }
    async with opened(tmp_path / "b", **settings) as other:
        async with opened(tmp_path / "a", ears, **settings) as one:
            job = await one.leave(*(call(number) for number in range(1, 6)))
            path = f"/{job['job_id']}"

            async def has_one() -> bool:
                is_over = (await other.ask("GET", path))["job"]["state"] == "done"
                return (ears.is_halting or is_over) and await first_done(other, job["job_id"]) > 0

            await until_true(has_one)
            number = await first_done(other, job["job_id"])
            assert len(await other.ask("GET", f"{path}/files/{number}/result?format=txt")) > 0
            assert len(await other.ask("GET", f"{path}/files/1/audio")) == len(call(1))
            ears.go_on.set()
        told = await over(other, job["job_id"])
        assert (told["job"]["state"], told["job"]["files"]["done"]) == ("done", 5)
        assert told["job"]["elsewhere"] is None
        packed = await other.ask("GET", f"{path}/results.zip")
        assert len(zipfile.ZipFile(io.BytesIO(packed)).namelist()) == 5
        await other.ask("DELETE", path, code=204)
        assert list((tmp_path / "jobs").iterdir()) == []


async def test_a_job_of_a_server_that_died_goes_on_at_another_one(tmp_path: Path, postgres_url: str) -> None:
    settings: dict[str, Any] = {
        "database_url": postgres_url,
        "bus": "database",
        "lease_s": 2.0,
        "jobs_dir": tmp_path / "jobs",
    }
    ears = HaltingTranscriber()
    async with opened(tmp_path / "a", ears, **settings) as one:
        job = await one.leave(*(call(number) for number in range(1, 6)))
        engine = open_database(postgres_url)
        store = JobStore(engine)
        await until_true(lambda: ears.is_halting and store.job(job["job_id"]).files.done >= 1)
        shutil.copytree(tmp_path / "jobs", tmp_path / "as it was")
        ears.go_on.set()
    # As if it had died just then, and what it had claimed is claimed still:
    shutil.rmtree(tmp_path / "jobs")
    (tmp_path / "as it was").rename(tmp_path / "jobs")
    with engine.begin() as connection:
        connection.execute(jobs.update().values(state="running", held_by="gone.1", ended_at=None))
        connection.execute(files.update().where(files.c.number > 1).values(state="waiting"))
    engine.dispose()
    async with opened(tmp_path / "b", **settings) as other:
        told = await over(other, job["job_id"])
        assert (told["job"]["state"], told["job"]["files"]["done"]) == ("done", 5)


def test_nobody_is_held_to_be_gone_before_its_time() -> None:
    living = {"b.1"}
    now_s = 100.0
    sharing = Sharing(
        process_id="a.2",
        server="a",
        has_one_folder=True,
        lease_s=8.0,
        lives=living.__contains__,
        was_here=lambda holder: holder == "a.1",
        monotonic=lambda: now_s,
    )
    assert sharing.is_left(None)
    assert sharing.is_left("a.1")
    assert not sharing.is_left("a.2")
    assert not sharing.is_left("b.1")
    living.clear()
    assert not sharing.is_left("b.1")
    now_s += 7.9
    assert not sharing.is_left("b.1")
    living.add("b.1")
    assert not sharing.is_left("b.1")
    living.clear()
    now_s += 0.2
    assert not sharing.is_left("b.1")  # its time begins again
    now_s += 8.0
    assert sharing.is_left("b.1")


def test_a_book_on_a_network_has_no_log_ahead_and_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    dead, living = Manifest(path, is_on_network=True), Manifest(path, is_on_network=True)
    assert dead.claim("d", "f")
    assert not living.claim("d", "f")
    assert not list(tmp_path.glob("*-wal"))
    living.take_over()
    assert living.claim("d", "f")
    living.close()
    dead.close()
