"""Opens the engine that fits a folder of weights.

In: a folder, and how a model is to be run. Out: a `Transcriber`, and how many batches it takes at a time.
Not known here: where the folder comes from, what is done with the text.
"""

from pathlib import Path
from typing import Protocol

from asr.sherpa import SherpaOptions, is_sherpa_folder, open_sherpa
from asr.transcriber import Transcriber, WhisperOptions, WhisperTranscriber


class Described(Protocol):
    """What is told of an engine, wherever it is."""

    @property
    def workers(self) -> int:
        """How many batches may be decoded at the same time."""
        ...

    @property
    def name(self) -> str:
        """What it is called, e.g. `Whisper (CTranslate2)`."""
        ...

    @property
    def device(self) -> str:
        """Where it runs: `cpu` or `cuda`."""
        ...

    @property
    def compute_type(self) -> str | None:
        """The number format it computes in; None where it does not tell."""
        ...


class Engine(Transcriber, Described, Protocol):
    """A transcriber that knows its machine."""


def open_engine(folder: Path, options: WhisperOptions | None = None) -> Engine:
    """Load the model: by sherpa-onnx where the folder holds `tokens.txt` and an ONNX file, else as Whisper.

    Of the options device, workers, threads and language hold for both. Raises `AsrError` as `open_sherpa`
    does, and what CTranslate2 raises where the folder holds no model of its kind.
    """
    options = options or WhisperOptions()
    if not is_sherpa_folder(folder):
        return WhisperTranscriber(folder, options)
    return open_sherpa(
        folder,
        SherpaOptions(
            provider="cuda" if options.device == "cuda" else "cpu",
            workers=options.workers,
            threads=options.threads or 1,
            language=options.language,
        ),
    )
