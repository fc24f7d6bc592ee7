"""Parts for the tests of ears on other machines: a scripted model that a real actor opens."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from asr.remote.types import Opened
from asr.types import SAMPLE_RATE_HZ, Hypothesis, Samples

FINGERPRINT = "scripted"


class WritingTranscriber:
    """Hears in every clip how long it is; writes into a folder which process had which clip.

    A file `hold` in the folder keeps it from answering as long as it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def transcribe(
        self,
        clips: Sequence[Samples],
        *,
        beam_size: int = 1,
        retry: bool = True,
        word_times: bool = False,
    ) -> list[Hypothesis]:
        for clip in clips:
            (self._folder / f"begun-{len(clip)}-{os.getpid()}").touch()
        while (self._folder / "hold").exists():
            time.sleep(0.01)
        return [
            Hypothesis(text=f"有{len(clip) / SAMPLE_RATE_HZ:.3f}秒", avg_logprob=-0.2, no_speech_prob=0.1)
            for clip in clips
        ]


def open_scripted(folder: Path, fingerprint: str = FINGERPRINT) -> Opened:
    return Opened(
        transcriber=WritingTranscriber(folder),
        fingerprint=fingerprint,
        engine="scripted",
        device="cpu",
        workers=1,
    )
