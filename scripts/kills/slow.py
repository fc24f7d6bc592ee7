"""A disk that stands still for seconds, again and again, while calls run.

In: a folder; root is needed, a loop device and ext4. Another data folder to begin with.
Out: what carriers and screens noticed, and what was lost.
Not known here: disks that are full, kills.

The disk is a small file system that is frozen and thawed (`fsfreeze` does the same): meanwhile every write to
it waits in the kernel, whoever writes.
"""

import asyncio
import fcntl
import json
import os
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np
from websockets.asyncio.client import connect

from calls.notices import SLOW_DISK
from calls.types import Stream
from scripts.kills.callers import GONE, RATE_HZ, SentCall, carry
from scripts.kills.checking import check_calls, check_marks, check_record
from scripts.kills.episode import free_port, furnish, stop, until_ready
from scripts.kills.nursery import Nursery
from scripts.kills.screens import Seen, follow

_SIZE_MB = 512
_FREEZE, _THAW = 0xC0045877, 0xC0045878
"""ioctls of Linux, linux/fs.h."""
_CALLS = 5
_CALL_S = 60.0
_EACH_S = 10.0
_STILL_S = 3.0
_THROUGH_WITHIN_S = 240.0
_ASKS_EACH_S = 0.1


@contextmanager
def disk_of_its_own(folder: Path) -> Iterator[Path]:
    """A file system in a file."""
    image, place = folder / "disk.img", folder / "disk"
    place.mkdir(parents=True, exist_ok=True)
    with image.open("wb") as file:
        file.truncate(_SIZE_MB * 1_000_000)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)  # noqa: S607
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)  # noqa: S607
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)  # noqa: S607
        image.unlink()


@dataclass(slots=True)
class Standstill:
    """Whether a disk stands still now, and for how many seconds it has done so each time."""

    is_now: bool = False
    times_s: list[float] = field(default_factory=list)


@asynccontextmanager
async def standing_still(place: Path, still: Standstill) -> AsyncIterator[None]:
    """The disk below `place` stands still for 3 s of every 10."""
    fd = os.open(place, os.O_RDONLY)

    async def freeze_and_thaw() -> None:
        while True:
            await asyncio.sleep(_EACH_S - _STILL_S)
            await asyncio.to_thread(fcntl.ioctl, fd, _FREEZE, 0)
            began, still.is_now = time.monotonic(), True
            try:
                await asyncio.sleep(_STILL_S)
            finally:
                fcntl.ioctl(fd, _THAW, 0)
                still.is_now = False
                still.times_s.append(time.monotonic() - began)

    working = asyncio.create_task(freeze_and_thaw())
    try:
        yield
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        with suppress(OSError):  # it was in the midst of freezing
            fcntl.ioctl(fd, _THAW, 0)
        os.close(fd)


class _Waits:
    """How long people waited: whoever asks for an answer, whoever writes a note."""

    def __init__(self, still: Standstill):
        self._still = still
        self._seconds: dict[tuple[str, bool], list[float]] = {}

    @contextmanager
    def measure(self, what: str) -> Iterator[None]:
        """One wait."""
        began, is_still = time.monotonic(), self._still.is_now
        yield
        self._seconds.setdefault((what, is_still), []).append(time.monotonic() - began)

    def __str__(self) -> str:
        return "; ".join(
            f"{what} asked for while the disk {'stood still' if is_still else 'went on'}: "
            f"{statistics.median(some):.2f} s (median of {len(some)}), {max(some):.2f} s at most"
            for (what, is_still), some in sorted(self._seconds.items())
        )


