"""The line to the boards of the hall: numbers events, keeps the last ones, catches each board up.

In: events as they happen, and whoever can make a snapshot. Out: JSON text for each board.
Not known here: sockets, what an event says.

Bounds: the last 2,000 events are kept for boards that come back; 256 wait for one board, then a snapshot
takes their place.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from agent_ui.hall_events import HallEvent, HallSnapshot

MAX_REPLAY = 2000
MAX_WAITING = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """An event as it goes out."""

    seq: int | None
    text: str


class _Waiting:
    """What one board still has to be sent."""

    def __init__(self) -> None:
        self.told: list[_Told] = []
        self.needs_snapshot = False
        self.arrived = asyncio.Event()

    def put(self, told: _Told) -> None:
        if len(self.told) >= MAX_WAITING:
            self.start_over()
        self.told.append(told)
        self.arrived.set()

    def start_over(self) -> None:
        self.told.clear()
        self.needs_snapshot = True
        self.arrived.set()


class HallLine:
    """All of it runs on the event loop."""

    def __init__(self, snapshot: Callable[[], Awaitable[HallSnapshot]]) -> None:
        """`snapshot` tells everything up to the newest number."""
        self._snapshot = snapshot
        # Above every number of an earlier run, unless that one told a thousand events in each second.
        self.seq = time.time_ns() // 1_000_000
        self._kept: deque[_Told] = deque(maxlen=MAX_REPLAY)
        self._screens: set[_Waiting] = set()

    @property
    def screens(self) -> int:
        """How many boards are connected."""
        return len(self._screens)

    def next_seq(self) -> int:
        """The number of an event that is told next."""
        self.seq += 1
        return self.seq

    def tell(self, event: HallEvent) -> None:
        """Send an event to every board."""
        told = _Told(seq=event.seq, text=event.model_dump_json())
        if told.seq is not None:
            self._kept.append(told)
        for screen in self._screens:
            screen.put(told)

    def start_over(self) -> None:
        """Only a snapshot can tell what happened."""
        self.next_seq()
        self._kept.clear()
        for screen in self._screens:
            screen.start_over()

    async def follow(self, since: int | None) -> AsyncGenerator[str, None]:
        """What a board is to be sent, without end: a snapshot or what it missed, then what happens."""
        screen = _Waiting()
        missed = self._missed(since)
        if missed is None:
            screen.start_over()
        self._screens.add(screen)
        try:
            for told in missed or ():
                yield told.text
            while True:
                await screen.arrived.wait()
                screen.arrived.clear()
                if screen.needs_snapshot:
                    screen.needs_snapshot = False  # it may fall behind again meanwhile
                    snapshot = await self._snapshot()
                    # What came meanwhile is in it, or has a higher number.
                    screen.told = [one for one in screen.told if one.seq is None or one.seq > snapshot.seq]
                    yield snapshot.model_dump_json(by_alias=True)
                if screen.needs_snapshot:
                    continue
                waiting, screen.told = screen.told, []
                for told in waiting:
                    yield told.text
        finally:
            self._screens.discard(screen)

    def _missed(self, since: int | None) -> list[_Told] | None:
        """Events after that one; None where only a snapshot can serve."""
        if since is None or since > self.seq:
            return None
        missed = [told for told in self._kept if told.seq is not None and told.seq > since]
        is_whole = since == self.seq or (bool(missed) and missed[0].seq == since + 1)
        return missed if is_whole else None
