"""Hears one file while somebody waits for it: pieces come as soon as they are known, in the order of time.

In: a path, how to listen, a function that decodes a batch.
Out: `Piece`s by their start, then the `FileFacts`.
Not known here: who waits, what becomes of the text. Nothing is kept.

Queue: the basket between reader and decoders is bounded in seconds; when it is full, the reader waits.
"""

import asyncio
from bisect import insort
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from asr.batch.basket import Basket
from asr.batch.reader import Reader, ReaderLimits, ReadingStopped
from asr.batch.run import RunOptions
from asr.batch.types import FileFacts, ListeningOptions, Piece
from asr.guard import is_invented
from asr.types import Hypothesis, Party, Utterance

DecodeSoon: TypeAlias = Callable[[Sequence[Utterance]], Awaitable[list[Hypothesis]]]
"""Decodes a batch; what it raises ends the hearing."""
_Place: TypeAlias = tuple[float, Party, int]

_PATIENCE_S = 0.2  # a decoder waits so long for a better choice
_SLACK_S = 4.0
"""Beyond its greatest length, so much later than it ended an utterance may be given out."""


async def hear_file(
    path: Path,
    *,
    call_id: str,
    listening: ListeningOptions,
    decode: DecodeSoon,
    sharing: RunOptions,
    limits: ReaderLimits | None = None,
) -> AsyncGenerator[Piece | FileFacts]:
    """Yield the pieces, then the facts. Close it (`aclose`) to give up early.

    Raises `FileRefused` and what `decode` raises.
    """
    hearing = _Hearing(listening, decode, sharing)
    reader = Reader(listening, limits)
    work = asyncio.create_task(hearing.run(reader, path, call_id))
    try:
        while (given := await hearing.given.get()) is not None:
            if isinstance(given, Exception):
                raise given
            yield given
    finally:
        work.cancel()
        await asyncio.wait([work])


class _Hearing:
    """The tasks of one file and what they share."""

    def __init__(self, listening: ListeningOptions, decode: DecodeSoon, sharing: RunOptions) -> None:
        self.given: asyncio.Queue[Piece | FileFacts | Exception | None] = asyncio.Queue()
        self._decode = decode
        self._workers = sharing.workers
        self._basket = Basket(sharing.basket)
        self._held_back_s = listening.segmenter.max_utterance_s + listening.block_s + _SLACK_S
        self._changed = asyncio.Condition()
        self._order: list[_Place] = []  # of the utterances that were not given yet
        self._pieces: dict[_Place, Piece] = {}
        self._read_s = 0.0
        self._facts: FileFacts | None = None
        self._is_wanted = True

    async def run(self, reader: Reader, path: Path, call_id: str) -> None:
        """Read and decode until all is given; ends with None or an exception in `given`."""
        loop = asyncio.get_running_loop()
        # a thread of its own: it waits as long as decoding takes
        thread = ThreadPoolExecutor(1, thread_name_prefix="recording")
        reading = loop.run_in_executor(thread, self._read, reader, path, call_id, loop)
        tasks = [
            asyncio.ensure_future(reading),
            *(loop.create_task(self._work()) for _ in range(self._workers)),
        ]
        try:
            await asyncio.gather(*tasks)
            assert self._facts is not None
            self.given.put_nowait(self._facts)
            self.given.put_nowait(None)
        except Exception as error:  # noqa: BLE001 - raised again where the pieces are taken
            self.given.put_nowait(error)
        finally:
            self._is_wanted = False
            for task in tasks:
                task.cancel()
            async with self._changed:
                self._changed.notify_all()  # the thread may wait for room
            await asyncio.gather(*tasks, return_exceptions=True)
            thread.shutdown(wait=False)

    def _read(self, reader: Reader, path: Path, call_id: str, loop: asyncio.AbstractEventLoop) -> None:
        """Bring utterances into the basket; on a thread of its own."""

        def on_read(seconds: float) -> None:
            self._read_s = seconds

        def is_wanted() -> bool:
            return self._is_wanted

        utterances = reader.read(path, digest=call_id, on_read=on_read, is_wanted=is_wanted)
        try:
            while True:
                utterance = next(utterances)
                asyncio.run_coroutine_threadsafe(self._put(utterance), loop).result()
        except StopIteration as end:
            asyncio.run_coroutine_threadsafe(self._end(end.value), loop).result()
        except ReadingStopped:
            pass
        finally:
            reader.close()

    async def _put(self, utterance: Utterance) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: not (self._basket.is_full and self._is_wanted))
            insort(self._order, _place(utterance))
            self._basket.add(utterance)
            self._changed.notify_all()

    async def _end(self, facts: FileFacts) -> None:
        async with self._changed:
            self._facts = facts
            self._give()
            self._changed.notify_all()

    async def _work(self) -> None:
        while batch := await self._batch():
            found = await self._decode(batch)
            async with self._changed:
                for utterance, heard in zip(batch, found, strict=True):
                    is_nonsense = is_invented(heard, utterance)
                    kept = replace(heard, text="", is_rejected=True) if is_nonsense else heard
                    self._pieces[_place(utterance)] = Piece.of(utterance, kept)
                self._give()
                self._changed.notify_all()

    async def _batch(self) -> list[Utterance]:
        """Wait for the next batch; empty at the end."""
        async with self._changed:
            while not (self._basket.has_choice or self._facts):
                try:
                    async with asyncio.timeout(_PATIENCE_S):
                        await self._changed.wait()
                except TimeoutError:
                    if len(self._basket):
                        break  # better some batch than none
            batch = self._basket.take()
            self._changed.notify_all()
            return batch

    def _give(self) -> None:
        """Give what nothing can come before any more."""
        until_s = float("inf") if self._facts else self._read_s - self._held_back_s
        while self._order and self._order[0] in self._pieces and self._order[0][0] < until_s:
            self.given.put_nowait(self._pieces.pop(self._order.pop(0)))


def _place(utterance: Utterance) -> _Place:
    return utterance.start_s, utterance.party, utterance.number
