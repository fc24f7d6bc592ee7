"""What is killed at a moment that nobody chose, again and again.

In: a site, chance. Out: `Deed`s.
Not known here: calls, what the screens see.

The next one may come while what was killed before is still being started again: then it waits until there is
something to be killed.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from random import Random

from scripts.machines.deeds import Deed
from scripts.machines.site import Site

KINDS = {
    "ear": 30,
    "both ears": 5,
    "web process": 20,
    "web process and ear": 15,
    "Ray of a machine": 15,
    "Ray's head": 5,
    "Redis": 5,
    "PostgreSQL": 5,
}
"""What is killed, and how often of a hundred."""
_LOOKS_EACH_S = 0.2


def random_deed(site: Site, chance: Random) -> Deed:
    """Draw one of them, and the machine that it happens to."""
    kind = chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
    machine = chance.choice(site.workers)
    kills: dict[str, list[Callable[[], None]]] = {
        "ear": [partial(site.kill_ear, machine)],
        "both ears": [partial(site.kill_ear, one) for one in site.workers],
        "web process": [partial(site.kill_web, machine)],
        "web process and ear": [
            partial(site.kill_web, machine),
            partial(site.kill_ear, chance.choice(site.workers)),
        ],
        "Ray of a machine": [partial(site.kill_ray, machine)],
        "Ray's head": [partial(site.kill_ray, site.data)],
        "Redis": [site.kill_redis],
        "PostgreSQL": [site.kill_postgres],
    }

    async def do() -> None:
        for kill in kills[kind]:
            await _as_soon_as_it_runs(kill, site.patience_s)

    return Deed(name=kind, what=kind, do=do)


async def _as_soon_as_it_runs(kill: Callable[[], None], within_s: float) -> None:
    until = time.monotonic() + within_s
    while True:
        try:
            await asyncio.to_thread(kill)
            return
        except RuntimeError:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(_LOOKS_EACH_S)
