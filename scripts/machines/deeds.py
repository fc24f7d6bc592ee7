"""What is broken in a trial of machines, one thing after the other.

In: a site. Out: `Deed`s. Not known here: calls, what the screens see.

What is killed is started again by its unit; a cable is put back, and a machine switched on, here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from scripts.machines.site import Site


async def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that happens."""

    name: str
    what: str
    """For a person."""
    do: Callable[[], Awaitable[None]] = nothing
    mend: Callable[[], Awaitable[None]] = nothing
    """Afterwards, when the calls have gone on without it."""


def deeds(site: Site) -> list[Deed]:
    """All of them, in the order in which they are tried."""
    first, second = site.workers
    cut_s = 3 * site.lease_s

    async def ear() -> None:
        site.kill_ear(first)

    async def web1_ear2() -> None:
        site.kill_ear(second)
        site.kill_web(first)

    async def web2_ear1() -> None:
        site.kill_ear(first)
        site.kill_web(second)

    async def ray() -> None:
        site.kill_ray(second)

    async def redis() -> None:
        site.kill_redis()

    async def postgres() -> None:
        site.kill_postgres()

    async def cable() -> None:
        second.pull(is_pulled=True)
        await asyncio.sleep(cut_s)
        second.pull(is_pulled=False)

    async def power() -> None:
        second.pull(is_pulled=True)  # a machine without power says no farewell to whoever was connected
        await asyncio.to_thread(second.stop)

    async def switch_on() -> None:
        second.pull(is_pulled=False)
        site.start_all(second)

    async def head() -> None:
        site.kill_ray(site.data)

    return [
        Deed(name="nothing", what="nothing happens"),
        Deed(name="ear", what="an ear is killed", do=ear),
        Deed(name="web1-ear2", what="a web process and the other machine's ear are killed", do=web1_ear2),
        Deed(name="web2-ear1", what="the other web process and the other ear are killed", do=web2_ear1),
        Deed(name="ray", what="all of Ray on a machine is killed", do=ray),
        Deed(name="redis", what="Redis is killed", do=redis),
        Deed(name="postgres", what="PostgreSQL is killed", do=postgres),
        Deed(name="cable", what=f"a machine's cable is out for {cut_s:.0f} s", do=cable),
        Deed(name="power", what="a machine loses its power", do=power, mend=switch_on),
        Deed(name="head", what="Ray's head is killed", do=head),
    ]


REAL = ("nothing", "web1-ear2", "web2-ear1")
"""What is tried with weights: bundled calls are short."""
