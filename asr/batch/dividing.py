"""Divides a mixed leg between its two speakers, span by span, as its utterances are found.

In: the utterances of a file, and an encoder of voices.
Out: utterances each of which one person speaks, numbered anew; at last the facts, which say whose each is.
Not known here: how voices are encoded, what is said, which of the two is the operator.

Sound is held for one span only; of what was given out, one print an utterance is kept, so that the voices are
told apart by all that was heard, and who is who is decided over the whole file.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from asr.batch.speakers import (
    SURE_S,
    Pair,
    Prints,
    Voiced,
    Weights,
    are_distinct,
    leads_of,
    middle_of,
    owners_of,
    two_voices,
)
from asr.batch.turns import STEP_S, Spread, cut
from asr.batch.types import FileFacts
from asr.types import Party, Samples, Utterance

Encode: TypeAlias = Callable[[Samples], Prints]
"""The prints of the windows of a sound, at least one: see `asr.batch.turns`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DividingOptions:
    """Raises `ValueError` for values out of range."""

    span_s: float = 600.0
    """Speech that is held until it is divided."""
    cuts: bool = True
    """Whether utterances that both speak are cut; without, each is given to one of the two."""

    def __post_init__(self) -> None:
        if self.span_s <= 0:
            raise ValueError("span_s must be above 0.")


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """An utterance that waits, and what it sounds like."""

    utterance: Utterance
    prints: Prints

    @property
    def seconds(self) -> float:
        return self.utterance.end_s - self.utterance.start_s

    def voiced(self) -> Voiced:
        return Voiced(
            start_s=self.utterance.start_s, end_s=self.utterance.end_s, voice=middle_of(self.prints)
        )


def divided(
    utterances: Generator[Utterance, None, FileFacts],
    encode: Encode,
    options: DividingOptions | None = None,
) -> Generator[Utterance, None, FileFacts]:
    """Yield the utterances, those of a mixed leg divided; the facts are the generator's value."""
    options = options or DividingOptions()
    held: list[_Held] = []
    given: list[Voiced] = []
    others = 0
    while True:
        try:
            utterance = next(utterances)
        except StopIteration as end:
            facts: FileFacts = end.value
            break
        if utterance.party is not Party.MIXED:
            others += 1
            yield utterance
            continue
        held.append(_Held(utterance, encode(utterance.samples)))
        if sum(one.seconds for one in held) >= options.span_s:
            yield from _released(held, given, encode, options)
            held = []
    yield from _released(held, given, encode, options)
    owners = owners_of(given, _distinct(*_stacked(given)))
    return replace(facts, utterances=others + len(given), speakers=tuple(owners))


def _released(
    held: Sequence[_Held], given: list[Voiced], encode: Encode, options: DividingOptions
) -> Iterator[Utterance]:
    """Give out what waited, and note in `given` what it sounds like."""
    for one in _cut(held, given, encode) if options.cuts else held:
        given.append(one.voiced())
        yield replace(one.utterance, number=len(given))


def _cut(held: Sequence[_Held], given: Sequence[Voiced], encode: Encode) -> Sequence[_Held]:
    """Cut where the voice changes. Voices that are not distinct even then are one, and nothing is cut."""
    # in most windows one speaks alone, which cannot be said of utterances until they have been cut
    parts = _parts(held, two_voices(*_windows(held, given)), encode)
    parts = _parts(parts, two_voices(*_stacked([*given, *(one.voiced() for one in parts)])), encode)
    is_two = _distinct(*_stacked([*given, *(one.voiced() for one in parts)])) is not None
    return parts if is_two else held


def _parts(held: Sequence[_Held], pair: Pair | None, encode: Encode) -> list[_Held]:
    """Cut every utterance between two voices."""
    if pair is None:
        return list(held)
    spread = Spread.of(np.concatenate([leads_of(one.prints, pair) for one in held]))
    return [
        one if part is one.utterance else _Held(part, encode(part.samples))
        for one in held
        for part in cut(one.utterance, one.prints, pair, spread)
    ]


def _distinct(prints: Prints, weights: Weights) -> Pair | None:
    """The two voices, if they are two."""
    pair = two_voices(prints, weights)
    return pair if pair is not None and are_distinct(prints, weights, pair) else None


def _windows(held: Sequence[_Held], given: Sequence[Voiced]) -> tuple[Prints, Weights]:
    """Prints of all windows that wait, in which one mostly speaks alone, and of what was given out."""
    waiting = [one.prints for one in held if one.seconds >= SURE_S]
    prints, weights = _stacked(given)
    lengths = np.full(sum(map(len, waiting)), STEP_S, np.float32)
    there = [each for each in (prints, *waiting) if len(each)]
    return np.concatenate(there) if there else prints, np.concatenate([weights, lengths])


def _stacked(heard: Sequence[Voiced]) -> tuple[Prints, Weights]:
    sure = [one for one in heard if one.seconds >= SURE_S]
    weights = np.array([one.seconds for one in sure], np.float32)
    return np.stack([one.voice for one in sure]) if sure else np.zeros((0, 0), np.float32), weights
