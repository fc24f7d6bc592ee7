"""How likely two things that were told, or two groups of them, are of one matter.

In: two sides, each with its meaning, its pieces of text and its times. Out: log odds.
Not known here: what is done with them.

Three kinds of evidence, each of which alone is often wrong: meaning (cosine of embeddings), wording (cosine
of pieces weighed by rarity), and the rarest piece that both sides keep to, which mostly is a name of a place
or a firm. Time between them counts against. See docs/warnings.md for where the weights come from.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insight.clusters.background import Background
from insight.clusters.types import Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Of a logistic regression, rounded."""

    meaning: float = 6.5
    wording: float = 6.5
    name: float = 0.45
    days: float = -0.45
    """Times log(1 + days)."""
    base: float = -6.2
    most_name: float = 7.0
    """However rare a piece is: a slip of the pen is rarer than any name."""
    kept: float = 0.5
    """A group keeps to a piece that this share of its members has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One message, or a group."""

    vector: Vectors
    """(dimension,): the mean of its members."""
    counts: Mapping[str, int]
    """By piece: how many members have it."""
    members: int
    days: Sequence[float]
    """When, in days: the newest members."""


_NAME_CHARS = 3


def log_odds(a: Side, b: Side, background: Background, weights: Weights) -> float:
    """Of being one matter."""
    wording, name = _wording(a, b, background, weights.kept)
    apart = min(abs(x - y) for x in a.days for y in b.days)
    return (
        weights.meaning * background.cosine(a.vector, b.vector)
        + weights.wording * wording
        + weights.name * min(name, weights.most_name)
        + weights.days * math.log1p(apart)
        + weights.base
    )


def _wording(a: Side, b: Side, background: Background, kept: float) -> tuple[float, float]:
    """The cosine, and the rarity of the rarest piece that both keep to."""
    if len(a.counts) > len(b.counts):
        a, b = b, a
    shared, name = 0.0, 0.0
    for piece, n in a.counts.items():
        m = b.counts.get(piece)
        if m is None:
            continue
        rare = background.rarity(piece)
        x, y = n / a.members, m / b.members
        shared += x * y * rare * rare
        if len(piece) >= _NAME_CHARS and x >= kept and y >= kept:
            name = max(name, rare)
    if not shared:
        return 0.0, name
    return shared / (_length(a, background) * _length(b, background)), name


def _length(side: Side, background: Background) -> float:
    return math.sqrt(
        sum((n / side.members * background.rarity(piece)) ** 2 for piece, n in side.counts.items())
    )
