"""Finds speech: samples of one leg become speech probabilities, one per window of 32 ms.

In: whole windows of 512 samples at 16 kHz.
Out: one probability per window, with the network's memory kept from window to window.
Not known here: utterances, pauses, calls. Model: Silero VAD 6 (MIT), the file packaged by faster-whisper.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from asr.types import SAMPLE_RATE_HZ, Samples

WINDOW = 512
"""Samples in one window."""
WINDOW_S = WINDOW / SAMPLE_RATE_HZ
_CONTEXT = 64  # samples of the window before that the network sees again
_STATE = (1, 1, 128)

Probabilities: TypeAlias = NDArray[np.float32]
"""Shape (windows,), each in [0, 1]."""


class LegDetector(Protocol):
    """Holds the memory of one leg, so that one shared model can listen to many."""

    def detect(self, samples: Samples) -> Probabilities:
        """Judge whole windows, shape (windows * 512,), that follow those judged before."""
        ...

    def reset(self) -> None:
        """Forget what was heard: the next samples do not follow the last ones."""
        ...


class SpeechDetector(Protocol):
    """A model shared by all legs; safe to use from several threads at once."""

    def new_leg(self) -> LegDetector:
        """Begin to listen to one more leg."""
        ...


class SileroDetector:
    """The Silero network in one single-threaded ONNX session."""

    def __init__(self, path: Path | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(path or packaged_model()), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def new_leg(self) -> "SileroLeg":
        """Begin to listen to one more leg."""
        return SileroLeg(self._session)


class SileroLeg:
    """One leg's recurrent state and the last samples of its last window."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._h = np.zeros(_STATE, dtype=np.float32)
        self._c = np.zeros(_STATE, dtype=np.float32)
        self._context = np.zeros(_CONTEXT, dtype=np.float32)

    def detect(self, samples: Samples) -> Probabilities:
        """Judge whole windows, shape (windows * 512,). Raises `ValueError` where a window is not whole."""
        if len(samples) % WINDOW:
            raise ValueError(f"{len(samples)} samples are not whole windows of {WINDOW}.")
        if not len(samples):
            return np.zeros(0, dtype=np.float32)
        windows = samples.reshape(-1, WINDOW)
        before = np.vstack([self._context, windows[:-1, -_CONTEXT:]])  # (windows, 64)
        found, self._h, self._c = self._session.run(
            None, {"input": np.hstack([before, windows]), "h": self._h, "c": self._c}
        )
        self._context = windows[-1, -_CONTEXT:].copy()
        return np.asarray(found, dtype=np.float32).reshape(-1)


def packaged_model() -> Path:
    """Find the network's file without importing the package that carries it.

    Raises `FileNotFoundError` where that package is not installed or carries no such file.
    """
    spec = find_spec("faster_whisper")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted((Path(folder) / "assets").glob("silero_vad*.onnx")):
            return path
    raise FileNotFoundError("faster-whisper, which carries the Silero network, is not installed.")
