"""Publishing: only what changed is embedded, and a publish that dies changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.progress import ProgressNote, Stage
from knowledge_base.types import BadVersion, Canary, CanaryFailed, Changes, KnowledgeError
from knowledge_base.versions import VersionFolder
from retrieval.publishing import changes, publish, roll_back
from retrieval.searcher import Searcher
from retrieval.serving import take_up
from retrieval.snapshot import Snapshot
from retrieval.vector_files import VectorJournal, read_pack, write_pack
from tests.retrieval_parts import ARTICLES, PairEmbedder, article

NOW = datetime(2026, 3, 5, 10, 15, tzinfo=UTC)


def load(folder: Path, version: str, embedder: PairEmbedder) -> Snapshot:
    return Snapshot.load(
        VersionFolder(folder).path(version), model=embedder.name, dimension=embedder.dimension
    )


def test_a_published_version_holds_everything(tmp_path: Path) -> None:
    embedder = PairEmbedder()
    steps: list[tuple[int, int]] = []
    version = publish(
        ARTICLES, embedder=embedder, folder=tmp_path, now=NOW, progress=lambda *step: steps.append(step)
    )
    assert VersionFolder(tmp_path).current() == version.version
    assert (version.articles, version.model, version.dimension) == (6, "pairs@1", 64)
    assert steps[0] == (0, version.passages)
    assert steps[-1] == (version.passages, version.passages)
    snapshot = load(tmp_path, version.version, embedder)
    assert snapshot.articles == ARTICLES
    assert len(snapshot.passages) == len(snapshot.dense) == version.passages


def test_only_changed_passages_are_embedded_again(tmp_path: Path) -> None:
    embedder = PairEmbedder()
    first = publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW)
    embedder.embedded.clear()
    changed = replace(ARTICLES[0], questions=("新的问法", *ARTICLES[0].questions))
    articles = (changed, *ARTICLES[2:])
    second = publish(articles, embedder=embedder, folder=tmp_path, now=NOW + timedelta(hours=1))
    assert embedder.embedded == ["新的问法"]
    assert second.version > first.version
    old, new = (load(tmp_path, version.version, embedder) for version in (first, second))
    for passage_id in set(old.passages) & set(new.passages):
        np.testing.assert_array_equal(old.dense.vector(passage_id), new.dense.vector(passage_id))
    assert "A2" not in new.place


def test_equal_texts_are_embedded_once(tmp_path: Path) -> None:
    embedder = PairEmbedder()
    publish([article("A1"), article("A2")], embedder=embedder, folder=tmp_path, now=NOW)
    assert len(embedder.embedded) == len(set(embedder.embedded))


def test_publishing_the_same_again_builds_nothing(tmp_path: Path) -> None:
    embedder = PairEmbedder()
    first = publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW)
    edited = [replace(article, updated_at=NOW) for article in reversed(ARTICLES)]
    again = publish(edited, embedder=embedder, folder=tmp_path, now=NOW + timedelta(hours=1))
    assert again == first
    assert VersionFolder(tmp_path).names() == [first.version]


def test_a_publish_that_dies_leaves_the_old_version_serving(tmp_path: Path) -> None:
    first = publish(ARTICLES, embedder=PairEmbedder(), folder=tmp_path, now=NOW)
    more = [article(f"B{i}", f"新的第{i}条", body=f"内容{i}。") for i in range(40)]
    dying = PairEmbedder(fails_after=70)
    with pytest.raises(KeyboardInterrupt):
        publish([*ARTICLES, *more], embedder=dying, folder=tmp_path, now=NOW + timedelta(hours=1))
    versions = VersionFolder(tmp_path)
    assert (versions.current(), versions.names()) == (first.version, [first.version])
    last = publish([*ARTICLES, *more], embedder=PairEmbedder(), folder=tmp_path, now=NOW + timedelta(hours=2))
    assert VersionFolder(tmp_path).current() == last.version


def test_another_model_embeds_everything_anew(tmp_path: Path) -> None:
    publish(ARTICLES, embedder=PairEmbedder(), folder=tmp_path, now=NOW)
    other = PairEmbedder(name="pairs@2", dimension=32)
    version = publish(ARTICLES, embedder=other, folder=tmp_path, now=NOW + timedelta(hours=1))
    assert (version.model, version.dimension) == ("pairs@2", 32)
    assert len(other.embedded) == version.passages


def test_old_versions_are_pruned(tmp_path: Path) -> None:
    for hour in range(4):
        publish(
            [article(body=f"第{hour}版。")],
            embedder=PairEmbedder(),
            folder=tmp_path,
            now=NOW + timedelta(hours=hour),
            keep=2,
        )
    assert len(VersionFolder(tmp_path).names()) == 2


def test_nothing_can_be_published_too(tmp_path: Path) -> None:
    embedder = PairEmbedder()
    version = publish([], embedder=embedder, folder=tmp_path, now=NOW)
    assert (version.articles, version.passages) == (0, 0)
    assert load(tmp_path, version.version, embedder).articles == ()


@pytest.mark.parametrize("file", ["articles.jsonl", "passages.jsonl"])
def test_a_version_with_lines_missing_is_refused(tmp_path: Path, file: str) -> None:
    embedder = PairEmbedder()
    version = publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW)
    path = tmp_path / version.version / file
    path.write_text(
        "".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8"
    )
    with pytest.raises(BadVersion, match="不符"):
        load(tmp_path, version.version, embedder)


CANARIES = (
    Canary(question="楼下马路的路灯坏了", article_id="A1", within=1),
    Canary(question="租房能不能提公积金", article_id="A3"),
)


def test_canaries_must_find_their_article_before_anything_is_served(tmp_path: Path) -> None:
    embedder = PairEmbedder()
    first = publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW, canaries=CANARIES)
    without = [article for article in ARTICLES if article.article_id != "A3"]
    later = NOW + timedelta(hours=1)
    with pytest.raises(CanaryFailed, match="租房能不能提公积金") as refusal:
        publish(without, embedder=embedder, folder=tmp_path, now=later, canaries=CANARIES)
    assert (refusal.value.code, refusal.value.failed) == ("kb.canary_failed", CANARIES[1:])
    versions = VersionFolder(tmp_path)
    assert (versions.current(), versions.names()) == (first.version, [first.version])
    state = ProgressNote(tmp_path).read()
    assert (state.stage, state.code) == (Stage.FAILED, "kb.canary_failed")
    second = publish(without, embedder=embedder, folder=tmp_path, now=later, canaries=CANARIES[:1])
    assert versions.current() == second.version
    assert ProgressNote(tmp_path).read().canaries == 1


def test_a_canary_of_an_article_that_holds_later_asks_for_its_first_day(tmp_path: Path) -> None:
    later = [replace(ARTICLES[0], effective_from=NOW.date() + timedelta(days=30)), *ARTICLES[1:]]
    publish(later, embedder=PairEmbedder(), folder=tmp_path, now=NOW, canaries=CANARIES)


def test_a_former_version_can_be_served_again(tmp_path: Path) -> None:
    embedder, versions = PairEmbedder(), VersionFolder(tmp_path)
    first = publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW)
    second = publish(ARTICLES[1:], embedder=embedder, folder=tmp_path, now=NOW + timedelta(hours=1))
    searcher = Searcher(embedder)
    take_up(searcher, versions, embedder)
    back = roll_back(first.version, folder=tmp_path, model=embedder.name, dimension=embedder.dimension)
    assert back == first
    assert take_up(searcher, versions, embedder) == first.version
    # The newer one is kept; publishing its articles again embeds nothing.
    embedder.embedded.clear()
    new = replace(ARTICLES[5], questions=("换过的问法",))
    publish([*ARTICLES[1:5], new], embedder=embedder, folder=tmp_path, now=NOW + timedelta(hours=2))
    assert embedder.embedded == ["换过的问法"]
    assert second.version in versions.names()


def test_rolling_back_to_what_cannot_be_served_changes_nothing(tmp_path: Path) -> None:
    embedder, versions = PairEmbedder(), VersionFolder(tmp_path)
    first = publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW)
    second = publish(ARTICLES[1:], embedder=embedder, folder=tmp_path, now=NOW + timedelta(hours=1))
    model = {"model": embedder.name, "dimension": embedder.dimension}
    with pytest.raises(BadVersion, match="不存在"):
        roll_back("20200101T000000-00000000", folder=tmp_path, **model)  # type: ignore[arg-type]
    with pytest.raises(BadVersion, match="当前模型") as refusal:
        roll_back(first.version, folder=tmp_path, model="other@1", dimension=64)
    assert refusal.value.code == "kb.other_model"
    path = tmp_path / first.version / "articles.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("路灯", "路牌"), encoding="utf-8")
    with pytest.raises(BadVersion, match="已损坏"):
        roll_back(first.version, folder=tmp_path, **model)  # type: ignore[arg-type]
    assert versions.current() == second.version


def test_a_damaged_version_is_not_taken_up(tmp_path: Path) -> None:
    embedder, versions = PairEmbedder(), VersionFolder(tmp_path)
    first = publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW)
    searcher = Searcher(embedder)
    take_up(searcher, versions, embedder)
    second = publish(ARTICLES[1:], embedder=embedder, folder=tmp_path, now=NOW + timedelta(hours=1))
    path = tmp_path / second.version / "passages.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("公交", "公车"), encoding="utf-8")
    with pytest.raises(BadVersion, match="已损坏"):
        take_up(searcher, versions, embedder)
    assert searcher.snapshot is not None
    assert searcher.snapshot.version == first
    # Publishing the same articles again makes a whole one.
    third = publish(ARTICLES[1:], embedder=embedder, folder=tmp_path, now=NOW + timedelta(hours=2))
    assert take_up(searcher, versions, embedder) == third.version


def test_what_would_change_is_told_beforehand(tmp_path: Path) -> None:
    everything = tuple(article.article_id for article in ARTICLES)
    assert changes(ARTICLES, folder=tmp_path) == Changes(added=everything, changed=(), removed=())
    publish(ARTICLES, embedder=PairEmbedder(), folder=tmp_path, now=NOW)
    edited = replace(ARTICLES[1], body="换了说法。", updated_at=NOW)
    touched = replace(ARTICLES[2], updated_at=NOW)
    wanted = [article("N1"), edited, touched, *ARTICLES[3:]]
    assert changes(wanted, folder=tmp_path) == Changes(added=("N1",), changed=("A2",), removed=("A1",))


def test_two_publishes_at_once_are_refused_and_progress_tells_of_the_running_one(tmp_path: Path) -> None:
    seen = []

    def look(done: int, total: int) -> None:
        state = ProgressNote(tmp_path).read()
        seen.append((state.stage, state.done, state.total))
        if done == 0:
            with pytest.raises(KnowledgeError, match="正在进行"):
                publish(ARTICLES[1:], embedder=PairEmbedder(), folder=tmp_path, now=NOW)

    assert ProgressNote(tmp_path).read().stage is Stage.NEVER
    version = publish(ARTICLES, embedder=PairEmbedder(), folder=tmp_path, now=NOW, progress=look)
    assert seen[0] == (Stage.EMBEDDING, 0, version.passages)
    state = ProgressNote(tmp_path).read()
    assert (state.stage, state.version, state.started_at) == (Stage.DONE, version.version, NOW)


def vectors_of(*texts: str) -> dict[str, np.ndarray]:
    embedder = PairEmbedder()
    return {f"{i:064x}": embedder.embed_query(text) for i, text in enumerate(texts)}


def test_a_torn_record_is_the_end_of_the_journal(tmp_path: Path) -> None:
    path, vectors = tmp_path / "vectors", vectors_of("一", "二", "三")
    with VectorJournal(path, model="pairs@1", dimension=64) as journal:
        journal.add(vectors.items())
    whole = path.read_bytes()
    for cut_off in (1, 200, 300):
        path.write_bytes(whole[:-cut_off])
        with VectorJournal(path, model="pairs@1", dimension=64) as journal:
            assert set(journal.known) == set(list(vectors)[: 3 - (1 if cut_off < 292 else 2)])
            journal.add([(f"{9:064x}", vectors[f"{0:064x}"])])
        with VectorJournal(path, model="pairs@1", dimension=64) as journal:
            np.testing.assert_array_equal(journal.known[f"{9:064x}"], vectors[f"{0:064x}"])
    broken = bytearray(whole)
    broken[-100] ^= 1
    path.write_bytes(broken)
    with VectorJournal(path, model="pairs@1", dimension=64) as journal:
        assert len(journal.known) == 2
    with VectorJournal(path, model="pairs@2", dimension=64) as journal:
        assert not journal.known


def test_what_a_failed_publish_embedded_is_kept(tmp_path: Path) -> None:
    more = [article(f"B{i}", f"新的第{i}条", body=f"内容{i}。") for i in range(60)]
    dying = PairEmbedder(fails_after=130)
    with pytest.raises(KeyboardInterrupt):
        publish(more, embedder=dying, folder=tmp_path, now=NOW)
    assert ProgressNote(tmp_path).read().stage is Stage.INTERRUPTED
    again = PairEmbedder()
    publish(more, embedder=again, folder=tmp_path, now=NOW)
    assert len(dying.embedded) == 128
    assert not set(again.embedded) & set(dying.embedded)
    assert not (tmp_path / ".vectors").exists()


def test_a_pack_spares_embedding_for_its_own_model_only(tmp_path: Path) -> None:
    embedder = PairEmbedder(name="anything@1")
    first = publish(ARTICLES, embedder=embedder, folder=tmp_path / "a", now=NOW)
    snapshot = load(tmp_path / "a", first.version, embedder)
    vectors = {p.content_hash: snapshot.dense.vector(p.passage_id) for p in snapshot.passages.values()}
    pack = tmp_path / "pack.npz"
    write_pack(pack, vectors, model=embedder.name)
    for content_hash, vector in read_pack(pack, model="renamed@1", dimension=64).items():
        assert vector @ vectors[content_hash] > 0.9999
    spared, other = PairEmbedder(name="renamed@1"), PairEmbedder(name="anything@2")
    publish(ARTICLES, embedder=spared, folder=tmp_path / "b", now=NOW, packs=[pack])
    assert spared.embedded == []
    publish(ARTICLES, embedder=other, folder=tmp_path / "c", now=NOW, packs=[pack])
    assert len(other.embedded) == len(vectors)


def test_a_version_that_was_finished_but_never_served_is_not_in_the_way(tmp_path: Path) -> None:
    embedder, versions = PairEmbedder(), VersionFolder(tmp_path)
    first = publish(ARTICLES, embedder=embedder, folder=tmp_path, now=NOW)
    orphan = publish(ARTICLES[1:], embedder=embedder, folder=tmp_path, now=NOW)
    versions.point_to(first.version)  # as a kill just before serving it leaves it
    again = publish(ARTICLES[1:], embedder=embedder, folder=tmp_path, now=NOW)
    assert again.version > orphan.version
    assert versions.current() == again.version
