"""Calls and their screens while machines fail: what each screen waited for, and what is on record in the end.

In: a site, calls. Out: `Effect`s, sentences about what was lost or doubled.
Not known here: what is broken, browsers.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from asr.types import Party
from calls.records import Records
from calls.types import CallEnded, CallInterrupted, CallReconnected, CallState, Entry, Stream
from knowledge_base.database import open_database
from scripts.kills.callers import SentCall, carry
from scripts.kills.checking import CheckLeg, finals_of, is_same
from scripts.kills.screens import Seen, follow
from scripts.machines.site import Site
from scripts.machines.space import seat

_NEW_EVENTS = 3
"""So many new ones show that a screen goes on: one or two may have been under way."""
_LOOKS_EACH_S, _ASKS_EACH_S = 0.05, 0.5
_SETTLES_S = 3.0


@dataclass(slots=True)
class Watched(Seen):
    """All that the screen of one call was shown, and when."""

    call: SentCall | None = None
    moments: list[tuple[float, float | None]] = field(default_factory=list)
    """By `time.time()`; of a line also how far it was behind the sound that had been sent."""

    def take(self, stream: str, since: int, event: dict[str, Any]) -> int:
        """Remember one event and its moment."""
        before = len(self.events)
        known_until = Seen.take(self, stream, since, event)
        if len(self.events) > before:
            lag_s = None
            if event["type"] == "segment.shown" and self.call is not None:
                lag_s = self.call.sent / self.call.rate_hz - float(event["segment"]["end_s"])
            self.moments.append((time.time(), lag_s))
        return known_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a deed did to the screens."""

    name: str
    began: float
    """As `time.time()` has it."""
    ended: float
    whole_s: float
    """Until everything was there again as before, counted from the deed."""
    waits_s: list[float]
    """By call: the longest time between two lines on its screen."""
    lags_s: list[float]
    """By call: how far the line was behind that was furthest behind when it was shown."""


