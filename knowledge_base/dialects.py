"""What SQLAlchemy has no common word for, said to each database in its own.

In: a connection, tables, columns. Out: statements and expressions.
Not known here: what is asked.
"""

from typing import Any

from sqlalchemy import Connection, Table, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


def upserting(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insertion that knows `on_conflict_do_update`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


class JsonTexts(FunctionElement[Any]):
    """The texts of a list in JSON, as rows with a column `value`; to be used with `table_valued`."""

    name = "json_each"
    inherit_cache = True


class SecondInUtc(FunctionElement[str]):
    """A moment in ISO 8601, of whatever time zone, as 2026-03-05 10:32:00 in UTC."""

    name = "datetime"
    inherit_cache = True
    type = Text()


@compiles(SecondInUtc, "postgresql")
def _second_on_postgres(element: SecondInUtc, compiler: Any, **options: Any) -> str:
    moment = f"CAST({compiler.process(element.clauses, **options)} AS timestamptz)"
    return f"to_char({moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"


@compiles(SecondInUtc)
def _second_elsewhere(element: SecondInUtc, compiler: Any, **options: Any) -> str:
    return f"datetime({compiler.process(element.clauses, **options)})"


@compiles(JsonTexts, "postgresql")
def _texts_on_postgres(element: JsonTexts, compiler: Any, **options: Any) -> str:
    return f"json_array_elements_text({compiler.process(element.clauses, **options)})"


@compiles(JsonTexts)
def _texts_elsewhere(element: JsonTexts, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"
