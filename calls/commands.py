"""What people at the screens do to a call: mark a card, change a line, take a note, hand the call on.

In: commands, already checked in form, and who gives them where that is known.
Out: facts on record, seen by every screen of the call.
Not known here: sockets, who is allowed to do what.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from asr.types import Segment
from calls.asides import MAX_NOTES
from calls.corrections import correct_text, undo_correction
from calls.journal import Journal
from calls.masking import STAR
from calls.records import Records
from calls.streams import streams_of
from calls.switchboard import Switchboard
from calls.types import (
    Call,
    CallError,
    CallState,
    CallTransferred,
    Fact,
    NoteChanged,
    NoteTaken,
    SegmentCorrected,
    Stream,
    SuggestionMarked,
    UnknownCall,
)
from calls.view import CallView
from retrieval.types import Mark


class Commands:
    """Changes to calls, running or ended. `by` is who makes them, where that is known."""

    def __init__(
        self, *, journal: Journal, records: Records, switchboard: Switchboard, clock: Callable[[], datetime]
    ):
        self._journal = journal
        self._records = records
        self._switchboard = switchboard
        self._clock = clock
        self._editing = asyncio.Lock()
        """Held from reading a call to writing to it: two people must not undo each other unawares."""

    async def mark(
        self, call_id: str, suggestion_id: str, article_id: str, mark: Mark, *, by: str | None = None
    ) -> None:
        """Note what the operator did with a card. Raises `UnknownCall` where it was never shown."""
        if not await asyncio.to_thread(self._records.was_shown, call_id, suggestion_id, article_id):
            raise UnknownCall("这条推荐不属于本次通话。", code="suggestion.unknown")
        session = self._switchboard.session(call_id)
        if session is not None:
            await session.mark(suggestion_id, article_id, mark, by)
            return
        call, _ = await self._look_up(call_id)
        await self._record(
            call, SuggestionMarked(suggestion_id=suggestion_id, article_id=article_id, mark=mark, by=by)
        )

    async def correct(self, call_id: str, segment_id: str, text: str, *, by: str | None = None) -> None:
        """Put a person's text in place of a final. Raises `UnknownCall`."""
        async with self._editing:
            call, view = await self._look_up(call_id)
            if STAR in text and STAR not in _final(view, segment_id).text:
                raise CallError("这一行有遮盖的号码或姓名，请先查看全文，再改这一行。", code="segment.masked")
            corrected = correct_text(_final(view, segment_id), text)
            await self._record(call, SegmentCorrected(segment=corrected, by=by))

    async def undo(self, call_id: str, segment_id: str, index: int, *, by: str | None = None) -> None:
        """Take back one of our own corrections. Raises `UnknownCall`, `CallError`."""
        async with self._editing:
            call, view = await self._look_up(call_id)
            undone = undo_correction(_final(view, segment_id), index)
            await self._record(call, SegmentCorrected(segment=undone, by=by))

    async def restore(self, call_id: str, segment_id: str, *, by: str | None = None) -> None:
        """Put a line back as the ears wrote it, whatever people made of it. Raises `UnknownCall`."""
        async with self._editing:
            call, view = await self._look_up(call_id)
            if segment_id not in view.edits:
                raise UnknownCall("这一行没有改动可以撤销。", code="segment.unchanged")
            await self._record(call, SegmentCorrected(segment=view.edits[segment_id].original, by=by))

    async def write_note(self, call_id: str, note_id: str, text: str, *, by: str | None = None) -> None:
        """Take a note, change the one of that identifier, or (empty text) take it away."""
        async with self._editing:
            call, view = await self._look_up(call_id)
            old = view.notes.get(note_id)
            if text == (old.text if old else ""):
                return
            if old is not None:
                await self._record(call, NoteChanged(note_id=note_id, text=text, by=by))
                return
            if len(view.notes) >= MAX_NOTES:
                raise CallError(f"一通电话最多记 {MAX_NOTES} 条，请改写已有的一条。", code="note.too_many")
            await self._record(call, NoteTaken(note_id=note_id, text=text, by=by))

    async def transfer(
        self, call_id: str, operator_id: str, message: str = "", *, by: str | None = None
    ) -> None:
        """Hand a call that is not over to another operator. Raises `UnknownCall`, `CallError`."""
        async with self._editing:
            call, _ = await self._look_up(call_id)
            if call.state is CallState.ENDED:
                raise CallError("通话已经结束，不能再转接。", code="transfer.too_late")
            if call.operator_id == operator_id:
                raise CallError(f"这通电话已经在坐席 {operator_id}。", code="transfer.same_operator")
            theirs = await asyncio.to_thread(
                self._records.calls, states=(CallState.LIVE,), operator_id=operator_id, limit=1
            )
            if theirs:
                raise CallError(
                    f"坐席 {operator_id} 正在通话，请等对方挂断或换一个坐席。", code="transfer.operator_busy"
                )
            await self._hand_over(
                call,
                CallTransferred(
                    from_operator=call.operator_id, to_operator=operator_id, message=message, by=by
                ),
            )

    async def _hand_over(self, call: Call, fact: CallTransferred) -> None:
        """Record it; what comes after belongs to the new operator's stream, so a session is told at once."""
        session = self._switchboard.session(call.call_id)
        if session is not None:
            await session.hand_over(fact)
        else:
            await self._record(call, fact)

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
