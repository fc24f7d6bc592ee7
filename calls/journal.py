"""The journal: facts become durable, with a sequence number in each stream, before anyone sees them.

In: facts with the time at which they happened. Out: `Entry`s, told in the order of writing.
Not known here: who is looking, how a segment was heard, what is on any screen.

One thread owns the writing connection and commits all that is waiting in one transaction; what cannot be
written fails alone. Bound: 1,024 waiting appends; when full, `append` waits, so a call slows down rather
than losing a fact.

A PostgreSQL that is away for a while is waited for: facts are written when it is back, each once, also where
it was lost in the middle of a commit and nobody knows whether that went through.
"""

import asyncio
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from calls.facts import to_payload
from calls.forms.keeping import keep
from calls.outward import told
from calls.safety.rows import project_alarm
from calls.tables import calls, entries, facts, streams
from calls.types import (
    AudioFormat,
    CallEnded,
    CallInterrupted,
    CallLost,
    CallReconnected,
    CallStarted,
    CallState,
    CallTransferred,
    Entry,
    Fact,
    StorageFailed,
    WorkOrderChanged,
    WorkOrderDrafted,
    WorkOrderMade,
)
from calls.watching import WriteTimes
from calls.webhooks.outbox import put
from knowledge_base.database import writing
from knowledge_base.json_text import dumps
from knowledge_base.postgres import is_passing, is_postgres, pause

log = logging.getLogger(__name__)

