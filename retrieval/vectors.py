"""Vectors, and what publishing and searching need of whatever makes them.

In: nothing; an embedding model stands behind the protocol.
Out: the shapes of vectors, and `Embedder`.
Not known here: any library for models; importing this is cheap.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
"""Shape (n, dimension), each row of length 1."""
Vector: TypeAlias = NDArray[np.float32]
"""Shape (dimension,), of length 1."""


class Embedder(Protocol):
    """An embedding model. May be called from several threads."""

    @property
    def name(self) -> str:
        """Name with revision; vectors of different names are never compared."""
        ...

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        ...

    def embed_query(self, text: str) -> Vector:
        """Embed what is asked."""
        ...
