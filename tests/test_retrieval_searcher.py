"""Searching: channels together, only what holds today, a swap in mid-search."""

import asyncio
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.types import Article, KnowledgeError
from knowledge_base.versions import VersionFolder
from retrieval.lexical import LexicalIndex
from retrieval.publishing import publish
from retrieval.searcher import Searcher, SearchOptions
from retrieval.serving import take_up
from retrieval.snapshot import Snapshot
from retrieval.tokens import REVISION, characters, sounds
from retrieval.types import Channel, Query
from retrieval.vectors import Vector
from tests.retrieval_parts import ARTICLES, PairEmbedder, article

NOW = datetime(2026, 3, 5, 10, 15, tzinfo=UTC)
DAY = date(2026, 3, 5)


def serving(tmp_path: Path, articles: tuple[Article, ...] = ARTICLES) -> Searcher:
    embedder = PairEmbedder()
    publish(articles, embedder=embedder, folder=tmp_path, now=NOW)
    searcher = Searcher(embedder)
    take_up(searcher, VersionFolder(tmp_path), embedder)
    return searcher


def ids(searcher: Searcher, question: Query | str, day: date = DAY) -> list[str]:
    return [match.article.article_id for match in searcher.search(question, day=day).matches]


@pytest.mark.parametrize(
    ("question", "article_id"),
    [("半夜工地太吵了", "A4"), ("老人刷脸认证", "A2"), ("居住证快到期了", "A6"), ("租房想提公积金", "A3")],
)
def test_the_right_article_comes_first(tmp_path: Path, question: str, article_id: str) -> None:
    searcher = serving(tmp_path)
    found = searcher.search(question, day=DAY)
    assert found.matches[0].article.article_id == article_id
    assert found.matches[0].channels[Channel.LEXICAL].rank == 1
    assert found.kb_version == VersionFolder(tmp_path).current()
    scores = [match.score for match in found.matches]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_homophones_are_found_by_sound(tmp_path: Path) -> None:
    found = serving(tmp_path).search("租房能不能提工鸡金", day=DAY).matches
    sounding = next(match for match in found if match.article.article_id == "A3")
    assert sounding.channels[Channel.PINYIN].rank == 1
    assert sounding.channels[Channel.PINYIN].score > sounding.channels[Channel.LEXICAL].score


@pytest.mark.parametrize("channel", list(Channel))
def test_a_channel_that_is_left_out_finds_and_says_nothing(tmp_path: Path, channel: Channel) -> None:
    whole = serving(tmp_path).search("租房能不能提工鸡金", day=DAY).matches
    embedder = PairEmbedder()
    searcher = Searcher(embedder, SearchOptions(without=frozenset({channel})))
    take_up(searcher, VersionFolder(tmp_path), embedder)
    rest = searcher.search("租房能不能提工鸡金", day=DAY).matches
    assert any(match.channels[channel].score for match in whole)
    assert rest
    assert not any(match.channels[channel].score for match in rest)


def test_newer_turns_weigh_more(tmp_path: Path) -> None:
    searcher = serving(tmp_path)

    def query(*turns: tuple[str, float]) -> Query:
        text = "，".join(text for text, _ in turns)
        return Query(call_id="c", segment_id="s", text=text, turns=turns)

    def lexical(question: Query) -> dict[str, float]:
        matches = searcher.search(question, day=DAY).matches
        return {match.article.article_id: match.channels[Channel.LEXICAL].score for match in matches}

    light = lexical(query(("路灯不亮", 1.0), ("居住证签注", 0.3)))
    permit = lexical(query(("居住证签注", 1.0), ("路灯不亮", 0.3)))
    assert light["A1"] > light["A6"] > 0
    assert permit["A6"] > permit["A1"] > 0
    assert light["A1"] == pytest.approx(permit["A1"] / 0.3)


def test_only_what_holds_on_the_day_is_found(tmp_path: Path) -> None:
    searcher = serving(
        tmp_path,
        (
            article("old", "路灯报修旧规", expires_on=DAY),
            article("now", "路灯报修"),
            article("soon", "路灯报修新规", effective_from=DAY + timedelta(days=1)),
        ),
    )
    assert ids(searcher, "路灯报修") == ["now"]
    assert set(ids(searcher, "路灯报修", DAY + timedelta(days=1))) == {"now", "soon"}
    assert set(ids(searcher, "路灯报修", DAY - timedelta(days=1))) == {"now", "old"}


def test_nothing_published_nothing_asked(tmp_path: Path) -> None:
    nothing = Searcher(PairEmbedder()).search("路灯", day=DAY)
    assert (nothing.kb_version, nothing.matches) == ("", ())
    assert serving(tmp_path).search("  ", day=DAY).matches == ()
    assert serving(tmp_path / "empty", ()).search("路灯", day=DAY).matches == ()


