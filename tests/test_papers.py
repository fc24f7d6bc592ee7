"""Small files that admins edit, on several servers with one database: a change anywhere holds everywhere."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from calls.papers.copies import NOTES, Copies, SharedFile
from calls.papers.store import PaperStore
from calls.papers.types import FROM_FILE, Kind, Paper
from knowledge_base.database import open_database
from tests.databases import both_databases
from tests.house import House, running
from tests.redis_server import RedisServer
from tests.waiting import until_true

AT = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)
NAME = "words.csv"


def fault_of(text: str) -> str | None:
    return "没有第一行。" if not text.startswith("word") else None


class Server:
    """One with a data folder of its own."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.store = PaperStore(engine)
        self.path = folder / NAME
        self.told = 0
        kind = Kind(name=NAME, path=self.path, fault_of=fault_of)
        self.copies = Copies(self.store, [kind], notes=folder / NOTES, clock=lambda: AT)
        self.copies.told = self._tell
        self.home = SharedFile(self.copies, NAME)

    def _tell(self) -> None:
        self.told += 1

    def look(self, *, is_first: bool = False) -> str | None:
        """Look, and say what the file has."""
        self.copies.look(is_first=is_first)
        return self.path.read_text(encoding="utf-8") if self.path.exists() else None

    @property
    def paper(self) -> Paper | None:
        return self.store.paper(NAME)


