"""The real embedding model: unit vectors, a memory for queries, and search that understands."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from knowledge_base.importer import load_sample
from knowledge_base.versions import VersionFolder
from models.cache import resolve
from retrieval.embedder import EmbedderOptions, SentenceEmbedder
from retrieval.publishing import publish
from retrieval.searcher import Searcher
from retrieval.serving import take_up

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    cache = tmp_path_factory.mktemp("cache")
    yield resolve("e5-small", cache_dir=cache, allow_hub=False)
    shutil.rmtree(cache)


@pytest.fixture(scope="module")
def embedder(folder: Path) -> SentenceEmbedder:
    return SentenceEmbedder(folder)


def test_vectors_have_length_one_and_meaning(embedder: SentenceEmbedder) -> None:
    assert embedder.dimension == 384
    texts = ["路灯不亮怎么报修", "如何办理居住证", ""]
    vectors = embedder.embed_passages(texts)
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    query = embedder.embed_query("马路上的灯坏了找谁")
    assert vectors[0] @ query > vectors[1] @ query
    assert embedder.embed_passages([]).shape == (0, 384)


def test_texts_of_all_lengths_are_computed_in_few_and_mean_the_same(
    folder: Path, embedder: SentenceEmbedder
) -> None:
    lengths: set[int] = set()
    model = embedder._model
    seen = model[0].register_forward_pre_hook(lambda _, given: lengths.add(given[0]["input_ids"].shape[1]))
    text = "小区门口的路灯已经坏了三天，晚上老人出门看不清路，请尽快派人来修。" * 3
    for chars in range(1, 97):
        embedder.embed_query(text[:chars])
    assert len(lengths) < 8
    assert all(length % 16 == 0 for length in lengths)
    lengths.clear()
    passages = [text[:chars] for chars in range(1, 97)]
    vectors = embedder.embed_passages(passages)
    assert all(length % 16 == 0 for length in lengths)
    seen.remove()
    as_they_are = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    plain = as_they_are.encode(passages, prompt_name="passage", normalize_embeddings=True)
    assert np.sum(vectors * plain, axis=1).min() > 0.9999


def test_a_query_is_embedded_once_and_cannot_be_spoilt(embedder: SentenceEmbedder) -> None:
    vector = embedder.embed_query("停水了怎么办")
    assert embedder.embed_query("停水了怎么办") is vector
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 0


def test_the_memory_for_queries_is_bounded(folder: Path) -> None:
    embedder = SentenceEmbedder(folder, EmbedderOptions(cached_queries=2))
    first = embedder.embed_query("一")
    embedder.embed_query("二")
    assert embedder.embed_query("一") is first
    embedder.embed_query("三")
    assert embedder.embed_query("一") is first
    second = embedder.embed_query("二")
    assert embedder.embed_query("二") is second


def test_the_name_tells_models_apart(folder: Path, embedder: SentenceEmbedder, tmp_path: Path) -> None:
    assert embedder.name.startswith(f"{folder.name}@")
    other = tmp_path / folder.name
    shutil.copytree(folder, other)
    same = SentenceEmbedder(other)
    assert same.name == embedder.name
    (other / "config.json").write_text((other / "config.json").read_text() + "\n", encoding="utf-8")
    assert SentenceEmbedder(other).name != embedder.name


@pytest.mark.parametrize(
    ("question", "article_id"),
    [
        ("下水道的盖子不见了，晚上怕有人掉下去", "T004"),
        ("家门前那盏灯好几个晚上没亮过", "T005"),
        ("司机绕路还多收我钱", "T023"),
    ],
)
def test_questions_in_other_words_find_their_article(
    sample: Searcher, question: str, article_id: str
) -> None:
    found = sample.search(question, day=date(2026, 3, 5)).matches
    assert article_id in [match.article.article_id for match in found[:3]]


@pytest.fixture(scope="module")
def sample(embedder: SentenceEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    kb = tmp_path_factory.mktemp("kb")
    # Without bodies and with three questions each it takes seconds instead of a minute.
    articles = [replace(a, body="", questions=a.questions[:3]) for a in load_sample()[:40]]
    publish(articles, embedder=embedder, folder=kb, now=datetime(2026, 3, 5, tzinfo=UTC))
    searcher = Searcher(embedder)
    take_up(searcher, VersionFolder(kb), embedder)
    return searcher
