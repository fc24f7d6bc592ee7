"""What written examples say of a call: its type, and whether somebody has to act now.

In: examples, each with its type and urgency; a function that embeds; the pieces of a call.
Out: a share for each type, and the words that sound most like something urgent.
Not known here: cues, articles, which model embeds.

A linear model is fitted to the examples' vectors when they are read: regularised least squares, which for a
few hundred examples takes milliseconds, so that it fits whichever model embeds. Examples of type 无 are what
people say in every call (their name, thanks); what is like them counts little.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calls.wrapup.pieces import Piece
from calls.wrapup.topics import Embed
from calls.wrapup.types import Kind, Span, Urgency

_OF_EVERY_CALL = "无"
_KINDS = (*map(str, Kind), _OF_EVERY_CALL)
_STIFFNESS = 0.1
"""Of the model; found on examples left out (docs/wrapup.md)."""
_SHARPNESS = 8.0
_DECAY = 0.85
"""What every further window is worth beside the one before: people say first what they want."""
_LEAST_CHARS = 8
_WINDOW_CHARS = 20
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """How much the most urgent words sound like urgent ones, about 0 to 1, and where they stand."""

    strength: float = 0.0
    spans: tuple[Span, ...] = ()


CALM = Alarm()


class Examples:
    """The fitted model; unchanging, for any number of threads."""

    def __init__(self, rows: Iterable[str], embed: Embed) -> None:
        """Read lines of `kind,urgency,text`; raises `ValueError` for a value that is none."""
        read = list(csv.DictReader(rows))
        vectors = np.array([embed(row["text"]) for row in read], np.float64)
        kinds = [
            len(Kind) if row["kind"] == _OF_EVERY_CALL else _KINDS.index(Kind(row["kind"])) for row in read
        ]
        urgent = [Urgency(row["urgency"]) is not Urgency.USUAL for row in read]
        wanted = np.column_stack((np.eye(len(_KINDS))[kinds], np.array(urgent, np.float64)))
        self._mean, self._base = vectors.mean(axis=0), wanted.mean(axis=0)
        centred = vectors - self._mean
        likeness = np.einsum("ik,jk->ij", centred, centred) + _STIFFNESS * np.eye(len(read))
        self._weights = np.einsum("ik,ij->kj", centred, np.linalg.solve(likeness, wanted - self._base))

    def shares(self, pieces: Sequence[Piece], embed: Embed) -> dict[str, float]:
        """For each type its share, 1 together, of what the citizen says; all 0 where that is nothing."""
        total, weight = np.zeros(len(_KINDS)), 1.0
        for _, leaning in self._leanings(pieces, embed):
            odds = np.exp(_SHARPNESS * (leaning[:-1] - leaning[:-1].max()))
            odds /= odds.sum()
            total += weight * odds * (1.0 - odds[-1])
            weight *= _DECAY
        total = total[:-1]
        return {
            str(kind): float(share / (total.sum() or 1.0)) for kind, share in zip(Kind, total, strict=True)
        }

    def alarm(self, pieces: Sequence[Piece], embed: Embed) -> Alarm:
        """The most urgent words of the citizen."""
        heard = [
            Alarm(strength=float(leaning[-1]), spans=tuple(piece.span for piece in window))
            for window, leaning in self._leanings(pieces, embed)
        ]
        return max(heard, key=lambda each: each.strength, default=CALM)

    def _leanings(
        self, pieces: Sequence[Piece], embed: Embed
    ) -> Iterator[tuple[Sequence[Piece], NDArray[np.float64]]]:
        for window in _windows(pieces):
            vector = embed("".join(piece.text for piece in window)) - self._mean
            yield window, self._base + np.einsum("k,kj->j", vector, self._weights)


def _windows(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """The citizen's pieces, short ones together: as much as an example says."""
    window: list[Piece] = []
    length = 0
    for piece in pieces:
        if not piece.is_citizens:
            continue
        if window and length + len(piece.text) > _LONGEST:
            yield window
            window, length = [], 0
        window.append(piece)
        length += len(piece.text)
        if length >= _WINDOW_CHARS:
            yield window
            window, length = [], 0
    if length >= _LEAST_CHARS:
        yield window
