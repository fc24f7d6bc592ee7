"""Calls that were cut off: marked so on record, and finished where nobody takes them up in time.

In: the records at a start, processes that died, the end of a call's time. Out: facts; calls to be finished.
Not known here: how a call is taken up or finished, sockets, sound.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from calls.admission import SwitchboardOptions
from calls.expiry import Expiries
from calls.holding.types import Lease, LeaseLost
from calls.holding.writer import Writer
from calls.records import Records
from calls.types import Call, CallState, Fact, StorageFailed

log = logging.getLogger(__name__)

_OPEN_STATES = (CallState.LIVE, CallState.LOST, CallState.INTERRUPTED)
_AT_ONCE = 10_000


class CutOffCalls:
    """`recover` on start; `adopt` and `sweep` where there are several processes; `close` on stop."""

    def __init__(
        self,
        *,
        records: Records,
        writer: Writer,
        record: Callable[[Call, Fact], Awaitable[None]],
        finish: Callable[[str], Awaitable[None]],
        options: Callable[[], SwitchboardOptions],
    ):
        self._records = records
        self._writer = writer
        self.expiries = Expiries(record=record, finish=finish, options=options)

    async def recover(self) -> None:
        """Mark what an earlier run of this process left, and give each such call its time.

        Where the disk does not take that, the calls wait for it, and the house opens all the same.
        """
        for call in await asyncio.to_thread(self._records.calls, states=_OPEN_STATES, limit=_AT_ONCE):
            is_new = call.state is not CallState.INTERRUPTED
            with suppress(StorageFailed):  # tried again until the disk takes it
                if self._writer.holdings is not None:
                    await self._recover_own(call)
                    continue
                if is_new:
                    await self._writer.mark_cut_off(call, None)
                    is_new = False
            if self._writer.holdings is None:
                self.expiries.add(call, is_recorded=not is_new)

    async def _recover_own(self, call: Call) -> None:
        """Others may be alive: only what this process held before, or what nobody holds, was cut off."""
        holdings = self._writer.holdings
        assert holdings is not None
        lease = await asyncio.to_thread(holdings.store.lease, call.call_id)
        if lease is not None and not holdings.is_of_an_earlier_run(lease):
            return
        if lease is not None:
            await self.adopt(lease)
        elif call.state is not CallState.INTERRUPTED:  # from before there were several processes
            await self._mark(call, None)

    async def adopt(self, lease: Lease) -> None:
        """The process that held this call is dead. Raises `StorageFailed`."""
        holdings = self._writer.holdings
        assert holdings is not None
        call = await asyncio.to_thread(self._records.call, lease.call_id)
        if call is None or call.state in (CallState.ENDED, CallState.INTERRUPTED):
            await holdings.give_back(lease)
            if call is not None and call.state is CallState.INTERRUPTED:
                self.expiries.add(call)
            return
        await self._mark(call, lease)

    async def _mark(self, call: Call, lease: Lease | None) -> None:
        try:
            await self._writer.mark_cut_off(call, lease)
        except LeaseLost:  # another process was quicker
            return
        log.info("call %s lost its process", call.call_id)
        self.expiries.add(call)

    async def sweep(self) -> None:
        """See to calls that were cut off and that no living process waits for."""
        waiting = await asyncio.to_thread(
            self._records.calls, states=(CallState.INTERRUPTED,), limit=_AT_ONCE
        )
        for call in waiting:
            if call.call_id not in self.expiries:
                self.expiries.add(call)
