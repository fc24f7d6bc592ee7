"""Two servers on one PostgreSQL and one Redis, of which one thing after the other is killed under load.

In: how many kills, chance. Out: what was found wrong after each, and when all is over.
Not known here: other episodes, the command line.

Carriers and screens reach the servers through one address, as behind a reverse proxy; the sound lies in a
folder that both servers share.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx

from calls.types import Stream
from scripts.kills.callers import SentCall, carry, make_call
from scripts.kills.checking import check_calls, check_marks, check_record
from scripts.kills.episode import (
    OVER_WITHIN_S,
    READY_WITHIN_S,
    Death,
    free_port,
    gone,
    stop,
    until,
    until_ready,
)
from scripts.kills.nursery import Nursery
from scripts.kills.screens import Seen, follow
from scripts.kills.services import Postgres, Redis
from scripts.machines.balancer import balancer

KINDS = {"web": 40, "postgres": 20, "backend": 15, "redis": 15, "web and redis": 10}
"""What is killed, and how often of a hundred."""
_LINES = 4
_LEASE_S = 2.0
_WAITS_S = 60.0
_WAITS_LAST_S = 1.0
_LONGEST_LIFE_S = 4.0
_LOOKS_EACH_S = 0.05


@dataclass(slots=True)
class _Web:
    """One of the two servers, as often as it is started."""

    name: str
    port: int
    pid: int = 0


@dataclass(slots=True, kw_only=True)
class ClusterEpisode:
    """Everything of one database."""

    data_dir: Path
    """Holds the data folders of both servers, and the sound."""
    nursery: Nursery
    chance: Random
    name: str = "c"
    calls: list[SentCall] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    _postgres: Postgres = field(default_factory=Postgres)
    _redis: Redis = field(default_factory=Redis)
    _webs: tuple[_Web, _Web] = field(default_factory=lambda: (_Web("a", free_port()), _Web("b", free_port())))
    _is_closing: bool = False
    _has_faults: bool = False

    async def run(self, kills: int) -> AsyncIterator[Death | list[str]]:
        """Give each kill, and in the end what is wrong when all is over. Ends after a kill with faults."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._stop_all)
            await asyncio.to_thread(self._postgres.start)
            self._redis.start()
            for web in self._webs:
                await self._start(web)
            address = await stack.enter_async_context(
                balancer([("127.0.0.1", web.port) for web in self._webs])
            )
            lines = [asyncio.create_task(self._line(number, address)) for number in range(_LINES)]
            looking = [
                asyncio.create_task(follow(address, path, stream, self.seen))
                for path, stream in (
                    ("/v1/screens/calls", Stream.CALLS),
                    ("/v1/screens/operators/000", Stream.operator("000")),
                )
            ]
            stack.push_async_callback(_end, lines + looking)
            for _ in range(kills):
                death = await self._kill_one()
                self._has_faults = bool(death.found)
                yield death
                if death.found:
                    return
            found = await self._finish(lines)
            self._has_faults = bool(found)
            yield found

    async def _start(self, web: _Web, waits_s: float = _WAITS_S) -> None:
        web.pid = await asyncio.to_thread(
            self.nursery.start,
            *(self.data_dir / web.name, web.port, self.data_dir.with_suffix(f".{web.name}.log")),
            database_url=self._postgres.url,
            bus=self._redis.url,
            audio_dir=str(self.data_dir / "sound"),
            lease_s=_LEASE_S,
            resumable_s=waits_s,
            lost_after_s=waits_s,
        )
        if not await until_ready(web.port, web.pid, READY_WITHIN_S):
            raise RuntimeError(f"server {web.name} does not start")

    async def _line(self, number: int, address: str) -> None:
        """One call after the other, each with a screen."""
        chance = Random(f"{self.chance.random()} {number}")  # noqa: S311 - repeatable
        counted = 0
        while not self._is_closing:
            counted += 1
            call = make_call(f"{self.name}-{number}-{counted}", chance)
            self.calls.append(call)
            path = f"/v1/screens/calls/{call.call_id}"
            notes = Random(chance.random()) if chance.random() < 0.5 else None  # noqa: S311
            looking = asyncio.create_task(
                follow(address, path, Stream.call(call.call_id), self.seen, notes=notes)
            )
            try:
                await carry(call, address, chance)
            finally:
                await _end([looking])

    async def _kill_one(self) -> Death:
        """Let them live for a while, kill, start again, and look at once what is on record."""
        loop = asyncio.get_running_loop()
        kind = self.chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
        lived_s = self.chance.uniform(0.0, _LONGEST_LIFE_S)
        await asyncio.sleep(lived_s)
        running = [call for call in self.calls if call.is_started and not call.is_over]
        before = {call.call_id: self.seen.newest.get(Stream.call(call.call_id), 0) for call in running}
        began = loop.time()
        back = asyncio.create_task(self._until_back(running, before))
        try:
            await self._kill(kind)
            found = await asyncio.to_thread(check_record, self._postgres.url, self.seen.copied())
            if not await until(self._is_well, READY_WITHIN_S):
                found.append("not all is well again")
            ready_s = loop.time() - began
            await asyncio.wait({back}, timeout=OVER_WITHIN_S)
        except RuntimeError as error:
            found, ready_s = [str(error)], 0.0
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
        back_s = back.result() - began if back.done() and not back.cancelled() else None
        if back_s is None and not found:
            found = ["a call does not go on"]
        return Death(
            kind=kind, lived_s=lived_s, ready_s=ready_s, back_s=back_s, open_calls=len(running), found=found
        )

    async def _kill(self, kind: str) -> None:
        """Kill it and start it again; returns when the database answers."""
        if "redis" in kind:
            self._redis.kill()
        if "web" in kind:
            web = self.chance.choice(self._webs)
            os.kill(web.pid, signal.SIGKILL)
            await gone(web.pid)
            await asyncio.sleep(self.chance.uniform(0.0, 2 * _LEASE_S))  # sometimes the other one takes over
            await self._start(web)
        if kind == "postgres":
            await asyncio.to_thread(self._postgres.kill)
            await asyncio.sleep(self.chance.uniform(0.0, 2.0))
            await asyncio.to_thread(self._postgres.start)
        if kind == "backend":
            await asyncio.to_thread(self._postgres.kill_backend, self.chance)
        if "redis" in kind:
            self._redis.start()

    async def _until_back(self, running: list[SentCall], before: dict[str, int]) -> float:
        """When the screen of each call that ran had seen something new, or the call was over."""
        while any(  # noqa: ASYNC110 - nobody tells
            not call.is_over and self.seen.newest.get(Stream.call(call.call_id), 0) <= before[call.call_id]
            for call in running
        ):
            await asyncio.sleep(_LOOKS_EACH_S)
        return asyncio.get_running_loop().time()

    async def _is_well(self) -> bool:
        """Whether both servers answer, with the database and Redis behind them."""
        return all([_is_up(await _asked(web, "/readyz")) for web in self._webs])

    async def _finish(self, lines: list[asyncio.Task[None]]) -> list[str]:
        """Let everybody finish, let calls that nobody takes up end, and look at all of it."""
        self._is_closing = True
        _, late = await asyncio.wait(lines, timeout=OVER_WITHIN_S)
        found = [f"{len(late)} carriers are not through"] if late else []
        for web in self._webs:
            await stop(web.pid)
        await self._start(self._webs[0], _WAITS_LAST_S)
        if not await until(self._are_over):
            found.append("not all calls end")
        await stop(self._webs[0].pid)
        found += await asyncio.to_thread(check_record, self._postgres.url, self.seen.copied())
        return found + await asyncio.to_thread(
            lambda: check_calls(
                self.data_dir,
                self.calls,
                check_marks,
                database=self._postgres.url,
                sound_dir=self.data_dir / "sound",
            )
        )

    async def _are_over(self) -> bool:
        path = "/v1/calls?state=live&state=lost&state=interrupted&limit=1"
        return bool((await _asked(self._webs[0], path)).get("total") == 0)

    async def _stop_all(self) -> None:
        for web in self._webs:
            if web.pid:
                with suppress(ProcessLookupError):
                    os.kill(web.pid, signal.SIGKILL)
                await gone(web.pid)
        self._redis.kill()
        keeps = self.data_dir / "postgres" if self._has_faults else None
        await asyncio.to_thread(self._postgres.stop, keeps=keeps)


async def _asked(web: _Web, path: str) -> dict[str, Any]:
    """What a server answers, nothing where it does not."""
    with suppress(httpx.HTTPError, ValueError):
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            told: dict[str, Any] = (await client.get(f"http://127.0.0.1:{web.port}{path}")).json()
            return told
    return {}


def _is_up(told: dict[str, Any]) -> bool:
    return bool(told.get("ready")) and told.get("cluster", {}).get("bus") == "up"


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
