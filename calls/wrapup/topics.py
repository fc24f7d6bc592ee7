"""What the talk is about: articles of the knowledge base vote for a category and a department.

In: the articles with the vectors of their passages, the pieces of a call, a function that embeds a text.
Out: how much each article speaks of the call, and which pieces made it so.
Not known here: which model embeds, where articles are kept, what is done with the outcome.

Two scores are added for every piece: how far an article's nearest passage stands out among the nearest
passages of all articles (so a piece that is near to everything, such as a greeting, says nothing), and how
many of its character pairs are rare ones of the article. What is said first weighs most: the first matter
is the main one.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from calls.wrapup.pieces import Piece
from knowledge_base.types import Article

Embed: TypeAlias = Callable[[str], NDArray[np.float32]]
"""A question's vector of length 1, comparable with those of the passages."""
Scores: TypeAlias = NDArray[np.float64]
"""One figure for each article."""

_HAN = re.compile("[\u4e00-\u9fff]+")
_NEXT_MATTER = re.compile(
    "(?:还有|另外|顺便|再).{0,3}?(?:个事|件事|个问题|问一|问下|想问|咨询|打听|反映)|^(?:另外|对了|顺便)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicOptions:
    """How pieces of a call are weighed."""

    least_chars: int = 6
    """Chinese characters of a piece that can speak of a matter."""
    stands_out: float = 2.0
    """Standard deviations above the mean of all articles from which on a passage counts."""
    lexical_weight: float = 1.5
    operator_weight: float = 0.7
    decay: float = 0.85
    """What every further piece of a party is worth beside the one before."""
    next_matter_weight: float = 0.3
    """From where another matter is opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """What the pieces of a call say of the articles."""

    scores: Scores
    by_piece: tuple[tuple[Piece, Scores], ...]
    """Pieces that speak of a matter, each with its share of the scores."""


class Topics:
    """The articles, ready to be compared with what is said; unchanging, for any number of threads."""

    def __init__(
        self,
        articles: Sequence[Article],
        vectors: NDArray[np.float32],
        owners: Sequence[int],
        options: TopicOptions = TopicOptions(),
    ) -> None:
        """Row i of `vectors` belongs to `articles[owners[i]]`; every article needs a row."""
        if len(owners) != len(vectors) or set(owners) != set(range(len(articles))):
            raise ValueError("every vector needs an article, and every article a vector")
        order = np.argsort(np.asarray(owners), kind="stable")
        self.articles = tuple(articles)
        self._options = options
        self._vectors = np.ascontiguousarray(vectors[order])
        self._starts = np.searchsorted(np.asarray(owners)[order], np.arange(len(articles)))
        self._pairs = _Pairs(
            [" ".join((each.title, *each.keywords, *each.questions)) for each in self.articles]
        )

    def vote(self, pieces: Sequence[Piece], embed: Embed) -> Votes:
        """Add up what every piece says."""
        options = self._options
        total = np.zeros(len(self.articles))
        by_piece: list[tuple[Piece, Scores]] = []
        weights = {True: 1.0, False: options.operator_weight}
        for piece in pieces:
            if sum(map(len, _HAN.findall(piece.text))) < options.least_chars:
                continue
            if piece.is_citizens and by_piece and _NEXT_MATTER.search(piece.text):
                weights = {party: weight * options.next_matter_weight for party, weight in weights.items()}
            own = self._near(embed(piece.text)) + options.lexical_weight * self._pairs.shared(piece.text)
            if own.max() <= 0:
                continue
            share = weights[piece.is_citizens] * own
            weights[piece.is_citizens] *= options.decay
            total += share
            by_piece.append((piece, share))
        return Votes(scores=total, by_piece=tuple(by_piece))

    def _near(self, vector: NDArray[np.float32]) -> Scores:
        # Not `@`: a team of BLAS threads for so small a product waits longer for each other than it works.
        cosines = np.einsum("ij,j->i", self._vectors, vector)
        nearest = np.maximum.reduceat(cosines, self._starts).astype(np.float64)
        spread = float(nearest.std()) or 1.0
        outstanding: Scores = np.maximum((nearest - nearest.mean()) / spread - self._options.stands_out, 0.0)
        return outstanding


class _Pairs:
    """Which pairs of characters are rare and whose they are."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(_pairs(text)) for text in texts]
        owners: dict[str, list[int]] = {}
        for number, found in enumerate(counts):
            for pair in found:
                owners.setdefault(pair, []).append(number)
        self._count = len(texts)
        self._owners = {
            pair: (np.array(some), math.log(1 + len(texts) / len(some)) ** 2 / 10)
            for pair, some in owners.items()
        }

    def shared(self, text: str) -> Scores:
        """For every article the rarity of the text's pairs that it has, long texts not counting more."""
        scores = np.zeros(self._count)
        pairs = set(_pairs(text))
        for pair in pairs:
            found = self._owners.get(pair)
            if found:
                scores[found[0]] += found[1]
        return scores / math.sqrt(len(pairs) or 1)


def _pairs(text: str) -> list[str]:
    return [run[i : i + 2] for run in _HAN.findall(text) for i in range(len(run) - 1)]
