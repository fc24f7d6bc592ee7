"""Three machines in network namespaces, of which one part after the other fails in mid-call.

Two have a web process and an ear each, the third PostgreSQL, Redis, nginx and Ray's head. An operator's desk
is open in a real browser all the while; each call has a screen beside it that remembers all it was shown.

In: the command line, as root. Out: what the screens waited for, what was lost or doubled; pictures.
Not known here: how any of it is done.

Ears write marks (`scripts/machines/marking.py`): each line says which sound it was heard from. With `--real`
they are Whisper, and hear the bundled calls; weights and knowledge come from ZHITING_DATA_DIR, where nothing
is written.

    python -m scripts.try_machines --calls 4 --out pictures
    ZHITING_DATA_DIR=var python -m scripts.try_machines --real --calls 2 --out pictures
    python -m scripts.try_machines --kills 50 --seed 1
"""

import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from agent_ui.settings import Settings
from scripts.kills.real import check_speech
from scripts.machines.calls import check_noise, noise_call, real_call
from scripts.machines.chance import random_deed
from scripts.machines.deeds import REAL, Deed, deeds, nothing
from scripts.machines.desk import Desk, Noted, desk
from scripts.machines.site import Site
from scripts.machines.space import Machine, machines
from scripts.machines.trial import Effect, Trial, longest_wait

_NAME = "李敏"
_SETTLES_S = 3.0
_IN_TIME_S, _REAL_IN_TIME_S = 3.0, 8.0
"""How far behind the sound a line may be that is in time; a real one waits for its speaker to pause."""

_LIVES_S = 4.0
"""So much later at most something else is killed at random, once all goes on."""
_SLOWER = 10
"""So many times as late is in time on a machine that is busy with other things."""


@dataclass(frozen=True, slots=True)
class Kills:
    """How often something is killed at random."""

    count: int
    seed: int


async def attempt(
    trial: Trial, some: list[Deed], kills: Kills | None, out: Path | None
) -> tuple[list[str], Noted]:
    """Bring calls, break one thing after the other; returns what is wrong, and what the desk showed."""
    site, first = trial.site, trial.calls[0]
    began = time.monotonic()
    await site.start()
    await site.until_whole()
    site.add_operator(_NAME, first.operator_id)
    print(f"everything is up after {time.monotonic() - began:.0f} s", flush=True)
    async with desk(site.address, _NAME, site.password, out) as page:
        trial.also = page.goes_on
        async with trial.going_on():
            await trial.watch("the beginning", nothing, least_s=_SETTLES_S, mend=nothing)
            for number, deed in enumerate(some, 1):
                await _one(trial, page, deed, f"{number:02}-{deed.name}")
            if kills is not None:
                await _kill_at_random(trial, kills)
        await page.page.wait_for_selector('.head[data-call="ended"]')
        await page.picture("99-the-end")
        found = [f"desk: {one}" for one in await page.check(first.call_id)]
        return [*await asyncio.to_thread(trial.check), *found], await page.noted()


async def _one(trial: Trial, page: Desk, deed: Deed, name: str) -> None:
    await page.picture(f"{name}-1-before")
    trouble = asyncio.create_task(page.picture_of_trouble(f"{name}-2-during"))

    async def mend() -> None:
        await deed.mend()
        await trial.site.until_whole()

    effect = await trial.watch(deed.what, deed.do, least_s=trial.site.lease_s + _SETTLES_S, mend=mend)
    await trouble
    await page.picture(f"{name}-3-after")
    print(f"{deed.what}: {_spread(effect)}", flush=True)


async def _kill_at_random(trial: Trial, kills: Kills) -> None:
    """Kill the next as soon as all calls are heard in time again, or a little later, whole or not."""
    chance = Random(kills.seed)  # noqa: S311 - repeatable
    for number in range(1, kills.count + 1):
        deed = random_deed(trial.site, chance)
        effect = await trial.watch(deed.what, deed.do, least_s=chance.uniform(0, _LIVES_S), mend=nothing)
        print(f"{number}: {deed.what}: {_spread(effect, 'heard in time')}", flush=True)
    await trial.site.until_whole()


def _spread(effect: Effect, again: str = "whole") -> str:
    waits, lags = sorted(effect.waits_s), sorted(effect.lags_s)
    return (
        f"longest wait for a line on a screen {waits[0]:.1f} to {waits[-1]:.1f} s, "
        f"lines behind by {lags[0]:.1f} to {lags[-1]:.1f} s at most, {again} after {effect.whole_s:.0f} s"
    )


