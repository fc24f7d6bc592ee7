"""The right to publish, which one publisher among all servers of a house has at a time.

In: the opened database. Out: the right, for as long as the block lasts.
Not known here: what is published. With SQLite there is one server, and the folder's own lock is enough.

It is an advisory lock of a transaction that does nothing else: it ends with the connection, also where
that is a pooler's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from knowledge_base.postgres import ONE_PUBLISHER, is_postgres
from knowledge_base.types import KnowledgeError

_TRY = (
    f"SELECT pg_try_advisory_xact_lock({ONE_PUBLISHER}),"
    " set_config('idle_in_transaction_session_timeout', '0', true)"
)
"""What is held here is held by a transaction that is idle, whatever a server thinks of such."""


@contextmanager
def publishing_alone(engine: Engine) -> Iterator[Callable[[], None]]:
    """Hold the right. Raises `KnowledgeError` (`kb.publishing`, recoverable) where somebody else has it.

    What is given raises the same where the right was lost meanwhile, with the connection.
    """
    if not is_postgres(engine):
        yield lambda: None
        return
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection:
        transaction = connection.begin()
        try:
            if not connection.scalar(text(_TRY)):
                raise KnowledgeError(
                    "另一台服务器正在发布，请稍后再试。", code="kb.publishing", recoverable=True
                )
            yield lambda: _see(connection)
        finally:
            if not connection.invalidated:
                transaction.rollback()


def _see(connection: Connection) -> None:
    try:
        connection.execute(text("SELECT 1"))
    except DBAPIError as error:
        raise KnowledgeError(
            "发布时与数据库断开，没有发布，原来的版本继续使用；请再发布一次，已算好的向量不用重算。",
            code="kb.publishing",
            recoverable=True,
        ) from error
