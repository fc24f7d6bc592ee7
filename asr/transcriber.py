"""Writes down what was said: clips of speech become hypotheses, a batch at a time.

In: clips of one leg's speech, 16 kHz, and a folder that holds a Whisper model for CTranslate2.
Out: one `Hypothesis` per clip, in order, as the model wrote it; loops and inventions are sorted out.
Not known here: calls, queues, event loops, how text is made readable.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from asr.guard import is_loop, without_credits
from asr.trimming import Renumbered, trim_to_chinese
from asr.types import SAMPLE_RATE_HZ, Hypothesis, Samples, Word

log = logging.getLogger(__name__)

_WINDOW_S = 30.0  # what Whisper was trained on
_HOP = 160  # samples per mel column
_TOKENS_PER_S = 14  # fast Mandarin: some 8 characters of up to two tokens, less the pauses
_SPARE_TOKENS = 24
_TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # the ladder of the Whisper paper, section 4.5


class Transcriber(Protocol):
    """An engine that writes down clips; blocking, safe to call from several threads at once."""

    def transcribe(
        self,
        clips: Sequence[Samples],
        *,
        beam_size: int = 1,
        retry: bool = True,
        word_times: bool = False,
    ) -> list[Hypothesis]:
        """Write down each clip; `retry` spends more time on those that came out as nonsense."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperOptions:
    """How the model is run. Raises `ValueError` for values out of range."""

    device: str = "auto"
    """`cpu`, `cuda` or `auto`."""
    compute_type: str = "auto"
    """A type of CTranslate2; `auto`: int8 on a CPU, float16 on a GPU."""
    workers: int = 0
    """Batches decoded at the same time; 0 chooses by the machine."""
    threads: int = 0
    """CPU threads of each worker; 0 chooses by the machine."""
    language: str = "zh"
    """The language code that Whisper is told."""
    vocabulary: str = "auto"
    """`chinese` drops the words of other scripts, `full` keeps all; `auto`: Chinese on a CPU, for `zh`."""
    pad_s: float = 2.0
    """Silence after the longest clip of a batch, in place of the usual filling up to 30 s."""
    max_clip_s: float = 30.0
    """Longer clips are refused."""
    min_logprob: float = -1.0
    """Below it, together with `max_no_speech_prob`, a clip counts as silence."""
    max_no_speech_prob: float = 0.6
    """Above it, together with `min_logprob`, a clip counts as silence."""

    def __post_init__(self) -> None:
        if self.device not in ("cpu", "cuda", "auto"):
            raise ValueError("device must be cpu, cuda or auto.")
        if self.vocabulary not in ("auto", "chinese", "full"):
            raise ValueError("vocabulary must be auto, chinese or full.")
        if self.workers < 0 or self.threads < 0:
            raise ValueError("workers and threads must not be negative.")
        if not 0.5 <= self.pad_s <= 10.0:
            raise ValueError("pad_s must lie between 0.5 and 10 s.")
        if not 1.0 <= self.max_clip_s <= _WINDOW_S:
            raise ValueError("max_clip_s must lie between 1 and 30 s.")


