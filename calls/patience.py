"""Waits for work that has to come to its end by itself, as long as it gets on.

In: the work, and a figure that changes whenever it gets on. Out: what it returns, or `CallStuck`.
Not known here: what the work is.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from calls.types import CallStuck

_LETS_GO_WITHIN_S = 5.0
"""Work that has been cancelled may tidy up for so long; what hangs even then is left behind."""


async def unless_stuck(
    work: Coroutine[Any, Any, None], progress: Callable[[], object], *, after_s: float
) -> None:
    """Carry the work out; raises `CallStuck` where it does not get on for that long.

    `progress` gives None as long as nobody waits for the end: then the work may take its time.
    """
    working = asyncio.create_task(work)
    try:
        before: object = None
        while not (await asyncio.wait([working], timeout=after_s))[0]:
            now = progress()
            if now is not None and now == before:
                raise CallStuck
            before = now
        await working
    finally:
        if not working.done():
            working.cancel()
            await asyncio.wait([working], timeout=_LETS_GO_WITHIN_S)
