"""A network between carriers and server that is cut for a while: two network namespaces and a cable.

In: how long each cut lasts; root and `ip` are needed. Out: what was lost.
Not known here: kills, disks.

Carriers run as a process of their own in their namespace (`python -m scripts.kills.network`), and tell in the
end what they sent.
"""

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

from scripts.kills.callers import SentCall, carry, make_call
from scripts.kills.checking import check_calls, check_marks, check_record
from scripts.kills.episode import free_port, furnish, stop, until_ready
from scripts.kills.nursery import Nursery
from scripts.kills.screens import Seen

_ROOT = Path(__file__).parents[2]
_CALLS = 4
_SPEED = 0.5
"""Of speech: a call of 20 s outlives the longest cut."""
_THROUGH_WITHIN_S = 240.0
_HERE, _THERE = "10.211.7.1", "10.211.7.2"


@contextmanager
def cable() -> Iterator[str]:
    """A namespace of its own, tied to this one; gives its name."""
    name = f"zt{secrets.token_hex(3)}"
    _ip(f"netns add {name}")
    try:
        _ip(f"link add {name} type veth peer name line0 netns {name}")
        _ip(f"addr add {_HERE}/24 dev {name}")
        _ip(f"link set {name} up")
        for command in (f"addr add {_THERE}/24 dev line0", "link set line0 up", "link set lo up"):
            _ip(f"-n {name} {command}")
        yield name
    finally:
        _ip(f"netns del {name}")


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)  # noqa: S607 - where it lies differs


async def try_cuts(folder: Path, shared: Path, cuts_s: Sequence[float]) -> list[tuple[str, str]]:
    """Cut the cable for so long, one time after the other, while calls run: (step, what was seen)."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    told: list[tuple[str, str]] = []
    nursery = Nursery.open(folder / "nursery.log")
    try:
        for number, cut_s in enumerate(cuts_s):
            data_dir = folder / f"cut-{number}"
            furnish(data_dir, shared)
            told.append((f"cut for {cut_s:.0f} s", await _cut(data_dir, nursery, cut_s)))
    finally:
        await asyncio.to_thread(nursery.close)
    return told


async def _cut(data_dir: Path, nursery: Nursery, cut_s: float) -> str:
    token, port = secrets.token_urlsafe(24), free_port()
    with cable() as name:
        pid = await asyncio.to_thread(
            nursery.start,
            *(data_dir, port, data_dir.with_suffix(".log")),
            host=_HERE,
            open=False,
            token=token,
        )
        await until_ready(port, pid, 120, host=_HERE)
        carriers = await asyncio.create_subprocess_exec(
            *("ip", "netns", "exec", name, sys.executable, "-m", "scripts.kills.network"),
            *(f"http://{_HERE}:{port}", token),
            cwd=_ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert carriers.stdout is not None
        await carriers.stdout.readline()  # they have begun
        await asyncio.sleep(4.0)
        _ip(f"link set {name} down")
        await asyncio.sleep(cut_s)
        _ip(f"link set {name} up")
        async with asyncio.timeout(_THROUGH_WITHIN_S):
            lives = json.loads(await carriers.stdout.read())
        await carriers.wait()
        await stop(pid)
    calls = _calls()
    for call in calls:
        call.has_stopped = True
        call.faults += lives[call.call_id]["faults"]
    found = await asyncio.to_thread(check_record, data_dir / "zhiting.db", Seen())
    found += await asyncio.to_thread(check_calls, data_dir, calls, check_marks)
    lines = sorted(one["lives"] for one in lives.values())
    return f"lines of the calls {lines}; " + ("; ".join(found[:5]) or "nothing lost, nothing doubled")


def _calls() -> list[SentCall]:
    calls = [make_call(f"n-{number}", Random(number)) for number in range(_CALLS)]  # noqa: S311 - repeatable
    for call in calls:
        call.hangs_up, call.speed, call.cuts = True, _SPEED, 0.0
        call.samples = call.samples[: 20 * call.rate_hz]
    return calls


async def _carry_all(address: str, token: str) -> None:
    print("begun", flush=True)
    calls = _calls()
    for call in calls:
        call.token = token
    await asyncio.gather(*(carry(call, address, Random(1)) for call in calls))  # noqa: S311
    print(json.dumps({call.call_id: {"lives": call.lives, "faults": call.faults} for call in calls}))


if __name__ == "__main__":
    asyncio.run(_carry_all(sys.argv[1], sys.argv[2]))
