"""Real servers as processes of their own, with scripted ears: one process imports everything and is forked.

In: a folder, a port, settings. Out: servers that may be killed, stopped and told to end.
Run as `python -m tests.scripted_server` it forks a server for each line of standard input.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real_server import ROOT, environment, free_port
from tests.waiting import until_true


@dataclass(frozen=True, slots=True)
class ScriptedServer:
    """One of them."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def signal(self, which: signal.Signals) -> None:
        os.kill(self.pid, which)

    async def readyz(self) -> dict[str, Any]:
        async with httpx.AsyncClient() as client:
            answer: dict[str, Any] = (await client.get(f"{self.url}/readyz")).json()
            return answer

    async def _answers(self) -> bool:
        try:
            await self.readyz()
        except httpx.HTTPError:
            return False
        return True

    async def until_ready(self) -> None:
        await until_true(self._answers)

    def is_gone(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False


class Nursery:
    """The process that forks; started once for all tests that ask."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scripted_server"],
            cwd=ROOT,
            env=environment(Path("nowhere")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _fork(self, folder: Path, port: int, settings: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        wish = {"folder": str(folder), "port": port, "settings": settings}
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    @asynccontextmanager
    async def server(self, folder: Path, **settings: Any) -> AsyncIterator[ScriptedServer]:
        """Start a server, and end it in the end, whatever state it is in."""
        port = free_port()
        server = ScriptedServer(await asyncio.to_thread(self._fork, folder, port, settings), port)
        try:
            await server.until_ready()
            yield server
        finally:
            if not server.is_gone():
                server.signal(signal.SIGKILL)
                await until_true(server.is_gone)

    def close(self) -> None:
        """End it; its servers are gone by then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where servers come from."""
    nursery = Nursery()
    yield nursery
    nursery.close()


def main() -> None:
    """Fork a server for each line of standard input."""
    from agent_ui.settings import Settings
    from server import serve
    from tests.house import Script

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are nobody's business here
    for line in sys.stdin:
        wish = json.loads(line)
        pid = os.fork()
        if pid:
            print(pid, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(0, 1)
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            **{"open": True, "data_dir": wish["folder"], "port": wish["port"]} | wish["settings"],
        )
        serve(settings, lambda url: None, engines_of=Script().open_engines)
        os._exit(0)


if __name__ == "__main__":
    main()
