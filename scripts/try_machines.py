"""Three machines in network namespaces, of which one after the other fails in mid-call.

Two have a web process each, the third PostgreSQL and Redis. A web process is killed, Redis is killed, and the
cable of a machine is pulled for a while.

In: the command line, as root. Out: what the screens saw meanwhile, and whether anything was lost or doubled.
Ears are scripted (`scripts/kills/ears.py`): each line says which sound it was heard from.

    python -m scripts.try_machines --calls 4 --seconds 60
"""

import asyncio
import json
import shutil
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Annotated, Any

import numpy as np
import typer

from asr.types import Party
from calls.records import Records
from calls.types import CallInterrupted, CallReconnected, CallState, Stream
from knowledge_base.database import open_database
from scripts.kills.callers import RATE_HZ, SentCall, carry
from scripts.kills.checking import finals_of
from scripts.kills.ears import line_of
from scripts.kills.screens import Seen, follow
from scripts.machines.balancer import balancer
from scripts.machines.space import NET, Machine, machines

PORT = 8300
LEASE_S = 4
_PATIENCE_S = 300.0


@dataclass(slots=True, kw_only=True)
class Trial:
    """What is tried, and what was found."""

    folder: Path
    data: Machine
    web: list[Machine]
    calls: list[SentCall]
    seen: dict[str, Seen] = field(default_factory=dict)
    pauses_s: dict[str, dict[str, float]] = field(default_factory=dict)
    """By event, for each call: seconds until its operator's screen showed the next line."""

    @property
    def database_url(self) -> str:
        """As every machine knows it."""
        return f"postgresql+psycopg://zhiting@{self.data.address}/postgres"

    def start_data(self) -> None:
        """Start PostgreSQL, as somebody who is not root."""
        programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        place = self.folder / "pg"
        place.mkdir()
        shutil.chown(place, "postgres", "postgres")
        as_postgres = ("runuser", "-u", "postgres", "--")
        log = self.folder / "pg.log"
        made = self.data.run(
            (*as_postgres, str(programs / "initdb"), "-D", str(place / "d"), "-U", "zhiting", "-A", "trust"),
            log=log,
        )
        if made.wait():
            raise RuntimeError(log.read_text(errors="replace"))
        with (place / "d" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NET}.0/24 trust\n")
        options = ("-D", str(place / "d"), "-k", str(place), "-c", f"listen_addresses={self.data.address}")
        self.data.run((*as_postgres, str(programs / "postgres"), *options), log=log)

    def start_redis(self) -> Any:
        """Start Redis; it keeps nothing."""
        command = ("redis-server", "--bind", self.data.address, "--protected-mode", "no", "--save", "")
        return self.data.run(command, log=self.folder / "redis.log")

    def start_web(self, machine: Machine) -> Any:
        """Start a web process with a data folder of its own."""
        env = {
            "ZHITING_DATA_DIR": str(self.folder / machine.name),
            "ZHITING_DATABASE_URL": self.database_url,
            "ZHITING_BUS": f"redis://{self.data.address}:6379/0",
            "ZHITING_LEASE_S": str(LEASE_S),
            "ZHITING_OPEN": "true",
            "ZHITING_ALLOW_HUB": "false",
        }
        command = (sys.executable, "-m", "scripts.machines.server", machine.address, str(PORT))
        return machine.run(command, log=self.folder / f"{machine.name}.log", env=env)

    async def until_ready(self, machine: Machine, *, is_ready: bool = True) -> None:
        """Wait until its bus is up as well."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            standing = await asyncio.to_thread(_standing, machine)
            if (standing.get("cluster", {}).get("bus") == "up") is is_ready:
                return
            await asyncio.sleep(0.2)
        raise TimeoutError(f"{machine.name}: {standing}")

    async def measure(self, name: str) -> None:
        """How long each screen of a call that goes on waits for its next line, from now on."""
        going_on = [call for call in self.calls if not call.is_over]
        began = time.monotonic()
        before = {call.call_id: len(self.seen[call.operator_id].events) for call in going_on}
        pauses = self.pauses_s[name] = {}
        while len(pauses) < len(going_on) and time.monotonic() - began < _PATIENCE_S:
            for call in going_on:
                is_new = len(self.seen[call.operator_id].events) > before[call.call_id] + 2
                if call.call_id not in pauses and (is_new or call.is_over):
                    pauses[call.call_id] = time.monotonic() - began
            await asyncio.sleep(0.02)

    def check(self) -> list[str]:
        """Everything that is not as it must be."""
        engine = open_database(self.database_url)
        records = Records(engine)
        found = [fault for seen in self.seen.values() for fault in seen.faults]
        for call in self.calls:
            found += call.faults
            told = records.call(call.call_id)
            if told is None or told.state is not CallState.ENDED:
                found.append(f"{call.call_id}: {told.state if told else 'is not on record'}")
                continue
            entries = records.read(Stream.call(call.call_id), since=0, limit=100_000)
            shown = self.seen[call.operator_id].events
            for entry in records.read(Stream.operator(call.operator_id), since=0, limit=100_000):
                if (f"operator:{call.operator_id}", entry.seq) not in shown:
                    found.append(f"{call.call_id}: its screen never saw {entry.seq}, {entry.fact.type}")
            for leg, party in enumerate(call.parties):
                at = 0
                lines = [one for one in finals_of(entries) if one.party is Party(party)]
                for line in sorted(lines, key=lambda one: one.start_s):
                    start, end = round(line.start_s * RATE_HZ), round(line.end_s * RATE_HZ)
                    if start != at:
                        found.append(
                            f"{call.call_id} {party}: {at / RATE_HZ:.2f} s, then {line.start_s:.2f} s"
                        )
                    if line.text != line_of(call.samples[start:end, leg], start):
                        found.append(f"{call.call_id} {party}: {line.segment_id} is not what was said")
                    at = end
                if at != len(call.samples):
                    found.append(f"{call.call_id} {party}: ends at {at / RATE_HZ:.2f} s")
            times = [
                sum(isinstance(one.fact, kind) for one in entries)
                for kind in (CallInterrupted, CallReconnected)
            ]
            print(
                f"  {call.call_id}: cut off {times[0]} times, taken up {times[1]} times, {call.lives} lines"
            )
        engine.dispose()
        return found


def _standing(machine: Machine) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://{machine.address}:{PORT}/readyz", timeout=5) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
    except (OSError, ValueError) as error:
        return {"error": str(error)}


def _call(number: int, seconds: float) -> SentCall:
    noise = np.random.default_rng(number).integers(-2000, 2000, (round(seconds * RATE_HZ), 2))
    return SentCall(
        call_id=f"m-{number}",
        operator_id=f"{number:03}",
        parties=("citizen", "operator"),
        samples=noise.astype(np.int16),
        speed=1.0,
    )


async def attempt(trial: Trial) -> list[str]:
    """Bring calls, break one thing after the other, and look."""
    trial.start_data()
    redis = trial.start_redis()
    await asyncio.sleep(2.0)
    first, second = trial.web
    dying = trial.start_web(first)
    await trial.until_ready(first)
    trial.start_web(second)
    await trial.until_ready(second)
    async with balancer([(machine.address, PORT) for machine in trial.web]) as address:
        screens = []
        for call in trial.calls:
            seen = trial.seen[call.operator_id] = Seen()
            stream = f"operator:{call.operator_id}"
            path = f"/v1/screens/operators/{call.operator_id}"
            screens.append(asyncio.create_task(follow(address, path, stream, seen)))
        await asyncio.sleep(2.0)
        lines = [asyncio.create_task(carry(call, address, Random(7))) for call in trial.calls]  # noqa: S311
        await trial.measure("nothing happens")
        await asyncio.sleep(5.0)
        print("a web process is killed")
        dying.kill()
        await trial.measure("a web process is killed")
        trial.start_web(first)
        await trial.until_ready(first)
        await asyncio.sleep(5.0)
        print("Redis is killed")
        redis.kill()
        await trial.measure("Redis is killed")
        trial.start_redis()
        for machine in trial.web:
            await trial.until_ready(machine)
        print("a machine's cable is pulled for a while")
        second.pull(is_pulled=True)
        await asyncio.sleep(3 * LEASE_S)
        second.pull(is_pulled=False)
        await trial.measure("a machine was cut off for 12 s")
        await asyncio.wait_for(asyncio.gather(*lines), _PATIENCE_S)
        await asyncio.sleep(3.0)
        for screen in screens:
            screen.cancel()
        await asyncio.gather(*screens, return_exceptions=True)
    return trial.check()


def main(
    calls: Annotated[int, typer.Option(help="Calls at once.")] = 4,
    seconds: Annotated[float, typer.Option(help="Length of each; long enough for all that happens.")] = 90.0,
) -> None:
    """Try it."""
    with tempfile.TemporaryDirectory(prefix="zt-m-") as name, machines("data", "web1", "web2") as made:
        folder = Path(name)
        folder.chmod(0o755)
        trial = Trial(
            folder=folder, data=made[0], web=made[1:], calls=[_call(n, seconds) for n in range(1, calls + 1)]
        )
        try:
            found = asyncio.run(attempt(trial))
        except BaseException:
            for log in folder.glob("*.log"):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")
            raise
    for what, pauses in trial.pauses_s.items():
        waits = sorted(pauses.values())
        print(f"{what}: next lines on {len(waits)} screens after {waits[0]:.1f} to {waits[-1]:.1f} s")
    events = sum(len(seen.events) for seen in trial.seen.values())
    print(f"{len(trial.calls)} calls of {seconds:.0f} s, {events} events seen, {len(found)} faults")
    for one in found[:30]:
        print(" ", one)
    raise typer.Exit(1 if found else 0)


if __name__ == "__main__":
    typer.run(main)
