"""Leaves out of a Whisper model the words that no Chinese call needs, so that each step costs less.

In: a folder with a Whisper model as CTranslate2 keeps it. Out: the same model in memory with fewer rows in
its word table, and which rows those are; and a model that is spoken to in the old numbers.
Not known here: sound, calls, how decoding is done.

Half of what a step of the decoder of a small model costs on a CPU is the comparison with all 51,865 words
of a hundred languages. The rows that are kept are untouched: no weight changes.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ids: TypeAlias = NDArray[np.int64]

_FORMAT = 6  # of CTranslate2's model.bin
_END_OF_TEXT = "<|endoftext|>"
_LONGEST_LATIN = 3  # letters; any longer word can be spelled with such pieces
_RANGES = ((0x3000, 0x303F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF))  # Chinese and its signs
_SIGNS = frozenset("·—…“”‘’")
_LEADS = frozenset((*range(0xE3, 0xEA), 0xEF))  # bytes with which the characters of these ranges begin


@dataclass(frozen=True, slots=True, eq=False)
class Trimmed:
    """A model in memory."""

    files: dict[str, bytes]
    """By name, as `WhisperModel` takes them."""
    kept: Ids
    """For each row of the new word table its number in the old one, rising, shape (kept,)."""


def trim_to_chinese(folder: Path) -> Trimmed | None:
    """Read a model without the words of other scripts; None where the folder is not of the known kind.

    Takes as much memory as the model's file twice over, for a moment.
    """
    words = _read_words(folder)
    if words is None or _END_OF_TEXT not in words:
        return None
    text_words = words.index(_END_OF_TEXT)
    kept = np.array([i for i, word in enumerate(words) if i >= text_words or _is_kept(word)])
    model = _without_rows((folder / "model.bin").read_bytes(), len(words), kept)
    if model is None:
        return None
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    new_of = {int(old): new for new, old in enumerate(kept)}
    for name in ("lang_ids", "suppress_ids", "suppress_ids_begin"):
        if name in config:
            config[name] = [new_of[old] for old in config[name] if old in new_of]
    files = {
        "model.bin": model,
        "config.json": json.dumps(config).encode(),
        "vocabulary.json": json.dumps([words[old] for old in kept], ensure_ascii=False).encode(),
    }
    for name in ("tokenizer.json", "preprocessor_config.json"):
        if (folder / name).is_file():
            files[name] = (folder / name).read_bytes()
    return Trimmed(files=files, kept=kept)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What CTranslate2 gives for one clip, in the old numbers."""

    sequences_ids: list[list[int]]
    scores: list[float]
    no_speech_prob: float


class Renumbered:
    """Stands in for CTranslate2's model: takes and gives the numbers of the whole word table."""

    def __init__(self, model: Any, kept: Ids) -> None:
        self._model = model
        self._old_of = [int(old) for old in kept]
        self._new_of = {old: new for new, old in enumerate(self._old_of)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __contains__(self, token: int) -> bool:
        """Whether the token of the whole table was kept."""
        return token in self._new_of

    def generate(
        self,
        encoded: Any,
        prompts: Sequence[Sequence[int]],
        *,
        suppress_tokens: Sequence[int],
        **options: Any,
    ) -> list[Decoded]:
        """Decode as `ctranslate2.models.Whisper.generate` does."""
        results = self._model.generate(
            encoded,
            [self._new(prompt) for prompt in prompts],
            suppress_tokens=[self._new_of[token] for token in suppress_tokens if token in self._new_of],
            **options,
        )
        return [
            Decoded(
                [[self._old_of[token] for token in tokens] for tokens in result.sequences_ids],
                list(result.scores),
                result.no_speech_prob,
            )
            for result in results
        ]

    def align(
        self,
        encoded: Any,
        start_sequence: Sequence[int],
        text_tokens: Sequence[Sequence[int]],
        num_frames: int | list[int],
        **options: Any,
    ) -> Any:
        """Align as `ctranslate2.models.Whisper.align` does; all tokens must be kept ones."""
        texts = [self._new(tokens) for tokens in text_tokens]
        return self._model.align(encoded, self._new(start_sequence), texts, num_frames, **options)

    def _new(self, tokens: Sequence[int]) -> list[int]:
        return [self._new_of[token] for token in tokens]


def _read_words(folder: Path) -> list[str] | None:
    as_json, as_lines = folder / "vocabulary.json", folder / "vocabulary.txt"
    if as_json.is_file():
        words = json.loads(as_json.read_text(encoding="utf-8"))
        return words if isinstance(words, list) else None
    if not as_lines.is_file():
        return None
    return as_lines.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def _byte_of() -> Mapping[str, int]:
    """Map the characters that stand for bytes in GPT-2's word tables: printable ones for themselves."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(rest)}


_BYTE_OF = _byte_of()


def _is_kept(word: str) -> bool:
    """Whether a word may appear in Chinese text, as a whole or as a piece of a character."""
    if not all(sign in _BYTE_OF for sign in word):
        return True
    spelled = bytes(_BYTE_OF[sign] for sign in word)
    if len(spelled) <= 1:
        return True  # with the single bytes everything can still be written
    try:
        text = spelled.decode().strip(" ")
    except UnicodeDecodeError:
        return spelled[0] in _LEADS or 0x80 <= spelled[0] < 0xC0
    if text.isascii():
        return not text.isalpha() or len(text) <= _LONGEST_LATIN
    return all(sign in _SIGNS or any(low <= ord(sign) <= high for low, high in _RANGES) for sign in text)


def _without_rows(model: bytes, rows: int, kept: Ids) -> bytes | None:
    """Copy a `model.bin`, keeping of each variable with one row per word only the given rows."""
    read = _Reader(model)
    if read.number("I") != _FORMAT:
        return None
    out = bytearray(struct.pack("<I", _FORMAT) + read.text() + read.raw(4))
    variables = read.number("I")
    out += struct.pack("<I", variables)
    has_trimmed = False
    for _ in range(variables):
        name = read.text()
        shape = [read.number("I") for _ in range(read.number("B"))]
        kind = read.raw(1)
        values = read.raw(read.number("I"))
        if shape and shape[0] == rows:
            by_row = np.frombuffer(values, dtype=np.uint8).reshape(rows, -1)
            values, shape = by_row[kept].tobytes(), [len(kept), *shape[1:]]
            has_trimmed = True
        out += name + struct.pack(f"<B{len(shape)}I", len(shape), *shape) + kind
        out += struct.pack("<I", len(values)) + values
    out += read.rest()
    return bytes(out) if has_trimmed else None


class _Reader:
    """Walks over the parts of a file of little-endian numbers and counted strings."""

    def __init__(self, held: bytes) -> None:
        self._held = memoryview(held)
        self._at = 0

    def raw(self, size: int) -> bytes:
        self._at += size
        return bytes(self._held[self._at - size : self._at])

    def number(self, kind: str) -> int:
        found: int = struct.unpack("<" + kind, self.raw(struct.calcsize(kind)))[0]
        return found

    def text(self) -> bytes:
        """A string with its length before it, as it stands."""
        length = self.raw(2)
        return length + self.raw(struct.unpack("<H", length)[0])

    def rest(self) -> bytes:
        return bytes(self._held[self._at :])
