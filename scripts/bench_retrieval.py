"""How long a suggestion takes: from a query to the cards, in one process, over a knowledge base of any size.

In: how many passages, how many questions, the embedding model.
Out: latencies in milliseconds, and how many of the exact nearest passages the index finds.
Not known here: recognition, sockets; publishing is measured by `measure_publishing`.

The articles are the sample's, varied, with vectors of random direction around the sample's own: as costly to
search as real ones, without hours of embedding. Questions come from the written dialogues, in their order;
the real model embeds them, the newest turn of each for the first time.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np

from asr.types import Segment
from knowledge_base.importer import load_sample
from knowledge_base.passages import cut
from knowledge_base.types import Article, Passage, Version
from knowledge_base.versions import seal, write_description
from retrieval.advisor import Board, advise
from retrieval.index import DenseIndex
from retrieval.judge import shipped_judge
from retrieval.query import Dialogue, hear
from retrieval.searcher import Searcher
from retrieval.snapshot import Snapshot, write_contents, write_lexical
from retrieval.types import Query
from retrieval.vectors import Embedder, Vectors
from scripts.dialogues import read_dialogues
from scripts.evaluate_retrieval import as_segments

_NEAREST = 10
_NOISE = 0.05
"""How far from the sample's vector a varied passage lies, per dimension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """What was measured."""

    passages: int
    articles: int
    questions: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    recall_vs_exact: float
    """Share of the nearest ten passages, found by comparing with all, that the index finds."""


def measure(embedder: Embedder, *, passages: int, questions: int, now: datetime) -> Latencies:
    """Build a version of so many passages in a folder for the time being, and ask."""
    articles, cuts = _articles(passages)
    vectors = _vectors(cuts, embedder)
    with tempfile.TemporaryDirectory(prefix="zhiting-bench-") as folder:
        snapshot = _snapshot(Path(folder) / "version", articles, cuts, vectors, embedder, now)
    searcher = Searcher(embedder)
    searcher.swap(snapshot)
    try:
        asked = _queries(questions)
        took_ms = _time(searcher, asked, day=now.date())
    finally:
        searcher.close()
    low, middle, high = np.percentile(took_ms, [50, 95, 100])
    return Latencies(
        passages=len(cuts),
        articles=len(articles),
        questions=len(took_ms),
        p50_ms=round(float(low), 2),
        p95_ms=round(float(middle), 2),
        max_ms=round(float(high), 2),
        recall_vs_exact=_recall(snapshot, vectors, cuts, embedder, asked),
    )


def _articles(passages: int) -> tuple[list[Article], list[Passage]]:
    sample = load_sample()
    articles: list[Article] = []
    cuts: list[Passage] = []
    while len(cuts) < passages:
        number = len(articles)
        one = sample[number % len(sample)]
        articles.append(replace(one, article_id=f"M{number:06}", title=f"{one.title}（{number}）"))
        cuts += cut(articles[-1])
    return articles, cuts


def _vectors(passages: Sequence[Passage], embedder: Embedder) -> Vectors:
    """Vectors around those of real texts, one row per passage."""
    seeds = embedder.embed_passages([passage.text for passage in passages[:500]])
    chance = np.random.default_rng(7)
    vectors = np.empty((len(passages), embedder.dimension), np.float32)
    for start in range(0, len(passages), 10_000):
        rows = vectors[start : start + 10_000]
        rows[:] = seeds[np.arange(start, start + len(rows)) % len(seeds)]
        rows += chance.normal(0, _NOISE, rows.shape).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return vectors


def _snapshot(
    folder: Path,
    articles: Sequence[Article],
    passages: Sequence[Passage],
    vectors: Vectors,
    embedder: Embedder,
    now: datetime,
) -> Snapshot:
    folder.mkdir()
    write_contents(folder, articles, passages)
    write_lexical(folder, articles)
    DenseIndex.build([p.passage_id for p in passages], vectors).write(folder, model=embedder.name)
    seal(folder)
    version = Version(
        version="bench",
        published_at=now,
        articles=len(articles),
        passages=len(passages),
        model=embedder.name,
        dimension=embedder.dimension,
        content_hash="",
    )
    write_description(folder, version)
    return Snapshot.load(folder, model=embedder.name, dimension=embedder.dimension)


def _queries(count: int) -> list[Query]:
    """Queries as calls ask them, in their order: earlier turns were asked before, the newest never was."""
    found: list[Query] = []
    for call in read_dialogues("train"):
        dialogue = Dialogue(call_id=call.call_id)
        segments: Sequence[Segment] = as_segments(call)
        for segment in segments:
            dialogue, query = hear(dialogue, segment)
            if query is not None:
                found.append(query)
    return found[:count]


def _time(searcher: Searcher, queries: Sequence[Query], *, day: date) -> list[float]:
    judge = shipped_judge()
    searcher.search("预热", day=day)
    took_ms = []
    for query in queries:
        began = time.perf_counter()
        findings = searcher.search(query, day=day)
        advise(Board(call_id=query.call_id), query, findings, 0.0, judge=judge)
        took_ms.append((time.perf_counter() - began) * 1000)
    return took_ms


def _recall(
    snapshot: Snapshot,
    vectors: Vectors,
    passages: Sequence[Passage],
    embedder: Embedder,
    queries: Sequence[Query],
) -> float:
    ids = np.array([passage.passage_id for passage in passages])
    hits = total = 0
    for query in queries[:50]:
        vector = embedder.embed_query(query.turns[0][0])
        exact = vectors @ vector
        least = np.sort(exact)[-_NEAREST]
        found, _ = snapshot.dense.search(vector[None, :], _NEAREST)
        places = np.flatnonzero(np.isin(ids, found[0]))
        hits += int((exact[places] >= least - 1e-6).sum())
        total += min(_NEAREST, len(passages))
    return round(min(1.0, hits / total), 4) if total else 1.0
