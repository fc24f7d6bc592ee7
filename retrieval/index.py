"""Vectors by passage identifier, in FAISS.

In: identifiers and vectors of length 1.
Out: for a query the nearest identifiers with their cosines, exactly, not approximately.
Not known here: texts, articles, the model that made the vectors (only its name).
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge_base.json_text import dumps, loads
from knowledge_base.types import BadVersion

_INDEX = "dense.faiss"
_MANIFEST = "dense.json"
_METRIC = "inner_product"

# A search takes a millisecond; a team of threads would only take cores from the ears.
faiss.omp_set_num_threads(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseManifest:
    """What must be true of an index before it is used."""

    model: str
    dimension: int
    metric: str
    count: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Identifiers that alone are searched, in the form that the library takes."""

    count: int
    chosen: Any


class DenseIndex:
    """An exact inner-product index that never changes once it is built. Any thread may search it."""

    def __init__(self, index: Any):
        self._index = index

    @classmethod
    def build(cls, ids: Sequence[int], vectors: NDArray[np.float32]) -> "DenseIndex":
        """Index `vectors`, (n, dimension), under `ids`, positive, each once."""
        if len(ids) != len(vectors) or len(set(ids)) != len(ids):
            raise ValueError("each vector needs one identifier of its own")
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        index.add_with_ids(np.ascontiguousarray(vectors), np.asarray(ids, np.int64))
        return cls(index)

    @classmethod
    def read(cls, folder: Path, *, model: str, dimension: int) -> "DenseIndex":
        """Read what `write` wrote.

        Raises `BadVersion` when it is damaged or was made by another model.
        """
        try:
            manifest = DenseManifest(**loads((folder / _MANIFEST).read_text(encoding="utf-8")))
            content = (folder / _INDEX).read_bytes()
        except (OSError, ValueError, TypeError) as error:
            raise BadVersion(f"知识库版本 {folder.name} 的索引读不出来。") from error
        if (manifest.model, manifest.dimension) != (model, dimension):
            raise BadVersion(
                f"知识库版本 {folder.name} 由模型 {manifest.model} 生成，当前模型是 {model}，请重新发布。",
                code="kb.other_model",
            )
        if manifest.metric != _METRIC or hashlib.sha256(content).hexdigest() != manifest.sha256:
            raise BadVersion(f"知识库版本 {folder.name} 的索引与清单不符。")
        index = faiss.deserialize_index(np.frombuffer(content, np.uint8))
        if (index.ntotal, index.d) != (manifest.count, manifest.dimension):
            raise BadVersion(f"知识库版本 {folder.name} 的索引条数与清单不符。")
        return cls(index)

    def write(self, folder: Path, *, model: str) -> None:
        """Write index and manifest; a reader sees the old pair or a pair that fits together."""
        content = faiss.serialize_index(self._index).tobytes()
        manifest = DenseManifest(
            model=model,
            dimension=self._index.d,
            metric=_METRIC,
            count=len(self),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        _replace(folder / _INDEX, content)
        _replace(folder / _MANIFEST, (dumps(asdict(manifest)) + "\n").encode())

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def ids(self) -> NDArray[np.int64]:
        """Every identifier, (n,), in the order in which it was added."""
        found: NDArray[np.int64] = faiss.vector_to_array(self._index.id_map)
        return found

    def selection(self, ids: NDArray[np.int64]) -> Selection:
        """Prepare those identifiers to be searched `among`, any number of times."""
        chosen = faiss.IDSelectorBatch(ids)
        return Selection(count=len(ids), chosen=faiss.SearchParameters(sel=chosen))  # type: ignore[call-arg]

    def search(
        self, queries: NDArray[np.float32], k: int, *, among: Selection | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Find the `k` nearest of each row of `queries`, (m, dimension), of all or among a selection.

        Returns identifiers and cosines, both (m, min(k, count)), nearest first.
        """
        k = min(k, len(self) if among is None else among.count)
        if k == 0:
            return np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
        chosen = among.chosen if among else None
        scores, ids = self._index.search(np.ascontiguousarray(queries, np.float32), k, params=chosen)
        return ids, scores

    def vector(self, passage_id: int) -> NDArray[np.float32]:
        """Return the vector kept under an identifier, (dimension,)."""
        vector: NDArray[np.float32] = self._index.reconstruct(passage_id)
        return vector


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.aside")
    with aside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(aside, path)
