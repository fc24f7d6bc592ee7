"""Asks the queries of a report over one moment of the database, and keeps what was asked.

In: a database, numbers of queries, parameters. Out: rows by column, and the runs that they came from.
Not known here: what the figures are for. All of it blocks.

Temporary tables lie in memory, and the connection forgets them: numbers of callers are in there.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from insight.reports.queries import QUERIES, TEMPORARY
from insight.reports.types import Parameter, Run

Row = Mapping[str, Any]


class Asker:
    """Asks within one read transaction."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._runs: dict[str, Run] = {}

    @property
    def runs(self) -> tuple[Run, ...]:
        """What was asked so far, in the order of the queries."""
        return tuple(self._runs[name] for name in sorted(self._runs))

    def ask(self, number: str, what: str, **parameters: Parameter) -> tuple[list[Row], str]:
        """The rows, and the name of the run: the query's number and `what` it was asked for."""
        query = QUERIES[number]
        self._cursor.execute(query.sql, parameters)
        names = [column[0] for column in self._cursor.description or ()]
        rows: list[Row] = [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]
        run_id = f"{number}.{what}"
        count = len(rows) if names else self._cursor.rowcount
        self._runs[run_id] = Run(
            run_id=run_id, title=query.title, sql=query.sql, parameters=parameters, n_rows=count
        )
        return rows, run_id


@contextmanager
def asking(engine: Engine) -> Iterator[Asker]:
    """Open the temporary tables over the database as it is now, and forget them in the end."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute("BEGIN")
        for statement in filter(str.strip, TEMPORARY.split(";")):
            cursor.execute(statement)
        yield Asker(cursor)
    finally:
        raw: Any = connection.driver_connection
        raw.rollback()
        connection.close()


def bound(moment: datetime) -> str:
    """A bound that sorts right among moments however finely they were written."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
