"""How much is recognised by one machine and by two, each with one core of this one.

In: recordings, weights, as root. Out: clips a second, a line for each number of machines.
Not known here: calls, web processes.

    python -m scripts.machines.throughput --data ../shared/data/calls --clips 100

The ears of each machine run on a core of their own (`taskset`), and with one thread; whoever brings the clips
does so from the machine with Ray's head. On fewer cores than machines the figures say nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from agent_ui.settings import Settings
from scripts.machines.site import Site
from scripts.machines.space import Machine, machines


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="NAME.json beside NAME.wav.")],
    clips: Annotated[int, typer.Option(min=4, help="Clips of 4 s.")] = 100,
    times: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 3,
    patience: Annotated[float, typer.Option(help="Seconds that anything may take.")] = 900.0,
    slow: Annotated[bool, typer.Option("--slow", help="The machine is busy with other things.")] = False,
) -> None:
    """Measure one, then two."""
    cores = sorted(os.sched_getaffinity(0))
    source = Settings().data_dir.resolve()
    with tempfile.TemporaryDirectory(prefix="zt-m-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with machines(folder, "data", "one", "two") as made:
            site = Site(
                data=made[0], workers=made[1:], lease_s=8, patience_s=patience, source=source, is_slow=slow
            )
            site.start_head()
            rates: list[float] = []
            for number, machine in enumerate(site.workers, 1):
                core = cores[(number - 1) % len(cores)]
                site.start_ray(machine, core=core)
                site.start_ears(machine, core=core)
                for _ in range(times):
                    told = _measured(site, data.resolve(), clips, number)
                    there = told["remote"]
                    rates.append(there["clips_per_s"])
                    print(
                        f"{number} machines, {there['places']} places: {there['clips_per_s']} clips/s, "
                        f"{there['alone_ms']} ms for one alone (load {told['load']:.1f})",
                        flush=True,
                    )
    alone, both = sorted(rates[:times])[times // 2], sorted(rates[times:])[times // 2]
    print(f"median: {alone} clips/s by one, {both} by two: {both / alone:.2f} times as many")


def _measured(site: Site, data: Path, clips: int, places: int) -> dict[str, Any]:
    machine: Machine = site.data
    log = machine.folder / "measuring.log"
    command = [sys.executable, "-m", "scripts.measure_ears", "--data", str(data)]
    command += [
        "--address",
        site.ray_address,
        "--clips",
        str(clips),
        "--threads",
        "0",
        "--places",
        str(places),
    ]
    log.unlink(missing_ok=True)
    env = {"ZHITING_DATA_DIR": str(site.source), "ZHITING_ALLOW_HUB": "false"}
    program = machine.run(command, log=log.name, env=env)
    try:
        program.wait(site.patience_s)
    except subprocess.TimeoutExpired:
        raise TimeoutError(log.read_text(errors="replace")[-3000:]) from None
    said = log.read_text(errors="replace")
    if program.returncode:
        raise RuntimeError(said[-3000:])
    told: dict[str, Any] = json.loads(said[said.index("{") :])
    return told


if __name__ == "__main__":
    typer.run(main)
