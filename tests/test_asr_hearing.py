"""The ears of every call: each call goes on as it was when it began, the next one takes up what was set."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np

from asr.hearing import Hearing
from asr.stream import StreamOptions
from asr.types import AudioFrame, Hypothesis, Samples
from asr.wording import Wording
from asr.worker import RecognitionPool
from tests.asr_parts import LengthTranscriber, LoudnessDetector, cut_into_frames, loud, quiet


class HesitantTranscriber(LengthTranscriber):
    """Hears somebody hesitate in every clip."""

    def hear(self, clip: Samples) -> Hypothesis:
        return Hypothesis(text="嗯，路灯坏了", avg_logprob=-0.2, no_speech_prob=0.1)


async def test_fillers_go_from_the_next_call_on(tmp_path: Path) -> None:
    keeps_fillers = True
    sound = np.concatenate([quiet(0.3), loud(1.5), quiet(1.5)])

    async def frames(then: bool) -> AsyncIterator[AudioFrame]:
        nonlocal keeps_fillers
        for frame in cut_into_frames(np.concatenate([sound, sound])):
            yield frame
            if frame.start_s > 2.0:
                keeps_fillers = then  # somebody sets it while the call runs

    async with RecognitionPool(HesitantTranscriber()) as pool:
        hearing = Hearing(
            pool,
            detector=LoudnessDetector(),
            wording=Wording(tmp_path / "lexicon.csv"),
            options=lambda: StreamOptions(keep_fillers=keeps_fillers),
        )

        async def heard(then: bool) -> list[str]:
            segments = hearing.recognise("C1", frames(then), {})
            return [segment.text for segment in [one async for one in segments] if segment.is_final]

        assert await heard(then=False) == ["嗯，路灯坏了。"] * 2
        assert await heard(then=True) == ["路灯坏了。"] * 2
        assert await heard(then=True) == ["嗯，路灯坏了。"] * 2
