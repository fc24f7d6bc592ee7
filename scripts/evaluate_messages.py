"""How well typed messages are sorted into categories.

In: the category of each message, what was said of it by a model that did not see it, its fold.
Out: F1 scores for each category and their mean, for people and for programs.
Not known here: models, where messages come from.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

_SAMPLES = 1_000


def report(
    wanted: Sequence[str], said: Sequence[str], fold: NDArray[np.int64], *, seed: int
) -> dict[str, Any]:
    """Put the figures in JSON form: over all messages, for each category, for each fold."""
    categories = sorted(set(wanted))
    is_wanted = np.array([[each == category for category in categories] for each in wanted])
    is_said = np.array([[each == category for category in categories] for each in said])
    by_fold = [
        float(_f1(is_wanted[fold == number], is_said[fold == number]).mean())
        for number in sorted(set(fold.tolist()))
    ]
    chance = np.random.default_rng(seed)
    drawn = [chance.integers(len(wanted), size=len(wanted)) for _ in range(_SAMPLES)]
    resampled = [float(_f1(is_wanted[rows], is_said[rows]).mean()) for rows in drawn]
    low, high = np.quantile(resampled, [0.025, 0.975])
    return {
        "macro_f1": float(_f1(is_wanted, is_said).mean()),
        "low": float(low),
        "high": float(high),
        "per_category": _per_category(categories, is_wanted, is_said),
        "folds": {
            "macro_f1": by_fold,
            "mean": statistics.mean(by_fold),
            "sd": statistics.stdev(by_fold),
        },
        "messages": len(wanted),
        "seed": seed,
    }


def table(told: Mapping[str, Any]) -> Table:
    """One line for each category."""
    folds = told["folds"]
    title = (
        f"Macro-F1 {told['macro_f1']:.3f} ({told['low']:.3f}–{told['high']:.3f}) over {told['messages']} "
        f"messages; {len(folds['macro_f1'])} folds: {folds['mean']:.3f} ± {folds['sd']:.3f}"
    )
    shown = Table("category", title=title)
    for heading in ("messages", "precision", "recall", "F1"):
        shown.add_column(heading, justify="right")
    for category, one in told["per_category"].items():
        figures = (f"{one[name]:.3f}" for name in ("precision", "recall", "f1"))
        shown.add_row(category, str(one["messages"]), *figures)
    return shown


def _per_category(
    categories: Sequence[str], is_wanted: NDArray[np.bool_], is_said: NDArray[np.bool_]
) -> dict[str, dict[str, float]]:
    right = (is_wanted & is_said).sum(axis=0)
    precision = right / np.maximum(is_said.sum(axis=0), 1)
    recall = right / np.maximum(is_wanted.sum(axis=0), 1)
    f1 = _f1(is_wanted, is_said)
    return {
        category: {
            "messages": int(is_wanted[:, i].sum()),
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
        }
        for i, category in enumerate(categories)
    }


def _f1(is_wanted: NDArray[np.bool_], is_said: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of each category; 0 where it is neither wanted nor said."""
    right = (is_wanted & is_said).sum(axis=0)
    both = is_wanted.sum(axis=0) + is_said.sum(axis=0)
    return np.asarray(2 * right / np.maximum(both, 1), np.float64)
