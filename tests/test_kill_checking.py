"""What the kill loop calls lost or doubled: a whole record passes, one that was tampered with does not."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from calls.types import Stream
from knowledge_base.database import open_database
from scripts.kills.callers import SentCall, carry, make_call
from scripts.kills.checking import check_calls, check_marks, check_record, copied
from scripts.kills.ears import open_marking_engines
from scripts.kills.screens import Seen, follow
from tests.house import running


async def bring(data_dir: Path, **settings: Any) -> tuple[SentCall, Seen]:
    """One call that went on over a cut line, and what its screen saw."""
    chance = Random(3)
    call = make_call("k-1", chance)
    call.samples, call.speed, call.hangs_up = call.samples[: 16_000 * 4 + 100], 8.0, True
    seen = Seen()
    async with running(data_dir, engines_of=open_marking_engines, min_free_mb=0, **settings) as house:
        looking = asyncio.create_task(
            follow(house.url, "/v1/screens/calls/k-1", Stream.call("k-1"), seen, notes=Random(1))
        )
        async with asyncio.timeout(60):
            await carry(call, house.url, chance)
            while not any(event["type"] == "call.ended" for event in seen.events.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    return call, seen


@pytest.fixture
async def brought(tmp_path: Path) -> tuple[SentCall, Seen]:
    return await bring(tmp_path)


def change(data_dir: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data_dir / "zhiting.db")) as database:
        for statement in statements:
            assert database.execute(statement).rowcount > 0
        database.commit()


async def test_a_whole_record_passes_and_every_kind_of_damage_is_found(
    tmp_path: Path, brought: tuple[SentCall, Seen]
) -> None:
    call, seen = brought

    def found() -> str:
        with copied(tmp_path) as database:
            return " ".join(check_record(database, seen) + check_calls(tmp_path, [call], check_marks))

    assert found() == ""
    assert sum(event["type"] == "segment.shown" for event in seen.events.values()) >= 4
    one = "(SELECT max(fact_id) FROM facts WHERE type = 'segment.shown')"
    change(tmp_path, f"UPDATE facts SET payload = replace(payload, '听到', '听见') WHERE fact_id = {one}")
    assert "seen otherwise than it is on record" in found()
    assert "is not what was said there" in found()
    change(tmp_path, f"UPDATE facts SET payload = replace(payload, '听见', '听到') WHERE fact_id = {one}")
    assert found() == ""
    change(tmp_path, f"DELETE FROM stream_entries WHERE fact_id = {one}")
    assert "was seen and is not on record" in found()
    assert "not heard from" in found()
    assert "counted up to" in found()
    change(
        tmp_path,
        "INSERT INTO facts (call_id, type, at, payload) SELECT call_id, type, at, payload FROM facts"
        f" WHERE fact_id = {one}",
        "INSERT INTO stream_entries SELECT 'call:k-1', 1000, max(fact_id) FROM facts",
        "INSERT INTO stream_entries SELECT 'call:k-1', 1001, max(fact_id) FROM facts",
    )
    assert "heard twice" in found()
    assert "finals written twice" in found()
    spool = tmp_path / "audio" / "k-1.raw"
    spool.write_bytes(spool.read_bytes()[:-64_000])
    assert "sample frames are kept" in found()


async def test_so_it_is_on_postgresql_with_the_sound_elsewhere(tmp_path: Path, postgres_url: str) -> None:
    call, seen = await bring(tmp_path / "a", database_url=postgres_url, audio_dir=tmp_path / "sound")

    def found() -> str:
        of_calls = check_calls(
            tmp_path, [call], check_marks, database=postgres_url, sound_dir=tmp_path / "sound"
        )
        return " ".join(check_record(postgres_url, seen.copied()) + of_calls)

    assert found() == ""
    assert seen.newest[Stream.call("k-1")] >= 4
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        one = "(SELECT max(fact_id) FROM facts WHERE type = 'segment.shown')"
        connection.execute(text(f"DELETE FROM stream_entries WHERE fact_id = {one}"))
    engine.dispose()
    assert "was seen and is not on record" in found()
    assert "counted up to" in found()
    (tmp_path / "sound" / "k-1.raw").write_bytes(b"")
    assert "sample frames are kept" in found()
