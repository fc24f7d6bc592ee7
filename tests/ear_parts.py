"""Parts for the tests of ears on other machines: a scripted model that a real actor opens."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from asr.remote.types import EarFigures, Opened, RemoteFigures
from asr.types import SAMPLE_RATE_HZ, Hypothesis, Samples

FINGERPRINT = "scripted"
_EAR = EarFigures(
    name="a/1", state="ready", device="cpu", workers=2, busy=0.25, pending=1, batches=7, age_s=60.0
)
REMOTE = RemoteFigures(
    ears=(_EAR, replace(_EAR, name="b/1", state="silent", batches=3)),
    is_linked=True,
    trouble=None,
    deaf_s=0.0,
    is_standing_in=False,
    calls=8,
    lost=2,
    redone=1,
    doubled=0,
)
"""One ear that works and one that does not answer."""


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
