"""Tells two speakers apart by the prints of their voices.

In: prints of voices, and how much speech each is of.
Out: the middles of two voices and how distinct these are; which of the two an utterance is by.
Not known here: sound, how prints are made, what is said, which of the two is the operator.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Prints: TypeAlias = NDArray[np.float32]
"""Shape (n, d), rows of length 1: alike for one voice, whatever it says."""
Print: TypeAlias = NDArray[np.float32]
"""One of them, shape (d,)."""
Pair: TypeAlias = NDArray[np.float32]
"""Shape (2, d), rows of length 1: the middles of two voices."""
Weights: TypeAlias = NDArray[np.float32]
"""Shape (n,): seconds of speech."""

SURE_S = 0.8
"""Shorter utterances say too little about a voice to shape its middle."""
_DOUBT = 0.5
"""Of the way from between two voices to one of them: a short utterance that is nearer to neither than this is
by whom its neighbour is by."""
_ROUNDS = 30
_FEWNESS = 1.5
_DISTINCT, _DISTINCT_FEW = 0.3, 0.6
"""Two voices are more distinct than the one plus the other divided by the number of utterances. Measured on
voices that are one: docs/transcribe.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voiced:
    """An utterance as far as it matters here."""

    start_s: float
    end_s: float
    voice: Print

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s


def middle_of(prints: Prints, weights: Weights | None = None) -> Print:
    """The print in the middle of several."""
    total = prints.sum(axis=0) if weights is None else weights @ prints
    middle: Print = (total / max(float(np.linalg.norm(total)), 1e-9)).astype(np.float32)
    return middle


def two_voices(prints: Prints, weights: Weights) -> Pair | None:
    """The two middles to which the prints are nearest together; None where they do not fall into two."""
    if len(prints) < 2:
        return None
    settled = (_settled(prints, weights, begun) for begun in _beginnings(prints, weights))
    found = [pair for pair in settled if pair is not None]
    return max(found, key=lambda pair: _closeness(prints, weights, pair), default=None)


def are_distinct(prints: Prints, weights: Weights, pair: Pair) -> bool:
    """Whether the two are two voices, and not one that fell into two somehow."""
    return distinctness(prints, weights, pair) > _DISTINCT + _DISTINCT_FEW / len(prints)


def distinctness(prints: Prints, weights: Weights, pair: Pair) -> float:
    """How far apart the two lie, measured by how far each is spread; little for two of few prints.

    Any prints fall into two somehow, few of them most easily.
    """
    speech_s = float(weights.sum())
    near = _closeness(prints, weights, pair) / speech_s
    whole = float(weights @ (prints @ middle_of(prints, weights))) / speech_s
    fewness = math.pow(1.0 - 2.0 / len(prints), _FEWNESS)
    return fewness * (near - whole) / max(1.0 - near, 1e-6)


def leads_of(prints: Prints, pair: Pair) -> NDArray[np.float32]:
    """How much nearer each is to the first than to the second: 1 at the first, -1 at the second."""
    apart = max(1.0 - float(pair[0] @ pair[1]), 1e-6)
    leads: NDArray[np.float32] = prints @ (pair[0] - pair[1]) / apart
    return leads


def owners_of(heard: Sequence[Voiced], pair: Pair | None) -> list[int]:
    """Whose each utterance is, 1 or 2: the one who is heard first is 1."""
    if pair is None or not heard:
        return [1] * len(heard)
    leads = leads_of(np.stack([one.voice for one in heard]), pair)
    sure = [
        number
        for number, (one, lead) in enumerate(zip(heard, leads, strict=True))
        if one.seconds >= SURE_S or abs(lead) >= _DOUBT
    ]
    is_second = [bool(lead < 0) for lead in leads]
    for number in set(range(len(heard))).difference(sure) if sure else ():
        neighbour = min(sure, key=lambda other: _pause_s(heard[number], heard[other]))
        is_second[number] = bool(leads[neighbour] < 0)
    return [1 + (one is not is_second[0]) for one in is_second]


def _pause_s(one: Voiced, other: Voiced) -> float:
    return max(one.start_s - other.end_s, other.start_s - one.end_s)


def _beginnings(prints: Prints, weights: Weights) -> list[Pair]:
    """Two ways to begin: with what lies farthest apart, and with the two sides of the widest direction."""
    far = prints[np.argmin(prints @ middle_of(prints, weights))]
    farther = prints[np.argmin(prints @ far)]
    spread = (prints - prints.mean(axis=0)) * np.sqrt(weights)[:, None]
    _, directions = np.linalg.eigh(spread.T @ spread)
    side = spread @ directions[:, -1] > 0
    sides = [middle_of(prints[which], weights[which]) for which in (side, ~side) if which.any()]
    return [np.stack(begun) for begun in ([far, farther], sides) if len(begun) == 2]


def _settled(prints: Prints, weights: Weights, pair: Pair) -> Pair | None:
    """Give every print to the nearer middle and move the middles, until nothing moves."""
    owners = np.argmax(prints @ pair.T, axis=1)
    for _ in range(_ROUNDS):
        if owners.all() or not owners.any():
            return None
        pair = np.stack([middle_of(prints[owners == each], weights[owners == each]) for each in (0, 1)])
        moved = np.argmax(prints @ pair.T, axis=1)
        if np.array_equal(moved, owners):
            break
        owners = moved
    return pair


def _closeness(prints: Prints, weights: Weights, pair: Pair) -> float:
    return float(weights @ np.max(prints @ pair.T, axis=1))
