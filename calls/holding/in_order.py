"""Hears of each call that is held here what other processes write of it: once, in the order of its stream.

In: entries that were written here, entries that others tell, the newest numbers of streams.
Out: the entries of others. Not known here: who tells them, what is done about them.

What was missed is read from the records; the bus only makes it quick.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from calls.types import Entry, StorageFailed, Stream

log = logging.getLogger(__name__)

_PAGE = 500


class Read(Protocol):
    """Reads a stream; blocks."""

    def __call__(self, stream: str, *, since: int, limit: int) -> list[Entry]:
        """Entries after `since`, in order."""


class _Course:
    """How far one stream has been heard."""

    def __init__(self, seq: int) -> None:
        self.low = seq
        """Everything up to here."""
        self.above: set[int] = set()
        """And these."""
        self.is_reading = False

    def note(self, seq: int) -> bool:
        """Take a number in; says whether it is new."""
        if seq <= self.low or seq in self.above:
            return False
        self.above.add(seq)
        while self.low + 1 in self.above:
            self.low += 1
            self.above.discard(self.low)
        return True


class InOrder:
    """All methods run on the event loop."""

    def __init__(
        self,
        *,
        read: Read,
        settled: Callable[[], Awaitable[None]],
        tell: Callable[[list[Entry]], None],
    ) -> None:
        """`settled` returns once all that this process has made durable was also noted."""
        self._read = read
        self._settled = settled
        self._tell = tell
        self._courses: dict[str, _Course] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def streams(self) -> list[str]:
        """Those that are followed."""
        return list(self._courses)

    def follow(self, call_id: str, seq: int) -> None:
        """Hear of that call from after `seq` on."""
        self._courses.setdefault(Stream.call(call_id), _Course(seq))

    def drop(self, call_id: str) -> None:
        """Hear of it no longer."""
        self._courses.pop(Stream.call(call_id), None)

    def note(self, entries: Iterable[Entry]) -> None:
        """These were written here: nobody needs to be told."""
        for entry in entries:
            if (course := self._courses.get(entry.stream)) is not None:
                course.note(entry.seq)

    def hear(self, entries: Iterable[Entry]) -> None:
        """Another process wrote these."""
        for entry in entries:
            course = self._courses.get(entry.stream)
            if course is None or entry.seq <= course.low or entry.seq in course.above:
                continue
            if entry.seq == course.low + 1 and not course.is_reading:
                course.note(entry.seq)
                self._tell([entry])
            else:
                self._catch_up(entry.stream, course)

    def look(self, newest: Mapping[str, int]) -> None:
        """Read what was missed; `newest` are the last numbers of streams."""
        for stream, seq in newest.items():
            course = self._courses.get(stream)
            if course is not None and seq > course.low:
                self._catch_up(stream, course)

    def _catch_up(self, stream: str, course: _Course) -> None:
        if course.is_reading:
            return
        course.is_reading = True
        task = asyncio.create_task(self._read_on(stream, course), name=f"catch up {stream}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _read_on(self, stream: str, course: _Course) -> None:
        try:
            since = course.low
            while found := await asyncio.to_thread(self._read, stream, since=since, limit=_PAGE):
                since = found[-1].seq
                await self._settled()  # what was written here meanwhile is nobody else's
                if self._courses.get(stream) is course and (new := [e for e in found if course.note(e.seq)]):
                    self._tell(new)
        except (SQLAlchemyError, StorageFailed) as error:  # looked at again in a second
            log.error("a stream could not be caught up with (%s)", type(error).__name__)
        finally:
            course.is_reading = False

    async def close(self) -> None:
        """Wait for what is being read."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
