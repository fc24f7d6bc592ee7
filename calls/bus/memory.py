"""The bus of a process that is alone; and, for several houses in one process, a room that they share.

In: messages. Out: the same messages, to everybody else in the room. Not known here: what they mean.
"""

import asyncio
from collections.abc import Callable

from calls.bus.types import BusStats, Message, read, written

MAX_WAITING = 2000


class Room:
    """Who hears whom."""

    def __init__(self) -> None:
        self.inside: list[MemoryBus] = []


class MemoryBus:
    """Hands messages to the others of its room; alone, to nobody. When full, the oldest is forgotten."""

    def __init__(self, process_id: str, room: Room | None = None, *, is_deaf: bool = False):
        """`is_deaf`: there are others whom it cannot reach; all of them follow the database."""
        self._process_id = process_id
        self._is_deaf = is_deaf
        self._room = room or Room()
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)
        self._sent = self._received = self._lost = 0

    def publish(self, message: Message) -> None:
        """Hand a message to the others."""
        others = [one for one in self._room.inside if one is not self]
        if others:
            text = written(message, self._process_id)
            self._sent += 1
            for other in others:
                other.put(text)

    def put(self, text: bytes) -> None:
        """Take a message from another one."""
        if self._waiting.full():
            self._waiting.get_nowait()
            self._lost += 1
        self._waiting.put_nowait(text)

    async def run(self, deliver: Callable[[Message], None]) -> None:
        """Hand over what the others tell, without end."""
        self._room.inside.append(self)
        try:
            while True:
                message = read(await self._waiting.get())
                self._received += 1
                deliver(message)
        finally:
            self._room.inside.remove(self)

    async def flush(self) -> None:
        """Nothing waits to be sent."""

    def stats(self) -> BusStats:
        """The figures of the moment."""
        return BusStats(
            name="",
            is_up=not self._is_deaf,
            waiting=self._waiting.qsize(),
            sent=self._sent,
            received=self._received,
            lost=self._lost,
        )
