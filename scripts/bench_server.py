"""A server to be measured: a process of its own, and what it takes of the machine.

In: the settings of this environment, whose weights and knowledge base it shares.
Out: its address, its share of the processors and its memory, until it is stopped.
Not known here: calls, what is measured beyond the process.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_STARTS_WITHIN_S = 120.0
_LOOKS_EVERY_S = 0.5
_MB = 1e6


class ServerFailed(Exception):
    """The server did not start, or went away; the message is for a person."""


@dataclass(slots=True, kw_only=True)
class Usage:
    """What the process used while it was watched."""

    rss_mb: list[float] = field(default_factory=list)
    """Resident memory, one figure every half second."""
    cpu_s: float = 0.0
    wall_s: float = 0.0

    @property
    def peak_rss_mb(self) -> float | None:
        """The most memory it held; None where it could not be watched."""
        return round(max(self.rss_mb), 1) if self.rss_mb else None

    @property
    def cpu_percent(self) -> float | None:
        """Of one core: 200 is two cores without a break."""
        return round(100 * self.cpu_s / self.wall_s, 1) if self.wall_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredServer:
    """Where a server answers, and its process where it is ours."""

    address: str
    process: psutil.Process | None = None

    async def is_ready(self) -> bool:
        """Whether it would take one more call."""
        return await asyncio.to_thread(_status, f"{self.address}/readyz") == 200

    async def watch(self, usage: Usage) -> None:
        """Fill in `usage` until cancelled."""
        if self.process is None:
            return
        loop = asyncio.get_running_loop()
        cpu_s, began = _cpu_s(self.process), loop.time()
        while True:
            usage.rss_mb.append(self.process.memory_info().rss / _MB)
            usage.cpu_s = _cpu_s(self.process) - cpu_s
            usage.wall_s = loop.time() - began
            await asyncio.sleep(_LOOKS_EVERY_S)


@asynccontextmanager
async def server_of_our_own(shared: Path, *, max_calls: int | None = None) -> AsyncIterator[MeasuredServer]:
    """Start a server on a free port, with a fresh data folder that shares the weights of `shared`.

    Settings are those of this environment, but for `max_calls` where it is given; the door is open on this
    machine. Raises `ServerFailed`.
    """
    with tempfile.TemporaryDirectory(prefix="zhiting-bench-") as folder:
        data_dir = Path(folder)
        for name in ("models", "kb"):
            if (shared / name).is_dir():
                (data_dir / name).symlink_to((shared / name).resolve())
        changes = {"ZHITING_DATA_DIR": folder, "ZHITING_HOST": "127.0.0.1", "ZHITING_OPEN": "true"}
        if max_calls is not None:
            changes["ZHITING_MAX_CALLS"] = str(max_calls)
        port = _free_port()
        with (data_dir / "server.log").open("w+b") as log:
            process = subprocess.Popen(  # noqa: ASYNC220 - starting it is quick, and nothing else runs yet
                [sys.executable, "-m", "scripts.cli", "serve", "--port", str(port)],
                env=os.environ | changes,
                stdout=log,
                stderr=log,
            )
            try:
                server = MeasuredServer(
                    address=f"http://127.0.0.1:{port}", process=psutil.Process(process.pid)
                )
                await _started(server, process, Path(log.name))
                yield server
            finally:
                process.terminate()
                try:
                    await asyncio.to_thread(process.wait, 60)
                except subprocess.TimeoutExpired:
                    process.kill()


async def _started(server: MeasuredServer, process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        async with asyncio.timeout(_STARTS_WITHIN_S):
            while not await server.is_ready():
                if process.poll() is not None:
                    raise ServerFailed(
                        f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}"  # noqa: ASYNC240
                    )
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise ServerFailed(f"The server was not ready within {_STARTS_WITHIN_S:.0f} s.") from None


def _status(url: str) -> int | None:
    """Ask for a page; None where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - an address of our own
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
