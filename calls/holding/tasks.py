"""Work of which one process of the house is enough.

In: whether this process leads, and works without end. Out: the works done while it does.
Not known here: what they do.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
Work = Callable[[], Coroutine[Any, Any, None]]


async def while_leading(is_leader: Callable[[], bool], works: Sequence[Work]) -> None:
    """Begin the works whenever this process comes to lead, and end them when it does so no longer."""
    while True:
        while not is_leader():  # noqa: ASYNC110 - asked of whoever looks into the database
            await asyncio.sleep(LOOK_EVERY_S)
        tasks = [asyncio.create_task(work()) for work in works]
        try:
            while is_leader():
                await asyncio.sleep(LOOK_EVERY_S)
                for task in tasks:
                    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                        raise error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        log.info("another process leads from now on")
