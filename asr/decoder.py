"""Where a batch is decoded: on threads of this process, or elsewhere.

In: a `Batch`. Out: one `Hypothesis` for each of its clips, in order.
Not known here: which batch comes next, calls, what becomes of the text.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from asr.transcriber import Transcriber
from asr.types import SAMPLE_RATE_HZ, Hypothesis, Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Clips that are decoded together, and how thoroughly."""

    clips: tuple[Samples, ...]
    beam_size: int = 1
    retry: bool = True
    """Whether time is spent on what came out as nonsense."""
    word_times: bool = False
    rank: int = 0
    """Where batches of several servers meet, the lower goes first; 0 is for finals."""

    @property
    def seconds(self) -> float:
        """Sound to be decoded, each clip counted as long as the longest."""
        return max((len(clip) for clip in self.clips), default=0) * len(self.clips) / SAMPLE_RATE_HZ


class Decoder(ABC):
    """Decodes batches, several at a time; all methods are called from one event loop."""

    @property
    @abstractmethod
    def places(self) -> int:
        """How many batches may be decoded at the same time now."""

    @property
    def most_calls(self) -> int | None:
        """How many calls can be heard in time; None: that is not known here."""
        return None

    @abstractmethod
    def open(self, on_change: Callable[[], None], *, calls: Callable[[], int]) -> None:
        """Begin; `on_change` is told that there are more places; `calls` says how many are being heard."""

    @abstractmethod
    async def decode(self, batch: Batch, *, seen: Callable[[str], None] | None = None) -> list[Hypothesis]:
        """Decode; raises whatever the engine raises. `seen` is told which ear it was, of several."""

    @abstractmethod
    def hasten(self) -> None:
        """The end is near: no longer wait for places that are not there."""

    @abstractmethod
    async def close(self) -> None:
        """End; nothing is being decoded any more."""


class ThreadDecoder(Decoder):
    """Threads of this process."""

    def __init__(self, transcriber: Transcriber, workers: int, *, calls: int | None = None) -> None:
        """`calls` is how many they carry, where that is to be bounded."""
        self._transcriber = transcriber
        self._workers = workers
        self._calls = calls

    @property
    def places(self) -> int:
        """One for each thread."""
        return self._workers

    @property
    def most_calls(self) -> int | None:
        """As it was said."""
        return self._calls

    def open(self, on_change: Callable[[], None], *, calls: Callable[[], int]) -> None:
        """Make the threads."""
        self._threads = ThreadPoolExecutor(self._workers, thread_name_prefix="ears")

    async def decode(self, batch: Batch, *, seen: Callable[[str], None] | None = None) -> list[Hypothesis]:
        """Decode on the next free thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads,
            lambda: self._transcriber.transcribe(
                batch.clips, beam_size=batch.beam_size, retry=batch.retry, word_times=batch.word_times
            ),
        )

    def hasten(self) -> None:
        """Threads are always there."""

    async def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True)
