"""Publishing: only what changed is embedded, and a publish that dies changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.types import BadVersion
from knowledge_base.versions import VersionFolder
from retrieval.publishing import publish
from retrieval.snapshot import Snapshot
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
    assert "A2" not in new.passages_of


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
