"""Versions of the knowledge that several servers share: published at one, answering at all, whole or not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from agent_ui.engines import Engines
from agent_ui.settings import Settings
from agent_ui.tuning import Tuning
from knowledge_base.database import open_database
from knowledge_base.depot import Depot, catching_up
from knowledge_base.objects.folder import FolderObjects
from knowledge_base.objects.opening import open_objects
from knowledge_base.objects.types import Objects, ObjectsAway
from knowledge_base.progress import ProgressNote, Stage
from knowledge_base.turns import publishing_alone
from knowledge_base.types import Article, BadVersion, KnowledgeError, Version
from knowledge_base.versions import VersionFolder
from retrieval.publishing import publish, roll_back
from retrieval.searcher import Searcher
from retrieval.serving import take_up, take_up_any
from retrieval.types import Findings
from tests.house import House, Script, running
from tests.object_store import ObjectStore
from tests.retrieval_parts import ARTICLES, PairEmbedder, article
from tests.waiting import until_true

pytestmark = pytest.mark.filterwarnings("error")

NOW = datetime(2026, 3, 5, 10, 15, tzinfo=UTC)
NEW = article("N1", "共享单车乱停放", questions=("路边单车挡道",), body="登记地点，转交运营企业清运。")


@dataclass
class Server:
    """One server's folder of versions, beside the store."""

    folder: Path
    objects: Objects
    embedder: PairEmbedder = field(default_factory=PairEmbedder)

    def __post_init__(self) -> None:
        self.versions = VersionFolder(self.folder)
        self.depot = Depot(objects=self.objects, versions=self.versions)

    def publish(self, articles: tuple[Article, ...], hours: int = 0, **more: Any) -> Version:
        return publish(
            articles,
            embedder=self.embedder,
            folder=self.folder,
            now=NOW + timedelta(hours=hours),
            depot=self.depot,
            **more,
        )

    def roll_back(self, version: Version) -> Version:
        model = {"model": self.embedder.name, "dimension": self.embedder.dimension}
        return roll_back(version.version, folder=self.folder, depot=self.depot, **model)  # type: ignore[arg-type]

    def left(self) -> list[str]:
        """What lies in the folder beside versions."""
        usual = {"current", "publish.json", ".lock", ".publish.lock", *self.versions.names()}
        return sorted(path.name for path in self.folder.iterdir() if path.name not in usual)


@pytest.fixture
def two(tmp_path: Path, objects: Objects) -> tuple[Server, Server]:
    return Server(tmp_path / "a", objects), Server(tmp_path / "b", objects)


def names_in(objects: Objects) -> set[str]:
    return {one.name.split("/")[1] for one in objects.under("kb/")} - {"current"}


def test_what_one_server_publishes_is_at_the_other(two: tuple[Server, Server], objects: Objects) -> None:
    one, other = two
    other.depot.catch_up()
    assert other.versions.current() is None
    first = one.publish(ARTICLES)
    other.depot.catch_up()
    assert other.versions.current() == one.versions.current() == first.version
    other.versions.check(first.version)
    searcher = Searcher(other.embedder)
    assert take_up(searcher, other.versions, other.embedder) == first.version
    found = searcher.search("路灯不亮怎么报修", day=NOW.date(), k=1)
    assert found.matches[0].article.article_id == "A1"
    searcher.close()
    # And back: the other one publishes, and embeds nothing that came with the first version.
    second = other.publish((*ARTICLES, NEW), 1)
    assert all("单车" in text or "运营企业" in text for text in other.embedder.embedded)
    one.depot.catch_up()
    assert one.versions.current() == second.version
    assert names_in(objects) == {first.version, second.version}
    assert one.left() == other.left() == []


def test_a_rollback_reaches_the_others_and_a_server_that_is_new(
    two: tuple[Server, Server], tmp_path: Path, objects: Objects
) -> None:
    one, other = two
    first, second = one.publish(ARTICLES), one.publish(ARTICLES[1:], 1)
    other.depot.catch_up()
    assert (other.versions.current(), other.versions.names()) == (
        second.version,
        [first.version, second.version],
    )
    assert other.roll_back(first).version == first.version
    one.depot.catch_up()
    new = Server(tmp_path / "c", objects)
    new.depot.catch_up()
    for server in (one, other, new):
        assert server.versions.current() == first.version
        assert server.versions.names() == [first.version, second.version]
    # What is not here any more is fetched for it.
    new.versions.keep_only({first.version})
    new.roll_back(second)
    assert new.versions.current() == second.version


def test_old_versions_go_everywhere(two: tuple[Server, Server], objects: Objects) -> None:
    one, other = two
    made = []
    for hour in range(4):
        made.append(one.publish(ARTICLES[hour:], hour, keep=2).version)
        other.depot.catch_up()
    objects.set_text(f"kb/{made[0]}/leftover", "of a publish that was killed")
    made.append(one.publish(ARTICLES, 5, keep=2).version)
    other.depot.catch_up()
    assert names_in(objects) == set(made[-2:])
    assert one.versions.names() == other.versions.names() == made[-2:]


