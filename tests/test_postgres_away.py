"""A PostgreSQL that is away for a while: what is to be written waits, nothing is lost or stands twice."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from calls.journal import Journal
from calls.tables import entries, facts
from calls.types import CallStarted, Entry, StorageFailed, Stream
from knowledge_base.database import open_database
from tests.call_parts import START, call
from tests.house import running as house
from tests.postgres import PostgresServer, running

CALLS = [f"c-{number}" for number in range(4)]


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """One that may be killed."""
    with running() as server:
        yield server


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(facts)) or 0


def wait_for_more(engine: Engine) -> None:
    goal = count(engine) + 20
    while count(engine) < goal:
        time.sleep(0.01)


def start(url: str, call_id: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.appending_process", url, call_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )


def test_several_processes_write_on_after_the_server_was_killed(own_server: PostgresServer) -> None:
    url = own_server.migrated()
    engine = open_database(url)
    writers = [start(url, call_id) for call_id in CALLS]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for _ in range(2):
            wait_for_more(engine)
            own_server.kill()
            own_server.start()
        wait_for_more(engine)
        answers = [writer.communicate() for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    told = [json.loads(out) for out, _ in answers]
    with engine.connect() as connection:
        for call_id, numbers in zip(CALLS, told, strict=True):
            stream = Stream.call(call_id)
            own = sa.select(entries.c.seq).where(entries.c.stream == stream).order_by(entries.c.seq)
            kept = list(connection.scalars(own))
            assert kept == list(range(1, len(kept) + 1))
            assert [seq for name, seq in numbers if name == stream] == kept
            its = sa.select(sa.func.count()).where(facts.c.call_id == call_id)
            assert connection.scalar(its) == len(kept)
        common = sa.select(entries.c.seq).where(entries.c.stream == Stream.CALLS).order_by(entries.c.fact_id)
        kept = list(connection.scalars(common))
    assert kept == list(range(1, len(kept) + 1))
    assert sorted(seq for numbers in told for name, seq in numbers if name == Stream.CALLS) == kept
    engine.dispose()


async def test_a_commit_without_an_answer_is_not_written_again(postgres: Engine) -> None:
    """The connection is lost after the commit went through: as seen from here that may have been before."""
    told: list[Entry] = []
    lost = 0

    def lose(connection: sa.Connection) -> None:
        nonlocal lost
        if lost == 0:
            lost += 1
            raw = connection.connection.driver_connection
            raw.commit()  # type: ignore[union-attr]
            raw.close()  # type: ignore[union-attr]

    sa.event.listen(postgres, "commit", lose)
    journal = Journal(postgres, told.extend)
    journal.start()
    await journal.append(CallStarted(call=call()), call_id="c-1", streams=[Stream.CALLS], at=START)
    await journal.stop()
    assert (lost, count(postgres)) == (1, 1)
    assert [entry.seq for entry in told] == [1]
    assert journal.stats().failed == 1


async def test_a_house_goes_on_when_the_server_is_back(own_server: PostgresServer, tmp_path: Path) -> None:
    async with (
        house(tmp_path, database_url=own_server.migrated()) as there,
        httpx.AsyncClient(base_url=there.url, timeout=60) as client,
    ):
        work = {task for task in asyncio.all_tasks() if not task.done()}
        assert (await client.get("/v1/calls")).status_code == 200
        own_server.kill()
        away = await client.get("/v1/calls")
        assert (away.status_code, away.json()["detail"]["code"]) == (503, "system.database_busy")
        assert (await client.get("/healthz")).status_code == 200
        own_server.start()
        assert (await client.get("/v1/calls")).status_code == 200
        ended = [task.get_coro() for task in work if task.done()]
        assert [one for one in ended if "calls." in repr(one) or "insight." in repr(one)] == []


async def test_a_house_that_closes_does_not_wait_for_ever(own_server: PostgresServer) -> None:
    engine = open_database(own_server.migrated())
    journal = Journal(engine, lambda _: None, patience_s=0.1)
    journal.start()
    own_server.kill()
    try:
        writing = asyncio.create_task(
            journal.append(CallStarted(call=call()), call_id="c-1", streams=[Stream.CALLS], at=START)
        )
        while not journal.stats().failed:  # noqa: ASYNC110 - a thread counts
            await asyncio.sleep(0.01)
        await journal.stop()
        with pytest.raises(StorageFailed):
            await writing
    finally:
        own_server.start()
        engine.dispose()