@both_databases
class TestInStep:
    def test_a_change_at_one_server_is_copied_to_another_and_to_one_that_comes_later(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        one, other = Server(engine, tmp_path / "a"), Server(engine, tmp_path / "b")
        assert one.look() is other.look() is None
        one.home.fetch()
        assert one.home.write("word\n积水\n", by="李")
        assert (one.told, other.told) == (1, 0)
        assert other.look() == Server(engine, tmp_path / "c").look() == "word\n积水\n"
        assert one.paper is not None
        assert (one.paper.revision, one.paper.author, one.paper.at) == (1, "李", AT)

    def test_who_has_not_seen_the_newest_changes_nothing_until_it_was_fetched(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        one, other = Server(engine, tmp_path / "a"), Server(engine, tmp_path / "b")
        one.home.fetch()
        other.home.fetch()
        assert one.home.write("word\n一\n", by="李")
        assert not other.home.write("word\n二\n", by="王")
        assert one.look() == "word\n一\n"
        other.home.fetch()
        assert other.path.read_text(encoding="utf-8") == "word\n一\n"
        assert other.home.write("word\n二\n", by="王")
        assert one.look() == "word\n二\n"
        assert one.paper is not None
        assert one.paper.revision == 2

    def test_a_change_by_hand_holds_everywhere_also_one_that_was_made_while_the_server_was_down(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        one, other = Server(engine, tmp_path / "a"), Server(engine, tmp_path / "b")
        one.path.write_text("word\n积水\n", encoding="utf-8")
        one.look()
        assert other.look() == "word\n积水\n"
        other.path.write_text("word\n井盖\n", encoding="utf-8")
        again = Server(engine, tmp_path / "b")
        assert again.look(is_first=True) == one.look() == "word\n井盖\n"
        assert one.paper is not None
        assert (one.paper.revision, one.paper.author) == (2, FROM_FILE)

    def test_a_file_that_is_taken_away_is_gone_everywhere(self, engine: Engine, tmp_path: Path) -> None:
        one, other = Server(engine, tmp_path / "a"), Server(engine, tmp_path / "b")
        one.path.write_text("word\n积水\n", encoding="utf-8")
        one.look()
        other.look()
        other.path.unlink()
        assert other.look() is one.look() is None
        assert one.home.write("word\n井盖\n", by="李")
        assert other.look() == "word\n井盖\n"

    @pytest.mark.parametrize("content", [b"no heading\n", b"word\n\xff\n", b"word\n\0\n"])
    def test_what_cannot_be_used_is_told_once_and_stays_here(
        self, engine: Engine, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        one, other = Server(engine, tmp_path / "a"), Server(engine, tmp_path / "b")
        one.path.write_text("word\n积水\n", encoding="utf-8")
        one.look()
        other.look()
        one.path.write_bytes(content)
        with caplog.at_level(logging.ERROR):
            one.copies.look()
            one.copies.look()
        assert one.path.read_bytes() == content
        assert len([record for record in caplog.records if "is not taken" in record.message]) == 1
        assert other.look() == "word\n积水\n"
        again = Server(engine, tmp_path / "a")  # a server must be able to start
        assert again.look(is_first=True) == "word\n积水\n"
        assert [path.read_bytes() for path in tmp_path.glob("a/*.aside")] == [content]

    def test_of_two_changes_the_one_in_the_database_holds_and_the_other_is_put_aside(
        self, engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        one, other = Server(engine, tmp_path / "a"), Server(engine, tmp_path / "b")
        one.path.write_text("word\n一\n", encoding="utf-8")
        other.path.write_text("word\n二\n", encoding="utf-8")  # both were there before they were shared
        assert one.look() == "word\n一\n"
        with caplog.at_level(logging.ERROR):
            assert other.look() == "word\n一\n"
        assert "was put aside" in caplog.text
        (aside,) = tmp_path.glob("b/*.aside")
        assert aside.read_text(encoding="utf-8") == "word\n二\n"

    def test_one_folder_for_all_is_no_quarrel(self, engine: Engine, tmp_path: Path) -> None:
        shared = tmp_path / "shared.csv"
        kinds = [Kind(name=NAME, path=shared, fault_of=fault_of)]
        one, other = (
            Copies(PaperStore(engine), kinds, notes=tmp_path / name, clock=lambda: AT) for name in "ab"
        )
        shared.write_text("word\n一\n", encoding="utf-8")
        one.look()
        other.look()
        shared.write_text("word\n二\n", encoding="utf-8")
        other.look()
        one.look()
        assert SharedFile(one, NAME).write("word\n三\n", by="李")
        other.look()
        assert SharedFile(other, NAME).write("word\n四\n", by="王")
        one.look()
        paper = PaperStore(engine).paper(NAME)
        assert paper is not None
        assert (paper.revision, paper.content) == (4, shared.read_text(encoding="utf-8"))
        assert not list(tmp_path.glob("*.aside"))

    def test_a_database_from_a_backup_holds_and_one_without_it_gets_it_again(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        one = Server(engine, tmp_path / "a")
        assert one.home.write("word\n一\n", by="李")
        (kept,) = rows(engine)
        assert one.home.write("word\n二\n", by="李")
        restore(engine, kept)
        assert one.look() == "word\n一\n"
        restore(engine, None)
        assert one.look() == "word\n一\n"
        assert one.paper is not None
        assert one.paper.content == "word\n一\n"

    def test_a_disk_that_takes_nothing_is_tried_again(
        self, engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        one, other = Server(engine, tmp_path / "a"), Server(engine, tmp_path / "b")
        aside = one.path.with_name(f".{NAME}.new")
        aside.mkdir()  # it cannot be written
        one.home.fetch()
        with caplog.at_level(logging.ERROR):
            assert one.home.write("word\n积水\n", by="李")
        assert "cannot be kept in step" in caplog.text
        assert other.look() == "word\n积水\n"
        caplog.clear()
        assert one.look() is None
        assert not caplog.records, "told once"
        aside.rmdir()
        assert one.look() == "word\n积水\n"


def rows(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT * FROM shared_papers").mappings()
        return [dict(row) for row in found]


def restore(engine: Engine, row: dict[str, Any] | None) -> None:
    from calls.papers.tables import papers

    with engine.begin() as connection:
        connection.execute(papers.delete())
        if row is not None:
            connection.execute(papers.insert().values(row))


# Two houses.

DIRECTORY = "编号,名称,类别,上级\nC,热线中心,中心,\nD1,东区,区县,C\nP1,东区住建局,部门,D1\n"


@asynccontextmanager
async def two(folder: Path, url: str, bus: str) -> AsyncIterator[tuple[House, House]]:
    settings: dict[str, Any] = {"database_url": url, "bus": bus, "lease_s": 60.0}
    async with running(folder / "a", **settings) as one, running(folder / "b", **settings) as other:
        yield one, other


async def ask(house: House, method: str, path: str, **more: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        return await client.request(method, path, **more)


async def setting(house: House, name: str) -> Any:
    found = (await ask(house, "GET", "/v1/system/settings")).json()["settings"]
    return next(one["value"] for one in found if one["name"] == name)


@pytest.mark.parametrize("with_redis", [True, False])
async def test_what_an_admin_sets_at_one_server_holds_at_the_other(
    tmp_path: Path, postgres_url: str, redis_server: RedisServer, with_redis: bool
) -> None:
    async with two(tmp_path, postgres_url, redis_server.url if with_redis else "database") as (one, other):
        changed = await ask(one, "PATCH", "/v1/system/settings", json={"changes": {"max_calls": 3}})
        assert changed.status_code == 200

        async def is_set() -> bool:
            return bool(await setting(other, "max_calls") == 3)

        await until_true(is_set)
        tag = (await ask(other, "GET", "/v1/system/settings")).headers["ETag"]
        assert tag == changed.headers["ETag"]

        terms = [{"term": "翠屏雅苑", "kind": "小区"}]
        assert (await ask(other, "POST", "/v1/lexicon/terms", json=terms)).status_code == 200

        async def is_there() -> bool:
            return bool((await ask(one, "GET", "/v1/lexicon")).json()["total"] == 1)

        await until_true(is_there)

        put = await ask(one, "PUT", "/v1/departments", content=DIRECTORY.encode())
        assert put.status_code == 200, put.text

        async def is_brought() -> bool:
            return len((await ask(other, "GET", "/v1/departments")).json()) == 3

        await until_true(is_brought)
    assert (tmp_path / "b" / "tuning.json").read_bytes() == (tmp_path / "a" / "tuning.json").read_bytes()
    engine = open_database(postgres_url)
    papers = PaperStore(engine)
    assert {name: mark.revision for name, mark in papers.marks().items()} == {
        "tuning.json": 1,
        "lexicon.csv": 1,
        "departments.csv": 1,
    }
    engine.dispose()


async def test_of_two_admins_at_two_servers_the_second_is_told(tmp_path: Path, postgres_url: str) -> None:
    async with two(tmp_path, postgres_url, "database") as (one, other):
        tag = (await ask(other, "GET", "/v1/system/settings")).headers["ETag"]
        answers = await asyncio.gather(
            *(
                ask(
                    house,
                    "PATCH",
                    "/v1/system/settings",
                    json={"changes": {"max_calls": value}},
                    headers={"If-Match": tag},
                )
                for house, value in ((one, 3), (other, 4), (one, 5), (other, 6))
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
        told = {answer.json()["detail"]["code"] for answer in answers if answer.status_code == 412}
        assert told == {"system.settings_changed"}
        directory = await ask(one, "GET", "/v1/departments")
        put = {"content": DIRECTORY.encode(), "headers": {"If-Match": directory.headers["ETag"]}}
        assert (await ask(one, "PUT", "/v1/departments", **put)).status_code == 200
        refused = await ask(other, "PUT", "/v1/departments", **put)
        assert (refused.status_code, refused.json()["detail"]["code"]) == (412, "directory.changed")
        lexicon = await ask(other, "GET", "/v1/lexicon")
        put = {"json": [{"term": "翠屏雅苑"}], "headers": {"If-Match": lexicon.headers["ETag"]}}
        assert (await ask(other, "POST", "/v1/lexicon/terms", **put)).status_code == 200
        refused = await ask(one, "POST", "/v1/lexicon/terms", **put)
        assert (refused.status_code, refused.json()["detail"]["code"]) == (412, "asr.terms_changed")
        more = await ask(one, "POST", "/v1/lexicon/terms", json=[{"term": "沁园"}])  # whatever is there
        assert sorted(term["term"] for term in more.json()["terms"]) == ["沁园", "翠屏雅苑"]


async def test_files_changed_by_hand_at_one_server_reach_the_other(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "quality.toml").write_text("[least]\nseconds = 1.0\noperator_utterances = 1\n")
    async with two(tmp_path, postgres_url, "database") as (one, other):
        assert (tmp_path / "b" / "quality.toml").exists()  # before anybody reads it
        words = "类别,程度,词,近音,例句\n燃气,特急,煤气/燃气…漏了,否,煤气漏了\n"
        (tmp_path / "b" / "alarm_words.csv").write_text(words, encoding="utf-8")
        await until_true((tmp_path / "a" / "alarm_words.csv").exists)
        (tmp_path / "a" / "departments.csv").write_text(DIRECTORY, encoding="utf-8")

        async def is_brought() -> bool:
            listed = [(await ask(house, "GET", "/v1/departments")).json() for house in (one, other)]
            return all(len(units) == 3 for units in listed)

        await until_true(is_brought)


async def test_a_server_alone_keeps_its_files_to_itself_and_reads_them_again(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        (tmp_path / "departments.csv").write_text(DIRECTORY, encoding="utf-8")
        change = {"value": 3, "changed_by": "李", "changed_at": AT.isoformat()}
        (tmp_path / "tuning.json").write_text(json.dumps({"changes": {"max_calls": change}}))

        async def is_read() -> bool:
            units = (await ask(house, "GET", "/v1/departments")).json()
            return len(units) == 3 and await setting(house, "max_calls") == 3

        await until_true(is_read)
        (tmp_path / "tuning.json").write_text("{")
        (tmp_path / "departments.csv").write_text("编号\n")
        await ask(house, "PATCH", "/v1/system/settings", json={"changes": {"kb_review": True}})
        assert await setting(house, "max_calls") == 3  # the last good one holds, and is written anew
        assert len((await ask(house, "GET", "/v1/departments")).json()) == 3
    assert not (tmp_path / NOTES).exists()
    assert '"max_calls"' in (tmp_path / "tuning.json").read_text()
