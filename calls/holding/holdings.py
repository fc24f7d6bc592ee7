"""What this process holds, who else lives, and who leads: one look into the database every second.

In: the store of leases, a name for this process. Out: leases for calls; word of calls whose holder is dead,
of calls that are wanted elsewhere, of calls that were lost.
Not known here: sessions, facts, screens.

A process is held to be dead when its beat stood still for `lease_s`, counted in looks of our own that
succeeded: neither clocks of other machines nor times without a database count.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from calls.holding.store import LeaseStore, new_lease
from calls.holding.types import Lease, Sight
from calls.types import CallConflict, StorageFailed

log = logging.getLogger(__name__)

_FORGET_AFTER_S = 600.0
_ASK_EVERY_S = 0.2


@dataclass(slots=True)
class _Other:
    """Another process, as it is seen from here."""

    beat: int
    still_s: float = 0.0


@dataclass(slots=True)
class Listeners:
    """Who is told. Each is awaited or called on the event loop, once for each call."""

    on_orphan: Callable[[Lease], Awaitable[None]]
    """The holder is dead."""
    on_wanted: Callable[[Lease], Awaitable[None]]
    """Another process asks for a call that is held here."""
    on_lost: Callable[[str], None]
    """A call that was held here is held elsewhere by now."""


@dataclass(slots=True, kw_only=True)
class Holdings:
    """All methods run on the event loop. `run` is the body of a task."""

    store: LeaseStore
    process_id: str
    lease_s: float = 8.0
    """Seconds without a beat after which a process is held to be dead."""
    mine: dict[str, Lease] = field(default_factory=dict)
    elsewhere: dict[str, Lease] = field(default_factory=dict)
    leaving: set[str] = field(default_factory=set)
    """Calls whose last fact is on its way."""
    is_leader: bool = False
    others: int = 0
    """How many other processes live."""
    failures: int = 0
    """Looks that did not succeed since the start."""
    changed: Callable[[], None] = lambda: None
    """Called when the others should look at once."""
    _others: dict[str, _Other] = field(default_factory=dict)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _looked_at: float = field(default_factory=time.monotonic)
    _busy: dict[tuple[str, str], asyncio.Task[None]] = field(default_factory=dict)
    _owed: dict[str, Lease] = field(default_factory=dict)
    """By token, what is to be given back as soon as the database is there again."""

    @property
    def every_s(self) -> float:
        """Seconds between two looks."""
        return min(1.0, self.lease_s / 5)

    def wake(self) -> None:
        """Look soon."""
        self._woken.set()

    async def run(self, listeners: Listeners) -> None:
        """Beat, look and tell, without end."""
        try:
            while True:
                try:
                    await self._look(listeners)
                except SQLAlchemyError as error:
                    self.failures += 1
                    log.error("holdings could not be looked at (%s)", type(error).__name__)
                    if time.monotonic() - self._looked_at > self.lease_s / 2:
                        self.is_leader = False  # the others may hold us to be dead
                self._woken.clear()
                try:
                    async with asyncio.timeout(self.every_s):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _look(self, listeners: Listeners) -> None:
        before = dict(self.mine)
        sight = await asyncio.to_thread(self.store.look, self.process_id)
        now = time.monotonic()
        passed_s = min(now - self._looked_at, 2 * self.every_s)
        self._looked_at = now
        dead = self._see_who_lives(sight, passed_s)
        held = {lease.call_id: lease for lease in sight.leases}
        self.elsewhere = {
            call_id: lease for call_id, lease in held.items() if lease.process_id != self.process_id
        }
        for call_id, lease in before.items():
            is_held = call_id in held and held[call_id].token == lease.token
            if not is_held and self.mine.get(call_id) == lease and call_id not in self.leaving:
                self._tell((call_id, "lost"), self._lose(lease, listeners))
        for lease in held.values():
            if lease.process_id == self.process_id:
                if lease.wanted_by is not None:
                    self._tell((lease.call_id, "wanted"), listeners.on_wanted(lease))
            elif lease.process_id in dead:
                self._tell((lease.call_id, "orphan"), listeners.on_orphan(lease))
        await self._see_who_leads(sight, dead)
        await self._tidy(sight)
        for lease in list(self._owed.values()):
            await asyncio.to_thread(self.store.give_back, lease)
            del self._owed[lease.token]

    async def _lose(self, lease: Lease, listeners: Listeners) -> None:
        """A lease that was not seen may have been taken, or given back, while we looked."""
        there = await asyncio.to_thread(self.store.lease, lease.call_id)
        if lease.call_id in self.leaving:
            return
        if self.mine.get(lease.call_id) == lease and (there is None or there.token != lease.token):
            del self.mine[lease.call_id]
            listeners.on_lost(lease.call_id)

    def _see_who_lives(self, sight: Sight, passed_s: float) -> set[str]:
        beats = {name: beat for name, beat in sight.beats.items() if name != self.process_id}
        beats |= {  # whoever holds something and never beat is given its time as well
            lease.process_id: 0
            for lease in sight.leases
            if lease.process_id != self.process_id and lease.process_id not in beats
        }
        if sight.leader is not None and sight.leader not in (*beats, self.process_id):
            beats[sight.leader] = 0
        self._others = {name: other for name, other in self._others.items() if name in beats}
        for name, beat in beats.items():
            other = self._others.setdefault(name, _Other(beat))
            if other.beat == beat:
                other.still_s += passed_s
            else:
                other.beat, other.still_s = beat, 0.0
        dead = {name for name, other in self._others.items() if other.still_s >= self.lease_s}
        self.others = len(self._others) - len(dead)
        return dead

    async def _see_who_leads(self, sight: Sight, dead: set[str]) -> None:
        if sight.leader is None or sight.leader in dead:
            was_leader = self.is_leader
            self.is_leader = await asyncio.to_thread(
                self.store.lead, self.process_id, instead_of=sight.leader
            )
            if self.is_leader and not was_leader:
                log.info("this process leads from now on")
        else:
            self.is_leader = sight.leader == self.process_id

    async def _tidy(self, sight: Sight) -> None:
        holding = {lease.process_id for lease in sight.leases}
        for name, other in list(self._others.items()):
            if other.still_s > _FORGET_AFTER_S and name not in holding and self.is_leader:
                await asyncio.to_thread(self.store.forget_process, name)

    def _tell(self, key: tuple[str, str], work: Awaitable[None]) -> None:
        """Do it beside the looking; what is still being done is not begun again."""
        if key in self._busy:
            if asyncio.iscoroutine(work):
                work.close()
            return

        async def do() -> None:
            try:
                await work
            except Exception:  # the edge of one call: it is looked at again in a second
                log.exception("call %s: %s", *key)
            finally:
                self._busy.pop(key, None)

        self._busy[key] = asyncio.create_task(do(), name=f"{key[1]} {key[0]}")

    # Leases of single calls.

    def new(self, call_id: str) -> Lease:
        """A lease to be taken in the transaction that opens the call."""
        return new_lease(call_id, self.process_id)

    async def take_up(self, call_id: str, *, asks: bool, is_urgent: bool) -> Lease:
        """Hold a call that was cut off. Raises `CallConflict` where another process keeps it.

        With `asks` whoever holds it is asked to let go, `is_urgent` even of a line that seems to be alive;
        and one that is dead is waited for until that is clear.
        """
        lease = self.new(call_id)
        until = time.monotonic() + 2 * self.lease_s + 5.0
        has_asked = False
        try:
            while True:
                try:
                    await asyncio.to_thread(self.store.take, lease)
                except CallConflict:
                    if not asks or time.monotonic() > until:
                        raise
                else:
                    self.mine[call_id] = lease
                    self.elsewhere.pop(call_id, None)
                    self.changed()
                    return lease
                held = await asyncio.to_thread(self.store.lease, call_id)
                if held is not None and held.process_id == self.process_id:
                    raise CallConflict(f"通话 {call_id} 的线路仍然接通。")
                if held is not None and held.wanted_by != self.process_id:
                    if has_asked:
                        raise CallConflict(f"通话 {call_id} 的线路仍然接通。")
                    await asyncio.to_thread(self.store.want, call_id, self.process_id, is_urgent=is_urgent)
                    has_asked = True
                    self.changed()
                await asyncio.sleep(_ASK_EVERY_S)
        except SQLAlchemyError as error:
            self._owed[lease.token] = lease  # whether it was taken is not known
            raise StorageFailed(f"数据库暂时连接不上（{type(error).__name__}），请稍后重试。") from error

    async def refuse(self, lease: Lease) -> None:
        """Keep a call that another process wants: its line is alive here."""
        await asyncio.to_thread(self.store.want, lease.call_id, None)
        self.changed()

    async def give_back(self, lease: Lease) -> None:
        """Hold the call no longer."""
        if self.mine.get(lease.call_id) == lease:
            del self.mine[lease.call_id]
        try:
            await asyncio.to_thread(self.store.give_back, lease)
        except SQLAlchemyError as error:  # else nobody could take up the call as long as this process lives
            self._owed[lease.token] = lease
            log.error("call %s could not be given back (%s)", lease.call_id, type(error).__name__)

    def is_foreign(self, call_id: str) -> bool:
        """Whether another process holds the call."""
        return call_id not in self.mine and call_id in self.elsewhere

    def is_of_an_earlier_run(self, lease: Lease) -> bool:
        """Whether this process held it before its last start: no other one has the same data folder."""
        return self.was_here(lease.process_id)

    def was_here(self, process_id: str) -> bool:
        """Whether it is this process before its last start."""
        instance = self.process_id.partition(".")[0]
        return process_id.partition(".")[0] == instance and process_id != self.process_id

    def lives(self, process_id: str) -> bool:
        """Whether a process is this one, or one that was seen to live."""
        other = self._others.get(process_id)
        return process_id == self.process_id or (other is not None and other.still_s < self.lease_s)

    async def leave(self) -> None:
        """The process ends in peace."""
        self.is_leader = False
        try:
            await asyncio.to_thread(self.store.leave, self.process_id)
        except SQLAlchemyError as error:
            log.error("leaving was not written down (%s)", type(error).__name__)
        self.changed()
