"""Passages read from the file when asked for: the same as were written, and nothing that does not fit."""

from pathlib import Path

import numpy as np
import pytest

from knowledge_base.passages import cut
from knowledge_base.types import BadVersion, PassageKind
from retrieval.passage_file import PassageFile, read_hashes, write_passages
from tests.retrieval_parts import ARTICLES

PLACE = {article.article_id: i for i, article in enumerate(ARTICLES)}
PASSAGES = [passage for article in ARTICLES for passage in cut(article)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_passages(tmp_path, PASSAGES, PLACE)
    return tmp_path


def test_passages_come_back_as_they_were_written(folder: Path) -> None:
    found = PassageFile.read(folder, PLACE)
    assert list(found.values()) == PASSAGES
    assert len(found) == len(PASSAGES)
    assert found.ids.tolist() == sorted(found)
    for article in ARTICLES:
        assert found.of_article(PLACE[article.article_id]) == list(cut(article))
    titles = [p.passage_id for p in PASSAGES if p.kind is PassageKind.TITLE]
    assert found.titles.tolist() == titles
    some = np.array([PASSAGES[5].passage_id, PASSAGES[0].passage_id])
    assert found.places_of(some).tolist() == [PLACE[PASSAGES[5].article_id], PLACE[PASSAGES[0].article_id]]
    allowed = np.arange(len(ARTICLES)) == 2
    assert found.ids_of_articles(allowed).tolist() == [p.passage_id for p in cut(ARTICLES[2])]
    assert read_hashes(folder) == {p.content_hash: p.passage_id for p in PASSAGES}


def test_an_unknown_identifier_is_not_there(folder: Path) -> None:
    found = PassageFile.read(folder, PLACE)
    assert 1 not in found
    assert 2**62 not in found
    with pytest.raises(KeyError):
        found[1]


def test_a_version_of_an_older_release_has_no_table(folder: Path) -> None:
    (folder / "passages.npz").unlink()
    assert list(PassageFile.read(folder, PLACE).values()) == PASSAGES


def test_nothing_at_all_can_be_kept(tmp_path: Path) -> None:
    write_passages(tmp_path, [], {})
    assert list(PassageFile.read(tmp_path, {})) == []


@pytest.mark.parametrize("damage", ["cut off", "longer", "no texts", "fewer articles", "no numbers"])
def test_what_does_not_fit_together_is_refused(folder: Path, damage: str) -> None:
    texts, place = folder / "passages.jsonl", PLACE
    match damage:
        case "cut off":
            texts.write_bytes(texts.read_bytes()[:-20])
        case "longer":
            texts.write_bytes(texts.read_bytes() + b"{}\n")
        case "no texts":
            texts.unlink()
        case "fewer articles":
            place = {"A1": 0}
        case "no numbers":
            (folder / "passages.npz").write_bytes(b"no archive")
    with pytest.raises(BadVersion):
        PassageFile.read(folder, place)
