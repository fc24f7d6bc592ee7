"""The calls of a trial: noise that never repeats, or the bundled calls one after the other.

In: a number, a length. Out: `SentCall`s, and what must have been heard of a leg.
Not known here: machines, who listens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.recordings import file_to_pcm
from asr.types import Segment
from scripts.call_data import ReferenceCall, Turn, read_calls, with_recordings
from scripts.kills.callers import RATE_HZ, SentCall
from scripts.kills.ears import mark_of
from scripts.machines.marking import line_of

_DEMO = Path(__file__).parents[1] / "demo"


def noise_call(number: int, seconds: float, token: str) -> SentCall:
    """A call in which both legs are heard all the time."""
    noise = np.random.default_rng(number).integers(-2000, 2000, (round(seconds * RATE_HZ), 2))
    return _call(number, noise.astype(np.int16), token)


def real_call(number: int, token: str) -> SentCall:
    """The bundled calls as one, twice; each number begins with another of them. Raises `ValueError`."""
    known = with_recordings(read_calls(_DEMO))
    known = 2 * (known[number % len(known) :] + known[: number % len(known)])
    pieces: list[NDArray[np.int16]] = []
    turns: list[Turn] = []
    at_s, rates = 0.0, set[int]()
    for reference, path in known:
        pcm = file_to_pcm(path)
        rates.add(pcm.sample_rate_hz)
        pieces.append(pcm.samples)
        turns += [
            replace(turn, start_s=turn.start_s + at_s, end_s=turn.end_s + at_s) for turn in reference.turns
        ]
        at_s += len(pcm.samples) / pcm.sample_rate_hz
    if len(rates) != 1:
        raise ValueError("the bundled calls are not of one rate")
    call = _call(number, np.concatenate(pieces), token)
    call.rate_hz = rates.pop()
    call.reference = ReferenceCall(
        call_id=call.call_id, parties=known[0][0].parties, seconds=at_s, turns=tuple(turns), recording=None
    )
    return call


def _call(number: int, samples: NDArray[np.int16], token: str) -> SentCall:
    return SentCall(
        call_id=f"m-{number}",
        operator_id=f"{number:03}",
        parties=("citizen", "operator"),
        samples=samples,
        speed=1.0,
        token=token,
        cuts=0.0,
    )


def check_noise(
    call: SentCall,
    leg: int,
    lines: Sequence[Segment],
    sound: NDArray[np.int16],
    _skipped: Sequence[tuple[float, float]],
) -> Iterator[str]:
    """Each line is what was sent there, and together they are the leg, from its first sample to its last."""
    at = 0
    for line in lines:
        start, end = round(line.start_s * call.rate_hz), round(line.end_s * call.rate_hz)
        if start > at:
            yield f"not heard from {at / call.rate_hz:.3f} to {line.start_s:.3f} s"
        elif start < at:
            yield f"heard twice from {line.start_s:.3f} to {at / call.rate_hz:.3f} s"
        if line.text != (said := line_of(mark_of(sound[start:end]), start, end)):
            yield f"{line.segment_id} says {line.text!r}; what was said there is {said!r}"
        at = end
    if at != len(sound):
        yield f"heard until {at / call.rate_hz:.3f} of {len(sound) / call.rate_hz:.3f} s"
