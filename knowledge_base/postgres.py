"""PostgreSQL as the one database: how connections are made, one writer at a time, what a schema needs there.

In: a database URL; connections.
Out: a SQLAlchemy `Engine` that behaves to the store modules as SQLite does.
Not known here: what the tables mean, when there is a migration.

Three things that SQLite does by itself are asked for here. A transaction that reads sees one state of the
database (REPEATABLE READ). Those that write go one after the other, under a lock that the end of the
transaction releases: then the numbers of facts become visible in their order, which everybody relies on who
follows them, and nobody's reading is out of date when it writes. And texts are in the order of their bytes.

PostgreSQL knows no text with a NUL in it, and takes none out of JSON that has one somewhere: U+FFFD stands
for it.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from knowledge_base.json_text import dumps, loads

WRITES = "zhiting_writes"
"""The execution option of a connection whose transactions write."""
DRIVER = "postgresql+psycopg"
LEAST_MAJOR = 15
"""The oldest PostgreSQL that is tried."""
ONE_WRITER, ONE_MIGRATION, ONE_PUBLISHER = 0x7A74_0001, 0x7A74_0002, 0x7A74_0003
"""Numbers of advisory locks, which are taken within one database."""
LOCK_TIMEOUT_MS = 10_000
"""How long a writer waits for another one before it gives up, as with SQLite."""
_IDLE_WRITER_MS = 5_000
"""A writer that says nothing for so long has lost its machine, and holds up all others, whose patience is
`LOCK_TIMEOUT_MS`."""
_SECONDS_TO_CONNECT = 5
_CONNECTIONS, _MORE_CONNECTIONS = 5, 15
_OLDEST_CONNECTION_S = 1800

_ON_THE_LINE: Mapping[str, Any] = {
    "connect_timeout": _SECONDS_TO_CONNECT,
    "application_name": "zhiting",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # a network that was cut is noticed
    "prepare_threshold": None,  # poolers between, and migrations while it runs, do no harm
}
_AT_THE_SERVER = {
    "timezone": "UTC",
    "lock_timeout": LOCK_TIMEOUT_MS,
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "client_min_messages": "warning",
}
_NUL, _INSTEAD = "\0", "\ufffd"
_ESCAPED = re.compile(r"\\(u0000|.)")
"""What is escaped in JSON, one after the other: a backslash may be escaped itself."""
_SENT_AWAY = "25P03"
_PASSING = ("08", "40", "53", "57P", "55P03", _SENT_AWAY)
"""Beginnings of SQLSTATE: connections, rollbacks by the server, no room (a full disk as well), a server that
stops, waited too long for a lock, idle for too long."""


class NoDriver(RuntimeError):
    """The database URL names a driver that is not installed."""


def is_postgres(engine: Engine | Connection) -> bool:
    """Whether this is PostgreSQL and not SQLite."""
    return engine.dialect.name == "postgresql"


def open_postgres(url: URL) -> Engine:
    """Open a pool of connections; none is made yet. Raises `NoDriver`."""
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername=DRIVER)
    options = " ".join(f"-c {name}={value}" for name, value in _AT_THE_SERVER.items())
    wished = {name: value for name, value in _ON_THE_LINE.items() if name not in url.query}
    if "options" not in url.query:
        wished["options"] = options
    try:
        engine = create_engine(
            url,
            json_serializer=dumps_storable,
            json_deserializer=loads,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            pool_pre_ping=True,
            pool_size=_CONNECTIONS,
            max_overflow=_MORE_CONNECTIONS,
            pool_recycle=_OLDEST_CONNECTION_S,
            connect_args=wished,
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise NoDriver(
            f"使用数据库 {url.drivername} 需要先安装驱动：pip install 'zhiting[cluster]'（{error}）。"
        ) from error
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _with_storable, retval=True)
    event.listen(engine, "handle_error", _as_lost)
    return engine


def options_to_write(engine: Engine) -> dict[str, Any]:
    """The execution options of a connection that is going to write."""
    if is_postgres(engine):
        # Each statement sees what was there when it began: after the lock, that is all that others wrote.
        return {WRITES: True, "isolation_level": "READ COMMITTED"}
    return {WRITES: True}


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES, False):
        connection.exec_driver_sql(
            f"SELECT pg_advisory_xact_lock({ONE_WRITER}),"
            f" set_config('idle_in_transaction_session_timeout', '{_IDLE_WRITER_MS}', true)"
        )


def _as_lost(context: ExceptionContext) -> None:
    """Being sent away for silence is a lost connection, though the driver calls it an internal error."""
    if getattr(context.original_exception, "sqlstate", None) == _SENT_AWAY:
        raise OperationalError(
            context.statement,
            None,
            context.original_exception,
            hide_parameters=True,
            connection_invalidated=context.is_disconnect,
        ) from context.original_exception


def dumps_storable(value: Any) -> str:
    """As JSON is written, without NUL."""
    text = dumps(value)
    if "\\u0000" not in text:
        return text
    return _ESCAPED.sub(lambda found: _INSTEAD if found[1] == "u0000" else found[0], text)


def _with_storable(
    _connection: Connection,
    _cursor: Any,
    statement: str,
    parameters: Any,
    _context: Any,
    _executemany: bool,
) -> tuple[str, Any]:
    """Texts that are sent, without NUL."""
    if isinstance(parameters, list):
        return statement, [_storable(one) for one in parameters]
    return statement, _storable(parameters)


def _storable(parameters: Any) -> Any:
    if not isinstance(parameters, dict) or not any(map(_has_nul, parameters.values())):
        return parameters
    return {
        name: value.replace(_NUL, _INSTEAD) if _has_nul(value) else value
        for name, value in parameters.items()
    }


def _has_nul(value: object) -> bool:
    return isinstance(value, str) and _NUL in value


def is_passing(error: Exception) -> bool:
    """Whether the same may well succeed a little later: a lost connection, a restart, a deadlock."""
    if isinstance(error, NoConnectionFree):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", "")
    if state is None:  # there was no server to give one
        return error.connection_invalidated or isinstance(error, OperationalError)
    return str(state).startswith(_PASSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """What a server and its database are like."""

    version: str
    major: int
    encoding: str
    may_create: bool
    """Whether the role may make tables."""
    revision: str | None
    """The schema's; None: there is none yet."""
    n_bytes: int


