"""A PostgreSQL and a Redis of the trial's own, that can be killed and started again on the same data.

In: nothing but installed programs. Out: their addresses. Not known here: who uses them. The functions block.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil
import psycopg

from scripts.kills.episode import free_port

_UP_WITHIN_S = 120.0
_LOOKS_EACH_S = 0.05


class Postgres:
    """One server on a socket; its data lie in a folder of its own that `stop` takes away."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="zt-pg-"))  # short: a socket's path has 107 bytes at most
        self._programs = _programs()
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._user: str | None = None
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            self._user = pwd.getpwnam("postgres").pw_name
            shutil.chown(self.folder, self._user)
        command = (
            "initdb",
            "-D",
            str(self._data),
            "-U",
            "zhiting",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        )
        if self._begin(*command).wait():
            raise RuntimeError(self._log.read_text(errors="replace")[-500:])

    @property
    def url(self) -> str:
        """Where its database is."""
        return f"postgresql+psycopg://zhiting@/postgres?host={self.folder}"

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        """Start it, also after a kill; returns when it answers."""
        self._process = self._begin("postgres", "-D", str(self._data), "-k", str(self.folder), "-h", "")
        self._until_up()

    def _until_up(self) -> None:
        """Wait until it answers. Raises `TimeoutError`."""
        until = time.monotonic() + _UP_WITHIN_S
        while time.monotonic() < until:
            with suppress(psycopg.Error), self._connection():
                return
            time.sleep(_LOOKS_EACH_S)
        raise TimeoutError(self._log.read_text(errors="replace")[-500:])

    def kill(self) -> None:
        """Kill its first process; the others end by themselves when they notice."""
        assert self._process is not None
        family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait()
        psutil.wait_procs(family, timeout=_UP_WITHIN_S)

    def kill_backend(self, chance: Random) -> None:
        """Kill a process that serves somebody; returns when the server has ended all others and is back."""
        assert self._process is not None
        serving = []
        for one in psutil.Process(self._process.pid).children():
            with suppress(psutil.NoSuchProcess):
                if " ".join(one.cmdline()).startswith("postgres: zhiting"):
                    serving.append(one)
        if not serving:
            return
        with suppress(psycopg.Error, psutil.NoSuchProcess), self._connection() as witness:
            chance.choice(serving).kill()
            until = time.monotonic() + _UP_WITHIN_S
            while time.monotonic() < until:  # the server notices in its own time, and sends everybody away
                witness.execute("SELECT 1")
                time.sleep(_LOOKS_EACH_S)
        self._until_up()

    def stop(self, *, keeps: Path | None = None) -> None:
        """Stop it and forget all, or put what it kept there."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_UP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()
        if keeps is not None:
            shutil.copytree(self.folder, keeps, ignore=shutil.ignore_patterns(".s.*"))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connection(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(host=str(self.folder), user="zhiting", dbname="postgres", connect_timeout=5)

    def _begin(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), *arguments],
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                stdout=log,
                stderr=log,
                user=self._user,
                group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
                start_new_session=True,
            )


class Redis:
    """One server on a port; it keeps nothing, so that it comes back empty."""

    def __init__(self) -> None:
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it; clients try again until it answers."""
        options = f"--port {self._port} --bind 127.0.0.1 --appendonly no --save".split()
        self._process = subprocess.Popen(
            ["redis-server", *options, ""],  # noqa: S607 - where it lies differs
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _programs() -> Path:
    """The folder of PostgreSQL's programs, the newest where there are several. Raises `FileNotFoundError`."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    found += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True
    )
    for folder in found:
        if (folder / "postgres").exists():
            return folder
    raise FileNotFoundError("PostgreSQL is not installed here")
