"""How probable it is that an article helps now: a small model that was trained on labelled calls.

In: rows of features (`retrieval.evidence`), and a model as JSON.
Out: one calibrated probability per row.
Not known here: how the model was trained, what is done with a probability.

The model is a sum of trees of two levels, as gradient boosting makes them (Friedman, 2001), brought to
probabilities by a logistic curve that was fitted to calls the trees had not seen (Platt, 1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from knowledge_base.json_text import loads
from retrieval.evidence import FEATURES

SHIPPED = Path(__file__).parent / "data" / "judge.json"


class Judge(Protocol):
    """Anything that gives probabilities to rows of features."""

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Judge each row, (n, features); returns (n,), in [0, 1]."""
        ...


class Node(TypedDict):
    """A question to one feature: at most that much goes left, more goes right."""

    feature: int
    most: float


class Tree(TypedDict):
    """A first question, a second one for either answer, and what each way adds to the sum."""

    first: Node
    left: Node
    right: Node
    adds: list[float]
    """Left-left, left-right, right-left, right-right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeJudge:
    """The trees, all laid side by side. Any thread may ask it."""

    base: float
    slope: float
    shift: float
    feature: NDArray[np.int64]
    """(trees, 3): of the first, left and right question."""
    most: NDArray[np.float64]
    """(trees, 3)."""
    adds: NDArray[np.float64]
    """(trees, 4)."""

    @classmethod
    def of(cls, trees: Sequence[Tree], *, base: float, slope: float = 1.0, shift: float = 0.0) -> "TreeJudge":
        """Put trees together; `slope` and `shift` bring their sum to the logit of a probability."""
        nodes = [(tree["first"], tree["left"], tree["right"]) for tree in trees]
        return cls(
            base=base,
            slope=slope,
            shift=shift,
            feature=np.array([[node["feature"] for node in three] for three in nodes], np.int64).reshape(
                -1, 3
            ),
            most=np.array([[node["most"] for node in three] for three in nodes], np.float64).reshape(-1, 3),
            adds=np.array([tree["adds"] for tree in trees], np.float64).reshape(-1, 4),
        )

    def sums(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up the trees for each row, (n, features); returns (n,)."""
        first = rows[:, self.feature[:, 0]] > self.most[:, 0]
        left = rows[:, self.feature[:, 1]] > self.most[:, 1]
        right = rows[:, self.feature[:, 2]] > self.most[:, 2]
        way = np.where(first, 2 + right, left)
        added: NDArray[np.float64] = self.adds[np.arange(len(self.adds)), way].sum(axis=1)
        return self.base + added

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Judge each row, (n, features); returns (n,), in [0, 1]."""
        probabilities: NDArray[np.float64] = 1 / (1 + np.exp(-(self.slope * self.sums(rows) + self.shift)))
        return probabilities


def read_judge(path: Path) -> TreeJudge:
    """Read a model; raises `ValueError` where it was trained for other features."""
    model = loads(path.read_text(encoding="utf-8"))
    if tuple(model["features"]) != FEATURES:
        raise ValueError(f"{path.name} was trained for other features; run `zhiting train advisor`")
    return TreeJudge.of(model["trees"], base=model["base"], slope=model["slope"], shift=model["shift"])


@cache
def shipped_judge() -> TreeJudge:
    """The model that comes with the product."""
    return read_judge(SHIPPED)
