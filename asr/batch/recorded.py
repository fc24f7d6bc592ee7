"""The ears of a running server, for recordings: one model, shared with live calls.

In: recordings and how they are to be heard. Out: hypotheses in the time that calls leave, names of what
decides the text, and the words that are put right.
Not known here: who asks, where results are kept.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from asr.batch.ears import EarOptions, shared_out
from asr.batch.run import RunOptions
from asr.batch.types import ListeningOptions
from asr.engines import Described
from asr.lexicon import Lexicon
from asr.transcriber import WhisperOptions
from asr.types import Hypothesis, Utterance
from asr.worker import RecognitionPool


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingOptions:
    """How a recording is heard; what is the same gives the same text. Raises `ValueError`."""

    listening: ListeningOptions
    beam_size: int = 5
    word_times: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.beam_size <= 10:
            raise ValueError("beam_size must lie between 1 and 10.")


class Transcribe(Protocol):
    """Recognises utterances when there is time: `SpareTime.transcribe`."""

    async def __call__(
        self,
        utterances: Sequence[Utterance],
        *,
        owner: str,
        beam_size: int,
        word_times: bool = False,
        is_awaited: bool = False,
    ) -> list[Hypothesis]:
        """Raises what the engine raises, and `AsrError` (`asr.stopped`) where there is no more time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEars:
    """What a server lends to whoever brings recordings."""

    model: str
    """The name of the model, for people and programs."""
    transcribe: Transcribe
    lexicon: Callable[[], Lexicon | None]
    """The words that are put right now. Any thread may ask."""
    fingerprint: Callable[[HearingOptions], str]
    """Names what decides the text. Blocks: it may read the weights."""
    sharing: RunOptions
    """How work is shared out on this machine."""
    keep_fillers: bool = True


def recorded_ears(
    pool: RecognitionPool,
    engine: Described,
    *,
    model: str,
    folder: Path,
    whisper: WhisperOptions,
    lexicon: Callable[[], Lexicon | None],
    keep_fillers: bool,
) -> RecordedEars:
    """The ears for recordings beside the calls of a pool; `folder` holds the weights of its engine."""
    known: dict[HearingOptions, str] = {}
    lock = threading.Lock()

    def fingerprint(hearing: HearingOptions) -> str:
        with lock:
            if hearing not in known:
                options = EarOptions(
                    folder=folder,
                    whisper=whisper,
                    listening=hearing.listening,
                    beam_size=hearing.beam_size,
                    word_times=hearing.word_times,
                )
                known[hearing] = options.fingerprint()
            return known[hearing]

    return RecordedEars(
        model=model,
        transcribe=pool.recorded.transcribe,
        lexicon=lexicon,
        fingerprint=fingerprint,
        sharing=shared_out(engine),
        keep_fillers=keep_fillers,
    )
