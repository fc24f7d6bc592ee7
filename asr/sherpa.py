"""A second engine: SenseVoice and Paraformer models through sherpa-onnx, behind the same `Transcriber`.

In: clips of one leg's speech, 16 kHz, and a folder with `tokens.txt` and the model's ONNX file.
Out: one `Hypothesis` per clip, in order; loops and inventions are sorted out as for Whisper.
Not known here: calls, queues, event loops, how text is made readable.

These models tell neither how sure they are nor whether anybody spoke, decode greedily and in one pass: the
beam and the retries that the protocol offers mean nothing to them. `docs/engines.md` says what was run.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

from asr.guard import is_loop, without_credits
from asr.types import SAMPLE_RATE_HZ, AsrError, Hypothesis, Samples, Word


class SherpaKind(StrEnum):
    """Which family a model is of."""

    SENSE_VOICE = "sense_voice"
    PARAFORMER = "paraformer"


class Result(Protocol):
    """What was recognised."""

    text: str
    tokens: Sequence[str]
    timestamps: Sequence[float]
    """Seconds at which the tokens begin; empty where the model does not tell."""


class Stream(Protocol):
    """One clip on its way through the recogniser."""

    @property
    def result(self) -> Result:
        """Known after decoding."""

    def accept_waveform(self, sample_rate: int, waveform: Samples) -> None:
        """Take the whole clip."""


class Recogniser(Protocol):
    """What is used of `sherpa_onnx.OfflineRecognizer`."""

    def create_stream(self) -> Stream:
        """Begin a clip."""

    def decode_streams(self, ss: list[Stream]) -> None:
        """Recognise all of them together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SherpaOptions:
    """How the model is run. Raises `ValueError` for values out of range."""

    kind: SherpaKind | None = None
    """None: by the name of the folder or of the model's file."""
    provider: str = "cpu"
    """`cpu` or `cuda`."""
    workers: int = 0
    """Batches decoded at the same time; 0: one for each processor core, 8 at most."""
    threads: int = 1
    """CPU threads of each batch."""
    language: str = "zh"
    """Told to SenseVoice; Paraformer has its own."""

    def __post_init__(self) -> None:
        if self.provider not in ("cpu", "cuda"):
            raise ValueError("provider must be cpu or cuda.")
        if self.workers < 0 or self.threads < 1:
            raise ValueError("workers must not be negative, threads 1 at least.")


class SherpaTranscriber:
    """Writes down clips with one recogniser, which several threads may use at once."""

    def __init__(
        self, recogniser: Recogniser, *, workers: int = 1, family: str = "", device: str = "cpu"
    ) -> None:
        self._recogniser = recogniser
        self.name = f"{family} (sherpa-onnx)".strip()
        """What it is called."""
        self.device = device
        """Where it runs."""
        self.compute_type: str | None = None
        """The model's file decides it, and does not tell."""
        self.workers = workers
        """How many batches may be decoded at the same time."""

    def transcribe(
        self,
        clips: Sequence[Samples],
        *,
        beam_size: int = 1,
        retry: bool = True,
        word_times: bool = False,
    ) -> list[Hypothesis]:
        """Write down each clip, shape (n,); an empty one is silence."""
        streams = {place: self._recogniser.create_stream() for place, clip in enumerate(clips) if len(clip)}
        for place, stream in streams.items():
            stream.accept_waveform(SAMPLE_RATE_HZ, clips[place])
        if streams:
            self._recogniser.decode_streams(list(streams.values()))
        return [
            _hypothesis(streams[place].result, len(clip) / SAMPLE_RATE_HZ, word_times=word_times)
            if place in streams
            else Hypothesis(text="", avg_logprob=0.0, no_speech_prob=1.0)
            for place, clip in enumerate(clips)
        ]


def is_sherpa_folder(folder: Path) -> bool:
    """Say whether the folder holds a model for this engine."""
    return (folder / "tokens.txt").is_file() and any(folder.glob("*.onnx"))


def open_sherpa(folder: Path, options: SherpaOptions | None = None) -> SherpaTranscriber:
    """Load a model from its folder.

    Raises `AsrError`: `asr.engine_missing` where sherpa-onnx is not installed, `asr.bad_model` where the
    folder does not hold a model of a known kind, or one that cannot be loaded.
    """
    options = options or SherpaOptions()
    try:
        from sherpa_onnx import OfflineRecognizer
    except ImportError as error:
        raise AsrError(
            "This model needs sherpa-onnx: install it with `pip install 'zhiting[sherpa]'`.",
            code="asr.engine_missing",
        ) from error
    model = _model_file(folder)
    kind = options.kind or _kind_of(folder, model)
    tokens = str(folder / "tokens.txt")
    try:
        if kind is SherpaKind.SENSE_VOICE:
            recogniser = OfflineRecognizer.from_sense_voice(
                model=str(model),
                tokens=tokens,
                num_threads=options.threads,
                provider=options.provider,
                language=options.language,
                use_itn=False,  # numbers are put into digits by our own rules, for every engine alike
            )
        else:
            recogniser = OfflineRecognizer.from_paraformer(
                paraformer=str(model), tokens=tokens, num_threads=options.threads, provider=options.provider
            )
    except (RuntimeError, ValueError, AssertionError) as error:
        raise AsrError(f"{model.name} cannot be loaded: {error}", code="asr.bad_model") from error
    workers = options.workers or min(8, len(os.sched_getaffinity(0)))
    return SherpaTranscriber(recogniser, workers=workers, family=kind.value, device=options.provider)


def _model_file(folder: Path) -> Path:
    """Find the model; of a full and an 8-bit one the 8-bit one, which is as good and much quicker."""
    if not (folder / "tokens.txt").is_file():
        raise AsrError(f"{folder} holds no tokens.txt.", code="asr.bad_model")
    for name in ("model.int8.onnx", "model.onnx"):
        if (folder / name).is_file():
            return folder / name
    found = sorted(folder.glob("*.onnx"))
    if len(found) != 1:
        raise AsrError(f"{folder} holds {len(found)} ONNX files; one is needed.", code="asr.bad_model")
    return found[0]


def _kind_of(folder: Path, model: Path) -> SherpaKind:
    name = f"{folder.resolve().name} {model.name}".lower().replace("-", "").replace("_", "")
    if "sensevoice" in name:
        return SherpaKind.SENSE_VOICE
    if "paraformer" in name:
        return SherpaKind.PARAFORMER
    raise AsrError(
        f"{folder} does not say by its name whether it is a SenseVoice or a Paraformer model.",
        code="asr.bad_model",
    )


def _hypothesis(result: Result, seconds: float, *, word_times: bool) -> Hypothesis:
    text = result.text.strip()
    if is_loop(text, seconds):
        return Hypothesis(text="", avg_logprob=0.0, no_speech_prob=0.0, is_rejected=True)
    kept = without_credits(text)
    return Hypothesis(
        text=kept,
        avg_logprob=0.0,
        no_speech_prob=0.0,
        words=_words(result, seconds) if word_times and kept == text else (),
        is_rejected=bool(text) and not kept,
    )


def _words(result: Result, seconds: float) -> tuple[Word, ...]:
    """Give each token its place, up to where the next one begins; none where the model tells no times."""
    if len(result.timestamps) != len(result.tokens):
        return ()
    timed = zip_longest(result.tokens, result.timestamps, result.timestamps[1:], fillvalue=seconds)
    return tuple(
        Word(
            text=str(token),
            start_s=min(float(start), seconds),
            end_s=min(float(end), seconds),
            probability=1.0,
        )
        for token, start, end in timed
        if str(token).strip()
    )
