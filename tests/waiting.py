"""Waits for what must come at last; how long that takes is no matter."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_S = 120.0


async def until_true(is_so: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again. Raises `TimeoutError` after two minutes."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = is_so()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)
