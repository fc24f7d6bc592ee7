"""One data folder, and the servers that live and die on it one after the other.

In: how many die, chance. Out: what was found wrong after each death, and when all is over.
Not known here: other episodes, the command line.
"""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeAlias

import httpx
import psutil

from calls.types import Stream
from scripts.kills.callers import AGAIN_S, SentCall, carry
from scripts.kills.checking import CheckLeg, check_calls, check_record, copied
from scripts.kills.deeds import Deeds
from scripts.kills.screens import Seen, follow

READY_WITHIN_S = 180.0
OVER_WITHIN_S = 300.0
_GOODBYE_S = 60.0

Start: TypeAlias = Callable[[bool], Awaitable[int]]
"""Start a server, give its process id; the flag: nobody will come back to calls that were cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """One kill."""

    kind: str
    lived_s: float
    """From its start."""
    ready_s: float | None
    """From its start until it answered; None where it died before."""
    back_s: float | None
    """From then until every carrier was back; None where it died before."""
    open_calls: int
    found: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is played, and what must come of it."""

    make_call: Callable[[str, Random], SentCall]
    check_leg: CheckLeg
    kinds: Mapping[str, int]
    """What a server is doing when it dies, and how often of a hundred: `start`, `calls`, `packing`, `job`,
    `order`, `publish`."""
    lines: int
    longest_life_s: float
    """After it has begun to answer."""


@dataclass(slots=True, kw_only=True)
class Episode:
    """Everything of one data folder."""

    data_dir: Path
    start: Start
    trial: Trial
    chance: Random
    port: int
    calls: list[SentCall] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    name: str = "k"
    _is_closing: bool = False

    @property
    def address(self) -> str:
        """Where the servers answer, one after the other."""
        return f"http://127.0.0.1:{self.port}"

    async def run(self, kills: int) -> AsyncIterator[Death | list[str]]:
        """Give each death, and in the end what is wrong when all is over. Ends after a death with faults."""
        deeds = Deeds(self.data_dir)
        async with self._playing() as lines:
            for _ in range(kills):
                death = await self._live_and_die(deeds)
                yield death
                if death.found:
                    return
            yield await self._end(deeds, lines)

    @asynccontextmanager
    async def _playing(self) -> AsyncIterator[list[asyncio.Task[None]]]:
        lines = [asyncio.create_task(self._line(number)) for number in range(self.trial.lines)]
        looking = [
            asyncio.create_task(follow(self.address, path, stream, self.seen))
            for path, stream in (
                ("/v1/screens/calls", Stream.CALLS),
                ("/v1/screens/operators/000", Stream.operator("000")),
                ("/v1/screens/operators/001", Stream.operator("001")),
            )
        ]
        try:
            yield lines
        finally:
            for task in (*lines, *looking):
                task.cancel()
            await asyncio.gather(*lines, *looking, return_exceptions=True)

    async def _line(self, number: int) -> None:
        """One call after the other, each with a screen."""
        chance = Random(f"{self.chance.random()} {number}")  # noqa: S311 - repeatable
        counted = 0
        while not self._is_closing:
            counted += 1
            call = self.trial.make_call(f"{self.name}-{number}-{counted}", chance)
            self.calls.append(call)
            path = f"/v1/screens/calls/{call.call_id}"
            notes = Random(chance.random()) if chance.random() < 0.5 else None  # noqa: S311
            looking = asyncio.create_task(
                follow(self.address, path, Stream.call(call.call_id), self.seen, notes=notes)
            )
            try:
                await carry(call, self.address, chance)
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)

    async def _live_and_die(self, deeds: Deeds) -> Death:
        loop = asyncio.get_running_loop()
        kind = self.chance.choices(list(self.trial.kinds), weights=list(self.trial.kinds.values()))[0]
        running = [call for call in self.calls if call.is_started and not call.is_over]
        lives = {call.call_id: call.lives for call in running}
        if kind == "packing" and (self.data_dir / "zhiting.db").exists():
            deeds.age()
        pid = await self.start(False)
        began = loop.time()
        ready_s = back_s = None
        if kind == "start":
            await until_ready(self.port, pid, self.chance.uniform(0.0, self.trial.longest_life_s / 2))
        else:
            if not await until_ready(self.port, pid, READY_WITHIN_S):
                return Death(
                    kind=kind,
                    lived_s=loop.time() - began,
                    ready_s=None,
                    back_s=None,
                    open_calls=len(running),
                    found=["the server does not start"],
                )
            ready_s = loop.time() - began
            doing = asyncio.create_task(self._do(kind, deeds))
            until = loop.time() + self.chance.uniform(0.0, self.trial.longest_life_s)
            while loop.time() < until:
                is_back = all(call.is_over or call.lives > lives[call.call_id] for call in running)
                if back_s is None and is_back:
                    back_s = loop.time() - began - ready_s
                await asyncio.sleep(0.02)
        lived_s = loop.time() - began
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
        if kind != "start":
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)
        with copied(self.data_dir) as database:
            found = await asyncio.to_thread(check_record, database, self.seen)
        return Death(
            kind=kind,
            lived_s=lived_s,
            ready_s=ready_s,
            back_s=back_s,
            open_calls=len(running),
            found=found + deeds.faults,
        )

    async def _is_alone(self) -> bool:
        """Whether nobody works on the folder any more: a publish outlives the server that began it."""
        return not await asyncio.to_thread(_has_workers, self.data_dir)

    async def _is_packed(self) -> bool:
        return not any((self.data_dir / "audio").glob("*.raw"))

    async def _do(self, kind: str, deeds: Deeds) -> None:
        deed = {"job": deeds.leave_job, "order": deeds.make_order, "publish": deeds.publish}.get(kind)
        if deed is None:
            return
        with suppress(httpx.TransportError):
            async with httpx.AsyncClient(base_url=self.address, timeout=60, trust_env=False) as client:
                while kind == "order":
                    await deed(client)
                await deed(client)

    async def _end(self, deeds: Deeds, lines: list[asyncio.Task[None]]) -> list[str]:
        """Let everybody finish, stop politely, let calls that nobody takes up end, and look at all of it."""
        self._is_closing = True
        pid = await self.start(False)
        if not await until_ready(self.port, pid, READY_WITHIN_S):
            return ["the server does not start"]
        _, late = await asyncio.wait(lines, timeout=OVER_WITHIN_S)
        found = [f"{len(late)} carriers are not through"] if late else []
        await stop(pid)
        if not await until(self._is_alone):
            found.append("a publish does not end")
        pid = await self.start(True)
        if not await until_ready(self.port, pid, READY_WITHIN_S):
            return [*found, "the server does not start"]
        async with httpx.AsyncClient(base_url=self.address, timeout=60, trust_env=False) as client:

            async def is_quiet() -> bool:
                return await deeds.are_over(client) and not await _open_calls(client)

            await until(is_quiet)
            found += await deeds.check(client)
        deeds.age()
        await stop(pid)
        pid = await self.start(True)  # packs what is old enough
        if not await until_ready(self.port, pid, READY_WITHIN_S):
            return [*found, "the server does not start"]
        if not await until(self._is_packed):
            found.append("not all sound is packed")
        await stop(pid)
        found += await asyncio.to_thread(check_record, self.data_dir / "zhiting.db", self.seen)
        return found + await asyncio.to_thread(check_calls, self.data_dir, self.calls, self.trial.check_leg)


