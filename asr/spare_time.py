"""Hears recordings on the threads that live calls leave idle.

In: utterances of recordings, from one event loop; a thread whenever the pool can spare one.
Out: their `Hypothesis`es.
Not known here: live calls, when a thread can be spared, files.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeAlias

from asr.spare import Errand, Part, SpareLane
from asr.transcriber import Transcriber
from asr.types import AsrError, Hypothesis, Utterance

_Ticket: TypeAlias = asyncio.Future[list[Hypothesis]]


class SpareTime:
    """What waits for a thread, and what runs on one; all methods are called from one event loop."""

    def __init__(self, transcriber: Transcriber, *, on_wish: Callable[[], None]) -> None:
        """`on_wish` is told that there is something to do."""
        self._transcriber = transcriber
        self._on_wish = on_wish
        self._lane: SpareLane[_Ticket] = SpareLane()
        self._is_open = True
        self.running = 0
        """Batches on threads."""
        self.decoded_s = 0.0
        """Sound decoded since the start."""

    @property
    def queued(self) -> int:
        """Utterances that wait."""
        return len(self._lane)

    async def transcribe(
        self,
        utterances: Sequence[Utterance],
        *,
        owner: str,
        beam_size: int,
        word_times: bool = False,
        is_awaited: bool = False,
    ) -> list[Hypothesis]:
        """Recognise utterances when there is time, each owner in turn; those that are `is_awaited` first.

        Raises what the engine raises, and `AsrError` (`asr.stopped`) where the pool is stopped.
        """
        if not self._is_open:
            raise stopped()
        if not utterances:
            return []
        ticket: _Ticket = asyncio.get_running_loop().create_future()
        errand = Errand(
            owner=owner,
            utterances=utterances,
            ticket=ticket,
            beam_size=beam_size,
            word_times=word_times,
            is_awaited=is_awaited,
        )
        self._lane.add(errand)
        self._on_wish()
        try:
            return await ticket
        finally:
            self._lane.drop(errand)

    def begin(self, threads: Executor, *, max_s: float | None) -> asyncio.Task[None] | None:
        """Put the next part, of no more than `max_s` of sound, on a thread; None where nothing waits."""
        part = self._lane.take(max_s)
        if part is None:
            return None
        self.running += 1
        return asyncio.get_running_loop().create_task(self._run(part, threads))

    def stop(self) -> None:
        """Take nothing more and refuse what waits; what runs is finished."""
        self._is_open = False
        for errand in self._lane.drop_all():
            if not errand.ticket.done():
                errand.ticket.set_exception(stopped())

    async def _run(self, part: Part[_Ticket], threads: Executor) -> None:
        errand = part.errand
        clips = [utterance.samples for utterance in part.utterances]
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                threads,
                lambda: self._transcriber.transcribe(
                    clips, beam_size=errand.beam_size, word_times=errand.word_times
                ),
            )
        except Exception as error:  # noqa: BLE001 - whatever the engine raises is its owner's to judge
            self._lane.drop(errand)
            if not errand.ticket.done():
                errand.ticket.set_exception(error)
            return
        finally:
            self.running -= 1
        self.decoded_s += part.seconds
        part.answer(found)
        if errand.is_over and not errand.ticket.done():
            errand.ticket.set_result(errand.answers)


def stopped() -> AsrError:
    """What is told of a pool that takes nothing more."""
    return AsrError("Recognition has been stopped; nothing new is taken.", code="asr.stopped")
