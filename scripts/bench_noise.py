"""Lets the ears listen to lines on which nobody speaks, and counts what they write down.

In: a model's engine, seconds of each sound. Out: characters per sound, which ought to be none.
Not known here: servers, how the sounds are made.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from asr.pool_options import PoolOptions
from asr.stream import recognise_call
from asr.transcriber import Transcriber
from asr.types import SAMPLE_RATE_HZ, AudioFrame, Party
from asr.vad import SileroDetector
from asr.worker import RecognitionPool
from scripts.line_sounds import SOUNDS, make_sound

_FRAME = round(0.1 * SAMPLE_RATE_HZ)
_PIECE_S = 30.0  # a fresh piece of a sound begins here, so that rare events get their chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written down of one sound."""

    sound: str
    seconds: float
    characters: int
    utterances: int
    """Stretches that were taken for speech, whether or not anything was written."""


async def listen_to_sounds(transcriber: Transcriber, seconds: float) -> list[Written]:
    """Listen to so much of each sound; partials count as well as finals."""
    detector = SileroDetector()
    found = []
    async with RecognitionPool(transcriber, PoolOptions(workers=2)) as pool:
        for name in SOUNDS:
            before = pool.stats()
            characters = 0
            async for segment in recognise_call(_frames(name, seconds), pool=pool, detector=detector):
                characters += len(segment.text)
            found.append(
                Written(
                    sound=name,
                    seconds=seconds,
                    characters=characters,
                    utterances=pool.stats().finals - before.finals,
                )
            )
    return found


async def _frames(name: str, seconds: float) -> AsyncIterator[AudioFrame]:
    position = 0
    for piece in range(round(seconds / _PIECE_S) or 1):
        sound = make_sound(name, min(_PIECE_S, seconds), seed=piece)
        for at in range(0, len(sound), _FRAME):
            yield AudioFrame(
                call_id=name,
                party=Party.MIXED,
                start_s=position / SAMPLE_RATE_HZ,
                samples=sound[at : at + _FRAME],
            )
            position += len(sound[at : at + _FRAME])