def test_a_text_that_shares_nothing_has_no_lexical_score(tmp_path: Path) -> None:
    for match in serving(tmp_path).search("xyz", day=DAY).matches:
        assert match.channels[Channel.LEXICAL].score == 0
        assert match.score < 0.5


class HeldEmbedder(PairEmbedder):
    """Lets a search begin and holds it until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.holds = False

    def embed_query(self, text: str) -> Vector:
        if self.holds:
            self.begun.set()
            assert self.go_on.wait(60)
        return super().embed_query(text)


async def test_a_running_search_ends_on_the_version_it_began_with(tmp_path: Path) -> None:
    embedder = HeldEmbedder()
    versions = VersionFolder(tmp_path)
    searcher = Searcher(embedder)
    first = publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW)
    assert take_up(searcher, versions, embedder) == first.version
    embedder.holds = True
    running = asyncio.create_task(searcher.find("路灯不亮", day=DAY))
    await asyncio.to_thread(embedder.begun.wait, 10)
    embedder.holds = False
    second = publish(ARTICLES[1:], embedder=embedder, folder=tmp_path, now=NOW + timedelta(hours=1))
    assert take_up(searcher, versions, embedder) == second.version
    assert take_up(searcher, versions, embedder) is None
    embedder.go_on.set()
    assert (await running).kb_version == first.version
    assert (await searcher.find("路灯不亮", day=DAY)).kb_version == second.version
    searcher.close()


async def test_too_many_searches_are_refused_not_queued(tmp_path: Path) -> None:
    embedder = HeldEmbedder()
    publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW)
    searcher = Searcher(embedder, SearchOptions(threads=1, waiting=1))
    take_up(searcher, VersionFolder(tmp_path), embedder)
    embedder.holds = True
    running = [asyncio.create_task(searcher.find("路灯不亮", day=DAY)) for _ in range(2)]
    await asyncio.to_thread(embedder.begun.wait, 10)
    with pytest.raises(KnowledgeError) as refused:
        await searcher.find("路灯不亮", day=DAY)
    assert (refused.value.code, refused.value.recoverable) == ("kb.busy", True)
    embedder.go_on.set()
    assert all(found.matches for found in await asyncio.gather(*running))
    assert (await searcher.find("路灯不亮", day=DAY)).matches
    searcher.close()


def test_tokens() -> None:
    assert characters("路灯LED坏了3.5天，急") == ["路灯", "led", "坏了", "3.5", "天", "急"]
    assert sounds("鱼水管道") == sounds("雨水管道") == ["yu sui", "sui guan", "guan dao"]
    assert sounds("工鸡金") == sounds("公积金")
    assert sounds("农民工") == sounds("龙明弓")


def test_the_indexes_of_words_and_sounds_are_read_as_they_were_published(tmp_path: Path) -> None:
    searcher = serving(tmp_path)
    name = VersionFolder(tmp_path).current()
    assert name is not None
    folder = VersionFolder(tmp_path).path(name)
    read = LexicalIndex.read(folder, f"lexical-{REVISION}", characters, count=len(ARTICLES))
    assert read is not None
    assert LexicalIndex.read(folder, f"lexical-{REVISION}", characters, count=3) is None
    assert LexicalIndex.read(folder, f"lexical-{REVISION + 1}", characters, count=len(ARTICLES)) is None
    snapshot = searcher.snapshot
    assert snapshot is not None
    texts = [one.title for one in ARTICLES]
    LexicalIndex.build(texts, characters).write(tmp_path, "titles")
    titles = LexicalIndex.read(tmp_path, "titles", characters, count=len(texts))
    assert titles is not None
    asked = [("路灯不亮", 1.0), ("居住证", 0.5)]
    np.testing.assert_array_equal(titles.scores(asked), LexicalIndex.build(texts, characters).scores(asked))
    np.testing.assert_array_equal(read.scores(asked), snapshot.lexical[Channel.LEXICAL].scores(asked))


def test_a_version_of_an_older_release_is_served_without_saved_indexes(tmp_path: Path) -> None:
    before = serving(tmp_path).search("路灯不亮", day=DAY)
    name = VersionFolder(tmp_path).current()
    assert name is not None
    folder = VersionFolder(tmp_path).path(name)
    for file in [*folder.glob("lexical-*"), *folder.glob("pinyin-*")]:
        file.unlink()
    searcher = Searcher(PairEmbedder())
    embedder = PairEmbedder()
    searcher.swap(Snapshot.load(folder, model=embedder.name, dimension=embedder.dimension))
    assert searcher.search("路灯不亮", day=DAY) == before
