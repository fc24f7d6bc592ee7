"""The doctor on real folders, databases and ports: what is well, and what is said where it is not."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_ui.settings import Settings
from asr.remote.looking import Seen
from asr.remote.types import Card
from knowledge_base.database import migrate, open_database, writing
from scripts.doctor import Finding, Verdict, examine, judge_ears
from tests.object_store import ObjectStore
from tests.redis_server import RedisServer

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def look(data_dir: Path, *, now: datetime = NOW, deep: bool = False, **changes: object) -> dict[str, Finding]:
    settings = Settings(data_dir=data_dir, _env_file=None, **({"port": 0} | changes))  # type: ignore[call-arg, arg-type]
    return {one.name: one for one in examine(settings, now=now, deep=deep)}


def test_a_new_folder_lacks_weights_and_knowledge_and_nothing_else(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    found = look(tmp_path)
    assert {name for name, one in found.items() if one.verdict is Verdict.BAD} == {"语音模型", "检索模型"}
    assert "zhiting models fetch whisper-base" in found["语音模型"].advice
    assert found["知识库"].verdict is Verdict.LOOK
    assert all(one.advice for one in found.values() if one.verdict is not Verdict.OK)
    assert list(tmp_path.iterdir()) == []  # nothing was left behind


def test_a_torn_model_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "weights" / "whisper-base"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"half")
    assert look(tmp_path, models_folder=tmp_path / "weights")["语音模型"].verdict is Verdict.BAD


def test_databases_that_are_old_new_or_torn(tmp_path: Path) -> None:
    path = tmp_path / "zhiting.db"
    engine = open_database(path)
    migrate(engine)
    assert look(tmp_path, deep=True)["数据库"].verdict is Verdict.OK
    for revision, verdict in (("0009", Verdict.LOOK), ("9999", Verdict.BAD)):
        with writing(engine) as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = :new"), {"new": revision})
        assert look(tmp_path)["数据库"].verdict is verdict
    engine.dispose()
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    torn = look(tmp_path)["数据库"]
    assert (torn.verdict, "备份" in torn.advice) == (Verdict.BAD, True)


def test_a_store_of_objects_is_tried(tmp_path: Path, object_store: ObjectStore) -> None:
    assert look(tmp_path / "var")["对象存储"].verdict is Verdict.OK
    (tmp_path / "shared").mkdir()
    for address in (object_store.bucket(), f"file://{tmp_path / 'shared'}"):
        found = look(tmp_path / "var", objects=address, s3_endpoint=object_store.endpoint)["对象存储"]
        assert (found.verdict, address in found.found) == (Verdict.OK, True)
    assert not any(path.is_file() for path in (tmp_path / "shared").rglob("*"))
    nobody = look(tmp_path / "var", objects="s3://b-nobody", s3_endpoint=object_store.endpoint)["对象存储"]
    assert (nobody.verdict, "NoSuchBucket" in nobody.found, "建好" in nobody.advice) == (
        Verdict.BAD,
        True,
        True,
    )
    object_store.cable.cut()
    away = look(tmp_path / "var", objects="s3://b-nobody", s3_endpoint=object_store.endpoint)["对象存储"]
    assert (away.verdict, "ZHITING_S3_ENDPOINT" in away.advice) == (Verdict.BAD, True)


async def test_the_way_between_servers_is_tried(
    tmp_path: Path, postgres_url: str, redis_server: RedisServer
) -> None:
    async def tried(bus: str = "") -> Finding:
        found = await asyncio.to_thread(lambda: look(tmp_path, database_url=postgres_url, bus=bus))
        return found["多进程"]

    alone = await tried()
    assert (alone.verdict, "只有一个" in alone.found) == (Verdict.OK, True)
    without = await tried("database")
    assert (without.verdict, "经数据库" in without.found) == (Verdict.OK, True)
    there = await tried(redis_server.url)
    assert (there.verdict, there.found) == (Verdict.OK, "Redis 可用")
    await redis_server.kill()
    away = await tried(redis_server.url)  # no reason not to start
    assert (away.verdict, "ZHITING_BUS" in away.advice) == (Verdict.LOOK, True)


def test_what_stands_in_the_way_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert look(tmp_path, port=taken.getsockname()[1])["端口"].verdict is Verdict.LOOK
    assert look(tmp_path, min_free_mb=10**9)["磁盘"].verdict is Verdict.BAD
    assert look(tmp_path, now=datetime(1970, 1, 1, tzinfo=UTC))["时钟"].verdict is Verdict.BAD
    assert look(tmp_path, host="0.0.0.0")["访问"].verdict is Verdict.BAD
    assert look(tmp_path, open=True)["访问"].verdict is Verdict.LOOK
    tmp_path.chmod(0o755)
    assert "chmod 700" in look(tmp_path)["数据文件夹"].advice


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert look(tmp_path)["数据文件夹"].verdict is Verdict.BAD
    tmp_path.chmod(0o700)


def test_the_command_says_it_in_json_and_by_its_exit_code(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ZHITING_")}
    environment |= {"ZHITING_DATA_DIR": str(tmp_path), "ZHITING_PORT": "0"}
    command = [sys.executable, "-m", "scripts.cli", "doctor"]
    done = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    found = {one["name"]: one["verdict"] for one in json.loads(done.stdout)}
    assert (found["语音模型"], found["端口"]) == ("bad", "ok")
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "→ 运行 zhiting models fetch whisper-base" in shown.stdout
    environment["ZHITING_PORT"] = "nonsense"
    wrong = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (wrong.returncode, "port" in wrong.stdout) == (2, True)


def test_machines_that_recognise_are_looked_at_where_they_are_wanted(tmp_path: Path) -> None:
    assert "识别机" not in look(tmp_path)
    with socket.socket() as taken:  # nobody listens there
        taken.bind(("127.0.0.1", 0))
        found = look(tmp_path, ears="ray", ray_address=f"127.0.0.1:{taken.getsockname()[1]}")["识别机"]
    assert (found.verdict, "cluster" in found.advice) == (Verdict.BAD, True)


def test_what_the_doctor_thinks_of_the_ears_that_it_sees() -> None:
    card = Card(
        machine="b",
        pid=1,
        fingerprint="ours",
        engine="scripted",
        device="cpu",
        workers=2,
        calls=8,
        zhiting="0",
        python="3",
        began_at=0.0,
    )
    assert judge_ears(Seen(trouble="no"), "ours").verdict is Verdict.BAD
    assert judge_ears(Seen(ray="2", machines=2), "ours").verdict is Verdict.BAD
    seen = Seen(ray="2", machines=2, cards=(card, card))
    assert judge_ears(seen, "ours").verdict is Verdict.OK
    assert "16" in judge_ears(seen, "ours").found
    assert judge_ears(seen, "theirs").verdict is Verdict.BAD
    assert judge_ears(Seen(ray="2", cards=(card,), unanswered=1), "ours").verdict is Verdict.LOOK


def test_a_database_on_a_server(tmp_path: Path, postgres_url: str) -> None:
    found = look(tmp_path, database_url=postgres_url)["数据库"]
    assert (found.verdict, "PostgreSQL" in found.found) == (Verdict.OK, True)
    engine = open_database(postgres_url)
    with writing(engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert look(tmp_path, database_url=postgres_url)["数据库"].verdict is Verdict.BAD
    nowhere = look(tmp_path, database_url=f"postgresql:///zhiting?host={tmp_path}")["数据库"]
    assert (nowhere.verdict, "连不上" in nowhere.found) == (Verdict.BAD, True)