async def _open_calls(client: httpx.AsyncClient) -> int:
    asked = await client.get("/v1/calls?state=live&state=lost&state=interrupted&limit=1")
    return int(asked.json()["total"])


async def until(is_so: Callable[[], Awaitable[bool]], within_s: float = OVER_WITHIN_S) -> bool:
    """Whether it comes to that in time; looked at again and again, as nobody tells."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within_s
    while loop.time() < until:
        if await is_so():
            return True
        await asyncio.sleep(AGAIN_S)
    return False


async def until_ready(port: int, pid: int, within_s: float, host: str = "127.0.0.1") -> bool:
    """Whether the server answers within that time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while is_alive(pid):
                with suppress(OSError):
                    _, writer = await asyncio.open_connection(host, port)
                    writer.close()
                    return True
                await asyncio.sleep(0.02)
    return False


async def stop(pid: int) -> None:
    """End a server politely; one that does not end is killed."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await gone(pid)
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        await gone(pid)


async def gone(pid: int) -> None:
    """Wait until nothing of a process is left."""
    while is_alive(pid):  # noqa: ASYNC110 - no child of ours, so nobody tells
        await asyncio.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Whether anything of that process is there; its first thread may be dead long before its sockets are."""
    return Path(f"/proc/{pid}").exists()


def _has_workers(data_dir: Path) -> bool:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("ZHITING_DATA_DIR") == str(data_dir):
                return True
    return False


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def furnish(data_dir: Path, shared: Path) -> None:
    """Begin with the weights, the articles and the knowledge of another data folder."""
    data_dir.mkdir(parents=True)
    for path in shared.glob("zhiting.db*"):
        shutil.copy(path, data_dir)
    if (shared / "kb").is_dir():
        shutil.copytree(shared / "kb", data_dir / "kb")
    if (shared / "models").is_dir():
        (data_dir / "models").symlink_to((shared / "models").resolve())
