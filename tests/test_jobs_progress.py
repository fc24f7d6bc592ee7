"""How far jobs have come: what is worked on, how long it took, how long it may still take."""

from pathlib import Path

import pytest

from calls.jobs.types import FileCounts, Job, JobOptions, JobState
from tests.asr_parts import LengthTranscriber
from tests.conftest import Clock
from tests.test_jobs import call, opened, until_so


async def test_files_under_way_are_told_from_those_that_wait(tmp_path: Path) -> None:
    ears = LengthTranscriber()
    ears.gate.clear()
    async with opened(tmp_path, ears) as desk:
        job_id = (await desk.leave(call(1), b""))["job_id"]
        await until_so(lambda: bool(ears.batches))
        told = await desk.ask("GET", f"/{job_id}")
        first = told["files"][0]
        assert (first["state"], first["read_s"]) == ("waiting", pytest.approx(5.9, abs=0.2))
        assert told["job"]["left_s"] is None
        ears.gate.set()
        over = await desk.over(job_id)
        assert [file["read_s"] for file in over["files"]] == [None, None]
        assert 0 < over["job"]["worked_s"] < 300
        assert over["job"]["left_s"] == 0
        failed = await desk.ask("GET", f"/{job_id}", params={"state": "failed"})
        assert [file["number"] for file in failed["files"]] == [2]


async def test_what_one_job_may_bring_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    async with opened(tmp_path / "data", job_folders=[folder], job_max_mb=7, job_max_files=3) as desk:
        told = await desk.ask("GET", "/limits")
        assert told == {"max_bytes": 7_000_000, "max_files": 3, "folders": [str(folder)]}


def test_the_time_left_goes_by_the_size_of_what_waits(clock: Clock) -> None:
    counts = FileCounts(waiting=1, done=2, done_s=600.0, done_bytes=1000, waiting_bytes=3000)
    job = Job(
        job_id="j-1",
        owner="zhao",
        owner_name="赵",
        name="夜班",
        state=JobState.RUNNING,
        options=JobOptions(),
        created_at=clock(),
        worked_s=20.0,
        files=counts,
    )
    assert job.left_s == 60.0
