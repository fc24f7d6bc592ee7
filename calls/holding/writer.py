"""Writes facts of running calls, under the lease by which they are held where there are several processes.

In: a call, a fact. Out: the fact on record, and the call as it stands then.
Not known here: sessions, lines, who is told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from calls.holding.holdings import Holdings
from calls.holding.store import hold, let_go, see_cut_off, take
from calls.holding.types import Lease, LeaseLost, SeatChanged
from calls.journal import Journal, Within
from calls.streams import streams_of
from calls.types import AudioFormat, Call, CallEnded, CallInterrupted, CallStarted, Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Without `holdings` this process is alone, and every call is its own."""

    journal: Journal
    clock: Callable[[], datetime]
    holdings: Holdings | None = None

    async def record(self, call: Call, fact: Fact, *, audio_format: AudioFormat | None = None) -> Call:
        """Write a fact of a call that runs here; returns the call with the seat where it is by now.

        Raises `StorageFailed`, and `LeaseLost` where another process holds the call.
        """
        while True:
            within, settle = self._within(call, fact)
            try:
                with self._leaving(call, fact):
                    await self._append(call, fact, audio_format, within)
                    settle()
            except SeatChanged as changed:  # so it stands in the stream of whoever has the call
                call = replace(call, operator_id=changed.operator_id)
                continue
            except LeaseLost:
                self._forget(call.call_id)
                raise
            return call

    def _within(self, call: Call, fact: Fact) -> tuple[Within | None, Callable[[], None]]:
        """What belongs into the transaction, and what is true once it is done."""
        if self.holdings is None:
            return None, _nothing
        holdings, call_id = self.holdings, call.call_id
        if isinstance(fact, CallStarted):
            new = holdings.new(call_id)

            def begin(connection: Connection) -> None:
                take(connection, new)

            return begin, lambda: holdings.mine.update({call_id: new})
        lease = holdings.mine.get(call_id)
        if lease is None:
            raise LeaseLost
        is_last = isinstance(fact, CallEnded | CallInterrupted)

        def go_on(connection: Connection) -> None:
            hold(connection, lease, call.operator_id)
            if is_last:
                let_go(connection, lease)

        return go_on, (lambda: self._forget(call_id)) if is_last else _nothing

    @contextmanager
    def _leaving(self, call: Call, fact: Fact) -> Iterator[None]:
        """A lease that is given back with the last fact is not lost."""
        if self.holdings is None or not isinstance(fact, CallEnded | CallInterrupted):
            yield
            return
        self.holdings.leaving.add(call.call_id)
        try:
            yield
        finally:
            self.holdings.leaving.discard(call.call_id)

    def _forget(self, call_id: str) -> None:
        if self.holdings is not None:
            self.holdings.mine.pop(call_id, None)

    async def mark_cut_off(self, call: Call, lease: Lease | None) -> None:
        """Write down that a call lost its process; `lease` is the one by which that held it.

        Raises `LeaseLost` where somebody else has done so, `StorageFailed`.
        """

        def mark(connection: Connection) -> None:
            if lease is not None:
                let_go(connection, lease)
            see_cut_off(connection, call.call_id)

        await self._append(call, CallInterrupted(), None, mark if self.holdings is not None else None)

    async def _append(
        self, call: Call, fact: Fact, audio_format: AudioFormat | None, within: Within | None
    ) -> None:
        await self.journal.append(
            fact,
            call_id=call.call_id,
            streams=streams_of(fact, call),
            at=self.clock(),
            audio_format=audio_format,
            within=within,
        )


def _nothing() -> None:
    """Nothing follows."""