_MAX_WAITING = 1024
Within: TypeAlias = Callable[[Connection], None]
"""What else belongs into the transaction of a fact; it goes first, and by raising keeps the fact out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStats:
    """What the journal is doing, and what it could not do since it started."""

    waiting: int
    """Facts that are not durable yet."""
    limit: int
    """How many may be on their way to the disk; the others wait in their calls."""
    failed: int
    """How often the disk did not take a fact; some are tried again."""
    last_failed_at: datetime | None
    """When that was last so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Append:
    """Facts on their way to the disk that become durable together, each with its time."""

    is_now: bool
    """Whether they happen now, so that other systems are told."""

    facts: tuple[tuple[datetime, Fact], ...]
    call_id: str | None
    streams: tuple[str, ...]
    audio_format: AudioFormat | None
    settle: Callable[[list[Entry] | Exception], None]
    within: Within | None = None
    times: WriteTimes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What became of an append, as soon as the transaction is committed."""

    entries: list[Entry]
    fact_ids: Sequence[int]


class Journal:
    """Owns the writing side of the call tables. Open with `start`, close with `stop`."""

    def __init__(self, engine: Engine, tell: Callable[[list[Entry]], None], *, patience_s: float = 10.0):
        """`tell` is called on the event loop with what was just written, in the order of writing.

        `patience_s`: how long it waits for a database that is away once it shall end.
        """
        self._watch: Callable[[list[Entry], WriteTimes], None] | None = None
        self._patience_s = patience_s
        self._engine = engine
        self._tell = tell
        self._waiting: queue.SimpleQueue[_Append | None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(_MAX_WAITING)
        self._is_stopped = False
        self._pending = 0
        self._failed = 0
        self._last_failed_at: datetime | None = None
        self._retried = 0
        self._hurries_since_s: float | None = None
        self._thread = threading.Thread(target=self._write_forever, name="journal", daemon=True)

    def start(self, watch: Callable[[list[Entry], WriteTimes], None] | None = None) -> None:
        """Begin to write; `watch` hears of what happened now and was told, and how long that took."""
        self._watch = watch
        self._thread.start()

    async def stop(self) -> None:
        """Write what is waiting, then end; what comes later is refused."""
        self._is_stopped = True
        self.hurry()
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def hurry(self) -> None:
        """From now on wait for a database that is away some seconds at most: the house closes."""
        if self._hurries_since_s is None:
            self._hurries_since_s = time.monotonic()

    async def append(
        self,
        fact: Fact,
        *,
        call_id: str | None,
        streams: Sequence[str],
        at: datetime,
        audio_format: AudioFormat | None = None,
        within: Within | None = None,
    ) -> list[Entry]:
        """Make the fact durable and have it told; returns one entry per stream. Raises `StorageFailed`.

        Also raises what `within` raises. A fact that no database could take raises what is wrong with it.
        Appends of one caller that awaits each in turn keep their order in every stream.
        """
        return await self._append(
            ((at, fact),),
            now=at,
            is_now=True,
            call_id=call_id,
            streams=tuple(streams),
            audio_format=audio_format,
            within=within,
        )

    async def settled(self) -> None:
        """Return once all that has been written so far was told. Raises `StorageFailed` at the end."""
        await self._append(
            (), now=datetime.now(UTC), is_now=False, call_id=None, streams=(), audio_format=None
        )

    async def append_whole(
        self, some: Sequence[tuple[datetime, Fact]], *, now: datetime, call_id: str, streams: Sequence[str]
    ) -> list[Entry]:
        """Make facts of one call durable, all of them or none, each with its own time.

        Screens are told, other systems are not: these facts are from before. Raises `StorageFailed`.
        """
        return await self._append(
            tuple(some), now=now, is_now=False, call_id=call_id, streams=tuple(streams), audio_format=None
        )

    async def _append(
        self,
        some: tuple[tuple[datetime, Fact], ...],
        *,
        now: datetime,
        is_now: bool,
        call_id: str | None,
        streams: tuple[str, ...],
        audio_format: AudioFormat | None,
        within: Within | None = None,
    ) -> list[Entry]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Entry] | Exception] = loop.create_future()
        times = WriteTimes() if self._watch is not None and is_now else None

        def settle(result: list[Entry] | Exception) -> None:
            loop.call_soon_threadsafe(finish, result)

        def finish(result: list[Entry] | Exception) -> None:
            # Told here and not by the caller: entries are shown in the order in which they were written,
            # also when the caller was cancelled meanwhile.
            try:
                if not isinstance(result, Exception):
                    self._tell(result)
                    if self._watch is not None and times is not None:
                        self._watch(result, times)
                elif isinstance(result, StorageFailed):
                    self._failed += 1
                    self._last_failed_at = now
            finally:
                if not done.done():
                    done.set_result(result)

        self._pending += 1
        try:
            async with self._room:
                if self._is_stopped:
                    raise StorageFailed("服务正在停止，不再记录。")
                self._waiting.put(
                    _Append(
                        is_now=is_now,
                        facts=some,
                        call_id=call_id,
                        streams=streams,
                        audio_format=audio_format,
                        settle=settle,
                        within=within,
                        times=times,
                    )
                )
                result = await done
        finally:
            self._pending -= 1
        if isinstance(result, Exception):
            raise result
        return result

    def stats(self) -> JournalStats:
        """The figures of the moment; to be asked on the event loop."""
        return JournalStats(
            waiting=self._pending,
            limit=_MAX_WAITING,
            failed=self._failed + self._retried,
            last_failed_at=self._last_failed_at,
        )

    def _write_forever(self) -> None:
        is_open = True
        while is_open:
            batch = [self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get())
            is_open = None not in batch
            appends = [item for item in batch if item is not None]
            begun_s = time.monotonic()
            for item, result in zip(appends, self._write(appends), strict=True):
                if (times := item.times) is not None:
                    times.begun_s, times.durable_s, times.together = begun_s, time.monotonic(), len(appends)
                item.settle(result)

    def _write(self, appends: list[_Append]) -> list[list[Entry] | Exception]:
        """Commit them together; what went wrong is handed back, as the thread has to live on."""
        written: list[_Written] = []
        for attempt in itertools.count():
            try:
                with writing(self._engine) as connection:
                    # Whoever writes is alone: a commit without an answer went through by now, or never will.
                    if not _stand(connection, appends, written):
                        written = []
                        written = [_write(connection, item) for item in appends]
                return [one.entries for one in written]
            except Exception as error:  # noqa: BLE001 - handed to whoever waits for this fact
                if self._may_wait_for(error):
                    self._note(error, appends, attempt)
                elif len(appends) > 1 and not isinstance(error, OperationalError):
                    return [self._write([item])[0] for item in appends]
                elif isinstance(error, DBAPIError):  # the disk, not one of the facts
                    return [_failed(error)] * len(appends)
                else:
                    return [error]
            pause(attempt)
        raise AssertionError("unreachable")

    def _may_wait_for(self, error: Exception) -> bool:
        """Whether the database may come back, and there is time to wait for it."""
        if not is_postgres(self._engine) or not is_passing(error):
            return False
        since_s = self._hurries_since_s
        return since_s is None or time.monotonic() - since_s < self._patience_s

    def _note(self, error: Exception, appends: list[_Append], attempt: int) -> None:
        self._retried += 1
        self._last_failed_at = max(
            (at for item in appends for at, _ in item.facts), default=self._last_failed_at
        )
        if attempt == 0:
            log.error("the database is away, %d appends wait for it (%s)", len(appends), type(error).__name__)


def _failed(error: DBAPIError) -> StorageFailed:
    return StorageFailed(f"记录无法写入磁盘，请检查磁盘空间（{type(error.orig).__name__}）。")


def _stand(connection: Connection, appends: list[_Append], written: list[_Written]) -> bool:
    """Whether what was written in a transaction of unknown end is there: then it is all of it."""
    for item, one in zip(appends, written, strict=False):
        for fact_id, (at, fact) in zip(one.fact_ids, item.facts, strict=True):
            row = connection.execute(select(facts).where(facts.c.fact_id == fact_id)).first()
            mine = (item.call_id, fact.type, at.isoformat(), dumps(to_payload(fact)))
            return row is not None and (row.call_id, row.type, row.at, dumps(row.payload)) == mine
    return False


def _write(connection: Connection, item: _Append) -> _Written:
    if item.within is not None:
        item.within(connection)
    if not item.facts:
        return _Written(entries=[], fact_ids=())
    for at, fact in item.facts:
        _project(connection, item, at, fact)
        project_alarm(connection, item.call_id, at, fact)
    rows = [
        {"call_id": item.call_id, "type": fact.type, "at": at.isoformat(), "payload": to_payload(fact)}
        for at, fact in item.facts
    ]
    add = insert(facts).returning(facts.c.fact_id, sort_by_parameter_order=True)
    fact_ids = connection.scalars(add, rows).all()
    if item.is_now:
        for fact_id, (at, fact) in zip(fact_ids, item.facts, strict=True):
            if event := told(fact_id, at, item.call_id, fact):
                put(connection, event)
    written = []
    for stream in item.streams:
        last_seq = connection.scalar(
            update(streams)
            .where(streams.c.stream == stream)
            .values(last_seq=streams.c.last_seq + len(rows))
            .returning(streams.c.last_seq)
        )
        if last_seq is None:
            last_seq = len(rows)
            connection.execute(insert(streams).values(stream=stream, last_seq=last_seq))
        first_seq = last_seq - len(rows) + 1
        places = [
            {"stream": stream, "seq": seq, "fact_id": fact_id}
            for seq, fact_id in enumerate(fact_ids, first_seq)
        ]
        connection.execute(insert(entries), places)
        written += [
            Entry(stream=stream, seq=seq, at=at, call_id=item.call_id, fact=fact)
            for seq, (at, fact) in enumerate(item.facts, first_seq)
        ]
    return _Written(entries=written, fact_ids=fact_ids)


def _project(connection: Connection, item: _Append, at: datetime, fact: Fact) -> None:
    """Keep the row of the call in step with its facts, within the same transaction."""
    if isinstance(fact, CallStarted):
        call = fact.call
        connection.execute(
            insert(calls).values(
                call_id=call.call_id,
                state=call.state,
                started_at=_sortable(call.started_at),
                operator_id=call.operator_id,
                caller=call.caller,
                dialled=call.dialled,
                seconds=0.0,
                audio_format=asdict(item.audio_format) if item.audio_format else None,
                meta=dict(call.meta),
            )
        )
        return
    if isinstance(fact, WorkOrderDrafted | WorkOrderChanged | WorkOrderMade) and item.call_id is not None:
        keep(connection, item.call_id, at, fact)
    changes: dict[str, Any] = {}
    if isinstance(fact, CallLost):
        changes = {"state": CallState.LOST}
    elif isinstance(fact, CallInterrupted):
        changes = {"state": CallState.INTERRUPTED}
    elif isinstance(fact, CallReconnected):
        changes = {"state": CallState.LIVE}
    elif isinstance(fact, CallTransferred):
        changes = {"operator_id": fact.to_operator}
    elif isinstance(fact, CallEnded):
        changes = {
            "state": CallState.ENDED,
            "ended_at": _sortable(at),
            "seconds": fact.seconds,
            "end_reason": fact.reason,
        }
    if changes:
        connection.execute(update(calls).where(calls.c.call_id == item.call_id).values(**changes))


def _sortable(moment: datetime) -> str:
    """One time zone for all, so that the order of the texts is the order of the moments."""
    return moment.astimezone(UTC).isoformat()
