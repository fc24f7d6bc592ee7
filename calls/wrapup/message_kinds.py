"""Which category a typed message belongs to: its characters and its meaning, weighed linearly.

In: a title and a body, a function that embeds texts, a trained model.
Out: a category and how sure it is.
Not known here: which categories there are, where messages come from, how the weights were found.

What is trained is read from a file of arrays, without any library for training.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from calls.wrapup.types import Field

Floats: TypeAlias = NDArray[np.float32]
EmbedTexts: TypeAlias = Callable[[Sequence[str]], Floats]
"""Vectors of length 1, a row for each text."""

_BLANKS = re.compile(r"\s+")
_GRAMS = (1, 2)
_TITLE_TIMES = 3
"""A title says in a few words what the body takes hundreds for."""
_CHUNK_CHARS = 256
_CHUNKS = 4
_MEANING_WEIGHT = 0.5
"""Of the vectors beside the characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a citizen typed."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """A message in figures."""

    grams: Mapping[str, float]
    """How often each one or two characters stand in it, damped."""
    meaning: Floats
    """The title's vector and the mean vector of the body's parts, end to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKinds:
    """A trained model; unchanging, for any number of threads."""

    categories: tuple[str, ...]
    vocabulary: Mapping[str, int]
    """The column of each gram."""
    rarity: Floats
    """Of each gram."""
    middle: Floats
    """Of the training messages' vectors, and how they spread around it."""
    spread: Floats
    weights: Floats
    """Shape (categories, grams and meaning)."""
    shifts: Floats

    def field_of(self, features: Features) -> Field:
        """The likeliest category; its confidence is a share of all, an order of sureness."""
        columns, values = weighed_grams(features, self.vocabulary, self.rarity)
        meaning = weighed_meaning(features, self.middle, self.spread)
        scores = self.weights[:, columns] @ values + self.weights[:, len(self.rarity) :] @ meaning
        odds = np.exp(scores + self.shifts - float((scores + self.shifts).max()))
        best = int(odds.argmax())
        return Field(value=self.categories[best], confidence=float(odds[best] / odds.sum()))

    def write(self, path: Path) -> None:
        """Keep the model as a file of arrays."""
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                categories=np.array(self.categories),
                vocabulary=np.array(sorted(self.vocabulary, key=self.vocabulary.__getitem__)),
                rarity=self.rarity,
                middle=self.middle,
                spread=self.spread,
                weights=self.weights,
                shifts=self.shifts,
            )

    @classmethod
    def read(cls, path: Path) -> "MessageKinds":
        """Read it again; the file cannot hold code. Raises `OSError`, `KeyError` and `ValueError`."""
        with np.load(path, allow_pickle=False) as kept:
            return cls(
                categories=tuple(map(str, kept["categories"])),
                vocabulary={str(gram): column for column, gram in enumerate(kept["vocabulary"])},
                **{name: kept[name] for name in ("rarity", "middle", "spread", "weights", "shifts")},
            )


def features_of(messages: Sequence[Message], embed: EmbedTexts) -> list[Features]:
    """Put messages in figures; nothing of it is learnt from them."""
    titles = embed([message.title for message in messages])
    parts = [_chunks(message.text) for message in messages]
    vectors = embed([chunk for chunks in parts for chunk in chunks])
    ends = np.cumsum([len(chunks) for chunks in parts])
    bodies = [_mean(vectors[end - len(chunks) : end]) for end, chunks in zip(ends, parts, strict=True)]
    return [
        Features(grams=_grams(message), meaning=np.concatenate([title, body]))
        for message, title, body in zip(messages, titles, bodies, strict=True)
    ]


def rarities(some: Iterable[Features], least: int = 2) -> tuple[dict[str, int], Floats]:
    """The grams that stand in at least so many messages, and how rare each is."""
    found: Counter[str] = Counter()
    count = 0
    for features in some:
        count += 1
        found.update(features.grams.keys())
    kept = sorted(gram for gram, messages in found.items() if messages >= least)
    rarity = [math.log((1 + count) / (1 + found[gram])) + 1 for gram in kept]
    return {gram: column for column, gram in enumerate(kept)}, np.array(rarity, np.float32)


def weighed_grams(
    features: Features, vocabulary: Mapping[str, int], rarity: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Columns and values of the known grams; the values have length 1 together."""
    known = [
        (column, n) for gram, n in features.grams.items() if (column := vocabulary.get(gram)) is not None
    ]
    columns = np.array([column for column, _ in known], np.int64)
    values = np.array([n for _, n in known], np.float32) * rarity[columns]
    return columns, np.asarray(values / (np.linalg.norm(values) or 1.0), np.float32)


def weighed_meaning(features: Features, middle: Floats, spread: Floats) -> Floats:
    """How far the meaning lies from the middle, of a length comparable with that of the grams."""
    away = (features.meaning - middle) / spread
    return np.asarray(away * (_MEANING_WEIGHT / math.sqrt(len(away))), np.float32)


def _grams(message: Message) -> dict[str, float]:
    text = f"{(message.title + ' ') * _TITLE_TIMES}{message.text}"
    text = _BLANKS.sub(" ", unicodedata.normalize("NFKC", text).lower())
    counts = Counter(text[i : i + n] for n in _GRAMS for i in range(len(text) - n + 1))
    return {gram: 1 + math.log(count) for gram, count in counts.items()}


def _chunks(text: str) -> list[str]:
    """Parts that a model reads whole; an empty body is one empty part."""
    return [text[i : i + _CHUNK_CHARS] for i in range(0, max(1, len(text)), _CHUNK_CHARS)][:_CHUNKS]


def _mean(vectors: Floats) -> Floats:
    mean = vectors.mean(axis=0)
    return np.asarray(mean / (np.linalg.norm(mean) or 1.0), np.float32)
