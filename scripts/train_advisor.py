"""Trains the model that knows when to be silent, and says how far its probabilities can be trusted.

In: labelled rows.
Out: the model as JSON, and a report on rows that it was not trained on.
Not known here: where the rows come from, what is shown at which probability.

Gradient boosting by scikit-learn, which is needed for training alone.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.evidence import FEATURES
from retrieval.judge import Tree, TreeJudge
from scripts.labelled import Rows

_NO_FEATURE = {"feature": 0, "most": float(np.finfo(np.float32).max)}
"""A question to which every row goes left: for a branch that the training did not divide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """How the trees are grown; more of them learn the calls by heart."""

    trees: int = 150
    rate: float = 0.08
    subsample: float = 0.5
    least_rows: int = 30
    """Rows that a leaf stands for at least."""
    folds: int = 6
    """Parts of which each is judged by a model of the others, for the calibration."""
    seed: int = 12345

    def __post_init__(self) -> None:
        if min(self.trees, self.least_rows) < 1 or self.folds < 2:
            raise ValueError("trees and least_rows must be positive, folds at least 2")
        if not 0 < self.rate <= 1 or not 0 < self.subsample <= 1:
            raise ValueError("rate and subsample must be within 0 and 1, 0 left out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model and what it thinks of rows that it did not see in training."""

    judge: TreeJudge
    trees: Sequence[Tree]
    unseen: NDArray[np.float64]
    """One probability per training row, by a model of the other folds."""


def train(rows: Rows, options: TrainingOptions = TrainingOptions()) -> Trained:
    """Train on all rows; calibrate on what models of the other folds say of each fold's rows."""
    folds = fold_of(rows.groups, options.folds, options.seed)
    sums = np.zeros(len(rows.helps))
    parts = [rows.where(folds != fold) for fold in range(options.folds)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:  # growing lets go of the interpreter
        *others, (trees, base) = threads.map(lambda some: _grow(some, options), [*parts, rows])
    for fold, (grown, share) in enumerate(others):
        sums[folds == fold] = TreeJudge.of(grown, base=share).sums(rows.features[folds == fold])
    slope, shift = _calibrate(sums, rows.helps)
    return Trained(
        judge=TreeJudge.of(trees, base=base, slope=slope, shift=shift),
        trees=trees,
        unseen=1 / (1 + np.exp(-(slope * sums + shift))),
    )


def as_json(trained: Trained, rows: Rows, options: TrainingOptions, data_hash: str) -> dict[str, Any]:
    """The model as it is shipped."""
    return {
        "features": list(FEATURES),
        "base": trained.judge.base,
        "slope": round(trained.judge.slope, 6),
        "shift": round(trained.judge.shift, 6),
        "trees": trained.trees,
        "trained": {
            "script": "zhiting train advisor",
            "seed": options.seed,
            "data_sha256": data_hash,
            "rows_sha256": hashlib.sha256(
                rows.features.round(3).tobytes() + rows.helps.tobytes()
            ).hexdigest(),
            "rows": len(rows.helps),
            "helpful": int(rows.helps.sum()),
            "calls": len(set(rows.groups)),
        },
    }


def fold_of(groups: Sequence[str], folds: int, seed: int) -> NDArray[np.int64]:
    """Put each group into a fold, by the hash of its name, in parts of equal size; returns one per row."""
    names = sorted(set(groups), key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    fold = {name: number % folds for number, name in enumerate(names)}
    return np.array([fold[group] for group in groups], np.int64)


def brier(probabilities: NDArray[np.float64], helps: NDArray[np.bool_]) -> float:
    """Mean squared distance between a probability and what came true (Brier, 1950)."""
    return float(np.mean((probabilities - helps) ** 2)) if len(helps) else 0.0


def reliability(
    probabilities: NDArray[np.float64], helps: NDArray[np.bool_], edges: Sequence[float] | None = None
) -> list[dict[str, float]]:
    """For each band of probabilities: how many rows, what was said on average, what came true."""
    bounds = edges or (0.0, 0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    table = []
    for low, high in pairwise(bounds):
        inside = (probabilities >= low) & ((probabilities < high) | (high == bounds[-1]))
        if inside.any():
            table.append(
                {
                    "from": low,
                    "to": high,
                    "rows": int(inside.sum()),
                    "said": float(probabilities[inside].mean()),
                    "true": float(helps[inside].mean()),
                }
            )
    return table


def _grow(rows: Rows, options: TrainingOptions) -> tuple[list[Tree], float]:
    from sklearn.ensemble import GradientBoostingClassifier  # type: ignore[import-untyped]

    model = GradientBoostingClassifier(
        max_depth=2,
        n_estimators=options.trees,
        learning_rate=options.rate,
        subsample=options.subsample,
        min_samples_leaf=options.least_rows,
        random_state=options.seed,
    ).fit(rows.features, rows.helps)
    share = float(rows.helps.mean())
    trees = [_tree(stage[0].tree_, options.rate) for stage in model.estimators_]
    return trees, float(np.log(share / (1 - share)))


def _tree(grown: Any, rate: float) -> Tree:
    """Write a tree of scikit-learn down as two levels of questions."""

    def question(node: int) -> Any:
        if node < 0 or grown.children_left[node] < 0:
            return dict(_NO_FEATURE)
        # Rounded up in the sixth digit: a row at the very edge goes left, as it does in training.
        return {"feature": int(grown.feature[node]), "most": float(f"{grown.threshold[node]:.7g}")}

    def leaves(node: int) -> list[float]:
        if grown.children_left[node] < 0:
            return [value(node)] * 2
        return [value(grown.children_left[node]), value(grown.children_right[node])]

    def value(node: int) -> float:
        return round(rate * float(grown.value[node][0][0]), 6)

    left, right = int(grown.children_left[0]), int(grown.children_right[0])
    if left < 0:
        only = value(0)
        return Tree(first=question(0), left=question(-1), right=question(-1), adds=[only] * 4)
    return Tree(
        first=question(0), left=question(left), right=question(right), adds=leaves(left) + leaves(right)
    )


def _calibrate(sums: NDArray[np.float64], helps: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit slope and shift of the logistic curve by Newton's method, with Platt's softened answers."""
    good, bad = int(helps.sum()), int((~helps).sum())
    wanted = np.where(helps, (good + 1) / (good + 2), 1 / (bad + 2))
    slope, shift = 1.0, 0.0
    for _ in range(50):
        said = 1 / (1 + np.exp(-(slope * sums + shift)))
        weight = np.maximum(said * (1 - said), 1e-9)
        gradient = np.array([np.sum((said - wanted) * sums), np.sum(said - wanted)])
        bend = np.array(
            [[np.sum(weight * sums**2), np.sum(weight * sums)], [np.sum(weight * sums), np.sum(weight)]]
        )
        step = np.linalg.solve(bend, gradient)
        slope, shift = slope - float(step[0]), shift - float(step[1])
        if float(np.abs(step).max()) < 1e-8:
            break
    return slope, shift
