"""Rows of features, each with the answer to: does this article help at this moment.

In: lessons, a search.
Out: `Rows` to train and to judge a model on.
Not known here: the model.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.types import Party, Segment
from retrieval.evidence import FEATURES, features, follow
from retrieval.query import Dialogue, hear
from retrieval.types import Findings, Query
from scripts.call_data import ReferenceCall, Turn
from scripts.dialogues import Lesson

FOUND = 14
"""Matches that a search must find, so that ten are left where the answers are taken away."""

Find = Callable[[Query], Findings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Labelled rows."""

    features: NDArray[np.float64]
    """(n, features)."""
    helps: NDArray[np.bool_]
    """(n,)."""
    groups: tuple[str, ...]
    """The call or dialogue of each row: one group is never split between training and testing."""
    forms: tuple[str, ...]
    """The form of text of each row."""

    def where(self, chosen: NDArray[np.bool_]) -> "Rows":
        """Only the chosen rows."""
        places = np.flatnonzero(chosen)
        return Rows(
            features=self.features[places],
            helps=self.helps[places],
            groups=tuple(self.groups[i] for i in places),
            forms=tuple(self.forms[i] for i in places),
        )


def label(lessons: Iterable[Lesson], find: Find, *, k: int = 10) -> Rows:
    """Search as a live call would and label every match.

    An article helps when the turn that caused the search lists it; where that turn lists nothing,
    when the call so far does. In a lesson `without_answer` the articles that would help are taken from
    what was found, as if nobody had written them.
    """
    parts: list[Rows] = []
    for lesson in lessons:
        dialogue = Dialogue(call_id=lesson.call.call_id)
        trail: dict[str, float] = {}
        topics = frozenset().union(*(turn.relevant_topics for turn in lesson.call.turns))
        for segment in lesson.segments:
            dialogue, query = hear(dialogue, segment)
            if query is None:
                continue
            matches = find(query).matches
            if lesson.without_answer:
                matches = tuple(match for match in matches if match.article.article_id not in topics)
            matches = matches[:k]
            rows = features(query, matches, trail)
            trail = follow(trail, query, matches)
            good = _helpful(lesson.call, segment)
            parts.append(
                Rows(
                    features=rows,
                    helps=np.array([match.article.article_id in good for match in matches], bool),
                    groups=(lesson.call.call_id,) * len(matches),
                    forms=(lesson.form,) * len(matches),
                )
            )
    return join(parts)


def join(parts: Sequence[Rows]) -> Rows:
    """Put rows together."""
    return Rows(
        features=np.vstack([np.zeros((0, len(FEATURES))), *(part.features for part in parts)]),
        helps=np.concatenate([np.zeros(0, bool), *(part.helps for part in parts)]),
        groups=tuple(group for part in parts for group in part.groups),
        forms=tuple(form for part in parts for form in part.forms),
    )


def _helpful(call: ReferenceCall, segment: Segment) -> frozenset[str]:
    turn = max(
        (turn for turn in call.turns if _may_be(turn, segment)),
        key=lambda turn: min(turn.end_s, segment.end_s) - max(turn.start_s, segment.start_s),
        default=None,
    )
    if turn is not None and turn.relevant_topics:
        return turn.relevant_topics
    begun = (turn.relevant_topics for turn in call.turns if turn.start_s < segment.end_s)
    return frozenset().union(*begun)


def _may_be(turn: Turn, segment: Segment) -> bool:
    return turn.party is segment.party or Party.MIXED in (turn.party, segment.party)
