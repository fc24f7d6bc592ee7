"""Questions that found nothing good, put together by likeness.

In: questions, newest first, with a vector each.
Out: `Group`s, largest first.
Not known here: where the questions came from, what becomes of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from asr.types import Segment
from retrieval.assistant import CallAssistant
from retrieval.vectors import Vector, Vectors

_USUAL = 64
"""Texts whose mean stands for the model's usual vector."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Questions that ask for the same."""

    places: tuple[int, ...]
    """Indexes into the questions, the one nearest to all others first."""


def group(vectors: Vectors, *, usual: Vector, likeness: float = 0.45) -> tuple[Group, ...]:
    """Put each question, (n, dimension), with the group whose middle is nearest, if it is near enough.

    `usual` is the mean of many vectors of the model and is taken away first: all its vectors point the
    same way, and only what differs from it tells questions apart. `likeness` is the cosine of what is left.
    """
    vectors = vectors - usual
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    middles: list[np.ndarray] = []
    members: list[list[int]] = []
    for place, vector in enumerate(vectors):
        cosines = [float(middle @ vector / np.linalg.norm(middle)) for middle in middles]
        best = int(np.argmax(cosines)) if cosines else -1
        if best >= 0 and cosines[best] >= likeness:
            members[best].append(place)
            middles[best] = middles[best] + vector
        else:
            members.append([place])
            middles.append(vector)
    found = []
    for middle, places in zip(middles, members, strict=True):
        found.append(Group(places=tuple(sorted(places, key=lambda place: -float(vectors[place] @ middle)))))
    return tuple(sorted(found, key=lambda one: -len(one.places)))


def usual_vector(embed: Callable[[str], Vector], texts: Sequence[str]) -> Vector:
    """The mean of the vectors of some of the texts, from all over them."""
    some = texts[:: max(1, len(texts) // _USUAL)][:_USUAL]
    return np.mean([embed(text) for text in some], axis=0) if some else np.zeros(1, np.float32)


def asked_in(call_id: str, segments: Sequence[Segment]) -> tuple[str, ...]:
    """The segments of a call in which something was asked, as the live assistant would have heard it."""
    assistant = CallAssistant(call_id)
    queries = (assistant.ask(segment) for segment in segments)
    return tuple(query.segment_id for query in queries if query is not None)
