"""The installation's single database: opened with the right pragmas, brought to the newest schema.

In: a path (SQLite) or a database URL (`knowledge_base/postgres.py`).
Out: a SQLAlchemy `Engine`, and connections that are ready to write.
Not known here: what the tables mean; each store module writes down its own.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from knowledge_base.json_text import dumps, loads
from knowledge_base.postgres import (
    WRITES,
    NoDriver,
    fit,
    is_passing,
    is_postgres,
    open_postgres,
    options_to_write,
    pause,
    wait_for_turn,
)
from knowledge_base.types import DatabaseUnusable

BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for another process's transaction before it gives up."""
_TRIES_TO_MIGRATE, _TABLE_TIMEOUT_MS = 40, 3_000
"""A migration waits so long for a table that is read, lets everybody pass, and comes back."""

StoreFailed = OperationalError
"""What any store raises where the database does not take something, or does not answer."""
_NO_ROOM = ("is full", "disk I/O", "unable to open", "No space", "readonly", "could not extend file")


def open_database(url_or_path: str | Path) -> Engine:
    """Open (and for SQLite create) the database; `migrate` it before the first use.

    A text with `://` is a database URL, anything else a path to an SQLite file. Raises `NoDriver`.
    """
    text = str(url_or_path)
    if "://" in text:
        url = make_url(text)
        if not url.drivername.startswith("sqlite"):
            return open_postgres(url)
    else:
        Path(text).parent.mkdir(parents=True, exist_ok=True)
        _log_writes_ahead(Path(text))
        url = make_url("sqlite://").set(database=text)
    engine = create_engine(url, json_serializer=dumps, json_deserializer=loads, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def open_migrated(url_or_path: str | Path) -> Engine:
    """Open the database, with the newest schema. Raises `DatabaseUnusable`, which says what to do."""
    engine: Engine | None = None
    try:
        engine = open_database(url_or_path)
        migrate(engine)
    except NoDriver as error:
        raise DatabaseUnusable(str(error)) from error
    except (sqlite3.DatabaseError, DBAPIError, OSError) as error:
        if engine is not None:
            engine.dispose()
        raise DatabaseUnusable(_what_to_do(error)) from error
    return engine


def is_sound(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with the structure of that file."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:  # it is full, or locked: that says nothing of the file
        return True
    except sqlite3.DatabaseError:
        return False


def has_no_room(error: Exception) -> bool:
    """Whether it was the disk that did not take something."""
    return any(sign in str(getattr(error, "orig", None) or error) for sign in _NO_ROOM)


def _what_to_do(error: Exception) -> str:
    told = str(getattr(error, "orig", None) or error)
    if has_no_room(error):
        return (
            f"数据库打不开或无法写入（{told}）：多半是磁盘已满或目录不可写。"
            "请先腾出空间（至少 50 MB）、检查目录权限，再启动；数据不会丢失。"
        )
    if "malformed" in told or "not a database" in told:
        return (
            f"数据库文件已损坏（{told}）：请先把数据目录整个复制一份，再从最近的备份恢复 zhiting.db，"
            "或用 sqlite3 的 .recover 命令抢救，然后启动。"
        )
    if hasattr(getattr(error, "orig", None), "sqlstate"):
        return (
            f"数据库连接不上或不能使用（{told.strip()}）：请检查 ZHITING_DATABASE_URL、"
            "PostgreSQL 是否在运行、账号和网络；zhiting doctor 会逐项检查。"
        )
    return f"数据库不能使用：{told}"


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that will write: committed at the end, rolled back on an exception.

    The write lock is taken at once: a transaction that reads first and writes later would otherwise
    fail at the write, without waiting, when somebody else wrote in between.
    """
    with engine.connect() as plain:
        connection = plain.execution_options(**options_to_write(engine))
        with connection.begin():
            yield connection


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest version, in one transaction; nothing happens when it is there.

    On PostgreSQL others go on meanwhile, and of several that migrate at once one does it.
    """
    if not is_postgres(engine):
        with writing(engine) as connection:
            _upgrade(connection)
        return
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == revisions()[0]:
            return
    for attempt in range(_TRIES_TO_MIGRATE):
        try:
            with engine.connect() as plain:
                connection = plain.execution_options(isolation_level="READ COMMITTED")
                with connection.begin():
                    wait_for_turn(connection, lock_timeout_ms=_TABLE_TIMEOUT_MS)
                    _upgrade(connection)
                    fit(connection)
            return
        except OperationalError as error:
            if not is_passing(error) or attempt == _TRIES_TO_MIGRATE - 1:
                raise
            pause(attempt)


def _upgrade(connection: Connection) -> None:
    command.upgrade(migrations(connection), "head")


def revisions() -> list[str]:
    """The versions of the schema that this program knows, newest first."""
    return [one.revision for one in ScriptDirectory.from_config(migrations()).walk_revisions()]


def migrations(connection: Connection | None = None) -> Config:
    """All versions, as Alembic wants to be told of them; to be applied on that connection."""
    config = Config()
    config.attributes["connection"] = connection
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _log_writes_ahead(path: Path) -> None:
    """Switch a new database to write-ahead logging, which the file then remembers.

    SQLite does not wait when two connections switch at once but fails, so one goes after the other, whatever
    process or thread it is in.
    """
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    finally:
        os.close(folder)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own idea of when a transaction begins leaves out DDL; ours is in `_begin_sqlite`.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",  # what is deleted is overwritten, not just passed over
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
