"""Counts how much of a call's speech got the right speaker or the right role.

In: what was really said when, and stretches of a recording with who is believed to speak there.
Out: `Share`s.
Not known here: how anybody comes to believe it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from asr.types import Party
from scripts.call_data import Turn

BOTH = (Party.CITIZEN, Party.OPERATOR)


class Stretch(NamedTuple):
    """A part of a recording, and who speaks there as far as anybody knows."""

    start_s: float
    end_s: float
    who: int | Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Seconds of the reference's speech in what was found, and how many of them got the right speaker."""

    right_s: float
    speech_s: float

    @property
    def rate(self) -> float:
        """1 where all are right."""
        return self.right_s / self.speech_s if self.speech_s else 1.0


def right_speakers(turns: Sequence[Turn], found: Sequence[Stretch]) -> Share:
    """Number the speakers in the way that is best for the whole call, and count."""
    one, other = (_right(turns, found, {1: first, 2: second}) for first, second in (BOTH, BOTH[::-1]))
    return max(one, other, key=lambda share: share.right_s)


def right_roles(turns: Sequence[Turn], found: Sequence[Stretch]) -> Share:
    """Count what is given to the party that said it."""
    return _right(turns, found, {party: party for party in BOTH})


def _right(turns: Sequence[Turn], found: Sequence[Stretch], parties: Mapping[int | Party, Party]) -> Share:
    right_s = speech_s = 0.0
    for stretch in found:
        for turn in turns:
            shared_s = max(0.0, min(stretch.end_s, turn.end_s) - max(stretch.start_s, turn.start_s))
            speech_s += shared_s
            right_s += shared_s if parties.get(stretch.who) is turn.party else 0.0
    return Share(right_s=right_s, speech_s=speech_s)


def pooled_share(shares: Iterable[Share]) -> float:
    """Add up, and say how much is right."""
    listed = list(shares)
    right_s, speech_s = sum(one.right_s for one in listed), sum(one.speech_s for one in listed)
    return Share(right_s=right_s, speech_s=speech_s).rate
