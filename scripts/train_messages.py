"""Trains the model that sorts typed messages into categories, and says how well it does on unseen ones.

In: messages with their categories, in figures.
Out: a model; for an evaluation what models of the other folds say of each fold's messages.
Not known here: where messages come from, what a model is used for.

A linear support vector machine by scikit-learn, which is needed for training alone. Whatever is learnt, which
characters count and how rare they are included, is learnt within the folds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from calls.wrapup.message_kinds import (
    Features,
    Message,
    MessageKinds,
    rarities,
    weighed_grams,
    weighed_meaning,
)
from scripts.call_data import BadData

_SIGNS = re.compile(r"\W+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A message and the category that people gave it."""

    message: Message
    category: str


class Row(BaseModel):
    """One line of a file of messages."""

    title: str
    text: str
    category: str


def read_messages(file: Path) -> list[Labelled]:
    """Read lines of JSON. Raises `BadData`."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadData(f"{file} cannot be read as text.") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = Row.model_validate_json(line)
        except ValidationError as error:
            raise BadData(f"{file.name}, line {number}: title, text and category are wanted.") from error
        found.append(Labelled(message=Message(title=row.title, text=row.text), category=row.category))
    if len({each.category for each in found}) < 2:
        raise BadData(f"{file.name} needs messages of two categories or more.")
    return found


def train(some: Sequence[Features], categories: Sequence[str], seed: int) -> MessageKinds:
    """Learn from all of them."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.svm import LinearSVC  # type: ignore[import-untyped]

    vocabulary, rarity = rarities(some)
    meanings = np.array([features.meaning for features in some], np.float32)
    middle, spread = meanings.mean(axis=0), meanings.std(axis=0) + 1e-6
    rows = [weighed_grams(features, vocabulary, rarity) for features in some]
    grams = csr_matrix(
        (
            np.concatenate([values for _, values in rows]),
            np.concatenate([columns for columns, _ in rows]),
            np.cumsum([0, *(len(columns) for columns, _ in rows)]),
        ),
        shape=(len(some), len(vocabulary)),
    )
    dense = np.array([weighed_meaning(features, middle, spread) for features in some])
    model = LinearSVC(C=1.0, class_weight="balanced", random_state=seed)
    model.fit(hstack([grams, csr_matrix(dense)]).tocsr(), list(categories))
    weights, shifts = np.asarray(model.coef_, np.float32), np.asarray(model.intercept_, np.float32)
    if len(weights) == 1:  # of two categories it keeps the second one's alone
        weights, shifts = np.vstack([-weights, weights]), np.concatenate([-shifts, shifts])
    return MessageKinds(
        categories=tuple(map(str, model.classes_)),
        vocabulary=vocabulary,
        rarity=rarity,
        middle=middle,
        spread=spread,
        weights=weights,
        shifts=shifts,
    )


def folds_of(rows: Sequence[Labelled], folds: int, seed: int) -> NDArray[np.int64]:
    """A fold for each message: every category spread evenly, the same message never in two folds.

    Raises `BadData` where a category has fewer messages than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # type: ignore[import-untyped]

    categories = [row.category for row in rows]
    fewest = min(set(categories), key=categories.count)
    if categories.count(fewest) < folds:
        raise BadData(f"{fewest} has fewer than {folds} messages, so that it cannot be in every fold.")
    fold = np.zeros(len(rows), np.int64)
    parts = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for number, (_, held_out) in enumerate(parts.split(categories, categories, same_messages(rows))):
        fold[held_out] = number
    return fold


def same_messages(rows: Sequence[Labelled]) -> list[int]:
    """A number for each message; those with the same title or the same body, signs aside, share it."""
    groups = list(range(len(rows)))
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows):
        for part, words in (("title", row.message.title), ("text", row.message.text)):
            bare = _SIGNS.sub("", words)
            if not bare:
                continue
            first = groups[seen.setdefault((part, bare), number)]
            own = groups[number]
            if first != own:
                groups = [first if group == own else group for group in groups]
    return groups


def judge_unseen(
    some: Sequence[Features], categories: Sequence[str], fold: NDArray[np.int64], seed: int
) -> list[str]:
    """What a model that never saw a message, nor its fold, says of it."""
    said = [""] * len(some)
    for number in sorted(set(fold.tolist())):
        others = np.flatnonzero(fold != number).tolist()
        model = train([some[i] for i in others], [categories[i] for i in others], seed)
        for i in np.flatnonzero(fold == number).tolist():
            said[i] = model.field_of(some[i]).value
    return said
