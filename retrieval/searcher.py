"""Finds the articles that fit a query, over whatever version is served.

In: a `Query`, or a question as text; the day on which the articles must hold.
Out: `Findings`, best first.
Not known here: what is on anybody's screen, whether anything should be shown at all.

Each channel's score is brought to a scale of its own spread before they are added: the cosine in
standard deviations above the knowledge base's titles, BM25 in units of its rarest possible token.
"""

import asyncio
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from knowledge_base.types import Article, KnowledgeError, Passage
from retrieval.index import Selection
from retrieval.snapshot import Snapshot
from retrieval.tokens import characters
from retrieval.types import Channel, ChannelScore, Findings, Match, Query
from retrieval.vectors import Embedder, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How the channels are weighed, and how much is looked at."""

    dense_weight: float = 1.0
    """Of one standard deviation of cosine above the titles' mean."""
    lexical_weight: float = 0.7
    """Of one shared pair of characters as rare as can be."""
    pinyin_weight: float = 1.2
    """Of one shared pair of syllables as rare as can be."""
    even_score: float = 5.5
    """Weighted sum at which an article is as likely right as wrong: there `Match.score` is 0.5."""
    spread_score: float = 1.5
    """How far above that `Match.score` reaches 0.73."""
    passages: int = 256
    """Nearest passages looked at in the dense channel."""
    articles: int = 50
    """Best articles looked at in each other channel."""
    without: frozenset[Channel] = frozenset()
    """Channels that are left out, to see what each is worth."""
    threads: int = 2
    """Searches that run at the same time."""
    waiting: int = 64
    """Searches that may wait for a thread; beyond it a search is refused and the call is told."""

    def __post_init__(self) -> None:
        if min(self.dense_weight, self.lexical_weight, self.pinyin_weight) < 0:
            raise ValueError("weights must not be negative")
        if min(self.passages, self.articles, self.threads, self.waiting) < 1 or self.spread_score <= 0:
            raise ValueError("passages, articles, threads, waiting and spread_score must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """Which articles a search is about; an empty field leaves nothing out."""

    category: str = ""
    district: str = ""
    """An article without a district holds in all of them."""

    def holds(self, article: Article) -> bool:
        """Whether the article is among them."""
        is_category = not self.category or article.category == self.category
        return is_category and (not self.district or article.district in ("", self.district))


ALL = Among()
_FILTERS = 16
"""Filters whose result is kept; a city has some more districts and categories, but few are asked at once."""

_FEW = 0.5
"""Share of the articles below which the dense channel looks at the allowed passages alone."""


class Searcher:
    """Searches the served snapshot. A swap takes effect for the next search; running ones keep the old."""

    def __init__(self, embedder: Embedder, options: SearchOptions = SearchOptions()):
        self._embedder = embedder
        self._options = options
        self._snapshot: Snapshot | None = None
        self._threads = ThreadPoolExecutor(options.threads, thread_name_prefix="search")
        self._under_way = 0
        self._filters: dict[tuple[str, date, Among], _Allowed] = {}
        self._weights = {
            Channel.DENSE: options.dense_weight,
            Channel.LEXICAL: options.lexical_weight,
            Channel.PINYIN: options.pinyin_weight,
        } | dict.fromkeys(options.without, 0.0)

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

    async def find(self, query: Query | str, *, day: date, k: int = 10, among: Among = ALL) -> Findings:
        """Search in a thread. Raises `KnowledgeError` (`kb.busy`, recoverable) when too many wait."""
        if self._under_way >= self._options.threads + self._options.waiting:
            raise KnowledgeError("检索请求过多，本次未检索。", code="kb.busy", recoverable=True)
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._threads, lambda: self.search(query, day=day, k=k, among=among)
            )
        finally:
            self._under_way -= 1

    def search(self, query: Query | str, *, day: date, k: int = 10, among: Among = ALL) -> Findings:
        """Return the `k` best articles that hold on `day` and are `among` those, each by its best passage."""
        snapshot = self._snapshot
        if snapshot is None:
            return Findings(kb_version="", matches=())
        turns = ((query, 1.0),) if isinstance(query, str) else query.turns
        if not snapshot.articles or not any(text.strip() for text, _ in turns):
            return Findings(kb_version=snapshot.version.version, matches=())
        allowed = self._allowed(snapshot, day, among)
        vector = self._vector(turns)
        dense, best = self._dense(snapshot, vector, allowed)
        # BM25's rarest token weighs about ln(1 + articles); in that unit a score means the same
        # in a small and in a large knowledge base.
        unit = math.log(1 + len(snapshot.articles))
        scores = {Channel.DENSE: dense}
        newest = np.zeros(len(snapshot.articles), np.float32)
        for channel, index in snapshot.lexical.items():
            scores[channel] = index.scores(turns) / unit
            newest += self._weights[channel] * index.scores([(turns[0][0], 1.0)]) / unit
        for channel in self._options.without:
            scores[channel] = np.zeros_like(scores[channel])
        return Findings(
            kb_version=snapshot.version.version,
            matches=self._fuse(snapshot, scores, best, newest, allowed, text=turns[0][0], k=k),
        )

    def _vector(self, turns: Sequence[tuple[str, float]]) -> Vector:
        """Join the turns' own vectors, so that only the newest turn has to be embedded.

        A turn counts by its weight and by the root of its length: two words say less than a sentence.
        """
        parts = [weight * math.sqrt(len(text)) * self._embedder.embed_query(text) for text, weight in turns]
        total = np.sum(parts, axis=0)
        vector: Vector = (total / max(float(np.linalg.norm(total)), 1e-9)).astype(np.float32)
        return vector

    def _allowed(self, snapshot: Snapshot, day: date, among: Among) -> "_Allowed":
        """Work out once per version, day and filter what may be found; the last few are kept."""
        key = (snapshot.version.version, day, among)
        allowed = self._filters.get(key)
        if allowed is None:
            allowed = _Allowed.of(snapshot, day, among)
            if len(self._filters) >= _FILTERS:
                self._filters.clear()
            self._filters[key] = allowed
        return allowed

    def _dense(
        self, snapshot: Snapshot, vector: Vector, allowed: "_Allowed"
    ) -> tuple[NDArray[np.float32], dict[int, int]]:
        """Score of every article, (articles,), and the best passage's identifier of those among the nearest.

        Other articles are as far as the farthest of those.
        """
        usual = snapshot.background @ vector
        mean, spread = float(usual.mean()), max(float(usual.std()), 1e-3)
        ids, cosines = snapshot.dense.search(vector[None, :], self._options.passages, among=allowed.passages)
        # Nearest first, so that the first passage of an article is its best.
        places, firsts = np.unique(snapshot.passages.places_of(ids[0]), return_index=True)
        scores = (cosines[0][firsts] - mean) / spread
        dense = np.full(len(snapshot.articles), scores.min() if len(scores) else 0.0, np.float32)
        dense[places] = scores
        best = dict(zip(places.tolist(), ids[0][firsts].tolist(), strict=True))
        return dense, best

    def _fuse(
        self,
        snapshot: Snapshot,
        scores: Mapping[Channel, NDArray[np.float32]],
        best: Mapping[int, int],
        newest: NDArray[np.float32],
        allowed: "_Allowed",
        *,
        text: str,
        k: int,
    ) -> tuple[Match, ...]:
        options = self._options
        candidates = np.zeros(len(snapshot.articles), bool)
        if Channel.DENSE not in options.without:
            candidates[list(best)] = True
        some = min(options.articles, len(snapshot.articles))
        for channel in snapshot.lexical:
            top = np.argpartition(scores[channel], -some)[-some:]
            candidates[top[scores[channel][top] > 0]] = True
        places = np.flatnonzero(candidates & allowed.articles)
        fused = np.sum([self._weights[c] * scores[c][places] for c in scores], axis=0)
        ranks = {c: _ranks(scores[c][places]) for c in scores}
        order = sorted(
            range(len(places)), key=lambda i: (-fused[i], snapshot.articles[places[i]].article_id)
        )[:k]
        return tuple(
            Match(
                article=snapshot.articles[places[i]],
                passage=snapshot.passages[best[int(places[i])]]
                if int(places[i]) in best
                else _closest(snapshot, int(places[i]), text),
                score=1 / (1 + math.exp((options.even_score - float(fused[i])) / options.spread_score)),
                channels={
                    c: ChannelScore(score=float(scores[c][places[i]]), rank=int(ranks[c][i])) for c in scores
                },
                fused=float(fused[i]),
                newest=float(newest[places[i]]),
            )
            for i in order
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Allowed:
    """What may be found in a version on a day."""

    articles: NDArray[np.bool_]
    passages: Selection | None
    """Where so little is allowed that the nearest of all passages might hold none of it."""

    @classmethod
    def of(cls, snapshot: Snapshot, day: date, among: Among) -> "_Allowed":
        allowed = np.array(
            [article.is_valid_on(day) and among.holds(article) for article in snapshot.articles], bool
        )
        passages = None
        if allowed.sum() < _FEW * len(allowed):
            passages = snapshot.dense.selection(snapshot.passages.ids_of_articles(allowed))
        return cls(articles=allowed, passages=passages)


def _ranks(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Rank of each, from 1; of equal ones the earlier first."""
    ranks = np.empty(len(scores), np.int64)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks


def _closest(snapshot: Snapshot, place: int, text: str) -> Passage:
    """Pick the passage of an article that shares most pairs of characters with the text."""
    asked = set(characters(text))
    return max(
        snapshot.passages.of_article(place),
        key=lambda passage: len(asked.intersection(characters(passage.text))),
    )