async def try_slow_disk(folder: Path, shared: Path) -> list[tuple[str, str]]:
    """What was seen: (step, what)."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    nursery = Nursery.open(folder / "nursery.log")
    told: list[tuple[str, str]] = []
    try:
        for number, where in enumerate(("sound alone", "everything")):
            with disk_of_its_own(folder) as disk:
                data_dir = folder / f"data-{number}" if where == "sound alone" else disk / "data"
                furnish(data_dir, shared)
                trial = _Trial(
                    data_dir=data_dir, disk=disk, nursery=nursery, log=folder / f"server-{number}.log"
                )
                told += [(f"{where} on the slow disk, {step}", what) for step, what in await trial.run()]
    finally:
        await asyncio.to_thread(nursery.close)
    return told


@dataclass(slots=True, kw_only=True)
class _Trial:
    data_dir: Path
    disk: Path
    nursery: Nursery
    log: Path

    async def run(self) -> list[tuple[str, str]]:
        """Calls at the speed of speech, while somebody asks and somebody writes notes."""
        port, sound_dir = free_port(), self.disk / "sound"
        pid = await asyncio.to_thread(
            self.nursery.start, self.data_dir, port, self.log, audio_dir=str(sound_dir), min_free_mb=5
        )
        await until_ready(port, pid, 120)
        address, seen, still = f"http://127.0.0.1:{port}", Seen(), Standstill()
        waits = _Waits(still)
        calls = [_call(number) for number in range(_CALLS)]
        looking = [
            asyncio.create_task(
                follow(address, f"/v1/screens/calls/{call.call_id}", Stream.call(call.call_id), seen)
            )
            for call in calls
        ]
        carrying = [asyncio.create_task(carry(call, address, Random(7))) for call in calls]  # noqa: S311
        began = time.monotonic()
        looking.append(asyncio.create_task(_again(lambda: _ask(address, waits))))
        async with standing_still(self.disk, still):
            await asyncio.sleep(_EACH_S / 2)
            looking.append(asyncio.create_task(_again(lambda: _write_notes(address, calls[0], waits))))
            _, late = await asyncio.wait(carrying, timeout=_THROUGH_WITHIN_S)
        took_s = time.monotonic() - began
        await asyncio.sleep(1.0)  # the screens see the end
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
        await stop(pid)
        return [
            (
                "it stood still",
                f"{len(still.times_s)} times, {max(still.times_s, default=0.0):.1f} s at most",
            ),
            ("carriers", f"{len(late)} of {len(calls)} are not through, {took_s:.0f} s for {_CALL_S:.0f} s"),
            ("lines of the calls", str(sorted(call.lives for call in calls))),
            ("waits", str(waits)),
            ("told", _told(seen, calls)),
            ("in the end", await asyncio.to_thread(self._check, calls, seen)),
        ]

    def _check(self, calls: list[SentCall], seen: Seen) -> str:
        found = check_record(self.data_dir / "zhiting.db", seen)
        found += check_calls(self.data_dir, calls, check_marks, sound_dir=self.disk / "sound")
        return "; ".join(found[:5]) or "nothing lost, nothing doubled"


def _told(seen: Seen, calls: list[SentCall]) -> str:
    counts = {
        call.call_id: sum(
            stream == Stream.call(call.call_id)
            and event["type"] == "call.degraded"
            and event["code"] == SLOW_DISK
            for (stream, _), event in seen.events.items()
        )
        for call in calls
    }
    told = sum(count > 0 for count in counts.values())
    return f"the screens of {told} of {len(calls)} calls, {sum(counts.values())} times in all"


def _call(number: int) -> SentCall:
    noise = np.random.default_rng(number).integers(-2000, 2000, (round(_CALL_S * RATE_HZ), 2))
    return SentCall(
        call_id=f"s-{number}",
        operator_id=f"{number:03}",
        parties=("citizen", "operator"),
        samples=noise.astype(np.int16),
        speed=1.0,
        cuts=0.0,
    )


async def _again(work: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled, whatever breaks."""
    while True:
        with suppress(*GONE, httpx.HTTPError):
            await work()
        await asyncio.sleep(_ASKS_EACH_S)


async def _ask(address: str, waits: _Waits) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
        while True:
            with waits.measure("answers"):
                await client.get("/healthz")
            await asyncio.sleep(_ASKS_EACH_S)


async def _write_notes(address: str, call: SentCall, waits: _Waits) -> None:
    """Write a note and wait until it is on the screen, again and again."""
    where = f"{address.replace('http', 'ws')}/v1/screens/calls/{call.call_id}"
    async with connect(where, compression=None, proxy=None, open_timeout=60, max_size=None) as screen:
        for number in range(10_000):
            note = {"type": "note.write", "note_id": f"n-{number % 20}", "text": f"记{number}"}
            with waits.measure("notes"):
                await screen.send(json.dumps(note))
                async for text in screen:
                    event: dict[str, Any] = json.loads(text)
                    if event.get("text") == note["text"]:
                        break
            await asyncio.sleep(_ASKS_EACH_S)
