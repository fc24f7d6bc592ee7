"""What was heard and found in a call, for the line that brings it: some carriers want it back.

In: facts as they become durable, and partials. Out: segments and suggestions, one queue per line.
Not known here: protocols, sockets, screens.

Bound: 256 waiting for a line; when full the oldest is dropped and counted, and the log tells at the end.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from asr.types import Segment
from calls.types import Entry, SegmentCorrected, SegmentShown, Stream, SuggestionShown
from retrieval.types import Suggestion

log = logging.getLogger(__name__)

MAX_WAITING = 256

News = Segment | Suggestion


class Echo:
    """What one line is still to be told."""

    def __init__(self) -> None:
        self._waiting: deque[News] = deque()
        self._arrived = asyncio.Event()
        self._is_over = False
        self.dropped = 0

    def put(self, news: News) -> None:
        """Keep it until it is sent; of text that may still change the newest is enough."""
        if isinstance(news, Segment):
            for n, older in enumerate(self._waiting):
                if isinstance(older, Segment) and older.segment_id == news.segment_id and not older.is_final:
                    del self._waiting[n]
                    break
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(news)
        self._arrived.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._is_over = True
        self._arrived.set()

    async def news(self) -> AsyncIterator[News]:
        """Everything in its order, until the end."""
        while True:
            self._arrived.clear()
            while self._waiting:
                yield self._waiting.popleft()
            if self._is_over:
                return
            await self._arrived.wait()


class Echoes:
    """Knows which line wants to hear of which call. All methods run on the event loop."""

    def __init__(self) -> None:
        self._echoes: dict[str, Echo] = {}

    @contextmanager
    def of(self, call_id: str) -> Iterator[Echo]:
        """The echo of that call, for as long as its line is there."""
        echo = self._echoes[call_id] = Echo()
        try:
            yield echo
        finally:
            if self._echoes.get(call_id) is echo:
                del self._echoes[call_id]
            if echo.dropped:
                log.warning("the line of call %s was too slow for %d messages", call_id, echo.dropped)

    def hear(self, entries: list[Entry]) -> None:
        """Take note of what has just become durable."""
        for entry in entries:
            if entry.call_id is None or entry.stream != Stream.call(entry.call_id):
                continue
            if (echo := self._echoes.get(entry.call_id)) is None:
                continue
            match entry.fact:
                case SegmentShown(segment=segment) | SegmentCorrected(segment=segment):
                    echo.put(segment)
                case SuggestionShown(suggestion=suggestion):
                    echo.put(suggestion)

    def hear_partial(self, segment: Segment, operator_id: str | None) -> None:
        """Take note of text that may still change."""
        if (echo := self._echoes.get(segment.call_id)) is not None:
            echo.put(segment)
