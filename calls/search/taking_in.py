"""Brings changes into the tables of the index, and takes calls out of them.

In: a connection that writes, changes. Out: rows.
Not known here: which facts the changes come from, questions, how a database finds words.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Executable, delete, func, insert, select, update

from calls.search.full_text import LINE_BITS, Tokens, full_text_of
from calls.search.lines import Changes, Line
from calls.search.tables import index_state, indexed_calls, indexed_lines, is_of
from calls.search.types import By
from calls.search.words import tokens_of
from calls.tables import facts
from calls.types import Call

_ROWS: tuple[Executable, ...] = (delete(indexed_lines), delete(indexed_calls))


def tokens_by(line: str) -> Tokens:
    """The tokens of a line for each full-text table."""
    return {by: tokens_of(line, by) for by in By}


def take_in(connection: Connection, changes: Changes, tokens: Mapping[str, Tokens]) -> None:
    """Bring changes in; `tokens` of each line's text were made before the lock was taken."""
    if changes.started:
        connection.execute(insert(indexed_calls), [_row(call) for call in changes.started.values()])
    for call_id, seat in changes.seats.items():
        _change(connection, call_id, operator_id=seat)
    for call_id in changes.recorded:
        _change(connection, call_id, is_recording=True)
    _put(connection, changes.lines, tokens)


def take_out(connection: Connection, call_id: str) -> None:
    """Forget one call, if it is there.

    Whoever deletes a call's facts calls this after that, in the same transaction: SQLite gives the numbers of
    the newest facts, where those are gone, to the next ones, which would be taken for known.
    """
    newest = select(func.coalesce(func.max(facts.c.fact_id), 0)).scalar_subquery()
    connection.execute(update(index_state).where(index_state.c.indexed_to > newest).values(indexed_to=newest))
    number = connection.scalar(select(indexed_calls.c.call_no).where(indexed_calls.c.call_id == call_id))
    if number is None:
        return
    olds = connection.execute(select(indexed_lines).where(is_of(number))).all()
    full_text_of(connection).take_out(
        connection, [(old.line_no, old.voice, tokens_by(old.text)) for old in olds]
    )
    connection.execute(delete(indexed_lines).where(is_of(number)))
    connection.execute(delete(indexed_calls).where(indexed_calls.c.call_no == number))


def empty(
    writing: Callable[[], AbstractContextManager[Connection]], *, revision: int, is_old: bool = False
) -> None:
    """Empty the index and begin again with the first fact; `is_old`: unless somebody else has done so.

    Each large table goes in a transaction of its own, as live calls wait meanwhile; the last transaction
    finds little left, and leaves an empty index whatever others took in since the first.
    """
    with writing() as connection:
        commands = (*full_text_of(connection).emptying, *_ROWS)
    steps = [*((command,) for command in commands), commands]
    for place, step in enumerate(steps, start=1):
        with writing() as connection:
            if is_old and connection.scalar(select(index_state.c.revision)) == revision:
                return
            for command in step:
                connection.execute(command)
            if place == len(steps):
                connection.execute(update(index_state).values(revision=revision, indexed_to=0))


def sortable(moment: datetime) -> str:
    """As the journal writes it: one time zone for all."""
    return moment.astimezone(UTC).isoformat()


def _change(connection: Connection, call_id: str, **values: Any) -> None:
    connection.execute(update(indexed_calls).where(indexed_calls.c.call_id == call_id).values(**values))


def _row(call: Call) -> dict[str, Any]:
    return {
        "call_id": call.call_id,
        "started_at": sortable(call.started_at),
        "operator_id": call.operator_id,
        "caller": call.caller,
        "is_recording": False,
        "lines": 0,
    }


def _put(connection: Connection, lines: Mapping[tuple[str, str], Line], tokens: Mapping[str, Tokens]) -> None:
    """Let lines, by their calls and keys, say what they say now."""
    query = select(indexed_calls).where(indexed_calls.c.call_id.in_({call_id for call_id, _ in lines}))
    calls = {row.call_id: row for row in connection.execute(query)}
    olds = {(call.call_id, old.key): old for call in calls.values() for old in _olds(connection, call, lines)}
    numbers = {call_id: call.lines for call_id, call in calls.items()}
    rows = []
    for (call_id, key), line in lines.items():
        if call_id not in calls or not line.text:  # taken out meanwhile, or nothing is said any more
            continue
        if (old := olds.get((call_id, key))) is not None:
            line_no = old.line_no
        else:
            line_no = (calls[call_id].call_no << LINE_BITS) + numbers[call_id]
            numbers[call_id] += 1
        row = {"line_no": line_no, "key": key, "voice": line.voice.value, "start_s": line.start_s}
        rows.append(row | {"text": line.text})
    full_text_of(connection).take_out(
        connection, [(old.line_no, old.voice, tokens_by(old.text)) for old in olds.values()]
    )
    gone = [old.line_no for old in olds.values()]
    connection.execute(delete(indexed_lines).where(indexed_lines.c.line_no.in_(gone)))
    if rows:
        connection.execute(insert(indexed_lines), rows)
    full_text_of(connection).put(
        connection, [(row["line_no"], row["voice"], tokens[row["text"]]) for row in rows]
    )
    for call_id, number in numbers.items():
        if number != calls[call_id].lines:
            _change(connection, call_id, lines=number)


def _olds(connection: Connection, call: Any, lines: Mapping[tuple[str, str], Line]) -> Sequence[Any]:
    """Those of a call's rows that are about to say something else."""
    if not call.lines:
        return ()
    keys = [key for call_id, key in lines if call_id == call.call_id]
    query = select(indexed_lines).where(is_of(call.call_no), indexed_lines.c.key.in_(keys))
    return connection.execute(query).all()
