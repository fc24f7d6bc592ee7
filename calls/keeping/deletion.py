"""Deletes calls so that nothing of them can be read any more: rows, index, sound.

In: calls, who wants them gone, why. Out: what stays of it, a line for each.
Not known here: when a call's time is over, who may delete.

Every table that knows calls by `call_id` forgets the call, also tables that came later than this module;
those that do not are named here. SQLite overwrites what is deleted with zeros (`secure_delete`, see
knowledge_base/database.py). The full-text tables let go of words only when their parts are merged, and the
log that is written ahead holds old pages until it is emptied: `settle` does both.
"""

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, delete, func, insert, select, text, update

from calls.audio.sound import Recordings
from calls.audio.types import AudioAway
from calls.keeping.holds import hold_of
from calls.keeping.tables import deletion_row, deletions, holds
from calls.keeping.types import CallHeld, CallRuns, Deletion, What
from calls.outward import prefix_of
from calls.search.full_text import TABLES
from calls.search.taking_in import take_out
from calls.tables import calls, entries, facts, streams
from calls.types import CallState, SegmentCorrected, SegmentShown, Stream, UnknownCall
from calls.webhooks.outbox import forget
from knowledge_base.database import writing
from knowledge_base.postgres import is_postgres

log = logging.getLogger(__name__)

STAYS = frozenset({"orders", "call_deletions"})
"""Tables that go on naming a call: an order is a matter of the city's, with a term of its own."""
LETS_GO = frozenset({"article_reports"})
"""What an operator wrote about an article stays, without the call in which it was noticed."""
_WITHOUT_CALL_ID = frozenset(
    {"indexed_lines", "settled_gaps", "stream_entries", "streams", "webhook_events", "webhook_waiting"}
)
"""Tables that know calls otherwise."""
_BY_HAND = frozenset({"calls", "facts", "indexed_calls", "call_holds"})
_NOTHING = "nothing"
_MERGE_PAGES = 200
_ROUNDS = 10_000
_TRIES, _PAUSE_S = 5, 0.2
_AT_ONCE = 500
_DEFER = {"sqlite": "PRAGMA defer_foreign_keys = ON", "postgresql": "SET CONSTRAINTS ALL DEFERRED"}
_SAID = (SegmentShown.type, SegmentCorrected.type)


