"""Parts for the tests of the ears: sounds, scripted engines, and a way to run a call."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from asr.batch.basket import BasketOptions
from asr.batch.recorded import HearingOptions, RecordedEars
from asr.batch.run import RunOptions
from asr.pool_options import PoolOptions
from asr.transcriber import Transcriber
from asr.types import SAMPLE_RATE_HZ, AudioFrame, Hypothesis, Party, Samples, Utterance
from asr.vad import WINDOW, Probabilities
from asr.worker import RecognitionPool

SPEECH = Path(__file__).parent / "data" / "two_turns.flac"
"""12.4 s of a call: citizen left, then operator right, 8 kHz."""
SPEECH_TEXT = {
    Party.CITIZEN: "你好，我要投诉一个出租车。昨天晚上我从机场出来坐车到东港，"
    "司机说晚上不打表，一口价一百二。",
    Party.OPERATOR: "是停在机场候客区的出租车吗，有顶灯的那种？",
}


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), dtype=np.float32)


def loud(seconds: float, level: float = 0.5) -> Samples:
    """What `LoudnessDetector` takes for speech."""
    return np.full(round(seconds * SAMPLE_RATE_HZ), level, dtype=np.float32)


class LoudnessDetector:
    """A detector for which loudness is speech: the probability of a window is its mean level."""

    def new_leg(self) -> "LoudnessDetector":
        return LoudnessDetector()

    def detect(self, samples: Samples) -> Probabilities:
        return np.abs(samples).reshape(-1, WINDOW).mean(axis=1) * 2

    def reset(self) -> None:
        pass


class LengthTranscriber:
    """Hears in every clip how long it is, and remembers what it was asked.

    `gate` holds it up until it is set; `fail` decides which clips it fails on.
    """

    def __init__(self, fail: Callable[[Samples], bool] = lambda clip: False) -> None:
        self.batches: list[list[float]] = []
        self.beams: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self._fail = fail

    def transcribe(
        self,
        clips: Sequence[Samples],
        *,
        beam_size: int = 1,
        retry: bool = True,
        word_times: bool = False,
    ) -> list[Hypothesis]:
        self.batches.append([round(len(clip) / SAMPLE_RATE_HZ, 3) for clip in clips])
        self.beams.append(beam_size)
        assert self.gate.wait(120)
        if any(self._fail(clip) for clip in clips):
            raise RuntimeError("the engine broke down")
        return [self.hear(clip) for clip in clips]

    def hear(self, clip: Samples) -> Hypothesis:
        return Hypothesis(text=f"有{len(clip) / SAMPLE_RATE_HZ:.3f}秒", avg_logprob=-0.2, no_speech_prob=0.1)


class DeafTranscriber(LengthTranscriber):
    """Hears something while an utterance is young, and nothing in clips above `deaf_from_s`."""

    def __init__(self, deaf_from_s: float) -> None:
        super().__init__()
        self._deaf_from_s = deaf_from_s

    def hear(self, clip: Samples) -> Hypothesis:
        if len(clip) / SAMPLE_RATE_HZ >= self._deaf_from_s:
            return Hypothesis(text="", avg_logprob=-2.0, no_speech_prob=0.9)
        return super().hear(clip)


def utterance(
    seconds: float = 1.0,
    *,
    call_id: str = "C1",
    party: Party = Party.CITIZEN,
    number: int = 1,
    is_closed: bool = True,
    is_settled: bool = False,
    is_guess: bool = False,
    pause_s: float = 0.0,
) -> Utterance:
    return Utterance(
        call_id=call_id,
        party=party,
        number=number,
        start_s=0.0,
        end_s=seconds,
        samples=loud(seconds),
        is_closed=is_closed,
        is_settled=is_settled,
        is_guess=is_guess,
        voiced_s=seconds,
        speech_end_s=round(seconds - pause_s, 3),
    )


def cut_into_frames(
    samples: Samples, *, party: Party = Party.CITIZEN, start_s: float = 0.0, frame_s: float = 0.1
) -> list[AudioFrame]:
    step = round(frame_s * SAMPLE_RATE_HZ)
    return [
        AudioFrame(
            call_id="C1",
            party=party,
            start_s=start_s + at / SAMPLE_RATE_HZ,
            samples=samples[at : at + step],
        )
        for at in range(0, len(samples), step)
    ]


async def flowing(frames: Sequence[AudioFrame]) -> AsyncIterator[AudioFrame]:
    for frame in frames:
        yield frame


async def until(is_so: Callable[[], bool], *, wait_s: float = 60) -> None:
    """Wait for what another thread brings about."""
    async with asyncio.timeout(wait_s):
        while not is_so():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.001)


@asynccontextmanager
async def ears_for_recordings(transcriber: Transcriber) -> AsyncIterator[RecordedEars]:
    """The ears of a server for recordings: a real pool, whatever hears in it."""

    def fingerprint(hearing: HearingOptions) -> str:
        return f"scripted {hearing}"

    async with RecognitionPool(transcriber, PoolOptions(workers=2)) as pool:
        yield RecordedEars(
            model="scripted",
            transcribe=pool.recorded.transcribe,
            lexicon=lambda: None,
            fingerprint=fingerprint,
            sharing=RunOptions(workers=2, basket=BasketOptions(max_batch=2, max_batch_s=30.0)),
        )
