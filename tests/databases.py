"""Which database a test runs on: SQLite, or with `ZHITING_TEST_DATABASE=postgresql` the other one.

`pytestmark = both_databases` runs the tests of a module, which all ask for `engine`, on either one.
`@in_both_houses` does so for a test that opens a house, or a database by `database_in`.
"""

import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from knowledge_base.database import migrate, open_database
from tests.postgres import PostgresServer

both_databases = pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
in_both_houses = pytest.mark.parametrize("usual_database", ["sqlite", "postgresql"], indirect=True)
USUAL = os.environ.get("ZHITING_TEST_DATABASE", "sqlite")


def database_in(folder: Path) -> Path | str:
    """Where the house of that data folder keeps its rows."""
    return os.environ.get("ZHITING_DATABASE_URL") or folder / "zhiting.db"


@cache
def _newest() -> bytes:
    """A database of SQLite with all tables and no rows: made once, and hundreds of tests begin with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zhiting.db"
        engine = open_database(path)
        migrate(engine)
        engine.dispose()
        return path.read_bytes()


def prepare(where: Path | str) -> None:
    """Begin with the newest schema where no file is yet; nothing to do for a database of PostgreSQL."""
    if isinstance(where, Path) and not where.exists():
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(_newest())


def rows_in(where: Path | str) -> list[tuple[str, bytes]]:
    """Each table of a database of PostgreSQL, and all that stands in it; of SQLite the file."""
    if isinstance(where, Path):
        return [(where.name, where.read_bytes())]
    engine = open_database(where)
    with engine.connect() as connection:
        found = []
        for name in sa.inspect(connection).get_table_names():
            rows = connection.scalars(sa.text(f'SELECT CAST("{name}" AS text) FROM "{name}"'))
            found.append((name, "\n".join(rows).encode()))
    engine.dispose()
    return found


@pytest.fixture(autouse=True)
def usual_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A new database of PostgreSQL for each test, where that is what tests run on."""
    if getattr(request, "param", USUAL) != "postgresql":
        yield
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.migrated()
    monkeypatch.setenv("ZHITING_DATABASE_URL", url)
    yield
    server.drop(url)


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An opened, migrated database."""
    kind = getattr(request, "param", None)
    if kind == "postgresql" and kind != USUAL:
        yield request.getfixturevalue("postgres")
        return
    where = tmp_path / "zhiting.db" if kind == "sqlite" else database_in(tmp_path)
    prepare(where)
    engine = open_database(where)
    migrate(engine)
    yield engine
    engine.dispose()
