"""Backups: made while calls are written, incremental, verified, and without those who were deleted."""

import asyncio
import itertools
import json
import resource
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, insert, select
from typer.testing import CliRunner

from calls.audio.keys import NO_KEYS
from calls.audio.sound import Recordings
from calls.keeping.deletion import Deleter
from calls.keeping.holds import Holds
from calls.keeping.tables import holds
from calls.keeping.types import Hold, What
from calls.tables import calls
from knowledge_base.database import migrate, open_database, writing
from scripts.backing_up import DATABASE, back_up, plain_url
from scripts.backup_store import BackupStore, BadBackup, Forgotten, State, call_of
from scripts.cli import app
from scripts.forgetting import BY, forget_again
from scripts.restoring import Restored, check, restore
from tests.databases import both_databases
from tests.house import START, House, receive, receive_until, running, send, sound
from tests.postgres import PostgresServer

NOW = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


def row(call_id: str, *, started_at: datetime = NOW - timedelta(days=3)) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "state": "ended",
        "started_at": started_at.isoformat(),
        "ended_at": (started_at + timedelta(minutes=4)).isoformat(),
        "seconds": 240.0,
        "audio_format": {"encoding": "mulaw", "sample_rate_hz": 8000, "channels": ["citizen"]},
    }


def fill(data: Path, *call_ids: str) -> None:
    """Calls with sound, words and settings, as an installation has them."""
    engine = open_database(data / DATABASE)
    migrate(engine)
    with writing(engine) as connection:
        for call_id in call_ids:
            connection.execute(insert(calls).values(row(call_id)))
    engine.dispose()
    (data / "audio").mkdir(exist_ok=True)
    for call_id in call_ids:
        (data / "audio" / f"{call_id}.zta").write_bytes(call_id.encode() * 500)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    fill(folder, "c-1", "c-2", "c-3")
    for name, text in (("lexicon.csv", "词"), ("kb/v1/version.json", "{}"), ("kb/current", "v1")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in (".lock", ".local-key", "models/w/model.bin", "transcriptions/x", "kb/.publish.lock"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"no")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> BackupStore:
    return BackupStore(tmp_path / "backups")


def backed(data: Path, store: BackupStore, *, hours: float = 0.0, **options: Any) -> State:
    return back_up(data, store, now=NOW + timedelta(hours=hours), **options).state


def restored(store: BackupStore, into: Path, state: State | None = None, **options: Any) -> Restored:
    return restore(store, state or store.read(store.names()[-1]), into, now=NOW, **options)


def call_ids(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        return [one for (one,) in connection.execute("SELECT call_id FROM calls ORDER BY call_id")]


def remove(data: Path, call_id: str, what: What = What.CALL, *, hours: float = 1.0) -> None:
    engine = open_database(data / DATABASE)
    deleter = Deleter(engine, Recordings(folder=data / "audio", keys=NO_KEYS))
    deleter.delete(call_id, what, who="admin", reason="本人要求", now=NOW + timedelta(hours=hours))
    engine.dispose()


def test_all_comes_back_but_what_belongs_to_the_machine(
    data: Path, store: BackupStore, tmp_path: Path
) -> None:
    backed(data, store)
    into = tmp_path / "new"
    restored(store, into)
    assert call_ids(into) == ["c-1", "c-2", "c-3"]
    found = {path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()}
    sounds = {f"audio/c-{n}.zta" for n in (1, 2, 3)}
    assert found - {"zhiting.db-wal", "zhiting.db-shm"} == sounds | {
        *("zhiting.db", "lexicon.csv", "kb/v1/version.json", "kb/current")
    }
    assert (into / "audio" / "c-2.zta").read_bytes() == (data / "audio" / "c-2.zta").read_bytes()
    assert (into / "audio" / "c-2.zta").stat().st_mtime_ns == (data / "audio" / "c-2.zta").stat().st_mtime_ns
    assert into.stat().st_mode & 0o777 == 0o700


def test_the_second_backup_takes_what_is_new(data: Path, store: BackupStore) -> None:
    first = back_up(data, store, now=NOW)
    assert first.new_files == len(first.state.files) == 6
    fill(data, "c-4")
    second = back_up(data, store, now=NOW + timedelta(days=1))
    assert (second.new_files, len(second.state.files)) == (1, 7)
    assert second.new_bytes == len(b"c-4") * 500
    assert len(list((store.folder / "files").glob("*/*"))) == 7


def test_old_states_go_and_leave_what_newer_ones_need(data: Path, store: BackupStore, tmp_path: Path) -> None:
    backed(data, store)
    (data / "audio" / "c-1.zta").unlink()
    (data / "lexicon.csv").write_text("新词", encoding="utf-8")
    assert back_up(data, store, now=NOW + timedelta(days=1), keep=1).pruned == 1
    assert len(store.names()) == 1
    restored(store, tmp_path / "new")
    assert (tmp_path / "new" / "lexicon.csv").read_text(encoding="utf-8") == "新词"
    assert len(list((store.folder / "files").glob("*/*"))) == 5


def test_a_call_deleted_after_the_backup_does_not_come_back(
    data: Path, store: BackupStore, tmp_path: Path
) -> None:
    first = backed(data, store)
    remove(data, "c-1")
    remove(data, "c-2", What.AUDIO)
    second = backed(data, store, hours=2)
    assert [one.call_id for one in store.forgotten()] == ["c-1", "c-2"]
    lines = (store.folder / "deletions.jsonl").read_text(encoding="utf-8")
    assert "本人要求" not in lines  # identifiers and times alone
    assert not any(store.blob(file.sha256).exists() for file in first.files if call_of(file.path) == "c-1")
    done = restored(store, tmp_path / "old", first)
    assert call_ids(tmp_path / "old") == ["c-2", "c-3"]
    assert sorted(path.name for path in (tmp_path / "old" / "audio").iterdir()) == ["c-3.zta"]
    assert (done.forgotten, done.damaged) == (2, ())
    engine = open_database(tmp_path / "old" / DATABASE)
    noted, _ = Deleter(engine, Recordings(folder=data / "audio", keys=NO_KEYS)).deletions()
    engine.dispose()
    assert {(one.call_id, one.who) for one in noted} == {("c-1", BY), ("c-2", BY)}
    assert restored(store, tmp_path / "new", second).forgotten == 0


def test_deletions_of_the_hours_after_the_last_backup_are_noted_by_themselves(
    data: Path, store: BackupStore, tmp_path: Path
) -> None:
    backed(data, store)
    remove(data, "c-3")
    environment = {"ZHITING_DATA_DIR": str(data)}
    ran = CliRunner().invoke(app, ["backup", str(store.folder), "--deletions-only"], env=environment)
    assert ran.exit_code == 0, ran.output
    into = tmp_path / "new"
    ran = CliRunner().invoke(app, ["restore", str(store.folder), "--into", str(into)])
    assert ran.exit_code == 0, ran.output
    assert call_ids(into) == ["c-1", "c-2"]


def test_a_hold_of_before_and_a_call_that_ran_do_not_keep_what_was_deleted(
    data: Path, store: BackupStore, tmp_path: Path
) -> None:
    engine = open_database(data / DATABASE)
    Holds(engine).put(Hold(call_id="c-1", who="admin", reason="诉讼", at=NOW))
    with writing(engine) as connection:
        connection.execute(calls.update().where(calls.c.call_id == "c-2").values(state="interrupted"))
    engine.dispose()
    backed(data, store)
    gone = [Forgotten(call_id=name, what="call", at=NOW.isoformat()) for name in ("c-1", "c-2", "c-9")]
    assert restored(store, tmp_path / "new", also_forgotten=gone).forgotten == 2
    assert call_ids(tmp_path / "new") == ["c-3"]


def test_another_call_of_a_deleted_ones_identifier_stays(
    data: Path, store: BackupStore, tmp_path: Path
) -> None:
    backed(data, store)
    before = Forgotten(call_id="c-1", what="call", at=(NOW - timedelta(days=9)).isoformat())
    assert restored(store, tmp_path / "new", also_forgotten=[before]).forgotten == 0
    assert call_ids(tmp_path / "new") == ["c-1", "c-2", "c-3"]


@both_databases
def test_what_the_list_names_is_deleted_again_in_either_database(engine: Engine, tmp_path: Path) -> None:
    with writing(engine) as connection:
        connection.execute(insert(calls), [row(name) for name in ("c-1", "c-2", "c-3")])
    Holds(engine).put(Hold(call_id="c-1", who="admin", reason="诉讼", at=NOW))
    sounds = Recordings(folder=tmp_path, keys=NO_KEYS)
    later = (NOW + timedelta(days=1)).isoformat()
    gone = [
        Forgotten(call_id="c-1", what="call", at=later),
        Forgotten(call_id="c-2", what="audio", at=later),
        Forgotten(call_id="c-9", what="call", at=later),
    ]
    assert forget_again(engine, tmp_path, sounds, gone, now=NOW) == 2
    assert forget_again(engine, tmp_path, sounds, gone, now=NOW) == 0
    with engine.connect() as connection:
        left = connection.execute(
            select(calls.c.call_id, calls.c.audio_format).order_by(calls.c.call_id)
        ).all()
        assert connection.scalar(select(func.count()).select_from(holds)) == 0
    assert [(name, bool(audio_format)) for name, audio_format in left] == [("c-2", False), ("c-3", True)]


def test_a_damaged_sound_is_told_and_the_rest_can_be_had(
    data: Path, store: BackupStore, tmp_path: Path
) -> None:
    state = backed(data, store)
    bad = next(file for file in state.files if file.path == "audio/c-2.zta")
    store.blob(bad.sha256).write_bytes(b"other")
    assert check(store, state) == ["audio/c-2.zta"]
    into = tmp_path / "new"
    with pytest.raises(BadBackup) as refused:
        restored(store, into)
    assert refused.value.code == "restore.damaged"
    assert not into.exists()
    assert not list(tmp_path.glob(".new*"))
    ran = CliRunner().invoke(app, ["restore", str(store.folder), "--into", str(into), "--despite-damage"])
    assert ran.exit_code == 3
    assert not (into / "audio" / "c-2.zta").exists()
    assert (into / "audio" / "c-3.zta").exists()


def test_a_damaged_database_is_refused(data: Path, store: BackupStore, tmp_path: Path) -> None:
    state = backed(data, store)
    with (store.place_of(state.name) / DATABASE).open("r+b") as file:
        file.seek(9000)
        file.write(b"\xff" * 64)
    with pytest.raises(BadBackup) as refused:
        restored(store, tmp_path / "new")
    assert refused.value.code == "restore.damaged"
    assert not (tmp_path / "new").exists()


def test_a_backup_of_a_newer_program_is_refused(data: Path, store: BackupStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(data / DATABASE)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    backed(data, store)
    with pytest.raises(BadBackup) as refused:
        restored(store, tmp_path / "new")
    assert refused.value.code == "restore.newer_schema"


def test_nothing_is_written_over(data: Path, store: BackupStore, tmp_path: Path) -> None:
    backed(data, store)
    with pytest.raises(BadBackup) as refused:
        restored(store, data)
    assert refused.value.code == "restore.not_empty"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").touch()
    with pytest.raises(BadBackup) as refused:
        backed(data, BackupStore(tmp_path / "other"))
    assert refused.value.code == "backup.not_ours"
    with pytest.raises(BadBackup) as refused:
        backed(data, BackupStore(data / "backups"))
    assert refused.value.code == "backup.inside"
    assert not (data / "backups").exists()


def test_a_backup_that_was_cut_off_is_none_and_goes_with_the_next(
    data: Path, store: BackupStore, tmp_path: Path
) -> None:
    torn = backed(data, store)
    (store.place_of(torn.name) / "papers.json").unlink()
    assert store.names() == []
    backed(data, store, hours=1)
    assert not store.place_of(torn.name).exists()
    (tmp_path / ".new.restoring" / "audio").mkdir(parents=True)  # what a restore that was killed leaves
    restored(store, tmp_path / "new")
    assert call_ids(tmp_path / "new") == ["c-1", "c-2", "c-3"]


def test_keys_go_elsewhere_and_only_by_wish(data: Path, store: BackupStore, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("2026 q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\n", encoding="utf-8")
    environment = {"ZHITING_DATA_DIR": str(data), "ZHITING_AUDIO_KEYS": str(keys)}
    ran = CliRunner().invoke(app, ["backup", str(store.folder)], env=environment)
    assert ran.exit_code == 0
    assert "密钥不在备份里" in ran.output
    assert not any(b"q83v" in path.read_bytes() for path in store.folder.rglob("*") if path.is_file())
    inside = ["backup", str(store.folder), "--keys", str(store.folder / "keys")]
    assert CliRunner().invoke(app, inside, env=environment).exit_code == 1
    apart = tmp_path / "safe" / "keys"
    ran = CliRunner().invoke(app, ["backup", str(store.folder), "--keys", str(apart)], env=environment)
    assert ran.exit_code == 0
    assert apart.read_bytes() == keys.read_bytes()
    assert apart.stat().st_mode & 0o777 == 0o600
    ran = CliRunner().invoke(app, ["backup", str(store.folder), "--list"], env=environment)
    assert len(ran.stdout.splitlines()) == 2


def test_a_state_without_files_cannot_be_restored(data: Path, store: BackupStore, tmp_path: Path) -> None:
    backed(data, store, is_whole=False)
    with pytest.raises(BadBackup) as refused:
        restored(store, tmp_path / "new")
    assert refused.value.code == "restore.incomplete"


def test_a_disk_that_takes_no_more_leaves_the_last_backup_as_it_was(data: Path, store: BackupStore) -> None:
    first = backed(data, store)
    (data / "audio" / "c-4.zta").write_bytes(b"4" * 8_000_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, before[1]))  # the database fits, the sound does not
    try:
        with pytest.raises(OSError, match="File too large"):
            backed(data, store, hours=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert store.names() == [first.name]
    assert not list((store.folder / "files").glob(".*"))
    assert len(backed(data, store, hours=2).files) == 7


def test_addresses_as_the_programs_of_postgresql_know_them() -> None:
    assert plain_url("postgresql+psycopg://u:p@db/zhiting") == "postgresql://u:p@db/zhiting"


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="PostgreSQL's programs are not installed")
def test_a_database_of_postgresql_goes_and_comes_back_as_a_dump(
    data: Path, store: BackupStore, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    full, empty = postgres_server.migrated(), postgres_server.empty()
    engine = open_database(full)
    with writing(engine) as connection:
        connection.execute(insert(calls), [row("c-7"), row("c-8")])
    engine.dispose()
    state = backed(data, store, database_url=full)
    store.note([Forgotten(call_id="c-8", what="call", at=NOW.isoformat())])
    with pytest.raises(BadBackup) as refused:
        restored(store, tmp_path / "new")
    assert refused.value.code == "restore.needs_postgresql"
    assert restored(store, tmp_path / "new", database_url=empty).forgotten == 1
    assert not (tmp_path / "new" / DATABASE).exists()
    assert (tmp_path / "new" / "audio" / "c-1.zta").exists()
    engine = open_database(empty)
    with engine.connect() as connection:
        assert list(connection.scalars(select(calls.c.call_id))) == ["c-7"]
    engine.dispose()
    with pytest.raises(BadBackup) as refused:  # not into one that holds something
        restored(store, tmp_path / "other", state, database_url=empty)
    assert refused.value.code == "restore.pg_restore"
    assert not (tmp_path / "other").exists()


async def test_what_is_written_during_the_backup_is_whole(tmp_path: Path, store: BackupStore) -> None:
    """Calls come, speak and end while one backup after the other is made; each is a state that once was."""
    data = tmp_path / "data"
    spoken, stop = asyncio.Semaphore(0), asyncio.Event()
    async with running(data) as house:
        callers = [asyncio.create_task(_keep_calling(house, seat, spoken, stop)) for seat in ("021", "022")]
        try:
            for n in range(2):
                async with asyncio.timeout(60):
                    await spoken.acquire()  # a call has ended, others go on
                await asyncio.to_thread(backed, data, store, hours=n)
        finally:
            stop.set()
            await asyncio.gather(*callers)
    last = 0
    for name in store.names():
        into = tmp_path / name
        await asyncio.to_thread(restored, store, into, store.read(name))
        with closing(sqlite3.connect(into / DATABASE)) as connection:
            entries = "SELECT count(*) FROM stream_entries e WHERE e.stream = s.stream"
            gaps = f"SELECT s.stream FROM streams s WHERE s.last_seq != ({entries})"
            assert connection.execute(gaps).fetchall() == []
            count = connection.execute("SELECT count(*) FROM facts").fetchone()[0]
            assert count >= max(last, 1)
            last = count
            query = "SELECT call_id, payload FROM facts WHERE type = 'segment.final'"
            for call_id, payload in connection.execute(query).fetchall():
                end_s = json.loads(payload)["segment"]["end_s"]
                files = list((into / "audio").glob(f"{call_id}.*"))
                assert files, call_id
                if files[0].suffix == ".raw":
                    assert files[0].stat().st_size >= end_s * 32_000
    async with running(into) as house, httpx.AsyncClient(base_url=house.url) as client:
        listed = (await client.get("/v1/calls")).json()["calls"]
        assert {"021-0", "022-0"} & {call["call_id"] for call in listed}


async def _keep_calling(house: House, seat: str, spoken: asyncio.Semaphore, stop: asyncio.Event) -> None:
    for count in itertools.count():
        async with house.socket("/v1/calls/audio") as line:
            await send(line, START | {"call_id": f"{seat}-{count}", "operator_id": seat})
            await receive(line)
            for _ in range(2):
                await line.send(sound(1.0))
            await send(line, {"type": "stop"})
            await receive_until(line, lambda message: message["type"] == "ended")
        spoken.release()
        if stop.is_set():
            return
