"""A PostgreSQL server of the tests' own: in a temporary folder, behind a socket that only this machine has.

It is started once per test process that asks for it, and stopped with that process; where PostgreSQL or its
driver is not installed, whoever asks is skipped.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import Engine, text

from knowledge_base.database import migrate, open_database

_WAIT_S = "120"
_QUICK = "-c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c jit=off -c max_connections=200"
"""What it has told is kept when it is killed; the machine must not lose power."""


class PostgresServer:
    """One server; `stop` it. `kill` ends it as a power cut does, `start` brings it back."""

    def __init__(self, programs: Path):
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="zt-pg-"))  # short: a socket's path has 107 bytes at most
        self._data = self.folder / "data"
        self._as: dict[str, Any] = {}
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            other = _somebody()
            os.chown(self.folder, other.pw_uid, other.pw_gid)
            self._as = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
        self._do("initdb", "-D", self._data, "-U", "zhiting", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self._template: str | None = None

    def url(self, name: str) -> str:
        """Where the database of that name is."""
        return f"postgresql+psycopg://zhiting@/{name}?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' {_QUICK}"
        log = self.folder / "log"
        self._do("pg_ctl", "-D", self._data, "-l", log, "-o", options, "-w", "-t", _WAIT_S, "start")

    def kill(self) -> None:
        """End all of its processes at once."""
        first = psutil.Process(int((self._data / "postmaster.pid").read_text().split("\n", 1)[0]))
        family = [first, *first.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family)

    def stop(self) -> None:
        """Stop it and forget all."""
        with suppress(subprocess.CalledProcessError):  # it was killed
            self._do("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "-t", _WAIT_S, "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def empty(self) -> str:
        """The URL of a new database without tables."""
        return self._create("template0")

    def migrated(self) -> str:
        """The URL of a new database of the newest schema; only the first one is migrated."""
        if self._template is None:
            url = self._create("template0")
            engine = open_database(url)
            migrate(engine)
            engine.dispose()
            self._template = name_in(url)
        return self._create(self._template)

    def drop(self, url: str) -> None:
        """Forget a database; whoever is still connected is sent away."""
        self._tell(f"DROP DATABASE {name_in(url)} WITH (FORCE)")

    def _create(self, template: str) -> str:
        name = f"zt_{uuid.uuid4().hex[:12]}"
        self._tell(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def _tell(self, command: str) -> None:
        engine = open_database(self.url("postgres"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(command))
        engine.dispose()

    def _do(self, program: str, *arguments: str | Path) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        subprocess.run(
            command,
            check=True,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as,
        )


def name_in(url: str) -> str:
    """The name of the database in its URL."""
    return url.rpartition("?")[0].rpartition("/")[2]


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, the newest where there are several."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return next((folder for folder in found if (folder / "postgres").exists()), None)


def _version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def _somebody() -> pwd.struct_passwd:
    """Somebody who is not root."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("there is nobody but root to run PostgreSQL")


@contextmanager
def running() -> Iterator[PostgresServer]:
    """A server, stopped in the end; the test is skipped where there can be none."""
    found = programs()
    if found is None or find_spec("psycopg") is None:
        pytest.skip("PostgreSQL or its driver is not installed")
    server = PostgresServer(found)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, shared by the tests of one process."""
    with running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A new, migrated database."""
    url = postgres_server.migrated()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Engine]:
    """The same, opened."""
    engine = open_database(postgres_url)
    yield engine
    engine.dispose()
