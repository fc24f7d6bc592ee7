"""A disk that fills up: while calls run, while the server starts, publishes, takes uploads and packs.

In: a folder on which a small file system can be mounted (root is needed), another data folder to begin with.
Out: what was seen at each step, and what was lost.
Not known here: kills by chance.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from calls.types import Stream
from scripts.kills.callers import carry, make_call
from scripts.kills.checking import check_calls, check_marks, check_record
from scripts.kills.deeds import SPEECH, Deeds
from scripts.kills.episode import free_port, furnish, gone, is_alive, stop, until_ready
from scripts.kills.nursery import Nursery
from scripts.kills.screens import Seen, follow

_SIZE_MB = 96
_FULL_S = 6.0
_THROUGH_WITHIN_S = 180.0
_BLOCK = b"\0" * 65_536


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    folder.mkdir(parents=True, exist_ok=True)
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE_MB}m", "zhiting-trial", str(folder)]
    subprocess.run(mounting, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


def fill(folder: Path, *, left: int = 0) -> Path:
    """Fill the disk to its last byte, or up to so many bytes."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while shutil.disk_usage(folder).free > left:
            file.write(_BLOCK[: max(1, min(len(_BLOCK), shutil.disk_usage(folder).free - left))])
    return filler


async def try_full_disk(folder: Path, shared: Path) -> list[tuple[str, str]]:
    """What was seen: (step, what)."""
    with small_disk(folder / "disk") as disk:
        log = folder / "server.log"
        log.unlink(missing_ok=True)
        nursery = Nursery.open(folder / "nursery.log")
        trial = _Trial(disk=disk, log=log, port=free_port(), nursery=nursery)
        furnish(trial.data_dir, shared)
        try:
            await trial.run()
        finally:
            await asyncio.to_thread(nursery.close)
    return trial.told


@dataclass(slots=True, kw_only=True)
class _Trial:
    disk: Path
    log: Path
    port: int
    nursery: Nursery
    told: list[tuple[str, str]] = field(default_factory=list)
    pid: int = 0

    @property
    def data_dir(self) -> Path:
        return self.disk / "data"

    async def run(self) -> None:
        """Everything, one step after the other."""
        address, seen = f"http://127.0.0.1:{self.port}", Seen()
        calls = [make_call(f"f-{number}", Random(number)) for number in range(5)]  # noqa: S311 - repeatable
        for call in calls:
            call.hangs_up, call.speed = True, 1.5
        await self._start()
        looking = [
            asyncio.create_task(
                follow(address, f"/v1/screens/calls/{call.call_id}", Stream.call(call.call_id), seen)
            )
            for call in calls
        ]
        carrying = [asyncio.create_task(carry(call, address, Random(call.call_id))) for call in calls]  # noqa: S311
        await asyncio.sleep(3.0)
        filler = fill(self.disk)
        await asyncio.sleep(_FULL_S)
        await self._ask(address)
        os.kill(self.pid, signal.SIGKILL)
        await gone(self.pid)
        await self._start_again("full, start after a kill")
        await stop(self.pid)
        await self._start_again("full, start after a stop")
        await stop(self.pid)
        filler.unlink()
        fill(self.disk, left=4_000_000)
        await self._start_again("4 MB left, start")
        filler.unlink()
        if not is_alive(self.pid):
            await self._start()
        _, late = await asyncio.wait(carrying, timeout=_THROUGH_WITHIN_S)
        self.told.append(("room again, carriers", f"{len(late)} of {len(calls)} are not through"))
        await stop(self.pid)
        Deeds(self.data_dir).age()
        fill(self.disk, left=200_000)
        await self._start_again("200 kB left, start")
        await asyncio.sleep(_FULL_S)
        spools = len(list((self.data_dir / "audio").glob("*.raw")))
        self.told.append(("200 kB left, packing", f"{spools} spools are kept as they came"))
        await stop(self.pid)
        filler.unlink()
        for task in looking:
            task.cancel()
        found = await asyncio.to_thread(check_record, self.data_dir / "zhiting.db", seen)
        found += await asyncio.to_thread(check_calls, self.data_dir, calls, check_marks)
        self.told.append(("in the end", "; ".join(found[:5]) or "nothing lost, nothing doubled"))

    async def _start(self) -> bool:
        self.pid = await asyncio.to_thread(
            self.nursery.start, self.data_dir, self.port, self.log, min_free_mb=5
        )
        return await until_ready(self.port, self.pid, 120)

    async def _start_again(self, step: str) -> None:
        is_up = await self._start()
        self.told.append((step, "it comes up" if is_up else last_words(self.log)))

    async def _ask(self, address: str) -> None:
        """What a server on a full disk answers."""
        limits = httpx.Limits(max_keepalive_connections=0)
        files = [("files", (SPEECH.name, SPEECH.read_bytes()))]
        order = {"type": "求助", "summary": "路灯不亮"}
        async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False, limits=limits) as client:
            for name, method, path, what in (
                ("one more call", "GET", "/readyz", {}),
                ("upload of a job", "POST", "/v1/jobs", {"files": files}),
                ("work order", "POST", "/v1/orders", {"json": order}),
                ("setting", "PATCH", "/v1/system/settings", {"json": {"changes": {"max_calls": 7}}}),
                ("publish", "POST", "/v1/kb/publish", {}),
            ):
                answer = await client.request(method, path, **what)
                self.told.append((f"full, {name}", f"{answer.status_code} {answer.text[:160]}"))
            while (state := (await client.get("/v1/kb/publish")).json())["is_running"]:  # noqa: ASYNC110
                await asyncio.sleep(0.5)
        self.told.append(("full, publish ended", f"{state['stage']} {state['code']} {state['message']}"))


def last_words(log: Path) -> str:
    """The last line that a server wrote."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    critical = [line for line in lines if "CRITICAL" in line]
    return "does not start: " + (critical or lines or ["no word"])[-1][-200:]
