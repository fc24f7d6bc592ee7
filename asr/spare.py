"""Recorded sound that waits until live calls leave time for it, in an order that is fair.

In: errands: utterances of recordings, whose they are, and how thoroughly they are wanted.
Out: parts of errands, as long as the moment allows: first of those for whom somebody waits, and within
these of each owner in turn.
Not known here: threads, event loops, models, live calls.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from asr.types import SAMPLE_RATE_HZ, Hypothesis, Utterance

T = TypeVar("T")
_Turn: TypeAlias = tuple[bool, str]


@dataclass(slots=True, kw_only=True, eq=False)
class Errand(Generic[T]):
    """Utterances that belong together; `ticket` is whatever their owner needs to answer."""

    owner: str
    utterances: Sequence[Utterance]
    ticket: T
    beam_size: int
    word_times: bool = False
    is_awaited: bool = False
    """Somebody waits for the answer, as against a job that goes on by itself."""
    taken: int = 0
    """Utterances given out so far."""
    found: dict[int, Hypothesis] = field(default_factory=dict)
    """By place among the utterances."""

    @property
    def is_over(self) -> bool:
        """Whether everything was answered."""
        return len(self.found) == len(self.utterances)

    @property
    def answers(self) -> list[Hypothesis]:
        """What was found, in order."""
        return [self.found[place] for place in range(len(self.utterances))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[T]):
    """Utterances of one errand that are decoded together."""

    errand: Errand[T]
    first: int
    utterances: Sequence[Utterance]

    @property
    def seconds(self) -> float:
        """Length of its sound."""
        return sum(len(utterance.samples) for utterance in self.utterances) / SAMPLE_RATE_HZ

    def answer(self, found: Sequence[Hypothesis]) -> None:
        """Put what was heard where it belongs."""
        for place, hypothesis in enumerate(found, self.first):
            self.errand.found[place] = hypothesis


class SpareLane(Generic[T]):
    """The errands that wait; whoever shares it between threads locks it."""

    def __init__(self) -> None:
        self._turns: OrderedDict[_Turn, deque[Errand[T]]] = OrderedDict()

    def __len__(self) -> int:
        """How many utterances wait."""
        return sum(len(one.utterances) - one.taken for waiting in self._turns.values() for one in waiting)

    def add(self, errand: Errand[T]) -> None:
        """Take one more."""
        self._turns.setdefault((errand.is_awaited, errand.owner), deque()).append(errand)

    def drop(self, errand: Errand[T]) -> None:
        """Forget what still waits of an errand; unknown ones are ignored."""
        turn = (errand.is_awaited, errand.owner)
        waiting = self._turns.get(turn, deque())
        if errand in waiting:
            waiting.remove(errand)
            if not waiting:
                del self._turns[turn]

    def drop_all(self) -> list[Errand[T]]:
        """Forget all errands and give them back."""
        dropped = [errand for waiting in self._turns.values() for errand in waiting]
        self._turns.clear()
        return dropped

    def take(self, max_s: float | None) -> Part[T] | None:
        """Give the next part; with `max_s` of no more sound, each utterance counted as long as the longest.

        One utterance is always given.
        """
        turn = next((turn for turn in self._turns if turn[0]), next(iter(self._turns), None))
        if turn is None:
            return None
        errand = self._turns[turn][0]
        first, longest = errand.taken, 0
        for utterance in errand.utterances[first:]:
            longest = max(longest, len(utterance.samples))
            many = errand.taken - first + 1
            if max_s is not None and many > 1 and longest * many > max_s * SAMPLE_RATE_HZ:
                break
            errand.taken += 1
        if errand.taken == len(errand.utterances):
            self.drop(errand)
        if turn in self._turns:
            self._turns.move_to_end(turn)
        return Part(errand=errand, first=first, utterances=errand.utterances[first : errand.taken])
