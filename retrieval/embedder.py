"""Texts become vectors.

In: a folder that sentence-transformers loads, and texts.
Out: float32 vectors of length 1, so that an inner product is a cosine.
Not known here: where the folder came from, what the vectors are compared with.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from retrieval.vectors import Vector, Vectors

_SAMPLE_BYTES = 1 << 20
_PADDING = {"text": {"pad_to_multiple_of": 16}}
"""Tokens, so that texts have few lengths. For each length oneDNN keeps kernels of its own: 160 MB in a
server that had heard hundreds of texts, with the older ones compiled again. What is computed for nothing
costs as much as that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderOptions:
    """How the model is run."""

    threads: int = 1
    """Cores that one embedding uses. The ears need the others."""
    batch: int = 32
    """Passages embedded together."""
    cached_queries: int = 2048
    """Query vectors kept; a turn comes back with each of the two or three queries after it."""
    query_chars: int = 96
    """Of a longer question the end is embedded: time grows with length."""
    short_floats: bool = True
    """Compute in bfloat16 where the processor multiplies it itself: half the time and memory, and vectors
    whose cosine with those of float32 is above 0.9999, so that both may be compared."""

    def __post_init__(self) -> None:
        if min(self.threads, self.batch, self.cached_queries, self.query_chars) < 1:
            raise ValueError("threads, batch, cached_queries and query_chars must be at least 1")


class SentenceEmbedder:
    """A sentence-transformers model on the CPU, never asking the network.

    May be called from several threads; they take turns, as the tokenizer keeps state of its own.
    """

    def __init__(self, folder: Path, options: EmbedderOptions = EmbedderOptions()):
        self._options = options
        torch.set_num_threads(options.threads)
        transformers_logging.disable_progress_bar()
        self._model = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            model_kwargs={"dtype": _dtype() if options.short_floats else torch.float32},
        )
        self._name = f"{folder.name}@{_fingerprint(folder)}"
        self._query_prompt = self._model.prompts.get("query", "")
        self._model.eval()
        self._lock = threading.Lock()
        self._queries: OrderedDict[str, Vector] = OrderedDict()

    @property
    def name(self) -> str:
        """Name of the folder and a fingerprint of what lies in it."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        return int(self._model.get_embedding_dimension())

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        with self._lock:
            return self._encode(list(texts), "passage")

    def embed_query(self, text: str) -> Vector:
        """Embed what is asked, or remember it."""
        text = text[-self._options.query_chars :]
        with self._lock:
            if text in self._queries:
                self._queries.move_to_end(text)
                return self._queries[text]
            vector = self._encode_one(self._query_prompt + text)
            vector.flags.writeable = False
            self._queries[text] = vector
            if len(self._queries) > self._options.cached_queries:
                self._queries.popitem(last=False)
            return vector

    def _encode_one(self, text: str) -> Vector:
        """Run the model's modules on one text, without the sorting and batching of `encode`."""
        with torch.inference_mode():
            features = self._model.preprocess([text], processing_kwargs=_PADDING)
            embedding = self._model(features)["sentence_embedding"]
        vector: Vector = _of_length_one(embedding)[0]
        return vector

    def _encode(self, texts: list[str], prompt: str) -> Vectors:
        vectors = self._model.encode(
            texts,
            prompt_name=prompt,
            batch_size=self._options.batch,
            show_progress_bar=False,
            convert_to_tensor=True,
            processing_kwargs=_PADDING,
        )
        return _of_length_one(vectors)


def _dtype() -> torch.dtype:
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def _of_length_one(embeddings: torch.Tensor) -> Vectors:
    """Normalise in float32: a length that was rounded to bfloat16 would be some thousandths off."""
    vectors: Vectors = torch.nn.functional.normalize(embeddings.float(), dim=1).numpy()
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _fingerprint(folder: Path) -> str:
    """Tell two states of a model's folder apart without reading all of its weights.

    Hidden files are left out: they say how the folder came here, not what the model is.
    """
    digest = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        size = file.stat().st_size
        digest.update(f"{file.relative_to(folder).as_posix()}\0{size}\0".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(_SAMPLE_BYTES))
            stream.seek(max(0, size - _SAMPLE_BYTES))
            digest.update(stream.read())
    return digest.hexdigest()[:12]
