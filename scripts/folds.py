"""Judges that never saw the calls they judge: one for each part of the calls, trained on the other parts.

In: reference calls, what was heard in them, a search.
Out: a judge for each call, and how far the figures of the parts lie apart.
Not known here: what is shown at which probability, what is counted.
"""

import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from asr.types import Segment
from knowledge_base.importer import load_sample
from retrieval.judge import Judge
from scripts.call_data import BadData, ReferenceCall
from scripts.dialogues import call_lessons, written_lessons
from scripts.evaluate_retrieval import CallCounts, figures, pool
from scripts.labelled import Find, label
from scripts.noise import Noise
from scripts.train_advisor import TrainingOptions, fold_of, train

SPREAD_OF = (
    "hit1",
    "hit3",
    "first_hit3",
    "first_hit3_next",
    "precision",
    "false_on_silent",
    "card_changes_per_min",
)
"""Figures whose spread over the folds is told."""


def split(calls: Sequence[ReferenceCall], folds: int, seed: int) -> dict[str, int]:
    """The fold of each call. Raises `BadData` where there are fewer calls than folds."""
    if len(calls) < folds:
        raise BadData(f"{len(calls)} calls cannot be divided into {folds} folds.")
    names = [call.call_id for call in calls]
    return dict(zip(names, fold_of(names, folds, seed).tolist(), strict=True))


def fold_judges(
    calls: Sequence[ReferenceCall],
    heard: Mapping[str, Sequence[Segment]] | None,
    *,
    fold: Mapping[str, int],
    find: Find,
    options: TrainingOptions,
) -> dict[int, Judge]:
    """Train a judge for each fold, on the written dialogues and on the calls of all other folds.

    `find` must find fourteen matches, so that ten are left where the answers are taken away.
    """
    noise = Noise(text for one in load_sample() for text in (one.title, one.body, *one.questions))
    rows = label([*written_lessons(noise), *call_lessons(calls, heard or {}, noise)], find)
    judges: dict[int, Judge] = {}
    for number in sorted(set(fold.values())):
        others = np.array([fold.get(group) != number for group in rows.groups])
        judges[number] = train(rows.where(others), options).judge
    return judges


def spread(counts: Sequence[CallCounts], fold: Mapping[str, int]) -> dict[str, dict[str, float]]:
    """Lowest, highest and standard deviation of the main figures over the folds."""
    parts = [
        figures(pool([each for each in counts if fold[each.call_id] == number]))
        for number in sorted(set(fold.values()))
    ]
    told = {}
    for name in (name + suffix for suffix in ("", "_recognised") for name in SPREAD_OF):
        values = [value for part in parts if (value := part[name]) is not None]
        if len(values) > 1:
            told[name] = {"min": min(values), "max": max(values), "sd": statistics.stdev(values)}
    return told
