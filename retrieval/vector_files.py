"""Vectors by content hash, on disk: what a killed publish had embedded, and what the product brings along.

In: vectors with the hash of what was embedded and the name of the model.
Out: the same vectors, for the same model only.
Not known here: which passages they belong to, how they are searched.
"""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from retrieval.vectors import Vector

_HASH_BYTES = 32


class VectorJournal:
    """An append-only file of vectors. One process writes; killed at any moment, whole records remain.

    A line with the model's name and dimension, then records of a SHA-256, a float32 vector, and the CRC-32
    of both. Reading ends at the first record that is not whole, and writing goes on there.
    """

    def __init__(self, path: Path, *, model: str, dimension: int):
        self._path = path
        self._head = f"{model} {dimension}\n".encode()
        self._dimension = dimension
        self._file: BinaryIO | None = None
        self.known: dict[str, Vector] = {}
        """Vectors of length 1 by content hash, in hexadecimal digits."""

    def __enter__(self) -> Self:
        self._file = self._path.open("a+b")
        self._file.seek(0)
        content = self._file.read()
        end = len(self._head)
        if not content.startswith(self._head):  # new, or left behind by another model
            self._file.truncate(0)
            self._file.write(self._head)
        else:
            size = _HASH_BYTES + 4 * self._dimension + 4
            while len(record := content[end : end + size]) == size:
                if zlib.crc32(record[:-4]) != int.from_bytes(record[-4:], "little"):
                    break
                vector = np.frombuffer(record[_HASH_BYTES:-4], "<f4")
                self.known[record[:_HASH_BYTES].hex()] = vector
                end += size
            self._file.truncate(end)
        self._file.seek(0, 2)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None
        self._file.close()

    def add(self, vectors: Iterable[tuple[str, Vector]]) -> None:
        """Keep the vectors; they survive the end of this process once this returns."""
        assert self._file is not None
        for content_hash, vector in vectors:
            record = bytes.fromhex(content_hash) + vector.astype("<f4").tobytes()
            self._file.write(record + zlib.crc32(record).to_bytes(4, "little"))
            self.known[content_hash] = vector
        self._file.flush()

    def forget(self) -> None:
        """Remove the file: everything in it lies in a version by now."""
        self._path.unlink(missing_ok=True)


def write_pack(path: Path, vectors: Mapping[str, Vector], *, model: str) -> None:
    """Write vectors with half of their digits, to be shipped; cosines change by less than 0.001."""
    hashes = sorted(vectors)
    with path.open("wb") as file:
        np.savez(
            file,
            model=np.array(_fingerprint(model)),
            hashes=np.array([list(bytes.fromhex(content_hash)) for content_hash in hashes], np.uint8),
            vectors=np.array([vectors[content_hash] for content_hash in hashes], np.float16),
        )


def read_pack(path: Path, *, model: str, dimension: int) -> dict[str, Vector]:
    """Read what `write_pack` wrote: vectors of length 1, none where another model made them."""
    with np.load(path, allow_pickle=False) as pack:
        if str(pack["model"]) != _fingerprint(model) or pack["vectors"].shape[1:] != (dimension,):
            return {}
        vectors: NDArray[np.float32] = pack["vectors"].astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return {bytes(row).hex(): vector for row, vector in zip(pack["hashes"], vectors, strict=True)}


def _fingerprint(model: str) -> str:
    """What lies in a model's folder counts, not what the folder is called."""
    return model.rpartition("@")[2]
