"""The ears for files: which model hears, how thoroughly, and how its work is shared out on this machine.

In: a folder of weights and what is wanted. Out: a function that decodes batches, options of a run, and the
fingerprint of what they give.
Not known here: files, manifests.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from threadpoolctl import threadpool_limits

from asr.batch.basket import BasketOptions
from asr.batch.fingerprint import fingerprint
from asr.batch.run import Decode, RunOptions
from asr.batch.types import ListeningOptions
from asr.engines import Described, Engine, open_engine
from asr.transcriber import WhisperOptions
from asr.types import Hypothesis, Utterance

_WORKERS_PER_READER = 6  # measured: one searches 670 s of a leg a second, a decoding thread needs some 90
_WORKERS_PER_TELLING_READER = 2  # where speakers are told apart one reads 156 s a second
_CPU = BasketOptions(max_batch=4, max_batch_s=30.0)
_GPU = BasketOptions(max_batch=32, max_batch_s=320.0, held_s=1600.0, choice=128)
_ALONE = BasketOptions(max_batch=1, max_batch_s=30.0, choice=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarOptions:
    """What is wanted of the ears."""

    folder: Path
    """Where the model's weights lie."""
    whisper: WhisperOptions = field(default_factory=WhisperOptions)
    listening: ListeningOptions = field(default_factory=ListeningOptions)
    beam_size: int = 5
    """1 is fast, 5 accurate."""
    word_times: bool = False
    one_by_one: bool = False
    """Utterances are decoded alone, so that no other changes their text."""

    def fingerprint(self) -> str:
        """Name what decides the text; reads the weights once."""
        return fingerprint(
            self.folder,
            whisper=self.whisper,
            listening=self.listening,
            beam_size=self.beam_size,
            word_times=self.word_times,
        )


class Ears:
    """An opened model. Opening takes seconds and the memory of the weights."""

    def __init__(self, options: EarOptions) -> None:
        threadpool_limits(1, user_api="blas")  # one core is one worker's
        self._options = options
        self._engine: Engine = open_engine(options.folder, options.whisper)

    @property
    def decode(self) -> Decode:
        """Decodes a batch; blocks."""
        return self._decode

    def run_options(self, *, readers: int = 0, attempts: int = 2, retry_refused: bool = False) -> RunOptions:
        """How a run is shared out here; `readers` 0 chooses by the number of decoding threads."""
        return shared_out(
            self._engine,
            readers=readers,
            attempts=attempts,
            retry_refused=retry_refused,
            one_by_one=self._options.one_by_one,
            is_telling=self._options.listening.voices is not None,
        )

    def _decode(self, batch: Sequence[Utterance]) -> list[Hypothesis]:
        return self._engine.transcribe(
            [utterance.samples for utterance in batch],
            beam_size=self._options.beam_size,
            word_times=self._options.word_times,
        )


def shared_out(
    engine: Described,
    *,
    readers: int = 0,
    attempts: int = 2,
    retry_refused: bool = False,
    one_by_one: bool = False,
    is_telling: bool = False,
) -> RunOptions:
    """How a run is shared out on this machine; `readers` 0 chooses by the number of decoding threads.

    `is_telling`: readers tell speakers apart, which takes them longer.
    """
    share = _WORKERS_PER_TELLING_READER if is_telling else _WORKERS_PER_READER
    few = max(1, min(len(os.sched_getaffinity(0)) // 2, -(-engine.workers // share)))
    is_on_gpu = getattr(engine, "device", "cpu") == "cuda"
    return RunOptions(
        readers=readers or few,
        workers=engine.workers,
        attempts=attempts,
        retry_refused=retry_refused,
        basket=_ALONE if one_by_one else _GPU if is_on_gpu else _CPU,
    )
