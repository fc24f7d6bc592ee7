"""Texts compared by the pieces they are written with: overlapping characters, or their sounds.

In: one text per article, and a way to take a text apart; or the files of an index that was built before.
Out: for a weighted query one BM25 score per article; files.
Not known here: vectors, how channels are weighed against each other.

BM25 in the form of Lucene, by the library bm25s, which scores eagerly at building time.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import bm25s
import numpy as np
from numpy.typing import NDArray

Tokenise = Callable[[str], list[str]]


class LexicalIndex:
    """BM25 over a fixed list of texts. Any thread may ask it."""

    def __init__(self, count: int, tokenise: Tokenise, index: bm25s.BM25 | None):
        self._count = count
        self._tokenise = tokenise
        self._index = index

    @classmethod
    def build(
        cls, texts: Sequence[str], tokenise: Tokenise, *, k1: float = 1.2, b: float = 0.6
    ) -> "LexicalIndex":
        """Take all texts apart and count; at 20,000 articles this takes seconds."""
        documents = [tokenise(text) for text in texts]
        index = None
        if any(documents):
            index = bm25s.BM25(k1=k1, b=b, method="lucene")
            index.index(documents, show_progress=False)
        return cls(len(texts), tokenise, index)

    @classmethod
    def read(cls, folder: Path, name: str, tokenise: Tokenise, *, count: int) -> "LexicalIndex | None":
        """Read what `write` has written; None where nothing was, or nothing for so many texts.

        Raises `OSError` or `ValueError` where the files are damaged.
        """
        names = _names(name)
        if not all((folder / file).is_file() for file in names.values()):
            return None
        if json.loads((folder / names["params_name"]).read_text(encoding="utf-8"))["num_docs"] != count:
            return None
        return cls(count, tokenise, bm25s.BM25.load(folder, show_progress=False, **names))

    def write(self, folder: Path, name: str) -> None:
        """Write the index into files whose names begin with `name`; nothing where no text had a token."""
        if self._index is not None:
            self._index.save(folder, show_progress=False, **_names(name))

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


def _names(name: str) -> dict[str, str]:
    return {
        "data_name": f"{name}.data.npy",
        "indices_name": f"{name}.indices.npy",
        "indptr_name": f"{name}.indptr.npy",
        "vocab_name": f"{name}.vocabulary.json",
        "params_name": f"{name}.json",
    }
