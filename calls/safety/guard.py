"""Raises alarms while calls go on: hears what is written of every call, and records what it finds.

In: entries of the journal and partials, as they are told.
Out: facts `AlarmRaised` on record, seen by every screen that is concerned.
Not known here: which words are dangerous, screens, who is a supervisor.

An alarm is tried again until the disk takes it: it must not be lost because the disk is busy.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from asr.types import Segment
from calls.journal import Journal
from calls.safety.kinds import AlarmKind
from calls.safety.rules import Rules
from calls.safety.watch import CallWatch, Danger
from calls.streams import streams_of
from calls.types import (
    AlarmRaised,
    Call,
    CallEnded,
    CallStarted,
    CallTransferred,
    Entry,
    SegmentShown,
    StorageFailed,
    Stream,
)

log = logging.getLogger(__name__)

_TRIES = 30
_RETRY_S = 1.0


class Guard:
    """Hears all running calls. All methods run on the event loop."""

    def __init__(
        self, *, journal: Callable[[], Journal], rules: Callable[[], Rules], clock: Callable[[], datetime]
    ):
        """`rules` is asked at the beginning of each call."""
        self._journal = journal
        self._rules = rules
        self._clock = clock
        self._calls: dict[str, tuple[Call, CallWatch, Rules]] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def take_up(self, call: Call, raised: Iterable[AlarmKind]) -> None:
        """Hear a call that was going on before this server started."""
        self._calls[call.call_id] = (call, CallWatch(frozenset(raised)), self._rules())

    def hear(self, entries: list[Entry]) -> None:
        """Listen to one fact, once, whatever the streams that it stands in."""
        for entry in entries:
            match entry.fact:
                # In the list of calls stand live calls alone: transcribed recordings raise no alarm.
                case CallStarted(call=call) if entry.stream == Stream.CALLS:
                    self.take_up(call, ())
                case CallTransferred(to_operator=seat) if entry.call_id in self._calls:
                    call, watch, rules = self._calls[entry.call_id]
                    self._calls[entry.call_id] = (replace(call, operator_id=seat), watch, rules)
                case CallEnded() if entry.call_id is not None:
                    self._calls.pop(entry.call_id, None)
                case SegmentShown(segment=segment) if entry.stream == Stream.call(segment.call_id):
                    self._listen(segment)

    def hear_partial(self, segment: Segment, operator_id: str | None) -> None:
        """Listen to text that may still change."""
        self._listen(segment)

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    def _listen(self, segment: Segment) -> None:
        if segment.call_id not in self._calls:
            return
        call, watch, rules = self._calls[segment.call_id]
        for danger in watch.hear(segment, rules):
            task = asyncio.create_task(self._raise(call, danger), name=f"alarm {call.call_id}")
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _raise(self, call: Call, danger: Danger) -> None:
        fact = AlarmRaised(
            alarm_id=f"{call.call_id}.{danger.kind}",
            kind=danger.kind,
            severity=danger.severity,
            segment_id=danger.segment_id,
            said=danger.said,
            start=danger.start,
            end=danger.end,
            start_s=danger.start_s,
        )
        for _ in range(_TRIES):
            try:
                await self._journal().append(
                    fact, call_id=call.call_id, streams=streams_of(fact, call), at=self._clock()
                )
            except StorageFailed as error:
                log.error("an alarm in call %s cannot be written yet: %s", call.call_id, error.code)
                await asyncio.sleep(_RETRY_S)
            except Exception:  # the edge of one alarm: trying again would not help
                log.exception("an alarm in call %s cannot be written", call.call_id)
                return
            else:
                log.info("alarm in call %s: %s", call.call_id, danger.kind)
                return
        log.critical("an alarm in call %s is lost: %s", call.call_id, danger.kind)
