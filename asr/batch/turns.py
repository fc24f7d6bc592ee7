"""Finds where one speaker takes over from the other without a pause, and cuts there.

In: an utterance, the prints of its windows, two voices and how they are spread.
Out: the utterance in as many parts as there are turns.
Not known here: how prints are made, what is said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from asr.batch.speakers import Pair, Prints, leads_of
from asr.types import SAMPLE_RATE_HZ, Samples, Utterance

WINDOW_S, STEP_S = 1.6, 0.4
"""What one print is of, and how far it lies from the next."""

_CHANGE = 16.0
"""What a change of voice must explain: a log likelihood, summed over windows each of which shares three
quarters of its sound with the next. From 12 to 24 nearly the same cuts were made: docs/transcribe.md."""
_SEARCHED_S = 0.6  # to either side of a change, for a quiet place
_QUIET_S = 0.1
_LEAST_S = 0.3  # of a part


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the leads of two voices' windows lie, taken as normal with one width."""

    first: float
    second: float
    width: float

    @classmethod
    def of(cls, leads: NDArray[np.float32]) -> "Spread":
        """Measure it, each window counted with the voice it is nearer to."""
        sides = [leads[leads > 0], leads[leads <= 0]]
        first, second = (float(side.mean()) if len(side) else 0.0 for side in sides)
        off = np.concatenate([sides[0] - first, sides[1] - second])
        return cls(first=first, second=second, width=max(float(off.std()), 1e-3))

    def weigh(self, leads: NDArray[np.float32]) -> NDArray[np.float32]:
        """The log likelihood of the first against the second, window by window."""
        slope = (self.first - self.second) / self.width**2
        weighed: NDArray[np.float32] = slope * (leads - (self.first + self.second) / 2)
        return weighed


def changes_of(weighed: Sequence[float]) -> list[int]:
    """The windows from which the other voice speaks, by the likeliest course of changes that are worth it."""
    best = [0.0, 0.0]  # of courses that end with the first, with the second
    came_from: list[tuple[int, int]] = []
    for one in weighed:
        first, second = best
        came_from.append((int(second - _CHANGE > first), int(first - _CHANGE <= second)))
        best = [max(first, second - _CHANGE) + one / 2, max(second, first - _CHANGE) - one / 2]
    voice = int(best[1] > best[0])
    changes: list[int] = []
    for number in range(len(came_from) - 1, 0, -1):
        earlier = came_from[number][voice]
        if earlier != voice:
            changes.append(number)
        voice = earlier
    return changes[::-1]


def cut(utterance: Utterance, prints: Prints, pair: Pair, spread: Spread) -> Iterator[Utterance]:
    """Give the parts; the utterance itself where one voice speaks all of it."""
    changes = changes_of(spread.weigh(leads_of(prints, pair)).tolist())
    # a change lies between the middles of two windows
    places = [_quietest(utterance.samples, (WINDOW_S + STEP_S * (2 * at - 1)) / 2) for at in changes]
    bounds = [0, *sorted({place for place in places if place}), len(utterance.samples)]
    if len(bounds) == 2:
        yield utterance
        return
    for start, end in pairwise(bounds):
        yield _part(utterance, start, end)


def _quietest(samples: Samples, around_s: float) -> int | None:
    """The sample in the middle of the quietest tenth of a second near a place; None at the very edge."""
    low = round(max(around_s - _SEARCHED_S, _LEAST_S) * SAMPLE_RATE_HZ)
    high = min(
        round((around_s + _SEARCHED_S) * SAMPLE_RATE_HZ), len(samples) - round(_LEAST_S * SAMPLE_RATE_HZ)
    )
    width = round(_QUIET_S * SAMPLE_RATE_HZ)
    if high - low <= width:
        return None
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples[low:high], dtype=np.float64))])
    return low + width // 2 + int(np.argmin(energy[width:] - energy[:-width]))


def _part(utterance: Utterance, start: int, end: int) -> Utterance:
    """What is heard of it from one sample to another; speech is taken to be spread evenly."""
    share = (end - start) / len(utterance.samples)
    end_s = utterance.start_s + end / SAMPLE_RATE_HZ
    return replace(
        utterance,
        start_s=utterance.start_s + start / SAMPLE_RATE_HZ,
        end_s=end_s,
        samples=utterance.samples[start:end].copy(),
        speech_end_s=min(utterance.speech_end_s, end_s),
        voiced_s=utterance.voiced_s * share,
    )
