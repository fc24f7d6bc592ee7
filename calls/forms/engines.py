"""What drafts the form of a call: the engine beside every call, and a slower one after its end.

In: the finals of a call. Out: a `Draft`.
Not known here: when somebody drafts, what becomes of a draft.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asr.types import Segment
from calls.wrapup.draft import Lore, drafted
from calls.wrapup.topics import Embed
from calls.wrapup.types import Draft

Drafting: TypeAlias = Callable[[Sequence[Segment], str], Draft | None]
"""(the finals so far, the number of the line) → a draft."""

SENTENCES = 512
"""Vectors that are remembered of one call; of a longer talk the oldest are made again."""


class DraftEngine(Protocol):
    """Drafts while people talk, again and again."""

    @property
    def name(self) -> str:
        """What the draft is said to be by."""

    def open(self) -> "Drafting":
        """Begin with one call; what is returned is called with its finals so far, in one thread at a time.

        It blocks, and answers None where nothing can be drafted for now. What it remembers of the call goes
        with it.
        """


class LateEngine(Protocol):
    """Drafts once more after the end of a call, and may take seconds for it."""

    @property
    def name(self) -> str:
        """What the draft is said to be by."""

    async def draft(self, segments: Sequence[Segment], *, embedded: Draft, caller: str) -> Draft | None:
        """A better draft of the whole call, or None. It ends in time by itself.

        Raises `ModelFailed` with what the screen of the call is told; the first draft stays.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedEngine:
    """Drafts without a language model."""

    lore: Callable[[], Lore | None]
    """What is known at the moment."""
    embed: Embed
    name: str = "embedded"

    def open(self) -> Drafting:
        """Begin with one call."""
        embed = remembering(self.embed)

        def draft(segments: Sequence[Segment], caller: str) -> Draft | None:
            lore = self.lore()
            return None if lore is None else drafted(segments, lore=lore, embed=embed, caller=caller)

        return draft


def remembering(embed: Embed, limit: int = SENTENCES) -> Embed:
    """The same, with the last texts remembered: each draft of a call asks for all of its sentences again."""
    known: dict[str, NDArray[np.float32]] = {}

    def remembered(text: str) -> NDArray[np.float32]:
        vector = known.pop(text, None)
        if vector is None:
            vector = embed(text)
        known[text] = vector  # the last one that was asked for is the last one to go
        if len(known) > limit:
            del known[next(iter(known))]
        return vector

    return remembered
