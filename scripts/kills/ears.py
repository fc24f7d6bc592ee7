"""Ears that write down which sound they heard: media time and a hash, one line for each second of a leg.

In: settings. Out: `Engines` without weights; a line's text can be held against the sound that was sent.
Not known here: who kills whom.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent_ui.engines import Engines
from agent_ui.settings import Settings
from agent_ui.tuning import Tuning
from asr.types import SAMPLE_RATE_HZ, AudioFrame, Party, Segment
from scripts.silent_engines import open_silent_engines

_STEP = SAMPLE_RATE_HZ
_WORKS_S = 0.01
"""What hearing a second of sound takes."""
_STALLS_S = 1.5
_STALLS_EACH = 25
"""One second in so many takes the ears that long."""
_DANGER_EACH = 9
"""One second in so many holds a word that raises an alarm."""


Hear: TypeAlias = Callable[[str, Party, int, NDArray[np.int16], int], Awaitable[str]]
"""Call, leg, number of the line, its sound, the sample of the call at which it begins → its text."""


def mark_of(samples: NDArray[np.int16]) -> str:
    """What is heard in that sound of one leg, shape (n,): twelve signs that no other sound has."""
    return blake2b(samples.astype("<i2").tobytes(), digest_size=6).hexdigest()


def line_of(samples: NDArray[np.int16], start: int) -> str:
    """The text of that sound of one leg, shape (n,), beginning at sample `start` of the call."""
    mark = mark_of(samples)
    danger = "，这里着火了" if start // _STEP % _DANGER_EACH == _DANGER_EACH - 1 else ""
    return f"{start}到{start + len(samples)}听到{mark}{danger}"


@asynccontextmanager
async def open_marking_engines(settings: Settings, tuning: Callable[[], Tuning]) -> AsyncIterator[Engines]:
    """Open them."""
    async with open_silent_engines(settings, tuning) as engines:
        yield replace(engines, calls=replace(engines.calls, recognise=recognise))


@dataclass(slots=True)
class _Leg:
    start: int
    """Sample of the call at which what is collected begins."""
    collected: list[NDArray[np.int16]] = field(default_factory=list)
    n_samples: int = 0

    @property
    def end(self) -> int:
        return self.start + self.n_samples


async def hear_here(call_id: str, party: Party, number: int, samples: NDArray[np.int16], start: int) -> str:
    """Hear a line in this process, mostly soon."""
    if len(samples) == _STEP - start % _STEP:  # what a jump or the end cuts short is there at once
        await asyncio.sleep(_work_s(call_id, start + len(samples)))
    return line_of(samples, start)


def recognise(
    call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
) -> AsyncIterator[Segment]:
    """Hear a call in this process."""
    return recognise_by(hear_here, call_id, frames, numbers)


async def recognise_by(
    hear: Hear, call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
) -> AsyncIterator[Segment]:
    """A partial and a final for each whole second of a leg; a jump and the end cut shorter ones."""
    counts = dict(numbers)
    legs: dict[Party, _Leg] = {}

    async def heard(party: Party, upto: int) -> list[Segment]:
        leg = legs[party]
        whole = np.concatenate(leg.collected)
        samples, rest = whole[: upto - leg.start], whole[upto - leg.start :]
        counts[party] = counts.get(party, 0) + 1
        final = Segment(
            call_id=call_id,
            segment_id=f"{party}-{counts[party]}",
            party=party,
            start_s=leg.start / SAMPLE_RATE_HZ,
            end_s=upto / SAMPLE_RATE_HZ,
            text=await hear(call_id, party, counts[party], samples, leg.start),
            raw_text="",
            is_final=True,
        )
        leg.start, leg.collected, leg.n_samples = upto, [rest], len(rest)
        return [replace(final, text=final.text[:4], is_final=False), final]

    async for frame in frames:
        begin = round(frame.start_s * SAMPLE_RATE_HZ)
        leg = legs.setdefault(frame.party, _Leg(begin))
        if leg.end != begin:  # something was skipped
            if leg.n_samples:
                for segment in await heard(frame.party, leg.end):
                    yield segment
            leg.start = begin
        leg.collected.append(np.round(frame.samples * 32768.0).astype(np.int16))
        leg.n_samples += len(frame.samples)
        while leg.end >= (cut := (leg.start // _STEP + 1) * _STEP):
            for segment in await heard(frame.party, cut):
                yield segment
    for party, leg in legs.items():
        if leg.n_samples:
            for segment in await heard(party, leg.end):
                yield segment


def _work_s(call_id: str, cut: int) -> float:
    """Mostly short; the same for the same second of the same call."""
    is_stalled = zlib.crc32(f"{call_id} {cut}".encode()) % _STALLS_EACH == 0
    return _STALLS_S if is_stalled else _WORKS_S