def chosen_threads(cores: int) -> tuple[int, int]:
    """Choose (workers, threads of each) for a CPU: many narrow workers decode more than few wide ones."""
    threads = 1 if cores <= 4 else 2
    return max(1, min(8, cores // threads)), threads


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One result of the decoder."""

    tokens: list[int]
    """Text tokens only."""
    text: str
    avg_logprob: float
    no_speech_prob: float
    is_cut_off: bool
    """It did not come to an end by itself."""


class WhisperTranscriber:
    """Whisper through CTranslate2, with a window as short as the clips.

    Decoding uses timestamps, because with a short window the model loops without them; they are
    dropped from the text. A clip that comes out as a loop is done again alone, in the full window of
    30 s and with rising temperature, before it is given up.
    """

    name = "Whisper (CTranslate2)"

    def __init__(self, folder: Path, options: WhisperOptions | None = None) -> None:
        self._options = options or WhisperOptions()
        device = self._options.device
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        compute_type = self._options.compute_type
        if compute_type == "auto":
            compute_type = "float16" if device == "cuda" else "int8"
        workers, threads = chosen_threads(len(os.sched_getaffinity(0))) if device == "cpu" else (2, 1)
        self.workers: int = self._options.workers or workers
        """How many batches may be decoded at the same time."""
        trimmed = trim_to_chinese(folder) if self._is_chinese_enough(device) else None
        self._model = WhisperModel(
            str(folder),
            device=device,
            compute_type=compute_type,
            cpu_threads=self._options.threads or threads,
            num_workers=self.workers,
            local_files_only=True,
            files=trimmed.files if trimmed else None,
        )
        self.device: str = self._model.model.device
        """Where the model runs."""
        self.compute_type: str | None = self._model.model.compute_type
        """The number format it computes in, which may be another than was asked for."""
        if trimmed:
            log.info("of the model's words %d are kept", len(trimmed.kept))
            self._model.model = Renumbered(self._model.model, trimmed.kept)
        self._tokens = Tokenizer(
            self._model.hf_tokenizer,
            self._model.model.is_multilingual,
            task="transcribe",
            language=self._options.language,
        )
        self._suppressed = list(get_suppressed_tokens(self._tokens, [-1]))

    def transcribe(
        self,
        clips: Sequence[Samples],
        *,
        beam_size: int = 1,
        retry: bool = True,
        word_times: bool = False,
    ) -> list[Hypothesis]:
        """Write down each clip, shape (n,). Raises `ValueError` for a clip above `max_clip_s`."""
        longest = max((len(clip) for clip in clips), default=0)
        if not longest:
            return [Hypothesis(text="", avg_logprob=0.0, no_speech_prob=1.0) for _ in clips]
        if longest > self._options.max_clip_s * SAMPLE_RATE_HZ:
            raise ValueError(
                f"A clip of {longest / SAMPLE_RATE_HZ:.1f} s is longer than {self._options.max_clip_s} s."
            )
        window_s = min(_WINDOW_S, longest / SAMPLE_RATE_HZ + self._options.pad_s)
        features = np.stack([self._mel(clip, window_s) for clip in clips])
        encoded = self._model.encode(features)
        found = self._decode(encoded, len(clips), longest / SAMPLE_RATE_HZ, beam_size=beam_size)
        hypotheses = [
            self._judge(clip, decoded, beam_size=beam_size, retry=retry)
            for clip, decoded in zip(clips, found, strict=True)
        ]
        return self._with_words(hypotheses, clips, encoded) if word_times else hypotheses

    def _is_chinese_enough(self, device: str) -> bool:
        """Whether other languages' words are only in the way."""
        asked = self._options.vocabulary
        return asked == "chinese" or (asked == "auto" and device == "cpu" and self._options.language == "zh")

    def _mel(self, clip: Samples, window_s: float) -> NDArray[np.float32]:
        """Compute log-mel columns, shape (n_mels, columns), of a clip and the silence that follows it."""
        columns = round(window_s * SAMPLE_RATE_HZ / _HOP)
        columns += columns % 2  # the encoder halves them
        silence = max(0, columns * _HOP - len(clip))
        mel: NDArray[np.float32] = self._model.feature_extractor(clip, padding=silence)
        return mel[:, :columns]

    def _decode(
        self,
        encoded: ctranslate2.StorageView,
        clips: int,
        seconds: float,
        *,
        beam_size: int,
        temperature: float = 0.0,
    ) -> list[_Decoded]:
        prompt = list(self._tokens.sot_sequence)
        room = min(self._model.max_length, len(prompt) + _SPARE_TOKENS + int(_TOKENS_PER_S * seconds))
        sampling: dict[str, Any] = (
            {"beam_size": 1, "sampling_topk": 0, "sampling_temperature": temperature}
            if temperature
            else {"beam_size": beam_size}
        )
        results = self._model.model.generate(
            encoded,
            [prompt] * clips,
            max_length=room,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
            **sampling,
        )
        return [self._decoded(result, room - len(prompt)) for result in results]

    def _decoded(self, result: Any, room: int) -> _Decoded:
        tokens: list[int] = result.sequences_ids[0]
        return _Decoded(
            tokens=[token for token in tokens if token < self._tokens.eot],
            text=self._text(tokens),
            avg_logprob=result.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech_prob=result.no_speech_prob,
            is_cut_off=len(tokens) >= room,
        )

    def _text(self, tokens: list[int]) -> str:
        """Join the model's pieces; a space marks where it put a time between two of them."""
        pieces: list[list[int]] = [[]]
        for token in tokens:
            if token < self._tokens.eot:
                pieces[-1].append(token)
            elif token >= self._tokens.timestamp_begin and pieces[-1]:
                pieces.append([])
        return " ".join(self._tokens.decode(piece).strip() for piece in pieces if piece)

    def _judge(self, clip: Samples, decoded: _Decoded, *, beam_size: int, retry: bool) -> Hypothesis:
        """Turn what was decoded into a hypothesis, or try again, or give up."""
        seconds = len(clip) / SAMPLE_RATE_HZ
        if self._is_silence(decoded):
            return _nothing(decoded, is_rejected=False)
        if _makes_sense(decoded, seconds):
            return _heard(decoded)
        if not retry:
            return _nothing(decoded, is_rejected=True)
        encoded = self._model.encode(self._mel(clip, _WINDOW_S))
        for temperature in _TEMPERATURES:
            again = self._decode(encoded, 1, seconds, beam_size=beam_size, temperature=temperature)[0]
            if self._is_silence(again):
                return _nothing(again, is_rejected=False)
            if _makes_sense(again, seconds):
                return _heard(again)
        return _nothing(decoded, is_rejected=True)

    def _is_silence(self, decoded: _Decoded) -> bool:
        return (
            decoded.no_speech_prob > self._options.max_no_speech_prob
            and decoded.avg_logprob < self._options.min_logprob
        )

    def _with_words(
        self, hypotheses: Sequence[Hypothesis], clips: Sequence[Samples], encoded: ctranslate2.StorageView
    ) -> list[Hypothesis]:
        """Align the texts with the sound, all clips at once; times count from the start of each clip."""
        texts = [self._spelled(self._tokens.encode(hypothesis.text)) for hypothesis in hypotheses]
        columns = [max(1, len(clip) // _HOP) for clip in clips]
        # a clip without text is aligned with nothing, but keeps its place in the batch
        aligned = self._model.find_alignment(self._tokens, texts, encoded, columns)
        return [
            replace(hypothesis, words=_words(found, len(clip) / SAMPLE_RATE_HZ))
            if hypothesis.text
            else hypothesis
            for hypothesis, clip, found in zip(hypotheses, clips, aligned, strict=True)
        ]

    def _spelled(self, tokens: list[int]) -> list[int]:
        """Write with single bytes what the model has no word for any more."""
        model = self._model.model
        if not isinstance(model, Renumbered):
            return tokens
        spelled: list[int] = []
        for token in tokens:
            pieces = self._model.hf_tokenizer.id_to_token(token)
            spelled += (
                [token] if token in model else [self._model.hf_tokenizer.token_to_id(p) for p in pieces]
            )
        return spelled


def _words(aligned: Sequence[Mapping[str, Any]], seconds: float) -> tuple[Word, ...]:
    return tuple(
        Word(
            text=word["word"],
            start_s=min(float(word["start"]), seconds),
            end_s=min(float(word["end"]), seconds),
            probability=float(word["probability"]),
        )
        for word in aligned
        if word["word"].strip()
    )


def _makes_sense(decoded: _Decoded, seconds: float) -> bool:
    return not decoded.is_cut_off and not is_loop(decoded.text, seconds)


def _heard(decoded: _Decoded) -> Hypothesis:
    text = without_credits(decoded.text)
    return Hypothesis(
        text=text,
        avg_logprob=decoded.avg_logprob,
        no_speech_prob=decoded.no_speech_prob,
        is_rejected=bool(decoded.text) and not text,
    )


def _nothing(decoded: _Decoded, *, is_rejected: bool) -> Hypothesis:
    return Hypothesis(
        text="",
        avg_logprob=decoded.avg_logprob,
        no_speech_prob=decoded.no_speech_prob,
        is_rejected=is_rejected,
    )
