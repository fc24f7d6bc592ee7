"""What people at the screens do to a call: mark a card, correct a line, undo a correction.

In: commands, already checked in form. Out: facts on record, seen by every screen of the call.
Not known here: sockets, who is allowed to do what.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from asr.types import Segment
from calls.corrections import correct_text, undo_correction
from calls.journal import Journal
from calls.records import Records
from calls.streams import streams_of
from calls.switchboard import Switchboard
from calls.types import Call, Fact, SegmentCorrected, Stream, SuggestionMarked, UnknownCall
from calls.view import CallView
from retrieval.types import Mark


class Commands:
    """Changes to calls, running or ended."""

    def __init__(
        self, *, journal: Journal, records: Records, switchboard: Switchboard, clock: Callable[[], datetime]
    ):
        self._journal = journal
        self._records = records
        self._switchboard = switchboard
        self._clock = clock
        self._editing = asyncio.Lock()
        """Held from reading a line to writing it: two people must not undo each other unawares."""

    async def mark(self, call_id: str, suggestion_id: str, article_id: str, mark: Mark) -> None:
        """Note what the operator did with a card. Raises `UnknownCall` where it was never shown."""
        if not await asyncio.to_thread(self._records.was_shown, call_id, suggestion_id, article_id):
            raise UnknownCall("这条推荐不属于本次通话。", code="suggestion.unknown")
        session = self._switchboard.session(call_id)
        if session is not None:
            await session.mark(suggestion_id, article_id, mark)
            return
        call, _ = await self._look_up(call_id)
        await self._record(
            call, SuggestionMarked(suggestion_id=suggestion_id, article_id=article_id, mark=mark)
        )

    async def correct(self, call_id: str, segment_id: str, text: str) -> None:
        """Put a person's text in place of a final. Raises `UnknownCall`."""
        async with self._editing:
            call, view = await self._look_up(call_id)
            await self._record(call, SegmentCorrected(segment=correct_text(_final(view, segment_id), text)))

    async def undo(self, call_id: str, segment_id: str, index: int) -> None:
        """Take back one of our own corrections. Raises `UnknownCall`, `CallError`."""
        async with self._editing:
            call, view = await self._look_up(call_id)
            undone = undo_correction(_final(view, segment_id), index)
            await self._record(call, SegmentCorrected(segment=undone))

    async def _look_up(self, call_id: str) -> tuple[Call, CallView]:
        view = await asyncio.to_thread(self._records.view, Stream.call(call_id))
        if view.call is None:
            raise UnknownCall(f"没有编号为 {call_id} 的通话。")
        return view.call, view

    async def _record(self, call: Call, fact: Fact) -> None:
        await self._journal.append(
            fact, call_id=call.call_id, streams=streams_of(fact, call), at=self._clock()
        )


def _final(view: CallView, segment_id: str) -> Segment:
    if segment_id not in view.segments:
        raise UnknownCall("这一行已不存在。", code="segment.unknown")
    return view.segments[segment_id]
