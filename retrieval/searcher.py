"""Finds the articles that fit a query, over whatever version is served.

In: a `Query`, or a question as text; the day on which the articles must hold.
Out: `Findings`, best first.
Not known here: what is on anybody's screen, whether anything should be shown at all.

Each channel's score is brought to a scale of its own spread before they are added: the cosine in
standard deviations above the knowledge base's titles, BM25 in units of its rarest possible token.
"""

import asyncio
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from knowledge_base.types import KnowledgeError, Passage
from retrieval.snapshot import Snapshot
from retrieval.tokens import characters
from retrieval.types import Channel, ChannelScore, Findings, Match, Query
from retrieval.vectors import Embedder, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How the channels are weighed, and how much is looked at."""

    dense_weight: float = 1.0
    """Of one standard deviation of cosine above the titles' mean."""
    lexical_weight: float = 0.5
    """Of one shared pair of characters as rare as can be."""
    pinyin_weight: float = 0.6
    """Of one shared pair of syllables as rare as can be."""
    even_score: float = 5.5
    """Weighted sum at which an article is as likely right as wrong: there `Match.score` is 0.5."""
    spread_score: float = 1.5
    """How far above that `Match.score` reaches 0.73."""
    passages: int = 256
    """Nearest passages looked at in the dense channel."""
    articles: int = 50
    """Best articles looked at in each other channel."""
    threads: int = 2
    """Searches that run at the same time."""
    waiting: int = 64
    """Searches that may wait for a thread; beyond it a search is refused and the call is told."""

    def __post_init__(self) -> None:
        if min(self.dense_weight, self.lexical_weight, self.pinyin_weight) < 0:
            raise ValueError("weights must not be negative")
        if min(self.passages, self.articles, self.threads, self.waiting) < 1 or self.spread_score <= 0:
            raise ValueError("passages, articles, threads, waiting and spread_score must be positive")


class Searcher:
    """Searches the served snapshot. A swap takes effect for the next search; running ones keep the old."""

    def __init__(self, embedder: Embedder, options: SearchOptions = SearchOptions()):
        self._embedder = embedder
        self._options = options
        self._snapshot: Snapshot | None = None
        self._threads = ThreadPoolExecutor(options.threads, thread_name_prefix="search")
        self._under_way = 0

    @property
    def snapshot(self) -> Snapshot | None:
        """What is served now; None before the first version."""
        return self._snapshot

    def swap(self, snapshot: Snapshot) -> None:
        """Serve that snapshot from now on."""
        self._snapshot = snapshot

    def close(self) -> None:
        """Wait for the running searches and let the threads go."""
        self._threads.shutdown()

    async def find(self, query: Query | str, *, day: date, k: int = 10) -> Findings:
        """Search in a thread. Raises `KnowledgeError` (`kb.busy`, recoverable) when too many wait."""
        if self._under_way >= self._options.threads + self._options.waiting:
            raise KnowledgeError("检索请求过多，本次未检索。", code="kb.busy", recoverable=True)
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, lambda: self.search(query, day=day, k=k))
        finally:
            self._under_way -= 1

    def search(self, query: Query | str, *, day: date, k: int = 10) -> Findings:
        """Return the `k` best articles that hold on `day`, each by its best passage."""
        snapshot = self._snapshot
        if snapshot is None:
            return Findings(kb_version="", matches=())
        text, turns = (query, ((query, 1.0),)) if isinstance(query, str) else (query.text, query.turns)
        if not snapshot.articles or not text.strip():
            return Findings(kb_version=snapshot.version.version, matches=())
        dense, best = self._dense(snapshot, self._embedder.embed_query(text))
        floor = min(dense.values(), default=0.0)
        scores = {Channel.DENSE: np.full(len(snapshot.articles), floor, np.float32)}
        for place, score in dense.items():
            scores[Channel.DENSE][place] = score
        # BM25's rarest token weighs about ln(1 + articles); in that unit a score means the same
        # in a small and in a large knowledge base.
        unit = math.log(1 + len(snapshot.articles))
        for channel, index in snapshot.lexical.items():
            scores[channel] = index.scores(turns) / unit
        return Findings(
            kb_version=snapshot.version.version,
            matches=self._fuse(snapshot, scores, best, text, day=day, k=k),
        )

    def _dense(self, snapshot: Snapshot, vector: Vector) -> tuple[dict[int, float], dict[int, Passage]]:
        """Score and best passage by the article's place, for articles with a passage among the nearest."""
        usual = snapshot.background @ vector
        mean, spread = float(usual.mean()), max(float(usual.std()), 1e-3)
        ids, cosines = snapshot.dense.search(vector[None, :], self._options.passages)
        scores: dict[int, float] = {}
        best: dict[int, Passage] = {}
        for passage_id, cosine in zip(ids[0].tolist(), cosines[0].tolist(), strict=True):
            passage = snapshot.passages[passage_id]
            place = snapshot.place[passage.article_id]
            if place not in scores:
                scores[place] = (cosine - mean) / spread
                best[place] = passage
        return scores, best

    def _fuse(
        self,
        snapshot: Snapshot,
        scores: Mapping[Channel, NDArray[np.float32]],
        best: Mapping[int, Passage],
        text: str,
        *,
        day: date,
        k: int,
    ) -> tuple[Match, ...]:
        options = self._options
        weights = {
            Channel.DENSE: options.dense_weight,
            Channel.LEXICAL: options.lexical_weight,
            Channel.PINYIN: options.pinyin_weight,
        }
        candidates = set(best)
        for channel in snapshot.lexical:
            some = min(options.articles, len(snapshot.articles))
            top = np.argpartition(scores[channel], -some)[-some:]
            candidates.update(int(place) for place in top if scores[channel][place] > 0)
        valid = [place for place in candidates if snapshot.articles[place].is_valid_on(day)]
        fused = {place: sum(weights[c] * float(scores[c][place]) for c in scores) for place in valid}
        ranks = {
            channel: {
                place: rank for rank, place in enumerate(sorted(valid, key=lambda p: -scores[channel][p]), 1)
            }
            for channel in scores
        }
        chosen = sorted(valid, key=lambda place: (-fused[place], snapshot.articles[place].article_id))[:k]
        return tuple(
            Match(
                article=snapshot.articles[place],
                passage=best.get(place) or _closest(snapshot, place, text),
                score=1 / (1 + math.exp((options.even_score - fused[place]) / options.spread_score)),
                channels={
                    c: ChannelScore(score=float(scores[c][place]), rank=ranks[c][place]) for c in scores
                },
            )
            for place in chosen
        )


def _closest(snapshot: Snapshot, place: int, text: str) -> Passage:
    """Pick the passage of an article that shares most pairs of characters with the text."""
    asked = set(characters(text))
    passages = snapshot.passages_of[snapshot.articles[place].article_id]
    return max(passages, key=lambda passage: len(asked.intersection(characters(passage.text))))
