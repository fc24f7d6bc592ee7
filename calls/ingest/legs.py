"""Calls whose legs come over lines of their own: the lines find each other, and the legs are laid together.

In: lines that say to which call they belong and who is heard there, and their sound. Out: calls, opened with
the first line and hung up after the last one.
Not known here: protocols, sockets.

A line for a leg that has one already takes its place: the older one is dead, or the call was handed on.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from asr.types import Party
from calls.ingest.exchange import Exchange, within
from calls.ingest.intake import Intake
from calls.ingest.joining import Joining
from calls.ingest.messages import BadMessage
from calls.ingest.rates import Resampled
from calls.ingest.rules import CarrierRules, seat_in
from calls.ingest.signals import Begin, Block
from calls.session import Session
from calls.types import CallError, StorageFailed

log = logging.getLogger(__name__)

MAX_RATE_HZ = 48_000
_LETS_GO_WITHIN_S = 10.0


class LegLine(Protocol):
    """A line that brings one leg."""

    def cut(self) -> None:
        """Stop: another line brings the leg now, or the call does not go on here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegPlan:
    """Where a line belongs."""

    key: str
    """By which the lines of one call find each other."""
    party: Party
    parties: tuple[Party, ...]
    """Everybody who will be heard in the call."""
    fields: Mapping[str, Any] = field(default_factory=dict)


class JoinedCalls:
    """All calls of one carrier that are brought leg by leg."""

    def __init__(self, exchange: Exchange, *, carrier: str, rules: CarrierRules):
        named = {str(party): party for party in Party}
        self._exchange = exchange
        self._carrier = carrier
        self._rules = rules.model_copy(update={"parties": named | rules.parties})
        self._calls: dict[str, _JoinedCall] = {}

    async def join(self, plan: LegPlan, rate_hz: int, line: LegLine) -> "Leg":
        """Take a line into its call; the first one opens it, at its rate. Raises `CallError`s."""
        if plan.party not in plan.parties:
            raise BadMessage(f"这路声音是 {plan.party}，不在这通电话约定的各方之内。")
        while True:
            if (call := self._calls.get(plan.key)) is None:
                call = self._calls[plan.key] = _JoinedCall(self._exchange, plan)
            async with call.lock:
                if call.is_over.is_set():
                    continue
                try:
                    await call.take_in(plan, rate_hz, line, self._carrier, self._rules)
                except BaseException:
                    self._forget_if_empty(call)
                    raise
                return Leg(self, call, plan.party, line, call.rate_hz)

    async def leave(self, call: "_JoinedCall", party: Party, line: LegLine, *, is_hung_up: bool) -> None:
        """A line is over."""
        async with call.lock:
            if call.lines.get(party) is not line:
                return
            del call.lines[party]
            try:
                await call.let_go(party, is_hung_up=is_hung_up)
            finally:
                self._forget_if_empty(call)

    def _forget_if_empty(self, call: "_JoinedCall") -> None:
        if not call.lines:
            call.is_over.set()
            if self._calls.get(call.key) is call:
                del self._calls[call.key]


class _JoinedCall:
    """One call. Whoever changes it holds the lock."""

    def __init__(self, exchange: Exchange, plan: LegPlan):
        self.key = plan.key
        self.lock = asyncio.Lock()
        self.is_over = asyncio.Event()
        self.lines: dict[Party, LegLine] = {}
        self.rate_hz = 0
        self._exchange = exchange
        self._parties = plan.parties
        self._fields = plan.fields
        self._seat: str | None = None
        self._session: Session | None = None
        self._joining: Joining
        self._intake: Intake

    @property
    def call_id(self) -> str:
        """Of the call that was opened."""
        return self._session.call.call_id if self._session else ""

    async def give_up(self) -> None:
        """Let go of the call for another connection that brings it now."""
        for line in list(self.lines.values()):
            line.cut()
        await within(_LETS_GO_WITHIN_S, self.is_over)

    async def take_in(
        self, plan: LegPlan, rate_hz: int, line: LegLine, carrier: str, rules: CarrierRules
    ) -> None:
        """A line for a leg is there; where it comes with another seat the call goes to that one."""
        party = plan.party
        if party not in self._parties:
            raise BadMessage(f"这通电话没有 {party} 这一路。")
        seat = seat_in(plan.fields, rules)
        if self._session is None:
            self.rate_hz = min(rate_hz, MAX_RATE_HZ)
            begin = Begin(
                key=self.key,
                encoding="pcm_s16le",
                sample_rate_hz=self.rate_hz,
                tracks=tuple(str(one) for one in self._parties),
                fields=self._fields,
            )
            self._session = await self._exchange.open(self, carrier, begin, rules)
            self._joining = Joining(legs=len(self._parties), rate_hz=self.rate_hz)
            self._intake = Intake(self._session, self._exchange.switchboard, begin)
        elif seat is not None and seat != self._seat:
            await self._exchange.hand_over(self._session, seat)
        self._seat = seat or self._seat
        older, self.lines[party] = self.lines.get(party), line
        if older is not None:
            log.info("a newer line brings the %s of call %s", party, self.call_id)
            older.cut()

    async def feed(self, party: Party, line: LegLine, data: bytes) -> None:
        """Sound of a leg, at the rate of the call; of a line that was replaced it is not wanted."""
        async with self.lock:
            if self.lines.get(party) is line:
                await self._intake.take(Block(self._joining.put(self._parties.index(party), data)))

    async def let_go(self, party: Party, *, is_hung_up: bool) -> None:
        """The line of that leg is gone; with the last one the call is over, or lost."""
        assert self._session is not None
        session, board = self._session, self._exchange.switchboard
        try:
            rest = self._joining.leave(self._parties.index(party)) if self.lines else self._joining.flush()
            if not session.is_ending:
                await self._intake.take(Block(rest))
            if not self.lines and is_hung_up:
                await board.hang_up(session)
        except CallError as error:
            log.warning("the end of a line of call %s: %s", self.call_id, error.code)
            is_hung_up = False
        finally:
            if not self.lines:
                await self._leave(session, is_hung_up=is_hung_up)

    async def _leave(self, session: Session, *, is_hung_up: bool) -> None:
        try:
            if not is_hung_up:
                await self._exchange.switchboard.lose(session)
        except StorageFailed as error:
            log.warning("the loss of call %s is not on record: %s", self.call_id, error.code)
        finally:
            self._exchange.leave(self.call_id, self)


class Leg:
    """What a line holds of its call."""

    def __init__(self, calls: JoinedCalls, call: _JoinedCall, party: Party, line: LegLine, rate_hz: int):
        self.call_id = call.call_id
        self.party = party
        self._calls = calls
        self._call = call
        self._line = line
        self._resampled = Resampled(rate_hz)

    async def take(self, rate_hz: int, data: bytes) -> None:
        """Sound of whole 16-bit samples. Raises what `Switchboard.feed` raises."""
        await self._call.feed(self.party, self._line, self._resampled.take(rate_hz, data))
        # Where both lines have much to catch up with, neither runs ahead of the other.
        await asyncio.sleep(0)

    async def leave(self, *, is_hung_up: bool) -> None:
        """The line is over: hung up, or vanished."""
        if tail := self._resampled.flush():
            try:
                await self._call.feed(self.party, self._line, tail)
            except CallError as error:
                log.warning("the last sound of call %s is missing: %s", self.call_id, error.code)
        await self._calls.leave(self._call, self.party, self._line, is_hung_up=is_hung_up)
