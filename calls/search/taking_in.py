"""Brings changes into the tables of the index, and takes calls out of them.

In: a connection that writes, changes. Out: rows.
Not known here: which facts the changes come from, questions.

The full-text tables keep no text: to take a line out they have to be told the very tokens that were put in,
which is why `indexed_lines` keeps what it said.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text, update

from calls.search.lines import Changes, Line
from calls.search.tables import LINE_BITS, full_texts, indexed_calls, indexed_lines, is_of
from calls.search.types import By, Voice
from calls.search.words import tokens_of

_COLUMNS = ", ".join(("rowid", *Voice))
_VALUES = ", ".join((":rowid", *(f":{voice}" for voice in Voice)))

Tokens = Mapping[By, str]


def _command(by: By, name: str) -> str:
    """The beginning of one of FTS5's own commands, which are written as insertions."""
    return f"INSERT INTO {full_texts[by].name} ({full_texts[by].name}{name}"


_ADD = {by: insert(table) for by, table in full_texts.items()}
_TAKE_OUT = {by: text(_command(by, f", {_COLUMNS}) VALUES ('delete', {_VALUES})")) for by in By}
_TAKE_ALL_OUT = {by: text(_command(by, ") VALUES ('delete-all')")) for by in By}


def tokens_by(line: str) -> Tokens:
    """The tokens of a line for each full-text table."""
    return {by: tokens_of(line, by) for by in By}


def take_in(connection: Connection, changes: Changes, tokens: Mapping[str, Tokens]) -> None:
    """Bring changes in; `tokens` of each line's text were made before the lock was taken."""
    for call_id, call in changes.started.items():
        connection.execute(
            insert(indexed_calls).values(
                call_id=call_id,
                started_at=sortable(call.started_at),
                operator_id=call.operator_id,
                caller=call.caller,
                is_recording=False,
                lines=0,
            )
        )
    for call_id, seat in changes.seats.items():
        _change(connection, call_id, operator_id=seat)
    for call_id in changes.recorded:
        _change(connection, call_id, is_recording=True)
    lines: defaultdict[str, dict[str, Line]] = defaultdict(dict)
    for (call_id, key), line in changes.lines.items():
        lines[call_id][key] = line
    for call_id, some in lines.items():
        _put(connection, call_id, some, tokens)


def take_out(connection: Connection, call_id: str) -> None:
    """Forget one call, if it is there."""
    number = connection.scalar(select(indexed_calls.c.call_no).where(indexed_calls.c.call_id == call_id))
    if number is None:
        return
    olds = connection.execute(select(indexed_lines).where(is_of(number))).all()
    _write(connection, _TAKE_OUT, [(old.line_no, old.voice, tokens_by(old.text)) for old in olds])
    connection.execute(delete(indexed_lines).where(is_of(number)))
    connection.execute(delete(indexed_calls).where(indexed_calls.c.call_no == number))


def take_all_out(connection: Connection) -> None:
    """Empty the index."""
    for command in _TAKE_ALL_OUT.values():
        connection.execute(command)
    connection.execute(delete(indexed_lines))
    connection.execute(delete(indexed_calls))


def sortable(moment: datetime) -> str:
    """As the journal writes it: one time zone for all."""
    return moment.astimezone(UTC).isoformat()


def _change(connection: Connection, call_id: str, **values: Any) -> None:
    connection.execute(update(indexed_calls).where(indexed_calls.c.call_id == call_id).values(**values))


def _put(
    connection: Connection, call_id: str, lines: Mapping[str, Line], tokens: Mapping[str, Tokens]
) -> None:
    """Let lines of a call, by their keys, say what they say now."""
    call = connection.execute(select(indexed_calls).where(indexed_calls.c.call_id == call_id)).first()
    if call is None:  # taken out meanwhile
        return
    query = select(indexed_lines).where(is_of(call.call_no), indexed_lines.c.key.in_(lines))
    olds = {row.key: row for row in connection.execute(query)}
    _write(connection, _TAKE_OUT, [(old.line_no, old.voice, tokens_by(old.text)) for old in olds.values()])
    connection.execute(
        delete(indexed_lines).where(indexed_lines.c.line_no.in_([old.line_no for old in olds.values()]))
    )
    rows, number = [], call.lines
    for key, line in lines.items():
        if line.text:
            if key in olds:
                line_no = olds[key].line_no
            else:
                line_no, number = (call.call_no << LINE_BITS) + number, number + 1
            rows.append(
                {"line_no": line_no, "key": key, "voice": line.voice.value, "start_s": line.start_s}
                | {"text": line.text}
            )
    if rows:
        connection.execute(insert(indexed_lines), rows)
        _write(connection, _ADD, [(row["line_no"], row["voice"], tokens[row["text"]]) for row in rows])
        _change(connection, call_id, lines=number)


def _write(connection: Connection, how: Mapping[By, Any], lines: Sequence[tuple[int, str, Tokens]]) -> None:
    """Bring lines into both full-text tables, or out of them: (number, voice, tokens)."""
    if lines:
        for by, statement in how.items():
            empty = dict.fromkeys((voice.value for voice in Voice), "")
            values = [empty | {voice: tokens[by], "rowid": line_no} for line_no, voice, tokens in lines]
            connection.execute(statement, values)
