"""Episode after episode until so many servers have died; goes on where it was stopped.

In: a folder, how many kills, a seed. Out: a file with what was found, and the folders of what went wrong.
Not known here: how a server dies, what must hold.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from pydantic import BaseModel

from scripts.kills.callers import make_call
from scripts.kills.checking import check_marks
from scripts.kills.cluster import ClusterEpisode
from scripts.kills.episode import Death, Episode, Trial, free_port, furnish
from scripts.kills.nursery import Nursery
from scripts.kills.real import real_trial, start_real

_EACH = 25
"""Kills of one episode."""
_EACH_IN_CLUSTER = 10
_WAITS_S = 60.0
_WAITS_LAST_S = 1.0


class Tally(BaseModel):
    """What came of it so far."""

    seed: int
    kills: int = 0
    episodes: int = 0
    kinds: dict[str, int] = {}
    calls: int = 0
    seconds: float = 0.0
    """Of sound, in all calls."""
    finals_seen: int = 0
    events_seen: int = 0
    snapshots_seen: int = 0
    cut_off: int = 0
    """How often a call that was open lost its server."""
    ready_s: list[float] = []
    back_s: list[float] = []
    failures: list[dict[str, Any]] = []

    def count(self, death: Death) -> None:
        """Take in one kill."""
        self.kills += 1
        self.kinds[death.kind] = self.kinds.get(death.kind, 0) + 1
        self.cut_off += death.open_calls
        if death.ready_s is not None:
            self.ready_s.append(round(death.ready_s, 2))
        if death.back_s is not None and death.open_calls:
            self.back_s.append(round(death.back_s, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be tried."""

    folder: Path
    shared: Path
    kills: int
    seed: int = 1


SCRIPTED = Trial(
    make_call=make_call,
    check_leg=check_marks,
    kinds={"start": 25, "calls": 38, "packing": 14, "job": 12, "order": 8, "publish": 3},
    lines=5,
    longest_life_s=2.0,
)


async def kill_scripted(wish: Wish, on_death: Callable[[Tally], None]) -> Tally:
    """Kill servers with scripted engines."""
    wish.folder.mkdir(parents=True, exist_ok=True)
    nursery = Nursery.open(wish.folder / "nursery.log")

    async def start(data_dir: Path, port: int, log: Path, waits_s: float) -> int:
        return await asyncio.to_thread(
            nursery.start, data_dir, port, log, resumable_s=waits_s, lost_after_s=waits_s
        )

    try:
        return await kill_servers(wish, SCRIPTED, start, on_death)
    finally:
        await asyncio.to_thread(nursery.close)


async def kill_real(wish: Wish, on_death: Callable[[Tally], None]) -> Tally:
    """Kill servers with real weights, that hear the bundled calls."""
    wish.folder.mkdir(parents=True, exist_ok=True)
    reaping: set[asyncio.Task[int]] = set()

    async def start(data_dir: Path, port: int, log: Path, waits_s: float) -> int:
        process = start_real(data_dir, port, log, waits_s)
        reaping.add(asyncio.create_task(asyncio.to_thread(process.wait)))
        return process.pid

    return await kill_servers(wish, real_trial(), start, on_death)


async def kill_in_cluster(wish: Wish, on_death: Callable[[Tally], None]) -> Tally:
    """Kill one thing after the other of two servers on one database, and start it again."""
    wish.folder.mkdir(parents=True, exist_ok=True)
    nursery = Nursery.open(wish.folder / "nursery.log")
    tally = read_tally(wish)
    try:
        while tally.kills < wish.kills:
            name = f"episode-{tally.episodes + 1:03}"
            data_dir = wish.folder / name
            shutil.rmtree(data_dir, ignore_errors=True)
            for own in ("a", "b"):
                furnish(data_dir / own, wish.shared)
            episode = ClusterEpisode(
                data_dir=data_dir,
                nursery=nursery,
                chance=Random(f"{wish.seed} {name}"),  # noqa: S311 - repeatable
                name=f"c{tally.episodes + 1}",
            )
            await _run(episode, min(_EACH_IN_CLUSTER, wish.kills - tally.kills), wish, tally, name, on_death)
    finally:
        await asyncio.to_thread(nursery.close)
    return tally


async def kill_servers(
    wish: Wish,
    trial: Trial,
    start: Callable[[Path, int, Path, float], Awaitable[int]],
    on_death: Callable[[Tally], None],
) -> Tally:
    """Go on until so many are killed.

    `start` gets a data folder, a port, a log, and the seconds that calls wait for their line; it gives the
    process id.
    """
    tally = read_tally(wish)
    while tally.kills < wish.kills:
        name = f"episode-{tally.episodes + 1:03}"
        data_dir = wish.folder / name
        shutil.rmtree(data_dir, ignore_errors=True)
        furnish(data_dir, wish.shared)
        port = free_port()

        async def begin(is_last: bool, data_dir: Path = data_dir, port: int = port) -> int:
            log = data_dir.with_suffix(".log")
            return await start(data_dir, port, log, _WAITS_LAST_S if is_last else _WAITS_S)

        episode = Episode(
            data_dir=data_dir,
            start=begin,
            trial=trial,
            chance=Random(f"{wish.seed} {name}"),  # noqa: S311 - repeatable
            port=port,
            name=f"k{tally.episodes + 1}",
        )
        await _run(episode, min(_EACH, wish.kills - tally.kills), wish, tally, name, on_death)
    return tally


async def _run(
    episode: Episode | ClusterEpisode,
    kills: int,
    wish: Wish,
    tally: Tally,
    name: str,
    on_death: Callable[[Tally], None],
) -> None:
    """Run one episode into the tally; its folder stays where something was found."""
    found: list[str] = []
    async for told in episode.run(kills):
        if isinstance(told, Death):
            tally.count(told)
            found = told.found
            write_tally(wish, tally)
            on_death(tally)
        else:
            found = told
    tally.episodes += 1
    tally.calls += len(episode.calls)
    tally.seconds += sum(len(call.samples) / call.rate_hz for call in episode.calls)
    tally.events_seen += len(episode.seen.events)
    tally.snapshots_seen += episode.seen.snapshots
    tally.finals_seen += sum(
        event["type"] == "segment.shown" and stream.startswith("call:")
        for (stream, _), event in episode.seen.events.items()
    )
    if found:
        tally.failures.append({"episode": name, "kills": tally.kills, "found": found[:50]})
    else:
        shutil.rmtree(episode.data_dir)
        for log in wish.folder.glob(f"{name}.*log"):
            log.unlink()
    write_tally(wish, tally)
    on_death(tally)


def read_tally(wish: Wish) -> Tally:
    """What an earlier run came to; the last episode that it had not ended counts with the kills it saw."""
    path = wish.folder / "tally.json"
    if path.exists():
        return Tally.model_validate_json(path.read_bytes())
    return Tally(seed=wish.seed)


def write_tally(wish: Wish, tally: Tally) -> None:
    """Keep it; whoever is stopped in mid-way goes on from there."""
    aside = wish.folder / ".tally.new"
    aside.write_text(tally.model_dump_json(indent=1), encoding="utf-8")
    aside.replace(wish.folder / "tally.json")
