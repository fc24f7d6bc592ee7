"""Where a call that was cut off goes on: read off what is on record of it.

In: the view of the call, the format of its sound. Out: a `Resumption`.
Not known here: files, engines, timers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from asr.types import Party
from calls.line import Span
from calls.types import AudioFormat
from calls.view import CallView

_SHORTEST_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """Where a call that is taken up again goes on."""

    numbers: Mapping[Party, int]
    """The last utterance number of each leg."""
    heard_s: Mapping[Party, float]
    """Media time up to which each leg is final; sound before it is not heard again."""
    heard: int = 0
    """Bytes of sound before which every leg is final."""
    skipped: tuple[Span, ...] = ()
    """What the ears had to skip before that, and have not heard afterwards."""


NO_RESUMPTION = Resumption(numbers={}, heard_s={})


def resumption_of(view: CallView, audio_format: AudioFormat) -> Resumption:
    """Read it off the finals and off what was skipped."""
    numbers: dict[Party, int] = {}
    heard_s: dict[Party, float] = {}
    for segment in view.segments.values():
        number = int(segment.segment_id.rpartition("-")[2])
        numbers[segment.party] = max(number, numbers.get(segment.party, 0))
        heard_s[segment.party] = max(segment.end_s, heard_s.get(segment.party, 0.0))
    everywhere_s = min(heard_s.get(Party(channel), 0.0) for channel in audio_format.channels)
    return Resumption(
        numbers=numbers,
        heard_s=heard_s,
        heard=audio_format.n_bytes(everywhere_s),
        skipped=tuple(
            Span(audio_format.n_bytes(start_s), audio_format.n_bytes(end_s))
            for start_s, end_s in _unheard(view, everywhere_s)
        ),
    )


def _unheard(view: CallView, until_s: float) -> list[tuple[float, float]]:
    """Skipped stretches, each less what was heard of it afterwards; from `until_s` all is heard anyway."""
    joined: list[tuple[float, float]] = []
    for start_s, end_s in view.skipped:
        if joined and start_s - joined[-1][1] < 0.001:
            joined[-1] = (joined[-1][0], end_s)
        else:
            joined.append((start_s, end_s))
    unheard = []
    for start_s, end_s in joined:
        heard_s = [line.end_s for line in view.segments.values() if start_s <= line.start_s < end_s]
        rest = (max(heard_s, default=start_s), min(end_s, until_s))
        if rest[1] - rest[0] >= _SHORTEST_S:
            unheard.append(rest)
    return unheard
