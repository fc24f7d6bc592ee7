"""One call in progress: its line, its ears, its assistant, and the task that joins them.

In: a line of sound and the engines. Out: facts, recorded through `record`; partials, published.
Not known here: sockets, other calls, timers, the database.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from asr.types import SAMPLE_RATE_HZ, AsrError, AudioFrame, Party, Segment
from calls import current
from calls.line import Line
from calls.live import run_call
from calls.notices import audio_gap, no_ears, slow_disk, sound_away
from calls.patience import unless_stuck
from calls.resumption import NO_RESUMPTION, Resumption
from calls.types import (
    Call,
    CallBroken,
    CallDegraded,
    CallEnded,
    CallError,
    CallInterrupted,
    CallStuck,
    CallTransferred,
    EndReason,
    Fact,
    SegmentShown,
    StorageFailed,
    SuggestionMarked,
    SuggestionShown,
)
from knowledge_base.types import KnowledgeError
from retrieval.types import Findings, Mark, Query, Suggestion

log = logging.getLogger(__name__)

_CLOSES_WITHIN_S = 30.0
"""So long a call waits for its sound to be handed to the disk; after that it goes there by itself."""


class Assistant(Protocol):
    """Reads along with one call: knows its dialogue and the cards on its screen."""

    def ask(self, segment: Segment) -> Query | None:
        """What to look for after this final, if anything."""

    def advise(self, segment: Segment, query: Query | None, findings: Findings | None) -> Suggestion | None:
        """The cards to show from now on, or None where they stay as they are."""

    def mark(self, article_id: str, mark: Mark) -> Suggestion | None:
        """Take note of what the operator did; returns the cards where that changes them."""

    def recall(
        self,
        segments: Sequence[Segment],
        suggestion: Suggestion | None,
        marks: Sequence[tuple[str, Mark]],
    ) -> None:
        """Take up a call again from what was recorded of it; marks are (article_id, mark), oldest first."""


Recognise: TypeAlias = Callable[[str, AsyncIterator[AudioFrame], Mapping[Party, int]], AsyncIterator[Segment]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """What a session needs to hear and to search."""

    recognise: Recognise
    """(call, frames, number of the last utterance of each leg so far) → segments."""
    admit: Callable[[str], None]
    """Count a call in; raises `AsrError` where no more can be recognised in time."""
    release: Callable[[str], None]
    """Count a call out."""
    lag_s: Callable[[str], float]
    """How long the call's oldest unanswered final has been waiting."""
    search: Callable[[Query], Awaitable[Findings]]
    has_ears: Callable[[], bool] = lambda: True
    """Whether anything is there to recognise."""
    has_room: Callable[[], bool] = lambda: True
    """Whether one more call could be recognised in time."""


