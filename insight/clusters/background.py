"""What all texts have in common: how rare each piece is, and the middle of all meanings.

In: texts as pieces and vectors, one after the other. Out: rarity of a piece, a vector without the middle.
Not known here: groups.

Embeddings of short texts lie close together; what tells them apart is how they differ from their middle.
Both follow the stream, and begin with usual texts so that the first messages are not all rare.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from insight.clusters.types import Vectors

_MOST_PIECES = 400_000
_FOLLOWS = 5_000
"""Texts that the middle is an average over, about, once there were so many."""


class Background:
    """Old texts fade when there are too many pieces."""

    def __init__(self, dimension: int, most_pieces: int = _MOST_PIECES) -> None:
        self.middle: Vectors = np.zeros(dimension, np.float32)
        self.texts = 0
        self.counts: Counter[str] = Counter()
        """By piece, in how many of the texts it stood."""
        self._weight = 0
        self._most = most_pieces

    def learn(self, pieces: Iterable[str], vector: Vectors) -> None:
        """Take in one text."""
        self._weight = min(self._weight + 1, _FOLLOWS)
        self.middle = self.middle + (vector - self.middle) * np.float32(1 / self._weight)
        self.texts += 1
        self.counts.update(pieces)
        while len(self.counts) > self._most:
            self.texts //= 2
            self.counts = Counter({piece: n // 2 for piece, n in self.counts.items() if n > 1})

    def rarity(self, piece: str) -> float:
        """Inverse document frequency, 0 or more."""
        return max(0.0, math.log((self.texts + 1) / (self.counts[piece] + 1)))

    def cosine(self, a: Vectors, b: Vectors) -> float:
        """Of what tells two vectors from the middle."""
        a, b = a - self.middle, b - self.middle
        lengths = math.sqrt(float(a @ a) * float(b @ b))
        return float(a @ b) / lengths if lengths else 0.0

    def restore(self, middle: Vectors, weight: int, texts: int, counts: Mapping[str, int]) -> None:
        """What was saved."""
        self.middle, self._weight = middle, weight
        self.texts, self.counts = texts, Counter(counts)

    @property
    def weight(self) -> int:
        """Texts that the middle stands for."""
        return self._weight
