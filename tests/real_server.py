"""The real server as a process of its own: started, asked, killed and started again.

In: weights. Out: a data folder with a published knowledge base, an address, what was written to the log.
"""

import asyncio
import contextlib
import os
import random
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.cache import resolve

ROOT = Path(__file__).parents[1]
STARTS_WITHIN_S = 120.0


def free_port() -> int:
    """A port that nobody listens on, so that a server may come back to the same one.

    Below those that a system gives to outgoing connections: none of them can take it meanwhile.
    """
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def environment(data_dir: Path) -> dict[str, str]:
    """What a process of ours gets: no settings but the data folder, no model hub."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHITING_")}
    return kept | {
        "ZHITING_DATA_DIR": str(data_dir),
        "ZHITING_ALLOW_HUB": "false",
        "ZHITING_OPEN": "true",
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }


@dataclass
class RealServer:
    """A running process."""

    process: asyncio.subprocess.Process
    url: str = ""
    log: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def kill(self) -> None:
        """As `kill -9` does it: no farewell to anybody."""
        self.process.kill()
        await self.process.wait()

    async def read_log(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log.append(line.decode(errors="replace"))

    async def until_ready(self) -> None:
        """Wait for the printed address. Raises `RuntimeError` with the log where the process ends before."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log.append(line.decode(errors="replace"))
            if found := re.search(r"http://127\.0\.0\.1:\d+", self.log[-1]):
                self.url = found.group()
                return
        raise RuntimeError("the server did not start:\n" + "".join(self.log))


@asynccontextmanager
async def serving(data_dir: Path, port: int = 0) -> AsyncIterator[RealServer]:
    """Start `zhiting serve` and stop it in the end, if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.cli", "serve", "--port", str(port)),
        cwd=ROOT,
        env=environment(data_dir),
        stderr=asyncio.subprocess.PIPE,
    )
    server = RealServer(process=process)
    try:
        async with asyncio.timeout(STARTS_WITHIN_S):
            await server.until_ready()
        reading = asyncio.create_task(server.read_log())
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(60):
            await process.wait()
    await reading


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with weights and the sample knowledge base, made as a newcomer makes it."""
    weights = ROOT / "var" / "models"
    for name in ("whisper-base", "e5-small"):
        resolve(name, cache_dir=weights, allow_hub=False)
    folder = tmp_path_factory.mktemp("published")
    (folder / "models").symlink_to(weights)
    subprocess.run(
        [sys.executable, "-m", "scripts.cli", "setup"],
        cwd=ROOT,
        env=environment(folder),
        check=True,
        timeout=400,
    )
    return folder


@pytest.fixture
def data_dir(published: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    shutil.copytree(published, folder, symlinks=True)
    return folder