class Session:
    """Runs one call until its line is hung up. `run` is the body of its task."""

    def __init__(
        self,
        *,
        call: Call,
        line: Line,
        engines: Engines,
        assistant: Assistant,
        record: Callable[[Fact], Awaitable[None]],
        publish: Callable[[Segment], None],
        resumption: Resumption = NO_RESUMPTION,
        stuck_s: float = 120.0,
    ):
        """`stuck_s`: so long a call that is to end may go without hearing any further."""
        self.call = call
        self.line = line
        self.assistant = assistant
        self._engines = engines
        self._record = record
        self._publish = publish
        self._resumption = resumption
        self._numbers = dict(resumption.numbers)
        self._reason: EndReason | None = None
        self._is_suspended = False
        self._is_search_broken = False
        self._stuck_s = stuck_s
        self._taken = 0
        """Frames and segments that went in and came out of the ears."""
        self.has_failed = False
        """Whether something of ours broke and the call could not be carried to its own end."""

    @property
    def is_ending(self) -> bool:
        """Whether no more sound is taken."""
        return self.line.is_hung_up

    def end(self, reason: EndReason) -> None:
        """No more sound will come; `run` writes what is pending and returns. The first reason stands."""
        self._reason = self._reason or reason
        self.line.hang_up()

    def suspend(self) -> None:
        """The server stops: write what is pending and leave the call to be taken up again."""
        self._is_suspended = True
        self.line.hang_up()

    async def leave_gap(self, seconds: float, *, kept_s: float) -> None:
        """Sound never came: media time goes on, by `kept_s` at most, and the screens are told.

        Raises `StorageFailed`.
        """
        received_s = self.line.received_s
        await self.line.leave_gap(min(seconds, kept_s))
        await self._record(audio_gap(received_s, seconds))

    async def tell_deaf(self) -> None:
        """Tell the screens that nothing is there to recognise. Raises `StorageFailed`."""
        await self._record(no_ears())

    async def tell_slow_disk(self) -> None:
        """Tell the screens that the disk keeps the sound waiting. Raises `StorageFailed`."""
        await self._record(slow_disk(self.line.received_s, self.line.behind_s))

    def last_number(self, party: Party) -> int:
        """The number of the newest utterance of that leg, 0 before the first."""
        return self._numbers.get(party, 0)

    async def run(self) -> None:
        """Carry the call to its end and record how it ended.

        Raises `StorageFailed` where something of it could not be put on record, `CallStuck` where the ears
        are stuck: the sound is spooled, so that the call may be taken up again and what is missing be heard
        again.
        """
        broken: CallError | AsrError | KnowledgeError | None = None
        current.call_id.set(self.call.call_id)
        current.operator_of.set(lambda: self.call.operator_id or "")
        try:
            await unless_stuck(self._carry(), self._progress, after_s=self._stuck_s)
        except* (StorageFailed, CallStuck) as group:
            broken = _first(group)
        except* (AsrError, CallError, KnowledgeError) as group:
            broken = broken or _first(group)
        except* Exception as group:  # the call's edge: a call that breaks must still end on the record
            log.error("call %s broke", self.call.call_id, exc_info=_first(group))
            broken = broken or CallBroken("通话处理出错，已保存的内容不受影响。")
        finally:
            await self._let_go()
        await self._record_end(broken)

    async def _carry(self) -> None:
        for start_s, seconds in self.line.away_s:
            await self._record(sound_away(start_s, seconds))
        await run_call(
            frames=self._unheard(self.line.frames()),
            recognise=self._recognise,
            ask=self.assistant.ask,
            search=self._engines.search,
            advise=self.assistant.advise,
            record=self._record,
            publish=self._publish,
            failed=self._miss_advice,
        )
        await self._hear_skipped()

    def _progress(self) -> int | None:
        return self._taken if self.line.is_hung_up else None

    async def _record_end(self, broken: "CallError | AsrError | KnowledgeError | None") -> None:
        final: CallEnded | CallInterrupted
        if isinstance(broken, StorageFailed | CallStuck):
            raise broken
        if broken is not None:
            self.has_failed = True
            await self._record(CallDegraded(code=broken.code, seconds=0.0, message=broken.message))
            final = CallEnded(reason=EndReason.FAILED, seconds=self.line.received_s)
        elif self._is_suspended and self._reason is None:
            final = CallInterrupted()
        else:
            final = CallEnded(reason=self._reason or EndReason.FAILED, seconds=self.line.received_s)
        await self._record(final)

    async def _let_go(self) -> None:
        self.line.hang_up()
        with suppress(StorageFailed):  # the tape has it in the log
            try:
                async with asyncio.timeout(min(self._stuck_s, _CLOSES_WITHIN_S)):
                    await self.line.close()
            except TimeoutError:
                log.error("the sound of call %s is still on its way to the disk", self.call.call_id)

    async def mark(self, suggestion_id: str, article_id: str, mark: Mark, by: str | None = None) -> None:
        """Record what the operator did with a card, and the cards where that changes them."""
        await self._record(
            SuggestionMarked(suggestion_id=suggestion_id, article_id=article_id, mark=mark, by=by)
        )
        await self.take_mark(article_id, mark)

    async def take_mark(self, article_id: str, mark: Mark) -> None:
        """Follow a mark that is on record: record the cards where it changes them."""
        suggestion = self.assistant.mark(article_id, mark)
        if suggestion is not None:
            await self._record(SuggestionShown(suggestion=suggestion))

    async def hand_over(self, transferred: CallTransferred) -> None:
        """Record that the call goes to another operator; what comes after stands in that one's stream.

        Raises `StorageFailed`; then it stays where it was.
        """
        self.call = replace(self.call, operator_id=transferred.to_operator)
        try:
            await self._record(transferred)
        except StorageFailed:
            self.call = replace(self.call, operator_id=transferred.from_operator)
            raise

    async def _recognise(self, frames: AsyncIterator[AudioFrame]) -> AsyncIterator[Segment]:
        async for segment in self._engines.recognise(
            self.call.call_id, self._counted(frames), dict(self._numbers)
        ):
            self._taken += 1
            number = int(segment.segment_id.rpartition("-")[2])
            self._numbers[segment.party] = max(number, self.last_number(segment.party))
            yield segment

    async def _counted(self, frames: AsyncIterator[AudioFrame]) -> AsyncIterator[AudioFrame]:
        async for frame in frames:
            self._taken += 1
            yield frame

    async def _miss_advice(self, error: Exception) -> None:
        """Tell the screen, once, that cards may be missing from now on."""
        if isinstance(error, KnowledgeError):
            broken = error
        else:
            log.error("searching for call %s broke", self.call.call_id, exc_info=error)
            broken = KnowledgeError("检索出错，本次通话可能缺少推荐。", code="kb.search_failed")
        if not self._is_search_broken:
            self._is_search_broken = True
            await self._record(CallDegraded(code=broken.code, seconds=0.0, message=broken.message))

    async def _hear_skipped(self) -> None:
        """Write down, after the call, what the ears were too slow for during it."""
        for span in self.line.skipped:
            async for segment in self._recognise(self._unheard(self.line.frames_of(span))):
                if segment.is_final and segment.text:
                    await self._record(SegmentShown(segment=segment))

    async def _unheard(self, frames: AsyncIterator[AudioFrame]) -> AsyncIterator[AudioFrame]:
        """The frames less what is already final on their leg."""
        async for frame in frames:
            for start_s, end_s in self._resumption.unheard_s(frame.party):
                if frame.start_s >= start_s and frame.end_s <= end_s:
                    yield frame
                elif frame.end_s > start_s and frame.start_s < end_s:
                    part = _cut(frame, start_s, end_s)
                    if len(part.samples):
                        yield part


def _cut(frame: AudioFrame, start_s: float, end_s: float) -> AudioFrame:
    """What of a frame lies between the two."""
    first, last = (
        round((at_s - frame.start_s) * SAMPLE_RATE_HZ) for at_s in (start_s, min(end_s, frame.end_s))
    )
    return replace(frame, start_s=max(start_s, frame.start_s), samples=frame.samples[max(0, first) : last])


def _first(group: BaseExceptionGroup[BaseException]) -> "AsrError | CallError | KnowledgeError":
    """The error that broke the call; the rest of the group are its echoes."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error  # type: ignore[return-value]
