"""Copies a whole database into another, empty one, also of the other kind.

In: two opened databases. Out: how many rows went over, by table; progress.
Not known here: what the tables mean, where the databases are.

All of it is one transaction at the target over one moment of the source: it is there, or nothing is. The
index of calls stays behind, as each kind has its own; whoever serves the target fills it from the facts.
"""

from collections.abc import Callable, Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from knowledge_base.database import migrate, revisions, writing
from knowledge_base.postgres import is_postgres

Tell = Callable[[str, int, int], None]
"""A table, rows that went over, rows in all."""
_ROWS_AT_ONCE = 1_000
_BUILT_ANEW = frozenset({"indexed_calls", "indexed_lines", "index_state", "line_texts", "line_sounds"})
_OWN = frozenset({"alembic_version"})
_HAVE_ROWS = frozenset({"index_state", "quality_state"})
"""Of which a new database has rows."""
_NUMBERED = frozenset({"order_steps"})
"""Whose rows have numbers without a column of their own in SQLite."""


class CopyRefused(Exception):
    """The source is not of this program's schema, or the target has something already."""


def copy_database(source: Engine, target: Engine, tell: Tell = lambda *_: None) -> Mapping[str, int]:
    """Copy all rows; returns how many, by table. Raises `CopyRefused`, and then has written nothing."""
    copied: dict[str, int] = {}
    migrate(target)
    with source.connect() as reader, writing(target) as writer:
        _check_source(reader)
        tables = [table for table in _tables(writer) if table.name not in _BUILT_ANEW | _OWN]
        _check_target(writer, tables)
        defer = "SET CONSTRAINTS ALL DEFERRED" if is_postgres(writer) else "PRAGMA defer_foreign_keys = ON"
        writer.execute(sa.text(defer))
        for table in tables:
            copied[table.name] = _copy(reader, writer, table, tell)
        for table in tables:
            _go_on_counting(reader, writer, table)
    return copied


def _check_source(reader: Connection) -> None:
    there = sa.inspect(reader).get_table_names()
    version = sa.text("SELECT version_num FROM alembic_version")
    found = reader.scalar(version) if "alembic_version" in there else None
    if found != revisions()[0]:
        raise CopyRefused(
            f"来源数据库的结构版本是 {found or '（没有）'}，本程序是 {revisions()[0]}："
            "先用本程序在来源数据库上启动一次。"
        )


def _check_target(writer: Connection, tables: list[sa.Table]) -> None:
    for table in tables:
        if table.name not in _HAVE_ROWS and (n_rows := _count(writer, table)):
            raise CopyRefused(f"目标数据库里已有数据（{table.name} {n_rows} 行）：只能复制到空的数据库。")


def _tables(connection: Connection) -> list[sa.Table]:
    """All tables as the database describes them, those that others lead to first."""
    metadata = sa.MetaData()
    with_text = {"sqlite": lambda name, _: not name.startswith(("line_texts", "line_sounds", "sqlite_"))}
    metadata.reflect(connection, only=with_text.get(connection.dialect.name))
    return metadata.sorted_tables


def _copy(reader: Connection, writer: Connection, table: sa.Table, tell: Tell) -> int:
    names = [column.name for column in table.columns if column.name != "rowid"]
    if table.name in _NUMBERED:
        names.append("rowid")
    kinds = {column.name: column.type for column in table.columns}
    is_json = {name for name in names if isinstance(kinds.get(name), sa.JSON)}
    # JSON goes over as the text that it is: nothing that was none becomes a `null`.
    there = sa.table(
        table.name,
        *(sa.column(name, None if name in is_json else kinds.get(name, sa.BigInteger())) for name in names),
    )
    read = [
        sa.cast(there.c[name], sa.Text).label(name) if name in is_json else there.c[name] for name in names
    ]
    total = _count(reader, there)
    writer.execute(sa.delete(there))
    done = 0
    tell(table.name, done, total)
    order = [there.c[column.name] for column in table.primary_key] or []
    for rows in _batches(reader, sa.select(*read).order_by(*order)):
        writer.execute(sa.insert(there), rows)
        done += len(rows)
        tell(table.name, done, total)
    if done != total or _count(writer, there) != total:
        raise CopyRefused(f"表 {table.name} 有 {total} 行，只复制了 {done} 行：没有写入任何内容，请重试。")
    return done


def _batches(reader: Connection, query: "sa.Select[tuple[object, ...]]") -> Iterator[list[dict[str, object]]]:
    with reader.execution_options(stream_results=True).execute(query) as result:
        for rows in result.mappings().partitions(_ROWS_AT_ONCE):
            yield [dict(row) for row in rows]


def _count(connection: Connection, table: sa.FromClause) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def _go_on_counting(reader: Connection, writer: Connection, table: sa.Table) -> None:
    """The next row gets the number after the last one that was ever given, not after the last one left."""
    columns = [*table.primary_key]
    if table.name in _NUMBERED:
        columns = [table.c.rowid] if "rowid" in table.c else []
    if len(columns) != 1 or not isinstance(columns[0].type, sa.Integer):
        return
    column = columns[0]
    newest = writer.scalar(sa.select(sa.func.max(column))) or 0
    last = max(newest, _last_given(reader, table.name, column.name))
    if last == 0:
        return
    if is_postgres(writer):
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        writer.execute(sa.select(sa.func.setval(sequence, last)).where(sequence.is_not(None)))
    elif _counts_on(writer):
        seen = sa.text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name")
        add = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")
        is_counted = sa.text(
            "SELECT sql FROM sqlite_master WHERE name = :name AND sql LIKE '%AUTOINCREMENT%'"
        )
        values = {"name": table.name, "last": last}
        if writer.scalar(is_counted, {"name": table.name}) and not writer.execute(seen, values).rowcount:
            writer.execute(add, values)


def _last_given(reader: Connection, table: str, column: str) -> int:
    if is_postgres(reader):
        sequence = reader.scalar(sa.select(sa.func.pg_get_serial_sequence(table, column)))
        if sequence is None:
            return 0
        row = reader.execute(sa.text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608
        return int(row.last_value) if row.is_called else 0
    if not _counts_on(reader):
        return 0
    last = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    return reader.scalar(last, {"name": table}) or 0


def _counts_on(connection: Connection) -> bool:
    """Whether SQLite keeps the last numbers of some tables."""
    return bool(connection.scalar(sa.text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")))
