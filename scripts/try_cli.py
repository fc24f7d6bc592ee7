"""`zhiting try`: what must survive, tried: servers that are killed, disks that fill up, lines that break.

In: the command line. Out: what was found, exit code 1 where something was lost.
Not known here: how anything is tried.
"""

import asyncio
import statistics
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from agent_ui.settings import Settings
from scripts.kills.disk import try_full_disk
from scripts.kills.loop import Tally, Wish, kill_in_cluster, kill_real, kill_scripted
from scripts.kills.network import try_cuts
from scripts.kills.slow import try_slow_disk

app = typer.Typer(help="Try what must survive. Takes long; no part of the tests.", no_args_is_help=True)
_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


@app.callback()
def _group() -> None:
    """Keep the name of the command, also where it is the only one."""


@app.command()
def kills(
    folder: Annotated[Path, typer.Option(help="Where data folders and the tally lie; a run goes on there.")],
    count: Annotated[int, typer.Option(min=1, help="Servers that are killed in all.")] = 475,
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 1,
    real: Annotated[bool, typer.Option("--real", help="With real weights, and real calls.")] = False,
) -> None:
    """Kill servers in the middle of calls, and look for anything lost or doubled."""
    wish = Wish(folder=folder, shared=Settings().data_dir, kills=count, seed=seed)
    _kill(kill_real if real else kill_scripted, wish)


def _kill(work: Callable[[Wish, Callable[[Tally], None]], Coroutine[Any, Any, Tally]], wish: Wish) -> None:
    with _console.status("…") as status:

        def on_death(tally: Tally) -> None:
            status.update(f"{tally.kills} of {wish.kills} killed, {len(tally.failures)} episodes with faults")

        tally = asyncio.run(work(wish, on_death))
    typer.echo(summary(tally))
    if tally.failures:
        raise typer.Exit(1)


@app.command("cluster-kills")
def cluster_kills(
    folder: Annotated[Path, typer.Option(help="Where data folders and the tally lie; a run goes on there.")],
    count: Annotated[int, typer.Option(min=1, help="How often something is killed in all.")] = 50,
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 1,
) -> None:
    """Kill PostgreSQL, its backends, Redis and one of two servers in the middle of calls."""
    _kill(kill_in_cluster, Wish(folder=folder, shared=Settings().data_dir, kills=count, seed=seed))


@app.command()
def disk(
    folder: Annotated[Path, typer.Option(help="Where a small disk is mounted, and logs lie. Needs root.")],
    slow: Annotated[bool, typer.Option("--slow", help="One that stands still for 3 s of every 10.")] = False,
) -> None:
    """Let the disk fill up while calls run, while the server starts, publishes, is uploaded to and packs."""
    told = asyncio.run((try_slow_disk if slow else try_full_disk)(folder, Settings().data_dir))
    for step, what in told:
        typer.echo(f"{step}: {what}")
    if not all("nothing lost" in what for step, what in told if step.endswith("in the end")):
        raise typer.Exit(1)


@app.command()
def network(
    folder: Annotated[Path, typer.Option(help="Where data folders and logs lie. Needs root and `ip`.")],
    seconds: Annotated[list[float] | None, typer.Option(help="How long a cut lasts.")] = None,
) -> None:
    """Cut the network between carriers and server in the middle of calls."""
    told = asyncio.run(try_cuts(folder, Settings().data_dir, seconds or [5.0, 40.0]))
    for step, what in told:
        typer.echo(f"{step}: {what}")
    if not all("nothing lost" in what for _, what in told):
        raise typer.Exit(1)


def summary(tally: Tally) -> str:
    """A tally as a person reads it."""
    lines = [
        f"{tally.kills} kills in {tally.episodes} data folders: "
        + ", ".join(f"{count} during {kind}" for kind, count in sorted(tally.kinds.items())),
        f"{tally.calls} calls, {tally.seconds / 60:.0f} min of sound; "
        f"open calls were cut off {tally.cut_off} times",
        f"screens saw {tally.events_seen} numbered events, {tally.finals_seen} finals, "
        f"{tally.snapshots_seen} snapshots",
    ]
    for name, values in (("ready after", tally.ready_s), ("all carriers back after", tally.back_s)):
        if values:
            lines.append(f"{name} {statistics.median(values):.2f} s (median), {max(values):.2f} s at most")
    lines.append(f"{len(tally.failures)} data folders with faults")
    lines += [f"  {failure['episode']}: {failure['found'][:5]}" for failure in tally.failures]
    return "\n".join(lines)