class Deleter:
    """All methods block; any thread, and another process, may call them."""

    def __init__(self, engine: Engine, recordings: Recordings):
        self._engine = engine
        self._recordings = recordings

    def delete(self, call_id: str, what: What, *, who: str, reason: str, now: datetime) -> Deletion:
        """Delete a call, or its sound. Raises `UnknownCall`, `CallRuns`, `CallHeld`.

        Raises `AudioAway` where its sound may lie in a store that does not answer; nothing is deleted then.
        """
        if what is What.ORDER:
            raise ValueError("orders are erased in calls/orders/erasure.py")
        n_bytes = self._recordings.n_bytes(call_id)  # not within the transaction: others wait for that
        with writing(self._engine) as connection:
            _check(connection, call_id, now)
            counts = (
                _forget_sound(connection, call_id) if what is What.AUDIO else _forget(connection, call_id)
            )
            counts["audio_bytes"] = n_bytes
            deletion = Deletion(call_id=call_id, what=what, at=now, who=who, reason=reason, counts=counts)
            connection.execute(insert(deletions).values(deletion_row(deletion)))
        try:
            self._recordings.delete(call_id)  # once it is sure that no row leads there any more
        except AudioAway:  # it has just gone away
            log.error("the sound of call %s is still in the object store; the next sweep deletes it", call_id)
        return deletion

    def sweep(self, *, before: datetime) -> int:
        """Delete sound that no call leads to, as a stop in mid-deletion leaves it; returns how many files.

        In the store only what is on the list of deletions goes: it is not known who else uses that store.
        Raises `AudioAway`.
        """
        swept = 0
        for call_id in self._recordings.call_ids(before=before.timestamp()):
            with self._engine.connect() as connection:
                query = select(func.count()).where(calls.c.call_id == call_id, has_sound())
                has_row = bool(connection.scalar(query))
            if not has_row and self._recordings.delete(call_id):
                swept += 1
        stored = self._recordings.stored(before=before.timestamp())
        while some := list(islice(stored, _AT_ONCE)):
            for call_id in self._forgotten(some):
                self._recordings.delete(call_id)
                swept += 1
        return swept

    def _forgotten(self, call_ids: list[str]) -> list[str]:
        """Those of these calls whose sound was deleted, and that have none by now."""
        on_list = select(deletions.c.call_id).where(deletions.c.call_id.in_(call_ids)).distinct()
        sounding = select(calls.c.call_id).where(calls.c.call_id.in_(call_ids), has_sound())
        with self._engine.connect() as connection:
            return sorted(set(connection.scalars(on_list)) - set(connection.scalars(sounding)))

    def settle(self) -> None:
        """Let the disk forget what was deleted. Live calls get their turns in between."""
        if is_postgres(self._engine):
            self._vacuum()
            return
        for name in TABLES.values():
            for round_ in range(_ROUNDS):
                pages = _MERGE_PAGES if round_ else -_MERGE_PAGES  # the first call says: all of it
                with writing(self._engine) as connection:
                    raw: Any = connection.connection.driver_connection
                    before = raw.total_changes
                    connection.execute(
                        text(f"INSERT INTO {name} ({name}, rank) VALUES ('merge', {pages})")  # noqa: S608
                    )
                    is_done = raw.total_changes - before < 2
                if is_done:
                    break
        for _ in range(_TRIES):
            if self._empty_log():
                return
            time.sleep(_PAUSE_S)
        log.info("the log of the database is in use and is emptied later")

    def _vacuum(self) -> None:
        """Free the places of deleted rows at once, for others to write over."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            names = {*TABLES.values(), *tables_with_calls(connection), *_WITHOUT_CALL_ID}
            for name in sorted(names):
                connection.execute(text(f'VACUUM "{name}"'))

    def _empty_log(self) -> bool:
        connection = self._engine.raw_connection()
        try:
            raw: Any = connection.driver_connection
            is_busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not is_busy
        finally:
            connection.close()

    def deletions(self, *, offset: int = 0, limit: int = 100) -> tuple[tuple[Deletion, ...], int]:
        """What was deleted, newest first, and how many it is in all."""
        query = select(deletions).order_by(deletions.c.deletion_id.desc()).offset(offset).limit(limit)
        with self._engine.connect() as connection:
            total = connection.scalar(select(func.count()).select_from(deletions)) or 0
            return tuple(_deletion(row) for row in connection.execute(query)), total


def _check(connection: Connection, call_id: str, now: datetime) -> None:
    row = connection.execute(select(calls.c.state).where(calls.c.call_id == call_id)).first()
    if row is None:
        raise UnknownCall(f"没有编号为 {call_id} 的通话。")
    if row.state != CallState.ENDED:
        raise CallRuns
    hold = hold_of(connection, call_id)
    if hold is not None and hold.holds(now):
        raise CallHeld(hold)


def has_sound() -> sa.ColumnElement[bool]:
    """Whether a call has sound, as far as its row says."""
    return calls.c.audio_format.is_not(sa.null()) & (sa.cast(calls.c.audio_format, sa.Text) != "null")


def _forget_sound(connection: Connection, call_id: str) -> dict[str, int]:
    connection.execute(update(calls).where(calls.c.call_id == call_id).values(audio_format=sa.null()))
    return {}


def _forget(connection: Connection, call_id: str) -> dict[str, int]:
    connection.execute(text(_DEFER[connection.dialect.name]))
    counts = dict(_forget_elsewhere(connection, call_id))
    own = select(facts.c.fact_id).where(facts.c.call_id == call_id)
    said = facts.c.payload["segment"]["text"].as_string()
    words = set(connection.scalars(select(said).where(facts.c.call_id == call_id, facts.c.type.in_(_SAID))))
    lines = func.count(func.distinct(facts.c.payload["segment"]["segment_id"].as_string()))
    counts["lines"] = (
        connection.scalar(select(lines).where(facts.c.call_id == call_id, facts.c.type.in_(_SAID))) or 0
    )
    connection.execute(delete(entries).where(entries.c.fact_id.in_(own)))
    newest = connection.scalar(select(func.max(facts.c.fact_id)))
    counts["facts"] = connection.execute(delete(facts).where(facts.c.call_id == call_id)).rowcount
    _hold_place(connection, newest)
    connection.execute(delete(streams).where(streams.c.stream == Stream.call(call_id)))
    connection.execute(delete(calls).where(calls.c.call_id == call_id))
    connection.execute(delete(holds).where(holds.c.call_id == call_id))
    take_out(connection, call_id)
    forget(connection, prefix_of(call_id))
    _forget_questions(connection, words)
    return counts


def _hold_place(connection: Connection, newest: int | None) -> None:
    """Keep the number of the newest fact taken, by one that says nothing, where that fact is gone.

    SQLite would give it to the next fact, which whoever follows the facts by their numbers would pass over.
    """
    if newest is not None and connection.scalar(select(func.max(facts.c.fact_id))) != newest:
        connection.execute(delete(facts).where(facts.c.type == _NOTHING))
        now = datetime.now(UTC).isoformat()
        connection.execute(
            insert(facts).values(fact_id=newest, call_id=None, type=_NOTHING, at=now, payload={})
        )


def _forget_elsewhere(connection: Connection, call_id: str) -> Iterator[tuple[str, int]]:
    for name in tables_with_calls(connection) - STAYS - _BY_HAND:
        table = sa.table(name, sa.column("call_id"))
        is_its = table.c.call_id == call_id
        if name in LETS_GO:
            connection.execute(update(table).where(is_its).values(call_id=None))
        elif count := connection.execute(delete(table).where(is_its)).rowcount:
            yield name, count


def tables_with_calls(connection: Connection) -> set[str]:
    """Every table that knows calls by their identifier."""
    every = sa.inspect(connection).get_multi_columns()  # at once: whoever deletes keeps all others waiting
    return {
        name for (_, name), columns in every.items() if any(column["name"] == "call_id" for column in columns)
    }


def _forget_questions(connection: Connection, words: set[str]) -> None:
    """Questions of this call that editors have dealt with: they are kept in the citizen's words."""
    gaps = sa.table("settled_gaps", sa.column("question"))
    for question in words:
        connection.execute(delete(gaps).where(gaps.c.question == question))


def _deletion(row: Any) -> Deletion:
    return Deletion(
        call_id=row.call_id,
        what=What(row.what),
        at=datetime.fromisoformat(row.at),
        who=row.who,
        reason=row.reason,
        counts=row.counts,
    )
