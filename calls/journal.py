"""The journal: facts become durable, with a sequence number in each stream, before anyone sees them.

In: facts with the time at which they happened. Out: `Entry`s, told in the order of writing.
Not known here: who is looking, how a segment was heard, what is on any screen.

One thread owns the writing connection and commits all that is waiting in one transaction. Bound: 1,024
waiting appends; when full, `append` waits, so a call slows down rather than losing a fact.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from calls.facts import to_payload
from calls.tables import calls, entries, facts, streams
from calls.types import (
    AudioFormat,
    CallEnded,
    CallInterrupted,
    CallLost,
    CallReconnected,
    CallStarted,
    CallState,
    Entry,
    Fact,
    StorageFailed,
)
from knowledge_base.database import writing

_MAX_WAITING = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Append:
    """One fact on its way to the disk."""

    fact: Fact
    call_id: str | None
    streams: tuple[str, ...]
    at: datetime
    audio_format: AudioFormat | None
    settle: Callable[[list[Entry] | StorageFailed], None]


class Journal:
    """Owns the writing side of the call tables. Open with `start`, close with `stop`."""

    def __init__(self, engine: Engine, tell: Callable[[list[Entry]], None]):
        """`tell` is called on the event loop with what was just written, in the order of writing."""
        self._engine = engine
        self._tell = tell
        self._waiting: queue.SimpleQueue[_Append | None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(_MAX_WAITING)
        self._thread = threading.Thread(target=self._write_forever, name="journal", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    async def stop(self) -> None:
        """Write what is waiting, then end."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    async def append(
        self,
        fact: Fact,
        *,
        call_id: str | None,
        streams: Sequence[str],
        at: datetime,
        audio_format: AudioFormat | None = None,
    ) -> list[Entry]:
        """Make the fact durable and have it told; returns one entry per stream. Raises `StorageFailed`.

        Appends of one caller that awaits each in turn keep their order in every stream.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Entry] | StorageFailed] = loop.create_future()

        def settle(result: list[Entry] | StorageFailed) -> None:
            loop.call_soon_threadsafe(finish, result)

        def finish(result: list[Entry] | StorageFailed) -> None:
            # Told here and not by the caller: entries are shown in the order in which they were written,
            # also when the caller was cancelled meanwhile.
            if not isinstance(result, StorageFailed):
                self._tell(result)
            if not done.done():
                done.set_result(result)

        async with self._room:
            self._waiting.put(
                _Append(
                    fact=fact,
                    call_id=call_id,
                    streams=tuple(streams),
                    at=at,
                    audio_format=audio_format,
                    settle=settle,
                )
            )
            result = await done
        if isinstance(result, StorageFailed):
            raise result
        return result

    def _write_forever(self) -> None:
        is_open = True
        while is_open:
            batch = [self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get())
            is_open = None not in batch
            appends = [item for item in batch if item is not None]
            try:
                with writing(self._engine) as connection:
                    written = [_write(connection, item) for item in appends]
            except DBAPIError as error:
                failed = StorageFailed(f"记录无法写入磁盘，请检查磁盘空间（{type(error.orig).__name__}）。")
                for item in appends:
                    item.settle(failed)
            else:
                for item, told in zip(appends, written, strict=True):
                    item.settle(told)


def _write(connection: Connection, item: _Append) -> list[Entry]:
    _project(connection, item)
    fact_id = connection.execute(
        insert(facts).values(
            call_id=item.call_id, type=item.fact.type, at=item.at.isoformat(), payload=to_payload(item.fact)
        )
    ).inserted_primary_key
    assert fact_id is not None
    written = []
    for stream in item.streams:
        seq = connection.scalar(
            update(streams)
            .where(streams.c.stream == stream)
            .values(last_seq=streams.c.last_seq + 1)
            .returning(streams.c.last_seq)
        )
        if seq is None:
            seq = 1
            connection.execute(insert(streams).values(stream=stream, last_seq=seq))
        connection.execute(insert(entries).values(stream=stream, seq=seq, fact_id=fact_id[0]))
        written.append(Entry(stream=stream, seq=seq, at=item.at, call_id=item.call_id, fact=item.fact))
    return written


def _project(connection: Connection, item: _Append) -> None:
    """Keep the row of the call in step with its facts, within the same transaction."""
    fact = item.fact
    if isinstance(fact, CallStarted):
        call = fact.call
        connection.execute(
            insert(calls).values(
                call_id=call.call_id,
                state=call.state,
                started_at=call.started_at.isoformat(),
                operator_id=call.operator_id,
                caller=call.caller,
                dialled=call.dialled,
                seconds=0.0,
                audio_format=asdict(item.audio_format) if item.audio_format else None,
                meta=dict(call.meta),
            )
        )
        return
    changes: dict[str, Any] = {}
    if isinstance(fact, CallLost):
        changes = {"state": CallState.LOST}
    elif isinstance(fact, CallInterrupted):
        changes = {"state": CallState.INTERRUPTED}
    elif isinstance(fact, CallReconnected):
        changes = {"state": CallState.LIVE}
    elif isinstance(fact, CallEnded):
        changes = {
            "state": CallState.ENDED,
            "ended_at": item.at.isoformat(),
            "seconds": fact.seconds,
            "end_reason": fact.reason,
        }
    if changes:
        connection.execute(update(calls).where(calls.c.call_id == item.call_id).values(**changes))
