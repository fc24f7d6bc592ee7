"""The bus over one Redis stream that every process of the house writes and reads.

In: messages. Out: those of the other processes, in the order in which Redis took them.
Not known here: what they mean. The only module that speaks to Redis.

Bounds: 2,000 messages wait to be sent; when full the oldest that only passes (a partial, a figure) is
forgotten, else the oldest of all. The stream keeps about the last 20,000. What cannot be sent is counted and
forgotten: the others read it from the database.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from calls.bus.types import BadMessage, BusStats, LagMessage, Message, PartialMessage, read, written

log = logging.getLogger(__name__)

STREAM = "zhiting:events"
MAX_WAITING = 2000
MAX_KEPT = 20_000
_FIELD = b"m"
_AT_ONCE = 200
_BLOCK_MS = 1000
_TIMEOUT_S = 15.0
_CONNECT_S = 2.0
_FLUSH_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_DOWN = (RedisError, OSError, TimeoutError)


class RedisBus:
    """One writer and one reader per process."""

    def __init__(self, url: str, process_id: str):
        self._process_id = process_id
        self._redis = Redis.from_url(
            url,
            socket_connect_timeout=_CONNECT_S,
            socket_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self._waiting: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._last_id: str | None = None
        self._is_up: set[str] = set()
        self._is_sending = self._is_closing = False
        self._sent = self._received = self._lost = self._malformed = self._outages = 0

    def publish(self, message: Message) -> None:
        """Let the message wait for its turn; never blocks."""
        if len(self._waiting) >= MAX_WAITING:
            self._forget_one()
        self._waiting.append(message)
        self._arrived.set()

    def _forget_one(self) -> None:
        self._lost += 1
        for n, waiting in enumerate(self._waiting):
            if isinstance(waiting, PartialMessage | LagMessage):
                del self._waiting[n]
                return
        self._waiting.popleft()

    async def run(self, deliver: Callable[[Message], None]) -> None:
        """Send and read without end, however often Redis goes and comes back."""
        tasks = [
            asyncio.create_task(self._keep_on("out", self._send), name="bus out"),
            asyncio.create_task(self._keep_on("in", lambda: self._read(deliver)), name="bus in"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*tasks)  # neither ends but by an error of ours
        finally:
            self._is_closing = True  # the client may turn a cancellation into a lost connection
            self._arrived.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._redis.aclose()

    @property
    def is_up(self) -> bool:
        """Whether messages go out and come in."""
        return len(self._is_up) == 2

    async def _keep_on(self, way: str, work: Callable[[], Any]) -> None:
        """Do it again after every failure, after a pause that grows; chance keeps processes apart."""
        pause_s = _FIRST_PAUSE_S
        while not self._is_closing:
            began = asyncio.get_running_loop().time()
            try:
                await work()
            except _DOWN as error:
                if self._is_closing:
                    return
                self._went_down(way, error)
            if asyncio.get_running_loop().time() - began > _LONGEST_PAUSE_S:
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - nothing secret
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _went_down(self, way: str, error: BaseException) -> None:
        if self.is_up:
            self._outages += 1
            log.warning("the bus is down (%s): screens follow the database", type(error).__name__)
        self._is_up.discard(way)

    def _came_up(self, way: str) -> None:
        if way not in self._is_up:
            self._is_up.add(way)
            if self.is_up:
                log.info("the bus is up")

    async def _send(self) -> None:
        await self._redis.xlen(STREAM)
        self._came_up("out")
        while not self._is_closing:
            self._is_sending = False
            self._arrived.clear()
            while self._waiting:
                self._is_sending = True
                some = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
                try:
                    async with self._redis.pipeline(transaction=False) as pipeline:
                        for message in some:
                            text = written(message, self._process_id)
                            pipeline.xadd(STREAM, {_FIELD: text}, maxlen=MAX_KEPT, approximate=True)
                        await pipeline.execute()
                except _DOWN:
                    self._lost += len(some) + len(self._waiting)
                    self._waiting.clear()  # old by the time it could be sent
                    raise
                self._sent += len(some)
            await self._arrived.wait()

    async def _read(self, deliver: Callable[[Message], None]) -> None:
        position = await self._find_position()
        self._came_up("in")
        while not self._is_closing:
            found: Any = await self._redis.xread({STREAM: position}, count=_AT_ONCE, block=_BLOCK_MS)
            for _, messages in found:
                for message_id, fields in messages:
                    position = self._last_id = message_id.decode()
                    self._take(fields, deliver)

    async def _find_position(self) -> str:
        """Where to read from: the newest at first, then where reading stopped, if that is still before it."""
        newest = "0-0"
        found: Any = await self._redis.xrevrange(STREAM, count=1)
        for message_id, _ in found:
            newest = message_id.decode()
        if self._last_id is None:
            self._last_id = newest
        elif _order(newest) < _order(self._last_id):  # Redis came back empty, with a clock that is behind
            self._last_id = "0-0"
        return self._last_id

    def _take(self, fields: dict[bytes, bytes], deliver: Callable[[Message], None]) -> None:
        try:
            message = read(fields.get(_FIELD, b""))
        except BadMessage:
            self._malformed += 1
            return
        if message.sender == self._process_id:
            return
        self._received += 1
        try:
            deliver(message)
        except Exception:  # the edge of one message: the next one is another matter
            log.exception("a message of the kind %s broke its listener", message.kind)

    async def flush(self) -> None:
        """Let what waits be sent, within a second."""
        until = asyncio.get_running_loop().time() + _FLUSH_S
        while self.is_up and (self._waiting or self._is_sending):
            if asyncio.get_running_loop().time() > until:
                break
            await asyncio.sleep(0.01)

    def stats(self) -> BusStats:
        """The figures of the moment."""
        return BusStats(
            name="redis",
            is_up=self.is_up,
            waiting=len(self._waiting),
            sent=self._sent,
            received=self._received,
            lost=self._lost,
            malformed=self._malformed,
            outages=self._outages,
        )


def _order(message_id: str) -> tuple[int, int]:
    at, _, n = message_id.partition("-")
    return int(at), int(n)


async def is_reachable(url: str) -> str | None:
    """None where Redis answers and streams can be written there, else what it says."""
    redis = Redis.from_url(url, socket_connect_timeout=_CONNECT_S, socket_timeout=_TIMEOUT_S)
    try:
        await redis.xlen(STREAM)
    except _DOWN as error:
        return type(error).__name__
    finally:
        await redis.aclose()
    return None
