"""Asks the queries of a report over one moment of the database, and keeps what was asked.

In: a database, numbers of queries, parameters. Out: rows by column, and the runs that they came from.
Not known here: what the figures are for. All of it blocks.

Temporary tables lie in memory (in PostgreSQL in the connection's own), and the end of the transaction takes
them away: numbers of callers are in there.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, text

from insight.reports.queries import QUERIES, TONGUES
from insight.reports.types import Parameter, Run

Row = Mapping[str, Any]


class Asker:
    """Asks within one read transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queries = QUERIES[connection.dialect.name]
        self._runs: dict[str, Run] = {}

    @property
    def runs(self) -> tuple[Run, ...]:
        """What was asked so far, in the order of the queries."""
        return tuple(self._runs[name] for name in sorted(self._runs))

    def ask(self, number: str, what: str, **parameters: Parameter) -> tuple[list[Row], str]:
        """The rows, and the name of the run: the query's number and `what` it was asked for."""
        query = self._queries[number]
        result = self._connection.execute(text(query.sql), parameters)
        rows: list[Row] = []
        if result.returns_rows:
            rows = [{name: _plain(value) for name, value in row.items()} for row in result.mappings()]
        run_id = f"{number}.{what}"
        count = len(rows) if result.returns_rows else result.rowcount
        self._runs[run_id] = Run(
            run_id=run_id, title=query.title, sql=query.sql, parameters=parameters, n_rows=count
        )
        return rows, run_id


@contextmanager
def asking(engine: Engine) -> Iterator[Asker]:
    """Open the temporary tables over the database as it is now, and forget them in the end."""
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            raw: Any = connection.connection.driver_connection
            raw.execute("PRAGMA temp_store = MEMORY")  # before the transaction begins
        try:
            for statement in filter(str.strip, TONGUES[connection.dialect.name].temporary.split(";")):
                connection.execute(text(statement))
            yield Asker(connection)
        finally:
            connection.rollback()


def _plain(value: Any) -> Any:
    """Sums of whole numbers are whole numbers."""
    return int(value) if isinstance(value, Decimal) else value


def bound(moment: datetime) -> str:
    """A bound that sorts right among moments however finely they were written."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
