"""Keeps the index of calls up to date beside the calls.

In: an index. Out: it has every fact a second after it was written, or as soon as it can after a longer pause.
Not known here: facts, tables, who searches.
"""

import asyncio
import logging
import time

from calls.search.types import CallIndex, SearchFailed

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
AT_ONCE = 200
"""Facts that are taken in in one transaction: so long may a live call's fact have to wait for the disk."""
_RETRY_S = 30.0


async def follow(index: CallIndex) -> None:
    """Take in what is new, without end; while there is much, at most half of the time."""
    while True:
        began = time.monotonic()
        try:
            taken = await asyncio.to_thread(index.catch_up, limit=AT_ONCE)
        except SearchFailed as error:
            log.error("the index of calls is not up to date: %s", error.__cause__ or error.code)
            await asyncio.sleep(_RETRY_S)
            continue
        await asyncio.sleep(LOOK_EVERY_S if taken < AT_ONCE else time.monotonic() - began)