def test_a_version_that_is_not_whole_is_not_taken_up(
    two: tuple[Server, Server], objects: Objects, tmp_path: Path
) -> None:
    one, other = two
    first = one.publish(ARTICLES)
    other.depot.catch_up()
    second = one.publish(ARTICLES[1:], 1)
    names = sorted(one_.name for one_ in objects.under(f"kb/{second.version}/"))
    damaged = next(name for name in names if name.endswith("json") is False)
    whole = tmp_path / "whole"
    objects.fetch(damaged, whole)
    objects.set_text(damaged, "not what it was")
    refresh = catching_up(other.depot, lambda: None)
    with pytest.raises(BadVersion, match="损坏"):
        refresh()
    objects.delete(damaged)
    with pytest.raises(BadVersion, match="不完整"):
        refresh()
    assert (other.versions.current(), other.versions.names(), other.left()) == (
        first.version,
        [first.version],
        [],
    )
    objects.put(damaged, whole)
    refresh()
    assert other.versions.current() == second.version
    objects.set_text("kb/current", "../../etc\n")
    with pytest.raises(BadVersion, match="不是版本名"):
        refresh()
    objects.set_text("kb/current", "20300101T000000-00000000\n")
    with pytest.raises(BadVersion, match="不完整"):
        refresh()
    assert other.versions.current() == second.version
    # Publishing mends it.
    assert other.publish(ARTICLES[1:], 2).version == second.version
    one.depot.catch_up()
    assert one.versions.current() == second.version


def test_what_is_here_is_brought_to_a_store_that_is_new(
    tmp_path: Path, objects: Objects, two: tuple[Server, Server]
) -> None:
    one, other = two
    first = publish(ARTICLES, embedder=one.embedder, folder=one.folder, now=NOW)
    second = publish(ARTICLES[1:], embedder=one.embedder, folder=one.folder, now=NOW + timedelta(hours=1))
    one.depot.catch_up()
    assert one.versions.current() == second.version
    one.depot.share()
    other.depot.share()
    assert other.versions.current() == second.version
    assert other.versions.names() == [first.version, second.version]
    # So does a publish that changes nothing.
    empty = FolderObjects(tmp_path / "empty")
    (tmp_path / "empty").mkdir()
    again = Server(one.folder, empty)
    assert again.publish(ARTICLES[1:], 3).version == second.version
    assert empty.text("kb/current") == f"{second.version}\n"
    assert names_in(empty) == {first.version, second.version}


def test_a_store_that_is_away_leaves_what_is_served(object_store: ObjectStore, tmp_path: Path) -> None:
    objects = open_objects(object_store.bucket(), endpoint=object_store.endpoint)
    assert objects is not None
    one, other = Server(tmp_path / "a", objects), Server(tmp_path / "b", objects)
    first = one.publish(ARTICLES)
    other.depot.catch_up()
    searcher = Searcher(other.embedder)
    refresh = catching_up(other.depot, lambda: take_up_any(searcher, other.versions, other.embedder))
    assert refresh() == first.version
    one.embedder.embedded.clear()
    object_store.cable.cut()
    assert refresh() is None
    assert searcher.search("路灯坏了", day=NOW.date(), k=1).kb_version == first.version
    with pytest.raises(ObjectsAway) as away:
        one.publish((*ARTICLES, NEW), 1)
    assert away.value.code == "kb.objects_away"
    assert ProgressNote(one.folder).read().code == "kb.objects_away"
    assert one.embedder.embedded == [], "it could have known before"
    with pytest.raises(ObjectsAway):
        one.roll_back(first)
    object_store.cable.mend()
    # Torn off in mid-upload: nobody serves it, and the next publish needs to embed nothing.
    with pytest.raises(ObjectsAway):
        publish(
            (*ARTICLES, NEW),
            embedder=_Cutting(object_store, "运营企业"),
            folder=one.folder,
            now=NOW,
            depot=one.depot,
        )
    object_store.cable.mend()
    assert refresh() is None
    assert (one.versions.names(), one.left()) == ([first.version], [".vectors"])
    second = one.publish((*ARTICLES, NEW), 2)
    assert one.embedder.embedded == []
    assert refresh() == second.version
    assert ProgressNote(one.folder).read().stage is Stage.DONE
    assert names_in(objects) == {first.version, second.version}
    searcher.close()
    objects.close()


class _Cutting(PairEmbedder):
    """Pulls the cable once a text has been embedded."""

    def __init__(self, store: ObjectStore, last: str) -> None:
        super().__init__()
        self._store, self._last = store, last

    def embed_passages(self, texts: Any) -> Any:
        vectors = super().embed_passages(texts)
        if any(self._last in text for text in texts):
            self._store.cable.cut()
        return vectors


def test_a_publish_in_this_folder_is_waited_for(two: tuple[Server, Server]) -> None:
    one, other = two
    first = one.publish(ARTICLES)
    with other.versions.publishing():
        other.depot.catch_up()
        assert other.versions.current() is None
    other.depot.catch_up()
    assert other.versions.current() == first.version


