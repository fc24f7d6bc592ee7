"""Files that a power cut or a bad disk has damaged: the house opens, says so, and keeps what is good."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import httpx
import pytest

from calls.jobs.turn import BOOK
from knowledge_base.database import is_sound, open_database, open_migrated
from knowledge_base.progress import ProgressNote, Stage
from knowledge_base.types import BadVersion, DatabaseUnusable
from knowledge_base.versions import VersionFolder
from retrieval.publishing import publish
from retrieval.searcher import Searcher
from retrieval.serving import take_up, take_up_any
from scripts.kills.callers import carry, make_call
from scripts.kills.checking import check_calls, check_marks
from scripts.kills.ears import open_marking_engines
from tests.batch_files import speech, wav
from tests.house import WAIT_S, running
from tests.retrieval_parts import PairEmbedder, article

JUNK = Random(5).randbytes(3000)
NOW = datetime(2026, 3, 5, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize("pointer", [JUNK, b"nothing-of-that-name\n", b"../..\n"])
def test_a_pointer_to_nothing_leaves_the_newest_whole_version(tmp_path: Path, pointer: bytes) -> None:
    embedder, versions = PairEmbedder(), VersionFolder(tmp_path)
    for day in (1, 2, 3):
        publish([article(body=f"第{day}代。")], embedder=embedder, folder=tmp_path, now=NOW.replace(day=day))
    _, second, newest = versions.names()
    (tmp_path / "current").write_bytes(pointer)
    (tmp_path / newest / "passages.jsonl").write_bytes(JUNK)
    (next(file for file in (tmp_path / newest).iterdir() if file.name != "sums.json")).write_bytes(JUNK)
    searcher = Searcher(embedder)
    with pytest.raises(BadVersion):
        take_up(searcher, versions, embedder)
    assert take_up_any(searcher, versions, embedder) == second
    searcher.close()


def test_a_damaged_note_of_a_publish_tells_of_none(tmp_path: Path) -> None:
    for content in (JUNK, b"{}", b'{"stage": "no such", "started_at": 1}', b"[]"):
        (tmp_path / "publish.json").write_bytes(content)
        assert ProgressNote(tmp_path).read().stage is Stage.NEVER


@pytest.mark.parametrize("place", [0, 100])
def test_a_damaged_database_is_told_with_what_to_do(tmp_path: Path, place: int) -> None:
    path = tmp_path / "zhiting.db"
    open_migrated(path).dispose()
    content = bytearray(path.read_bytes())
    content[place : place + 40_000] = Random(1).randbytes(40_000)
    path.write_bytes(content)
    assert not is_sound(path)
    with pytest.raises(DatabaseUnusable, match=r"已损坏.*备份"):
        open_migrated(path)


def test_a_database_without_a_place_to_lie_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "zhiting.db").mkdir()
    with pytest.raises(DatabaseUnusable, match="磁盘已满或目录不可写"):
        open_migrated(tmp_path / "zhiting.db")


async def test_a_call_whose_log_and_sound_lost_their_tails_goes_on_whole(tmp_path: Path) -> None:
    """What a power cut takes of the log is heard again, and the carrier brings the sound that is missing."""
    call = make_call("k-1", Random(3))
    call.samples, call.speed, call.hangs_up = call.samples[: 16_000 * 6], 8.0, True
    whole, after = tmp_path / "whole", tmp_path / "after"
    async with running(whole, engines_of=open_marking_engines, min_free_mb=0) as house:
        carrying = asyncio.create_task(carry(call, house.url, Random(1)))
        async with asyncio.timeout(WAIT_S):
            while _finals(whole) < 4:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        after.mkdir()
        (after / "audio").mkdir()
        for name in ("zhiting.db", "zhiting.db-wal", "audio/k-1.raw"):
            (after / name).write_bytes((whole / name).read_bytes())  # as it lies on the disk at this moment
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)
    log, sound = after / "zhiting.db-wal", after / "audio" / "k-1.raw"
    log.write_bytes(log.read_bytes()[:-9000] + JUNK)
    sound.write_bytes(sound.read_bytes()[:-64_001])
    call.is_started, call.received, call.is_over = True, 0, False
    async with running(after, engines_of=open_marking_engines, min_free_mb=0) as house:
        async with asyncio.timeout(WAIT_S):
            await carry(call, house.url, Random(2))
    assert check_calls(after, [call], check_marks) == []


def _finals(data_dir: Path) -> int:
    with closing(sqlite3.connect(f"file:{data_dir / 'zhiting.db'}?mode=ro", uri=True)) as database:
        query = "SELECT count(*) FROM facts WHERE type = 'segment.shown'"
        return int(database.execute(query).fetchone()[0])


async def test_a_damaged_book_is_set_aside_and_the_job_done_anew(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=WAIT_S) as client:
        files = [("files", ("录音.wav", wav(speech())))]
        job_id = (await client.post("/v1/jobs", files=files)).json()["job_id"]
        before = await _over(client, job_id)
    engine = open_database(tmp_path / "zhiting.db")
    with engine.begin() as connection:  # as if the server had died in the middle of it
        connection.exec_driver_sql("UPDATE jobs SET state = 'running', ended_at = NULL")
    engine.dispose()
    book = tmp_path / "jobs" / job_id / BOOK
    book.write_bytes(JUNK)
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=WAIT_S) as client:
        assert await _over(client, job_id) == before
    assert book.with_suffix(".damaged").read_bytes() == JUNK


async def _over(client: httpx.AsyncClient, job_id: str) -> str:
    async with asyncio.timeout(WAIT_S):
        while True:
            told = (await client.get(f"/v1/jobs/{job_id}")).json()
            if told["job"]["state"] not in ("queued", "running"):
                break
            await asyncio.sleep(0.05)
    assert told["job"]["state"] == "done", told
    return (await client.get(f"/v1/jobs/{job_id}/files/1/result")).text
