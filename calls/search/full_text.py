"""The full-text tables, as each database has them: lines go in and out, and are found by their words.

In: a connection that writes, tokens of lines; words. Out: rows; queries of the calls that hold all words.
Not known here: who says what, ranking, pages.

SQLite: FTS5 without content; rowid is a line's number, the tokens stand in the column of its voice. It keeps
no text: to take a line out it has to be told the very tokens that were put in, which is why `indexed_lines`
keeps what was said. PostgreSQL: a row with the line's number, its voice and its tokens with their places
(`tsvector`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import (
    TEXT,
    Connection,
    Executable,
    Select,
    Text,
    cast,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from calls.search.types import By, Voice
from calls.search.words import Word, phrase_of, terms_of

LINE_BITS = 20
"""A call has at most a million lines. With its number in the upper bits, the rows of a call lie together, and
a match of the full-text tables says by itself which call it is in."""
TABLES = {By.TEXT: "line_texts", By.SOUND: "line_sounds"}
_PLACES = 16_383
"""Further places PostgreSQL does not tell apart."""

Tokens = Mapping[By, str]
Lines = Sequence[tuple[int, str, Tokens]]
"""Their numbers, voices and tokens."""


class FullText(Protocol):
    """The tables of one kind of database."""

    emptying: tuple[Executable, ...]
    """One after the other they forget all."""

    def put(self, connection: Connection, lines: Lines) -> None:
        """Bring lines in."""

    def take_out(self, connection: Connection, lines: Lines) -> None:
        """Take lines out again."""

    def calls_with(self, words: Sequence[Word], voice: Voice | None) -> Select[Any]:
        """Calls with lines in which all these words stand, and how many; words of one kind."""


class SqliteText:
    """FTS5."""

    emptying: tuple[Executable, ...] = tuple(
        text(f"INSERT INTO {name} ({name}) VALUES ('delete-all')")  # noqa: S608 - names of ours
        for name in TABLES.values()
    )

    def put(self, connection: Connection, lines: Lines) -> None:
        """Bring lines in."""
        self._write(connection, lines, "INSERT INTO {name} ({columns}) VALUES ({values})")

    def take_out(self, connection: Connection, lines: Lines) -> None:
        """Take lines out again."""
        # One of FTS5's own commands, which are written as insertions.
        self._write(connection, lines, "INSERT INTO {name} ({name}, {columns}) VALUES ('delete', {values})")

    def _write(self, connection: Connection, lines: Lines, command: str) -> None:
        columns = ("rowid", *(voice.value for voice in Voice))
        empty = dict.fromkeys((voice.value for voice in Voice), "")
        for by, name in TABLES.items() if lines else ():
            values = ", ".join(f":{column}" for column in columns)
            statement = text(command.format(name=name, columns=", ".join(columns), values=values))
            rows = [empty | {voice: tokens[by], "rowid": line_no} for line_no, voice, tokens in lines]
            connection.execute(statement, rows)

    def calls_with(self, words: Sequence[Word], voice: Voice | None) -> Select[Any]:
        """Calls with lines in which all these words stand, and how many."""
        its = table(TABLES[words[0].by], column("rowid"))
        phrases = [phrase_of(word, voice) for word in words]
        question = " AND ".join(f"({phrase})" for phrase in phrases) if len(phrases) > 1 else phrases[0]
        return _by_call(its.c.rowid, its).where(literal_column(its.name).op("MATCH")(question))


class PostgresText:
    """Columns of `tsvector` with an inverted index."""

    _tables = {  # noqa: RUF012 - never changed
        by: table(name, column("line_no"), column("voice", Text()), column("tokens", TSVECTOR()))
        for by, name in TABLES.items()
    }
    emptying: tuple[Executable, ...] = tuple(delete(its) for its in _tables.values())

    def put(self, connection: Connection, lines: Lines) -> None:
        """Bring lines in."""
        for by, its in self._tables.items() if lines else ():
            rows = [
                {"line_no": line_no, "voice": voice, "tokens": _placed(tokens[by])}
                for line_no, voice, tokens in lines
            ]
            connection.execute(insert(its), rows)

    def take_out(self, connection: Connection, lines: Lines) -> None:
        """Take lines out again."""
        gone = [line_no for line_no, *_ in lines]
        for its in self._tables.values() if gone else ():
            connection.execute(delete(its).where(its.c.line_no.in_(gone)))

    def calls_with(self, words: Sequence[Word], voice: Voice | None) -> Select[Any]:
        """Calls with lines in which all these words stand, and how many."""
        its = self._tables[words[0].by]
        question = cast(cast(" & ".join(f"({_phrase(word)})" for word in words), TEXT), TSQUERY)
        found = _by_call(its.c.line_no, its).where(its.c.tokens.op("@@")(question))
        return found if voice is None else found.where(its.c.voice == voice.value)


_SQLITE, _POSTGRES = SqliteText(), PostgresText()


def full_text_of(connection: Connection) -> FullText:
    """Those of the database behind the connection."""
    return _POSTGRES if connection.dialect.name == "postgresql" else _SQLITE


def _by_call(line_no: Any, its: Any) -> Select[Any]:
    call_no = line_no.op(">>")(LINE_BITS).label("call_no")
    return select(call_no, func.count().label("lines")).select_from(its).group_by(call_no)


def _placed(tokens: str) -> str:
    """Tokens as PostgreSQL writes them, each with its place."""
    return " ".join(
        f"{_quoted(token)}:{min(place, _PLACES)}" for place, token in enumerate(tokens.split(), start=1)
    )


def _phrase(word: Word) -> str:
    """A word in PostgreSQL's language of questions: tokens that follow each other, or how one begins."""
    terms, is_beginning = terms_of(word)
    return f"{_quoted(terms[0])}:*" if is_beginning else " <-> ".join(map(_quoted, terms))


def _quoted(token: str) -> str:
    doubled = token.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
