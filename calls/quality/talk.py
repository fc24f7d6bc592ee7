"""A call as its quality is judged: who spoke when, and words that are found as they sound.

In: finals of a call. Out: utterances in order, places of words in them, gaps and overlaps.
Not known here: rules, scores.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from asr.types import Party, Segment
from calls.quality.types import Evidence
from calls.safety.sounding import Place, Sounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One utterance, ready to be searched."""

    segment: Segment
    sounding: Sounding

    @property
    def is_operators(self) -> bool:
        """Whether the operator said it."""
        return self.segment.party is Party.OPERATOR

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.segment.end_s - self.segment.start_s

    @property
    def characters(self) -> str:
        """What was said, without punctuation."""
        return self.sounding.characters

    def find(self, words: Iterable[str]) -> Evidence | None:
        """The first place of any of the words, by text or by sound."""
        places = [place for word in words for place in self.sounding.places(word, by_sound=True)]
        return self.evidence(min(places)) if places else None

    def evidence(self, place: Place | None = None) -> Evidence:
        """Words of it, or all of it."""
        start, end = self.sounding.span(place) if place else (0, len(self.segment.text))
        return Evidence(
            segment_id=self.segment.segment_id,
            start_s=self.segment.start_s,
            said=self.segment.text,
            start=start,
            end=end,
        )

    def pairs(self) -> set[str]:
        """Neighbouring characters, by their sound: the ears spell each leg on its own."""
        return {one + other for one, other in pairwise(self.sounding.sounds)}


def talk_of(segments: Iterable[Segment]) -> list[Said]:
    """The utterances in which something was said, in order."""
    said = [Said(segment=one, sounding=Sounding(one.text)) for one in segments]
    return sorted((one for one in said if one.characters), key=lambda one: one.segment.start_s)


def silences(talk: Sequence[Said], until_s: float) -> Iterator[tuple[float, Said | None]]:
    """Stretches in which nobody speaks, in seconds, each with what was said before."""
    heard_s = 0.0
    before: Said | None = None
    for one in talk:
        if one.segment.start_s > heard_s:
            yield one.segment.start_s - heard_s, before
        if one.segment.end_s > heard_s:
            heard_s, before = one.segment.end_s, one
    if until_s > heard_s:
        yield until_s - heard_s, before


def interruptions(talk: Sequence[Said], *, overlap_s: float) -> Iterator[tuple[Said, float]]:
    """What the operator began while the citizen spoke, with the seconds in which both did."""
    theirs = [one for one in talk if not one.is_operators]
    for own in talk:
        if not own.is_operators:
            continue
        for other in theirs:
            both_s = min(own.segment.end_s, other.segment.end_s) - own.segment.start_s
            if other.segment.start_s < own.segment.start_s and both_s >= overlap_s:
                yield own, both_s
                break
