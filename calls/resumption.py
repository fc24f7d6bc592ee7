"""Where a call that was cut off goes on: read off what is on record of it.

In: the view of the call, the format of its sound. Out: a `Resumption`.
Not known here: files, engines, timers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    """What the ears had to skip before that, and have not heard afterwards on some leg."""
    missed_s: Mapping[Party, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    """Media time, from and to, that the ears skipped before `heard_s` of a leg and have not heard there."""

    def unheard_s(self, leg: Party) -> tuple[tuple[float, float], ...]:
        """Media time, from and to, that is to be heard on that leg."""
        return (*self.missed_s.get(leg, ()), (self.heard_s.get(leg, 0.0), math.inf))


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
    missed_s = {leg: _missed(view, leg, until_s) for leg, until_s in heard_s.items()}
    before = sorted(
        (start_s, min(end_s, everywhere_s))
        for missed in missed_s.values()
        for start_s, end_s in missed
        if start_s < everywhere_s
    )
    return Resumption(
        numbers=numbers,
        heard_s=heard_s,
        heard=audio_format.n_bytes(everywhere_s),
        skipped=tuple(
            Span(audio_format.n_bytes(start_s), audio_format.n_bytes(end_s))
            for start_s, end_s in _joined(before)
            if end_s - start_s >= _SHORTEST_S
        ),
        missed_s=missed_s,
    )


def _missed(view: CallView, leg: Party, until_s: float) -> tuple[tuple[float, float], ...]:
    """Skipped stretches less what that leg was heard of afterwards; from `until_s` it is heard anyway."""
    lines = [line for line in view.segments.values() if line.party == leg]
    missed = []
    for start_s, end_s in _joined(view.skipped):
        heard_s = [line.end_s for line in lines if start_s <= line.start_s < end_s]
        rest = (max(heard_s, default=start_s), min(end_s, until_s))
        if rest[1] - rest[0] >= _SHORTEST_S:
            missed.append(rest)
    return tuple(missed)


def _joined(stretches: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches that touch or overlap, as one."""
    joined: list[tuple[float, float]] = []
    for start_s, end_s in stretches:
        if joined and start_s - joined[-1][1] < 0.001:
            joined[-1] = (joined[-1][0], max(end_s, joined[-1][1]))
        else:
            joined.append((start_s, end_s))
    return joined
