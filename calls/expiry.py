"""Calls that were cut off, each with its time to be taken up again.

In: calls, and what to do when their time is over. Out: that done, once for each call that nobody took up.
Not known here: how a call is taken up or finished, sockets, sound.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from calls.admission import SwitchboardOptions
from calls.holding.types import LeaseLost
from calls.types import Call, CallInterrupted, Fact, StorageFailed

log = logging.getLogger(__name__)


class Expiries:
    """One waiting task per call that was cut off. `close` on stop."""

    def __init__(
        self,
        *,
        record: Callable[[Call, Fact], Awaitable[None]],
        finish: Callable[[str], Awaitable[None]],
        options: Callable[[], SwitchboardOptions],
    ):
        """`finish` raises `StorageFailed` where it is to be tried again."""
        self._record = record
        self._finish = finish
        self._options = options
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add(self, call: Call, *, is_recorded: bool = True) -> None:
        """Give the call its time; `is_recorded`: it is already on record that the call was cut off."""
        self.drop(call.call_id)
        self._tasks[call.call_id] = asyncio.create_task(
            self._wait(call, is_recorded=is_recorded), name=f"expire {call.call_id}"
        )

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._tasks

    def drop(self, call_id: str) -> None:
        """The call is taken up again, or its time is over."""
        task = self._tasks.pop(call_id, None)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def close(self) -> None:
        """Leave every call to the next start of the server."""
        for call_id in list(self._tasks):
            self.drop(call_id)

    async def _wait(self, call: Call, *, is_recorded: bool) -> None:
        waiting = self._tasks[call.call_id]
        while not is_recorded:
            try:
                await self._record(call, CallInterrupted())
                is_recorded = True
            except StorageFailed:  # the disk is full; somebody is clearing it
                await asyncio.sleep(self._options().retry_s)
            except LeaseLost:  # another process has the call
                self.drop(call.call_id)
                return
        wait_s = self._options().resumable_s
        while True:
            await asyncio.sleep(wait_s)
            try:
                await self._finish(call.call_id)
            except StorageFailed as error:
                log.warning("call %s cannot be finished yet: %s", call.call_id, error.code)
                self._tasks[call.call_id] = waiting
                wait_s = self._options().retry_s
            else:
                self.drop(call.call_id)
                return