def look_at(url: str) -> ServerState:
    """Connect once and look. Raises `NoDriver`, and SQLAlchemy's errors where that fails."""
    engine = open_postgres(make_url(url))
    try:
        with engine.connect() as connection:
            row = connection.execute(
                text(
                    "SELECT current_setting('server_version') AS version,"
                    " CAST(current_setting('server_version_num') AS integer) / 10000 AS major,"
                    " current_setting('server_encoding') AS encoding,"
                    " has_schema_privilege(current_schema(), 'CREATE') AS may_create,"
                    " to_regclass('alembic_version') IS NOT NULL AS has_schema,"
                    " pg_database_size(current_database()) AS n_bytes"
                )
            ).one()
            revision = None
            if row.has_schema:
                revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    finally:
        engine.dispose()
    return ServerState(
        version=row.version,
        major=row.major,
        encoding=row.encoding,
        may_create=bool(row.may_create),
        revision=revision,
        n_bytes=row.n_bytes,
    )


def fit(connection: Connection) -> None:
    """Make what migrations created behave as with SQLite: order of texts, foreign keys that can wait.

    Both change a table's description alone, as long as it is new.
    """
    for table, columns in _other_orders(connection).items():
        kinds = ", ".join(f'ALTER COLUMN "{name}" TYPE text COLLATE "C"' for name in columns)
        connection.execute(text(f'ALTER TABLE "{table}" {kinds}'))
    strict = connection.execute(
        text(
            "SELECT conrelid::regclass::text AS place, conname FROM pg_constraint"
            " WHERE contype = 'f' AND NOT condeferrable AND connamespace = current_schema()::regnamespace"
        )
    )
    for place, name in strict.all():
        connection.execute(text(f'ALTER TABLE {place} ALTER CONSTRAINT "{name}" DEFERRABLE'))


def _other_orders(connection: Connection) -> dict[str, list[str]]:
    """Columns of text, by table, whose order is that of a language."""
    found = connection.execute(
        text(
            "SELECT c.table_name, c.column_name FROM information_schema.columns c"
            " JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
            " AND c.data_type = 'text' AND c.collation_name IS DISTINCT FROM 'C' ORDER BY 1, 2"
        )
    )
    columns: dict[str, list[str]] = {}
    for table, column in found.all():
        columns.setdefault(table, []).append(column)
    return columns


def wait_for_turn(connection: Connection, *, lock_timeout_ms: int) -> None:
    """Within a transaction: be the only one that migrates; wait for no table longer than that."""
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_MIGRATION})"))
    connection.execute(text(f"SET LOCAL lock_timeout = {lock_timeout_ms}"))


def pause(attempt: int) -> None:
    """Between two attempts: a little longer each time, two seconds at most."""
    time.sleep(min(0.05 * 2**attempt, 2.0))