def _tell(trial: Trial, noted: Noted) -> None:
    """What the desk showed while things broke."""
    for effect in trial.effects:
        lines = [line.at for line in noted.lines if effect.began <= line.at <= effect.ended]
        print(f"{effect.name}: {_spread(effect)}")
        print(
            f"  the desk: {longest_wait([effect.began, *lines, effect.ended]):.1f} s without a new line, "
            f"{noted.offline_s(effect.began, effect.ended):.1f} s without a connection; "
            f"it said: {' / '.join(noted.said(effect.began, effect.ended)) or 'nothing else'}"
        )


def main(
    calls: Annotated[int, typer.Option(min=1, max=60, help="Calls at once.")] = 4,
    real: Annotated[bool, typer.Option("--real", help="Whisper and the bundled calls.")] = False,
    only: Annotated[str, typer.Option(help="What is broken, by name, between commas; else all.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for pictures of the desk, and logs.")] = None,
    lease: Annotated[float, typer.Option(help="ZHITING_LEASE_S.")] = 4.0,
    longest: Annotated[float, typer.Option(help="Seconds that a call of marks lasts at most.")] = 1200.0,
    patience: Annotated[float, typer.Option(help="Seconds that anything may take.")] = 300.0,
    slow: Annotated[bool, typer.Option("--slow", help="The machine is busy with other things.")] = False,
    shares_sound: Annotated[bool, typer.Option("--share-sound", help="ZHITING_AUDIO_DIR for all.")] = False,
    kills: Annotated[int, typer.Option(min=0, help="So often something is killed at random instead.")] = 0,
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 1,
) -> None:
    """Try it."""
    source = Settings().data_dir.resolve() if real else None
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="zt-m-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with machines(folder, "data", "one", "two") as made:
            try:
                site = Site(
                    data=made[0],
                    workers=made[1:],
                    lease_s=lease,
                    patience_s=patience,
                    source=source,
                    sound=folder / "sound" if shares_sound else None,
                    is_slow=slow,
                )
                found = _try(site, calls, longest, Kills(kills, seed) if kills else only, out)
            except BaseException:
                _tell_logs(made)
                raise
            finally:
                if out is not None:
                    _keep_logs(made, out)
    raise typer.Exit(1 if found else 0)


def _try(site: Site, count: int, longest_s: float, what: str | Kills, out: Path | None) -> list[str]:
    """`what`: names of deeds between commas, none for all, or how often something is killed at random."""
    numbers, is_real = range(1, count + 1), site.source is not None
    trial = Trial(
        site=site,
        calls=[
            real_call(n, site.token) if is_real else noise_call(n, longest_s, site.token) for n in numbers
        ],
        check_leg=check_speech if is_real else check_noise,
        late_s=(_REAL_IN_TIME_S if is_real else _IN_TIME_S) * (_SLOWER if site.is_slow else 1),
    )
    kills = what if isinstance(what, Kills) else None
    some = [] if isinstance(what, Kills) else _chosen(site, what)
    # whoever comes here believes the certificate that nginx was given
    os.environ["SSL_CERT_FILE"] = str(site.certificate)
    found, noted = asyncio.run(attempt(trial, some, kills, out))
    _tell(trial, noted)
    events = sum(len(seen.events) for seen in trial.seen.values())
    print(
        f"{len(trial.calls)} calls, {events} events seen, {len(noted.lines)} lines at the desk, "
        f"{len(found)} faults"
    )
    for one in found[:40]:
        print(" ", one)
    return found


def _chosen(site: Site, only: str) -> list[Deed]:
    wanted = set(only.split(",")) if only else None if site.source is None else set(REAL)
    return [deed for deed in deeds(site) if wanted is None or deed.name in wanted]


def _tell_logs(made: list[Machine]) -> None:
    for machine in made:
        for log in sorted(machine.folder.glob("*.log")):
            print(f"--- {machine.name} {log.name}\n{log.read_text(errors='replace')[-2500:]}")


def _keep_logs(made: list[Machine], out: Path) -> None:
    for machine in made:
        for log in machine.folder.glob("*.log"):
            (out / f"{machine.name}-{log.name}").write_bytes(log.read_bytes())


if __name__ == "__main__":
    typer.run(main)
