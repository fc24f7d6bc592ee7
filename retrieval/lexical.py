"""Texts compared by the pieces they are written with: overlapping characters, or their sounds.

In: one text per article, and a way to take a text apart.
Out: for a weighted query one BM25 score per article.
Not known here: vectors, how channels are weighed against each other.

BM25 in the form of Lucene, by the library bm25s, which scores eagerly at building time.
"""

from collections.abc import Callable, Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray

Tokenise = Callable[[str], list[str]]


class LexicalIndex:
    """BM25 over a fixed list of texts. Any thread may ask it."""

    def __init__(self, texts: Sequence[str], tokenise: Tokenise, *, k1: float = 1.2, b: float = 0.6):
        self._tokenise = tokenise
        self._count = len(texts)
        documents = [tokenise(text) for text in texts]
        self._index = None
        if any(documents):
            self._index = bm25s.BM25(k1=k1, b=b, method="lucene")
            self._index.index(documents, show_progress=False)

    def scores(self, turns: Sequence[tuple[str, float]]) -> NDArray[np.float32]:
        """Score every text, (count,), for (text, weight) turns. Each token counts once, by its best turn.

        A sum of BM25 parts: 0 where nothing is shared.
        """
        total = np.zeros(self._count, np.float32)
        if self._index is None:
            return total
        seen: set[str] = set()
        for text, weight in sorted(turns, key=lambda turn: -turn[1]):
            tokens = list(dict.fromkeys(self._tokenise(text)))
            fresh = [token for token in tokens if token not in seen]
            seen.update(fresh)
            ids = self._index.get_tokens_ids(fresh)
            if ids:
                total += weight * self._index.get_scores_from_ids(ids)
        return total
