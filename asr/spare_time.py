"""Hears recordings in the places that live calls leave idle.

In: utterances of recordings, from one event loop; a place whenever the pool can spare one.
Out: their `Hypothesis`es.
Not known here: live calls, when a place can be spared, files.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from asr.decoder import Batch
from asr.spare import Errand, Part, SpareLane
from asr.types import AsrError, Hypothesis, Utterance

_Ticket: TypeAlias = asyncio.Future[list[Hypothesis]]
_RANK = 9  # behind everything of a call


class SpareTime:
    """What waits for a place, and what runs in one; all methods are called from one event loop."""

    def __init__(
        self, decode: Callable[[Batch], Awaitable[list[Hypothesis]]], *, on_wish: Callable[[], None]
    ) -> None:
        """`on_wish` is told that there is something to do."""
        self._decode = decode
        self._on_wish = on_wish
        self._lane: SpareLane[_Ticket] = SpareLane()
        self._is_open = True
        self.running = 0
        """Batches being decoded."""
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

    def begin(self, *, max_s: float | None) -> asyncio.Task[None] | None:
        """Decode the next part, of no more than `max_s` of sound; None where nothing waits."""
        part = self._lane.take(max_s)
        if part is None:
            return None
        self.running += 1
        return asyncio.get_running_loop().create_task(self._run(part))

    def stop(self) -> None:
        """Take nothing more and refuse what waits; what runs is finished."""
        self._is_open = False
        for errand in self._lane.drop_all():
            if not errand.ticket.done():
                errand.ticket.set_exception(stopped())

    async def _run(self, part: Part[_Ticket]) -> None:
        errand = part.errand
        batch = Batch(
            clips=tuple(utterance.samples for utterance in part.utterances),
            beam_size=errand.beam_size,
            word_times=errand.word_times,
            rank=_RANK,
        )
        try:
            found = await self._decode(batch)
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
