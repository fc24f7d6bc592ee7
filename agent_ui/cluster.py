"""One process among the others of the house: what it tells them, what it hears, which calls are its own.

In: what is written and said here; messages; the database. Out: screens and desks that know what happens
elsewhere. Not known here: what carries messages, sockets, how calls run.

A process that is alone has a `Cluster` as well: it leads, every call is its own, and nobody is told.
"""

import asyncio
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agent_ui.hub import Hub
from asr.types import Segment
from calls.bus.memory import MemoryBus
from calls.bus.types import (
    Bus,
    BusStats,
    FactMessage,
    LagMessage,
    Message,
    NudgeMessage,
    PaperMessage,
    PartialMessage,
    fact_messages,
)
from calls.fanout import tell_all
from calls.holding.holdings import Holdings, Listeners
from calls.holding.in_order import InOrder
from calls.holding.obeying import Obedience
from calls.holding.store import LeaseStore
from calls.holding.tasks import Work, while_leading
from calls.jobs.sharing import Sharing
from calls.journal import Journal
from calls.records import Records
from calls.switchboard import Switchboard
from calls.types import Call, CallEnded, CallInterrupted, CallStarted, CallState, Entry, Stream

log = logging.getLogger(__name__)

LOOK_EVERY_S, LOOK_WITH_BUS_EVERY_S = 1.0, 4.0
"""How often the database is asked for what the bus did not bring, without one that works and with one."""
SWEEP_EVERY_S = 15.0
_OPEN_STATES = (CallState.LIVE, CallState.LOST, CallState.INTERRUPTED)
_ALONE = "alone"
TakeUp: TypeAlias = Callable[[Call, int], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFigures:
    """How this process stands among the others."""

    process_id: str
    bus: BusStats
    has_bus: bool
    """Whether a bus is set that should work."""
    is_leader: bool
    others: int
    """Other processes that live."""
    held: int
    """Calls that are held here."""
    failures: int
    """Looks into the database that failed."""


class Cluster:
    """All methods run on the event loop. `begin` once all is open; `close` before the database is closed."""

    def __init__(self, *, bus: Bus, holdings: Holdings | None, records: Records) -> None:
        self.bus = bus
        self.holdings = holdings
        self._records = records
        self._received_s: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._look_soon = asyncio.Event()
        self._hub: Hub | None = None
        self._in_order: InOrder | None = None
        self._obedience: Obedience | None = None
        self._stir: Callable[[], None] = lambda: None
        self._on_papers: Callable[[], None] = lambda: None
        if holdings is not None:
            holdings.changed = lambda: bus.publish(NudgeMessage())

    @property
    def process_id(self) -> str:
        """By which the others know this process; empty where there are none."""
        return self.holdings.process_id if self.holdings is not None else ""

    @property
    def is_alone(self) -> bool:
        """Whether there are no other processes, by the settings."""
        return self.holdings is None

    def is_leader(self) -> bool:
        """Whether this process does what one of the house alone must do."""
        return self.holdings is None or self.holdings.is_leader

    def received_s(self, call_id: str, here_s: float | None) -> float | None:
        """How much sound a call has brought: `here_s`, or as the process that holds it told last."""
        return self._received_s.get(call_id) if here_s is None else here_s

    def ours(self, hear: Callable[[list[Entry]], None]) -> Callable[[list[Entry]], None]:
        """Hear only of calls that no other process holds: it sees to them."""
        holdings = self.holdings
        if holdings is None:
            return hear

        def hear_ours(entries: list[Entry]) -> None:
            own = [one for one in entries if one.call_id is None or not holdings.is_foreign(one.call_id)]
            if own:
                hear(own)

        return hear_ours

    # What happens here, for the others.

    def tell(self, entries: list[Entry]) -> None:
        """Something has become durable here."""
        if self.holdings is None:
            return
        for entry in entries:
            if self._in_order is not None and entry.call_id is not None:
                if isinstance(entry.fact, CallStarted) and entry.stream == Stream.call(entry.call_id):
                    self._in_order.follow(entry.call_id, 0)
                elif isinstance(entry.fact, CallEnded | CallInterrupted):
                    self._in_order.drop(entry.call_id)
        if self._in_order is not None:
            self._in_order.note(entries)
        for message in fact_messages(entries):
            self.bus.publish(message)

    def tell_partial(self, segment: Segment, operator_id: str | None) -> None:
        """Something is being said here."""
        if self.holdings is not None:
            self.bus.publish(PartialMessage(operator_id=operator_id, segment=segment))

    def tell_lag(self, call_id: str, operator_id: str | None, lag_s: float, received_s: float) -> None:
        """How a call fares that is held here."""
        if self.holdings is not None:
            self.bus.publish(
                LagMessage(call_id=call_id, operator_id=operator_id, lag_s=lag_s, received_s=received_s)
            )

    def tell_papers(self) -> None:
        """A file that all share was changed here."""
        if self.holdings is not None:
            self.bus.publish(PaperMessage())

    def taking_up(self, take_up: Callable[[Call], Awaitable[None]]) -> TakeUp | None:
        """What to do when a call that was cut off goes on here; None where nobody else can have had it."""
        if self.holdings is None:
            return None

        async def follow(call: Call, seq: int) -> None:
            await take_up(call)
            if self._in_order is not None:
                self._in_order.follow(call.call_id, seq)

        return follow

    # What happens elsewhere.

    async def begin(
        self,
        switchboard: Switchboard,
        *,
        hub: Hub,
        journal: Journal,
        tell: Callable[[list[Entry]], None],
        stir: Callable[[], None],
        on_papers: Callable[[], None],
    ) -> None:
        """Look, beat and listen from now on. `tell`: those who see to calls that are held here.

        `on_papers` is called when another process has changed a file that all share.
        """
        if self.holdings is None:
            return
        self._hub, self._stir, self._on_papers = hub, stir, on_papers
        self._obedience = Obedience(switchboard.session)
        self._in_order = InOrder(
            read=self._records.read, settled=journal.settled, tell=tell_all(tell, self._obedience.hear)
        )
        calls = await asyncio.to_thread(self._records.calls, states=_OPEN_STATES, limit=10_000)
        hub.expect(call.call_id for call in calls)
        listeners = Listeners(
            on_orphan=switchboard.cut_off.adopt, on_wanted=switchboard.hand_over, on_lost=switchboard.drop
        )
        for work in (
            self.holdings.run(listeners),
            self.bus.run(self._deliver),
            self._follow_database(),
            while_leading(self.is_leader, [lambda: self._sweep(switchboard)]),
        ):
            self._tasks.append(asyncio.create_task(work))

    def _deliver(self, message: Message) -> None:
        assert self._hub is not None
        assert self._in_order is not None
        match message:
            case FactMessage():
                entries = message.entries()
                if not entries:  # too large, or of another version
                    self._look_soon.set()
                    return
                self._hub.tell(entries)
                self._in_order.hear(entries)
                self._stir()
                if isinstance(entries[0].fact, CallEnded | CallInterrupted):
                    self._received_s.pop(message.call_id or "", None)
            case PartialMessage():
                self._hub.tell_partial(message.segment, message.operator_id)
            case LagMessage():
                self._received_s[message.call_id] = message.received_s
                self._hub.tell_lag(message.call_id, message.operator_id, message.lag_s)
            case NudgeMessage():
                assert self.holdings is not None
                self.holdings.wake()
            case PaperMessage():
                self._on_papers()

    async def _follow_database(self) -> None:
        """Find what nobody told, without end."""
        assert self._hub is not None
        assert self._in_order is not None
        was_up = False
        while True:
            is_up = self.bus.stats().is_up
            if was_up and not is_up:
                self._hub.forget_partials()
                self._received_s.clear()
            wait_s = LOOK_WITH_BUS_EVERY_S if was_up and is_up else LOOK_EVERY_S
            was_up = is_up
            try:
                async with asyncio.timeout(wait_s):
                    await self._look_soon.wait()
            except TimeoutError:
                pass
            self._look_soon.clear()
            streams = list({*self._hub.streams, *self._in_order.streams})
            try:
                newest = await asyncio.to_thread(self._records.last_seqs, streams)
            except SQLAlchemyError as error:
                log.error("streams could not be looked at (%s)", type(error).__name__)
                continue
            self._hub.look(newest)
            self._in_order.look(newest)

    async def _sweep(self, switchboard: Switchboard) -> None:
        while True:
            try:
                await switchboard.cut_off.sweep()
            except SQLAlchemyError as error:
                log.error("calls that were cut off could not be looked at (%s)", type(error).__name__)
            await asyncio.sleep(SWEEP_EVERY_S)

    def once(self, *works: Work, is_shared: bool = True) -> list[Coroutine[Any, Any, None]]:
        """Work without end that one process of the house does: to be begun in each of them.

        Where what is worked on is not shared, each process does it for itself.
        """
        if self.holdings is None or not is_shared:
            return [work() for work in works]
        return [while_leading(self.is_leader, works)]

    def sharing_jobs(self, *, has_one_folder: bool) -> Sharing | None:
        """How this process works on jobs beside others; None where it is alone."""
        holdings = self.holdings
        if holdings is None:
            return None
        return Sharing(
            process_id=holdings.process_id,
            server=socket.gethostname(),
            has_one_folder=has_one_folder,
            lease_s=holdings.lease_s,
            lives=holdings.lives,
            was_here=holdings.was_here,
        )

    def figures(self) -> ClusterFigures:
        """How it stands at this moment."""
        holdings = self.holdings
        return ClusterFigures(
            process_id=self.process_id or _ALONE,
            bus=self.bus.stats(),
            has_bus=not isinstance(self.bus, MemoryBus),
            is_leader=self.is_leader(),
            others=holdings.others if holdings else 0,
            held=len(holdings.mine) if holdings else 0,
            failures=holdings.failures if holdings else 0,
        )

    async def close(self) -> None:
        """Leave the others; they need not wait for this process."""
        await self.bus.flush()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._in_order is not None and self._obedience is not None:
            await self._in_order.close()
            await self._obedience.close()
        if self.holdings is not None:
            await self.holdings.leave()


def open_cluster(bus: str, *, data_dir: Path, database: Engine, lease_s: float, records: Records) -> Cluster:
    """What the settings ask for; `bus` is empty for a process that is alone."""
    if not bus:
        return Cluster(bus=MemoryBus(_ALONE), holdings=None, records=records)
    process_id = f"{_instance(data_dir)}.{secrets.token_hex(4)}"
    carrier: Bus
    if bus == "database":
        carrier = MemoryBus(process_id, is_deaf=True)
    else:
        from calls.bus.redis_streams import RedisBus  # part of the extra `cluster`

        carrier = RedisBus(bus, process_id)
    holdings = Holdings(store=LeaseStore(database), process_id=process_id, lease_s=lease_s)
    return Cluster(bus=carrier, holdings=holdings, records=records)


def _instance(data_dir: Path) -> str:
    """A name that stays with the data folder: whoever holds that folder may speak for its earlier runs.

    A copy of the folder on another machine is somebody else.
    """
    file = data_dir / ".instance"
    if not file.exists():
        file.write_text(secrets.token_hex(6), encoding="ascii")
    return f"{file.read_text(encoding='ascii').strip()}-{socket.gethostname().replace('.', '-')}"