def test_one_of_all_servers_publishes_at_a_time(postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    objects = FolderObjects(tmp_path / "objects")
    one, other = Server(tmp_path / "a", objects), Server(tmp_path / "b", objects)
    engines = [open_database(postgres_url), open_database(postgres_url)]
    for server, engine in zip((one, other), engines, strict=True):
        server.depot.alone = lambda engine=engine: publishing_alone(engine)
    with publishing_alone(engines[0]):
        with pytest.raises(KnowledgeError) as refused:
            other.publish(ARTICLES)
        assert (refused.value.code, refused.value.recoverable) == ("kb.publishing", True)
    first = other.publish(ARTICLES)
    # Who loses the database in the midst serves nothing: somebody else may be publishing by now.
    with pytest.raises(KnowledgeError) as lost:
        one.publish(ARTICLES[1:], 1, progress=_once(lambda: _end_connections(engines[1])))
    assert lost.value.code == "kb.publishing"
    assert one.versions.current() == first.version
    assert objects.text("kb/current") == f"{first.version}\n"
    second = one.publish(ARTICLES[1:], 2)
    other.depot.catch_up()
    assert other.versions.current() == second.version
    for engine in engines:
        engine.dispose()


def _once(do: Callable[[], None]) -> Callable[[int, int], None]:
    done: list[bool] = []

    def progress(_done: int, _total: int) -> None:
        if not done:
            done.append(True)
            do()

    return progress


def _end_connections(engine: Engine) -> None:
    """As a restart of the database does to all others."""
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


@dataclass
class Knowing(Script):
    """Engines that search in what is published in the data folder."""

    @asynccontextmanager
    async def open_engines(self, settings: Settings, tuning: Callable[[], Tuning]) -> AsyncIterator[Engines]:
        embedder = PairEmbedder()
        searcher, versions = Searcher(embedder), VersionFolder(settings.data_dir / "kb")

        async def find(asked: str, k: int) -> Findings:
            return await asyncio.to_thread(lambda: searcher.search(asked, day=NOW.date(), k=k))

        take_up_any(searcher, versions, embedder)
        async with super().open_engines(settings, tuning) as engines:
            yield replace(engines, find=find, refresh=lambda: take_up(searcher, versions, embedder))
        searcher.close()


async def found(house: House, question: str) -> tuple[str, list[str]]:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        answer = await client.get("/v1/search", params={"q": question, "k": 1})
    if answer.status_code != 200:
        return answer.json()["detail"]["code"], []
    return answer.json()["kb_version"], [match["article_id"] for match in answer.json()["matches"]]


async def test_two_houses_answer_from_what_was_published_at_one(
    tmp_path: Path, postgres_url: str, object_store: ObjectStore
) -> None:
    settings: dict[str, Any] = {
        "database_url": postgres_url,
        "bus": "database",
        "lease_s": 60.0,
        "objects": object_store.bucket(),
        "s3_endpoint": object_store.endpoint,
    }
    async with (
        running(tmp_path / "a", Knowing(), **settings) as one,
        running(tmp_path / "b", Knowing(), **settings) as other,
    ):
        assert (await ready(one))["objects"]["state"] == "up"
        objects = open_objects(settings["objects"], endpoint=object_store.endpoint)
        assert objects is not None
        engine = open_database(postgres_url)
        at_one = Server(tmp_path / "a" / "kb", objects)
        at_one.depot.alone = lambda: publishing_alone(engine)
        first = await asyncio.to_thread(at_one.publish, ARTICLES)
        for house in (one, other):
            await until_true(lambda house=house: answers(house, first, "路灯不亮怎么报修", "A1"))
        object_store.cable.cut()
        for house in (one, other):
            await until_true(lambda house=house: is_away(house))
            assert await answers(house, first, "路灯不亮怎么报修", "A1")
        metrics = await text_of(other, "/metrics")
        assert "zhiting_objects_up 0.0" in metrics
        object_store.cable.mend()
        second = await asyncio.to_thread(at_one.publish, (*ARTICLES, NEW), 1)
        await until_true(lambda: answers(other, second, "共享单车乱停放", "N1"))
        assert (await ready(other))["objects"]["state"] == "up"
        objects.close()
        engine.dispose()
    # One that starts while the store is away answers from its own folder.
    object_store.cable.cut()
    async with running(tmp_path / "b", Knowing(), **settings) as other:
        assert await answers(other, second, "共享单车乱停放", "N1")


async def answers(house: House, version: Version, question: str, article_id: str) -> bool:
    return await found(house, question) == (version.version, [article_id])


async def is_away(house: House) -> bool:
    state = await ready(house)
    return bool(state["ready"] and state["objects"]["state"] == "away" and state["objects"]["failures"])


async def ready(house: House) -> Any:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        return (await client.get("/readyz")).json()


async def text_of(house: House, path: str) -> str:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        return (await client.get(path)).text
