"""Decodes by ears on other machines: each batch by the one with the least to do, and again where one is lost.

In: batches, from one event loop; what the link to Ray tells. Out: hypotheses, each batch's exactly once.
Not known here: Ray, processes, which batch comes next.

A batch whose ear died, fell silent or takes far too long goes to another; what the first one says later is
not heard. One that is merely slow is also given to an idle ear, and whoever is first is heard.
Bound: as many batches as there are places. Where no ear is left they wait, or are decoded here (`home`).
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from asr.decoder import Batch, Decoder
from asr.remote.roster import Ear, Roster, label_of
from asr.remote.types import (
    Answered,
    Beat,
    Came,
    Decode,
    Failed,
    FromLink,
    Gone,
    Holding,
    Linked,
    RemoteFigures,
    RemoteOptions,
    Silent,
    ToLink,
    Trouble,
)
from asr.spare_time import stopped
from asr.types import AsrError, Hypothesis

log = logging.getLogger(__name__)

_TELLS_EVERY_S = 1.0
_LOOKS_AGAIN_S = 0.5
_URGENT = 1  # the highest rank that is worth two ears: what is final, or will be
_PATIENCE = 6  # times that an ear is waited for where all have too much to do
_ENGINES = 2  # that may fail on a batch


class Link(Protocol):
    """The way to Ray and back."""

    def open(self, hear: Callable[[FromLink], None]) -> None:
        """Begin; `hear` is called on the event loop that opened it."""

    def send(self, message: ToLink) -> None:
        """Never blocks; lost where there is no way just now, which `Trouble` has told or will tell."""

    async def close(self) -> None:
        """End."""


@dataclass(slots=True, eq=False)
class _Errand:
    """A batch that somebody waits for."""

    batch: Batch
    ticket: asyncio.Future[list[Hypothesis]]
    seen: Callable[[str], None] = lambda label: None
    attempts: set[int] = field(default_factory=set)
    avoid: set[str] = field(default_factory=set)
    """Machines that were lost over it, ears that failed on it."""
    losses: int = 0
    failures: int = 0


@dataclass(slots=True, eq=False)
class _Attempt:
    errand: _Errand
    ear: str
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    patience: int = _PATIENCE


class RemoteDecoder(Decoder):
    """Opened and closed by its pool."""

    def __init__(self, link: Link, options: RemoteOptions, *, home: Decoder | None = None) -> None:
        """`home` decodes while no ear is there; it is opened and closed with this one."""
        self._link = link
        self._options = options
        self._home = home
        self._roster = Roster(options.fingerprint)
        self._waiting: list[_Errand] = []
        self._attempts: dict[int, _Attempt] = {}
        self._at_home: set[asyncio.Task[None]] = set()
        self._begun = 0
        self._places = 0  # when somebody was last told
        self._deaf_since: float | None = None
        self._is_ending = self._is_hasty = False
        self._is_linked = False
        self._trouble: str | None = None
        self._lost = self._redone = self._doubled = 0  # since the start

    # What the pool asks.

    def open(self, on_change: Callable[[], None], *, calls: Callable[[], int]) -> None:
        """Look for ears."""
        self._loop = asyncio.get_running_loop()
        self._on_change = on_change
        self._deaf_since = self._loop.time()
        if self._home:
            self._home.open(on_change, calls=calls)
        self._link.open(self._hear)
        self._telling = self._loop.create_task(self._tell(calls))

    @property
    def places(self) -> int:
        """Those of all ears; of this process where none is there."""
        if not len(self._roster) and self._home:
            return self._home.places
        return self._roster.places

    @property
    def most_calls(self) -> int | None:
        """What the ears carry beside the calls of other servers."""
        return self._home.most_calls if not len(self._roster) and self._home else self._roster.calls

    async def decode(self, batch: Batch, *, seen: Callable[[str], None] | None = None) -> list[Hypothesis]:
        """Decode, whatever happens to ears meanwhile; `seen` is told which of them it was.

        Raises `AsrError`: `asr.engine_failed` where two engines failed on it, `asr.ears_lost` where one
        ear after the other died over it, `asr.stopped` where the server stops and no ear is there.
        """
        errand = _Errand(batch, self._loop.create_future())
        errand.seen = seen or errand.seen
        self._waiting.append(errand)
        self._give()
        try:
            return await errand.ticket
        finally:
            self._drop(errand)

    def hasten(self) -> None:
        """Wait for ears no longer than a moment."""
        self._is_ending = True
        self._loop.call_later(self._options.stop_wait_s, self._be_hasty)

    async def close(self) -> None:
        """Let go of the ears; they go on for other servers."""
        self._telling.cancel()
        await asyncio.gather(self._telling, *self._at_home, return_exceptions=True)
        await self._link.close()
        if self._home:
            await self._home.close()

    # What people ask.

    @property
    def deaf_s(self) -> float:
        """For how long no ear has been there."""
        return self._loop.time() - self._deaf_since if self._deaf_since is not None else 0.0

    @property
    def is_standing_in(self) -> bool:
        """Whether this process decodes, because no ear is there."""
        return self._home is not None and self._deaf_since is not None

    def figures(self) -> RemoteFigures:
        """Everything at this moment."""
        return RemoteFigures(
            ears=self._roster.figures(time.time()),
            is_linked=self._is_linked,
            trouble=self._trouble,
            deaf_s=self.deaf_s,
            is_standing_in=self.is_standing_in,
            calls=self.most_calls,
            lost=self._lost,
            redone=self._redone,
            doubled=self._doubled,
        )

    # What the link tells.

    def _hear(self, message: FromLink) -> None:
        now = self._loop.time()
        match message:
            case Linked():
                self._is_linked, self._trouble = True, None
            case Trouble(message=why):
                if self._is_linked or self._trouble is None:
                    log.error("Ray is not reached: %s", why)
                self._is_linked, self._trouble = False, why
                self._redo(self._roster.go_all(), is_loss=False)
            case Came(ear=name, card=card):
                ear = self._roster.come(name, card)
                if ear.is_usable:
                    log.info("ear %s is there: %s on %s", ear.label, card.engine, card.device)
                else:
                    log.error("ear %s is not used: its model, program or libraries are others", ear.label)
            case Beat(ear=name, pulse=pulse):
                self._roster.beat(name, pulse)
            case Silent(ear=name):
                self._lose(name, "silent")
                self._redo(self._roster.hush(name), is_loss=False)
            case Gone(ear=name):
                self._lose(name, "gone")
                machine = self._roster.machine_of(name)
                self._redo(self._roster.go(name), is_loss=True, machine=machine)
            case Answered(attempt=number, found=found):
                if (attempt := self._end(number, now)) and not attempt.errand.ticket.done():
                    attempt.errand.seen(label_of(attempt.ear))
                    attempt.errand.ticket.set_result(found)
            case Failed(attempt=number):
                self._fail(message, now)
        self._look_round(now)

    def _lose(self, name: str, how: str) -> None:
        """Count an ear that worked, once."""
        if self._roster.is_ready(name):
            log.warning("ear %s is %s", name, how)
            self._lost += 1

    def _look_round(self, now: float) -> None:
        """See who is there now, and give out what waits."""
        if len(self._roster):
            self._deaf_since = None
        elif self._deaf_since is None:
            self._deaf_since = now
            log.error("no ear is there; %s", "decoding here" if self._home else "text waits")
        self._give()
        places, self._places = self._places, self.places
        if self._places > places:
            self._on_change()

    def _fail(self, failed: Failed, now: float) -> None:
        attempt = self._end(failed.attempt, now, has_failed=failed.is_engine)
        if attempt is None:
            return
        errand = attempt.errand
        if not failed.is_engine:
            self._again(errand, is_loss=True, machine=self._roster.machine_of(attempt.ear))
            return
        errand.failures += 1
        errand.avoid.add(attempt.ear)
        if errand.failures < _ENGINES and len(self._roster) > 1:
            self._again(errand, is_loss=False)
        elif not errand.attempts and not errand.ticket.done():
            errand.ticket.set_exception(
                AsrError(f"An ear's engine failed ({failed.reason}).", code="asr.engine_failed")
            )

    # Giving out.

    def _give(self) -> None:
        """Give what waits to whoever has a place."""
        for errand in sorted(self._waiting, key=lambda one: one.batch.rank):
            ear = self._roster.pick(self._loop.time(), avoid=errand.avoid)
            if ear is not None:
                self._begin(errand, ear)
            elif len(self._roster):
                return
            elif self._home:
                self._decode_here(errand, self._home)
            elif self._is_hasty and not errand.ticket.done():
                errand.ticket.set_exception(stopped())

    def _begin(self, errand: _Errand, ear: Ear, *, is_second: bool = False) -> None:
        if not is_second:
            self._waiting.remove(errand)
        self._begun += 1
        number, batch = self._begun, errand.batch
        attempt = self._attempts[number] = _Attempt(errand, ear.name)
        errand.attempts.add(number)
        self._roster.begin(ear, number)
        later = self._loop.call_later
        attempt.timers.append(later(self._options.lost_s(batch), self._tire, number))
        if batch.rank <= _URGENT and not is_second:
            attempt.timers.append(later(self._options.again_s(batch), self._double, number))
        self._link.send(Decode(attempt=number, ear=ear.name, batch=batch))

    def _double(self, number: int) -> None:
        """Give a batch that takes long to an idle ear, too."""
        attempt = self._attempts[number]
        errand = attempt.errand
        ear = self._roster.pick(self._loop.time(), avoid={attempt.ear}, only_idle=True)
        if ear is None:
            attempt.timers.append(self._loop.call_later(_LOOKS_AGAIN_S, self._double, number))
        elif len(errand.attempts) == 1:
            self._doubled += 1
            self._begin(errand, ear, is_second=True)

    def _tire(self, number: int) -> None:
        """Stop waiting for an answer, unless the ear lives and nobody else has time."""
        attempt, now = self._attempts[number], self._loop.time()
        attempt.patience -= 1
        other = self._roster.pick(now, avoid={attempt.ear}, only_idle=True)
        if other is None and attempt.patience and not self._is_ending:
            wait_s = self._options.lost_s(attempt.errand.batch)
            attempt.timers.append(self._loop.call_later(wait_s, self._tire, number))
            return
        log.warning("ear %s did not answer in time", attempt.ear)
        self._end(number, now)
        self._roster.rest(attempt.ear, now)
        attempt.errand.avoid.add(attempt.ear)
        self._again(attempt.errand, is_loss=False)
        self._look_round(now)

    def _end(self, number: int, now: float, *, has_failed: bool = False) -> _Attempt | None:
        """An attempt is over; None where nobody has been waiting for it any more."""
        attempt = self._attempts.pop(number, None)
        if attempt is None:
            return None
        for timer in attempt.timers:
            timer.cancel()
        attempt.errand.attempts.discard(number)
        self._roster.end(attempt.ear, number, now, has_failed=has_failed)
        return attempt

    def _redo(self, numbers: set[int], *, is_loss: bool, machine: str = "") -> None:
        """Give what an ear had in hand to others."""
        for number in sorted(numbers):
            if (attempt := self._end(number, self._loop.time())) is not None:
                self._again(attempt.errand, is_loss=is_loss, machine=machine)

    def _again(self, errand: _Errand, *, is_loss: bool, machine: str = "") -> None:
        """Let it wait for an ear again, unless a second one has it in hand."""
        errand.losses += is_loss
        if machine:
            errand.avoid.add(machine)
        if errand.attempts or errand.ticket.done() or errand in self._waiting:
            return
        if errand.losses >= self._options.most_losses:
            errand.ticket.set_exception(AsrError("One ear after the other was lost.", code="asr.ears_lost"))
            return
        self._redone += 1
        self._waiting.append(errand)

    def _drop(self, errand: _Errand) -> None:
        """Nobody waits for it any more, or it is answered."""
        if errand in self._waiting:
            self._waiting.remove(errand)
        for number in errand.attempts.copy():
            self._end(number, self._loop.time())

    def _decode_here(self, errand: _Errand, home: Decoder) -> None:
        self._waiting.remove(errand)

        async def decode() -> None:
            try:
                found = await home.decode(errand.batch)
            except Exception as error:  # noqa: BLE001 - whatever the engine raises is the pool's to judge
                if not errand.ticket.done():
                    errand.ticket.set_exception(error)
                return
            if not errand.ticket.done():
                errand.ticket.set_result(found)

        task = self._loop.create_task(decode())
        self._at_home.add(task)
        task.add_done_callback(self._at_home.discard)

    def _be_hasty(self) -> None:
        self._is_hasty = True
        self._give()

    async def _tell(self, calls: Callable[[], int]) -> None:
        """Tell the ears how many calls there are, so that other servers leave room for them."""
        while True:
            self._link.send(Holding(calls=calls()))
            await asyncio.sleep(_TELLS_EVERY_S)