@dataclass(slots=True, kw_only=True)
class Trial:
    """Calls that go on, and what is seen of them."""

    site: Site
    calls: list[SentCall]
    check_leg: CheckLeg
    late_s: float
    """A line that is no further behind than that is in time."""
    seen: dict[str, Watched] = field(default_factory=dict)
    """By call."""
    effects: list[Effect] = field(default_factory=list)
    also: Callable[[float], Awaitable[bool]] | None = None
    """Whether somebody else has seen new things since a moment, whom to wait for as well."""

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Have all calls come in, and somebody look at each; in the end they hang up, and all is shown."""
        address, token = self.site.address, self.site.token
        screens = []
        for number, call in enumerate(self.calls, 1):
            seen = self.seen[call.call_id] = Watched(call=call)
            screens.append(
                asyncio.create_task(
                    follow(
                        address,
                        f"/v1/screens/operators/{call.operator_id}",
                        Stream.operator(call.operator_id),
                        seen,
                        token=token,
                        seat=seat(number),
                    )
                )
            )
        lines = [asyncio.create_task(carry(call, address, Random(7))) for call in self.calls]  # noqa: S311
        try:
            yield
            for call in self.calls:
                call.samples = call.samples[: call.sent + call.rate_hz]
            await asyncio.wait_for(asyncio.gather(*lines), self.site.patience_s)
            await self._until(lambda: all(map(self._has_seen_its_end, self.calls)), "the end of the calls")
        finally:
            for task in (*lines, *screens):
                task.cancel()
            await asyncio.gather(*lines, *screens, return_exceptions=True)

    async def watch(
        self,
        name: str,
        do: Callable[[], Awaitable[None]],
        *,
        least_s: float,
        mend: Callable[[], Awaitable[None]],
    ) -> Effect:
        """Do something; look until all are heard in time again, `least_s` at least; mend, and look again."""
        began = time.time()
        await do()
        await asyncio.sleep(least_s)
        await self._until_in_time(name)
        await mend()
        whole_s = time.time() - began
        await asyncio.sleep(_SETTLES_S)
        await self._until_in_time(name)
        ended = time.time()
        some = [[one for one in seen.moments if began <= one[0] <= ended] for seen in self.seen.values()]
        effect = Effect(
            name=name,
            began=began,
            ended=ended,
            whole_s=whole_s,
            waits_s=[
                longest_wait([began, *(at for at, lag in one if lag is not None), ended]) for one in some
            ],
            lags_s=[max((lag for _, lag in one if lag is not None), default=0.0) for one in some],
        )
        self.effects.append(effect)
        return effect

    async def _until_in_time(self, name: str) -> None:
        """Wait until new lines come in time to the screens of all calls, and to the desk."""
        since = time.time()
        await self._until(lambda: all(self._goes_on(call, since) for call in self.calls), name)
        while self.also is not None and not await self.also(since):
            if time.time() - since > self.site.patience_s:
                raise TimeoutError(f"{name}: the desk shows nothing new")
            await asyncio.sleep(_ASKS_EACH_S)

    def _goes_on(self, call: SentCall, since: float) -> bool:
        if call.is_over:
            why = call.faults or call.ends[-3:] or "it must be longer"
            raise RuntimeError(f"{call.call_id} was over before everything was tried: {why}")
        new = [lag for at, lag in self.seen[call.call_id].moments if at >= since]
        lags = [lag for lag in new if lag is not None]
        return len(new) >= _NEW_EVENTS and bool(lags) and lags[-1] < self.late_s

    def _has_seen_its_end(self, call: SentCall) -> bool:
        return any(event["type"] == "call.ended" for event in self.seen[call.call_id].events.values())

    async def _until(self, is_so: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + self.site.patience_s
        while not is_so():
            if time.monotonic() > until:
                ends = {call.call_id: call.ends[-3:] for call in self.calls}
                raise TimeoutError(f"{what}: not within {self.site.patience_s:.0f} s; {ends}")
            await asyncio.sleep(_LOOKS_EACH_S)

    def check(self) -> list[str]:
        """Everything that is not as it must be, when all calls are over."""
        engine = open_database(self.site.database_url)
        try:
            records = Records(engine)
            return [one for call in self.calls for one in self._check(records, call)]
        finally:
            engine.dispose()

    def _check(self, records: Records, call: SentCall) -> list[str]:
        name, seen = call.call_id, self.seen[call.call_id]
        found = [*call.faults, *seen.faults]
        told = records.call(name)
        if told is None or told.state is not CallState.ENDED:
            return [*found, f"{name}: {told.state if told else 'is not on record'}"]
        operators = Stream.operator(call.operator_id)
        is_over = False  # what is written later, a draft for instance, comes when nobody looks any more
        for entry in _all(records, operators):
            event = seen.events.get((operators, entry.seq))
            if event is None and is_over:
                continue
            is_over = is_over or isinstance(entry.fact, CallEnded)
            if event is None:
                found.append(f"{name}: its screen never saw {entry.seq}, {entry.fact.type}")
            elif not is_same(entry, event, operators):
                found.append(f"{name}: its screen saw {entry.seq} otherwise than it is on record")
        entries = _all(records, Stream.call(name))
        finals, skipped = finals_of(entries), records.view(Stream.call(name)).skipped
        for leg, party in enumerate(call.parties):
            lines = sorted((one for one in finals if one.party is Party(party)), key=lambda one: one.start_s)
            sound = call.samples[:, leg]
            found += [f"{name} {party}: {one}" for one in self.check_leg(call, leg, lines, sound, skipped)]
        cut, taken = (
            sum(isinstance(one.fact, kind) for one in entries) for kind in (CallInterrupted, CallReconnected)
        )
        print(
            f"  {name}: {len(call.samples) / call.rate_hz:.0f} s, {len(finals)} lines, cut off {cut} times, "
            f"taken up {taken} times, {call.lives} connections"
        )
        return found


def longest_wait(moments: list[float]) -> float:
    """The longest time between one and the next."""
    return max((later - earlier for earlier, later in pairwise(moments)), default=0.0)


def _all(records: Records, stream: str) -> list[Entry]:
    found: list[Entry] = []
    while page := records.read(stream, since=found[-1].seq if found else 0, limit=1000):
        found += page
    return found
