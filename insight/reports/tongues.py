"""What SQLite and PostgreSQL say differently in the queries of reports.

In: columns, paths into JSON. Out: SQL texts.
Not known here: the queries.
"""

from typing import Protocol


class Tongue(Protocol):
    """How one of them says it."""

    temporary: str
    """The statements that make the two temporary tables."""
    in_this_order: str
    """A join for which the table that is named first is read first."""

    def text(self, column: str, *path: str) -> str:
        """The text at a place of a column of JSON; numbers count in lists."""

    def best_title(self, form: str) -> str:
        """The title of the first article in a form's list, of those that were used where there are some."""

    def each(self, parameter: str) -> str:
        """The values of a list in JSON; of an empty text none."""

    def day(self, column: str) -> str:
        """The city's day of a moment, as 2026-03-05."""

    def hour(self, column: str) -> str:
        """The city's hour of a moment."""

    def hours_between(self, first: str, last: str) -> str:
        """Hours between two moments."""


_TABLES = """
CREATE TEMP TABLE matters (
  span TEXT, call_id TEXT, order_id TEXT, at TEXT, caller TEXT, seconds {real}, kind TEXT, urgency TEXT,
  category TEXT, topic TEXT, district TEXT, department_id TEXT);
CREATE TEMP TABLE work (
  order_id TEXT, call_id TEXT, state TEXT, urgency TEXT, category TEXT, topic TEXT, district TEXT,
  department_id TEXT, summary TEXT, caller_name TEXT, caller_phone TEXT, created_at TEXT, dispatched_at TEXT,
  due_at TEXT, answered_at TEXT, closed_at TEXT, satisfaction TEXT, returns INTEGER);
CREATE INDEX {index} ON work (order_id);
"""


class Sqlite:
    """SQLite; `CROSS JOIN` keeps it to the order in which the tables stand."""

    temporary = _TABLES.format(real="REAL", index="temp.work_order")
    in_this_order = "CROSS JOIN"

    def text(self, column: str, *path: str) -> str:
        """The text at a place of a column of JSON."""
        steps = (f"[{step}]" if step.isdigit() else f".{_named(step)}" for step in path)
        return f"{column} ->> '${''.join(steps)}'"

    def best_title(self, form: str) -> str:
        """The title of the first article, of those that were used."""
        return f"""(SELECT k.value ->> '$.title' FROM json_each({form}, '$.knowledge') AS k
     ORDER BY k.value ->> '$.is_used' DESC, k.key LIMIT 1)"""  # noqa: S608 - put together of constants

    def each(self, parameter: str) -> str:
        """The values of a list in JSON."""
        return f"SELECT value FROM json_each({parameter})"  # noqa: S608 - the same

    def day(self, column: str) -> str:
        """The city's day of a moment."""
        return f"date({column}, :offset)"

    def hour(self, column: str) -> str:
        """The city's hour of a moment."""
        return f"CAST(strftime('%H', {column}, :offset) AS INTEGER)"

    def hours_between(self, first: str, last: str) -> str:
        """Hours between two moments."""
        return f"(julianday({last}) - julianday({first})) * 24"


class Postgres:
    """PostgreSQL; its planner finds the order of tables by itself."""

    temporary = _TABLES.format(real="DOUBLE PRECISION", index="work_order")
    in_this_order = "JOIN"

    def text(self, column: str, *path: str) -> str:
        """The text at a place of a column of JSON."""
        return f"{column} #>> '{{{','.join(path)}}}'"

    def best_title(self, form: str) -> str:
        """The title of the first article, of those that were used."""
        return f"""(SELECT k.value ->> 'title' FROM json_array_elements(CASE
       WHEN json_typeof({form} -> 'knowledge') = 'array' THEN {form} -> 'knowledge' END)
       WITH ORDINALITY AS k (value, key)
     ORDER BY coalesce(k.value ->> 'is_used', '') DESC, k.key LIMIT 1)"""  # noqa: S608 - put together of constants

    def each(self, parameter: str) -> str:
        """The values of a list in JSON."""
        return f"SELECT json_array_elements_text(CAST(nullif({parameter}, '') AS json))"

    def day(self, column: str) -> str:
        """The city's day of a moment."""
        return f"to_char({_there(column)}, 'YYYY-MM-DD')"

    def hour(self, column: str) -> str:
        """The city's hour of a moment."""
        return f"CAST(to_char({_there(column)}, 'HH24') AS INTEGER)"

    def hours_between(self, first: str, last: str) -> str:
        """Hours between two moments."""
        apart = f"CAST({last} AS timestamptz) - CAST({first} AS timestamptz)"
        return f"CAST(extract(epoch FROM {apart}) AS DOUBLE PRECISION) / 3600"


def _there(column: str) -> str:
    return f"CAST({column} AS timestamptz) AT TIME ZONE 'UTC' + CAST(:offset AS interval)"


def _named(key: str) -> str:
    return key if key.isascii() else f'"{key}"'
