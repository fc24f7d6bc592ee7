"""Vectors under numbers that come and go, and the nearest of them, in FAISS.

In: numbers and vectors. Out: the nearest numbers.
Not known here: what the numbers stand for.
"""

from collections.abc import Sequence

import faiss
import numpy as np

from insight.clusters.types import Vectors

faiss.omp_set_num_threads(1)


class Neighbours:
    """Exact, by inner product: some ten thousand vectors take a few milliseconds."""

    def __init__(self, dimension: int) -> None:
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Each number once."""
        self._index.add_with_ids(np.ascontiguousarray(vectors), np.asarray(numbers, np.int64))

    def remove(self, numbers: Sequence[int]) -> None:
        """Costs as much for one as for many: all that stay are moved."""
        self._index.remove_ids(faiss.IDSelectorBatch(np.asarray(numbers, np.int64)))

    def vector(self, number: int) -> Vectors:
        """(dimension,)."""
        vector: Vectors = self._index.reconstruct(number)
        return vector

    def nearest(self, vector: Vectors, k: int) -> list[int]:
        """At most `k` numbers, nearest first."""
        if not len(self):
            return []
        _, found = self._index.search(vector.reshape(1, -1), min(k, len(self)))
        return [int(number) for number in found[0]]
