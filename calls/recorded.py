"""Calls that were never live here: transcribed recordings are put on record beside the live calls.

In: what was recognised in a recording, when it began, who spoke where that is known.
Out: a call that has ended, at its own time, in its own stream alone: no screen is told that somebody calls.
Not known here: how recordings are transcribed, HTTP.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from asr.types import Segment
from calls.journal import Journal
from calls.records import Records
from calls.types import (
    Call,
    CallEnded,
    CallError,
    CallStarted,
    CallState,
    EndReason,
    Fact,
    SegmentShown,
    Stream,
)

_ID_CHARACTERS = 32
_AHEAD = timedelta(minutes=5)
"""Another machine's clock may be ahead of ours by so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """A transcribed recording."""

    digest: str
    """SHA-256 of the file, in hexadecimal digits: what the call is known by."""
    name: str
    """Of the file."""
    started_at: datetime
    seconds: float
    segments: tuple[Segment, ...]
    """Finals in the order of media time, of whatever call they say they are."""
    operator_id: str | None = None
    caller: str | None = None

    @property
    def call_id(self) -> str:
        """The same for the same file, so that it comes in once."""
        return f"rec-{self.digest[:_ID_CHARACTERS]}"


class InFuture(CallError):
    """The recording would end later than now: its time was misread."""

    code = "recorded.in_future"


class Recorder:
    """Puts recorded calls on record."""

    def __init__(self, *, journal: Journal, records: Records, clock: Callable[[], datetime]):
        self._journal = journal
        self._records = records
        self._clock = clock
        self._recording = asyncio.Lock()
        """Held from looking whether a call is there to putting it there."""

    async def record(self, recorded: RecordedCall) -> bool:
        """Put it on record, all of it or nothing; False where it is there already, and stays as it is.

        Raises `InFuture`, `StorageFailed`.
        """
        now = self._clock()
        if recorded.started_at + timedelta(seconds=recorded.seconds) > now + _AHEAD:
            raise InFuture("录音的时间在将来，请检查录音时间从何而来（文件名或修改时间）。")
        async with self._recording:
            if await asyncio.to_thread(self._records.call, recorded.call_id) is not None:
                return False
            await self._journal.append_whole(
                _facts_of(recorded),
                now=now,
                call_id=recorded.call_id,
                streams=(Stream.call(recorded.call_id),),
            )
            return True


def _facts_of(recorded: RecordedCall) -> list[tuple[datetime, Fact]]:
    """What would have been told, had the call been live then."""
    start = recorded.started_at
    call = Call(
        call_id=recorded.call_id,
        state=CallState.LIVE,
        started_at=start,
        operator_id=recorded.operator_id,
        caller=recorded.caller,
        meta={"来源": "录音转写", "录音": recorded.name, "file": {"sha256": recorded.digest}},
    )
    return [
        (start, CallStarted(call=call)),
        *(
            (start + timedelta(seconds=segment.end_s), SegmentShown(segment=_of(segment, call)))
            for segment in recorded.segments
        ),
        (
            start + timedelta(seconds=recorded.seconds),
            CallEnded(reason=EndReason.RECORDED, seconds=recorded.seconds),
        ),
    ]


def _of(segment: Segment, call: Call) -> Segment:
    return replace(segment, call_id=call.call_id, is_final=True)
