"""Drafts the form of every call beside the calls: as finals come, and at once when somebody hangs up.

In: facts, told on the event loop as they become durable. Out: drafts, handed to the desk of forms.
Not known here: how a draft is made, how a form changes, what is on any screen.

One draft at a time, on a thread of its own, so that recognition is never kept waiting; of one call not more
often than every few seconds. Calls that have just ended go first and always find a place. Bounds: 64 running
calls that wait; when full a call is passed over until somebody speaks again, and its screen is told once
(`wrapup.busy`). 2,000 recordings; when full one stays without a draft, and the log says so.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from calls.forms.desk import FormDesk
from calls.forms.engines import DraftEngine, LateEngine
from calls.forms.keeping import FormStore
from calls.forms.talks import Talk
from calls.records import Records
from calls.types import (
    CallDegraded,
    CallError,
    CallInterrupted,
    CallStarted,
    Entry,
    Stream,
)
from calls.watching import Watch, unwatched
from calls.wrapup.llm.types import ModelFailed
from calls.wrapup.types import Draft

log = logging.getLogger(__name__)

MAX_WAITING = 64
MAX_RECORDED = 2000
MAX_LATE = 4
"""Calls with which the slower engine is busy at once; the others keep the draft that they have."""
_FOUND_AGAIN = 200
_LOOK_BACK = timedelta(days=1)
"""How far back a start looks for calls that ended without a draft of all of them."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrafterOptions:
    """How often drafts are made."""

    every_s: float = 4.0
    """Between two drafts of a call that goes on."""


class Drafter:
    """All methods run on the event loop. `run` is the body of its task."""

    def __init__(
        self,
        *,
        desk: FormDesk,
        records: Records,
        store: FormStore,
        engine: DraftEngine,
        late: LateEngine | None,
        clock: Callable[[], datetime],
        options: DrafterOptions = DrafterOptions(),
        watch: Watch = unwatched,
    ):
        self._watch = watch
        self._desk = desk
        self._records = records
        self._store = store
        self._engine = engine
        self._late = late
        self._clock = clock
        self._options = options
        self._talks: dict[str, Talk] = {}
        self._ended: dict[str, None] = {}
        self._running: dict[str, None] = {}
        self._recorded: dict[str, None] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._woken = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "wrapup")
        self._late_ones: set[asyncio.Task[None]] = set()
        self._telling: set[asyncio.Task[None]] = set()

    def hear(self, entries: list[Entry]) -> None:
        """Take in what was just written; never blocks."""
        for entry in entries:
            if entry.call_id is not None and entry.stream == Stream.call(entry.call_id):
                self._take(entry.call_id, entry)

    def _take(self, call_id: str, entry: Entry) -> None:
        fact = entry.fact
        if isinstance(fact, CallStarted):
            self._talks[call_id] = Talk(
                drafting=self._engine.open(), is_known=True, caller=fact.call.caller or ""
            )
        elif isinstance(fact, CallInterrupted):
            self._drop(call_id)  # whoever takes it up finds it on the records
        else:
            talk = self._talks.get(call_id) or Talk(drafting=self._engine.open(), is_known=False)
            if talk.take(fact):
                self._talks[call_id] = talk
                self._plan(call_id, talk)

    def _plan(self, call_id: str, talk: Talk) -> None:
        if talk.is_ended:
            self._queue(call_id)
        elif call_id not in self._timers:
            loop = asyncio.get_running_loop()
            wait_s = talk.drafted_at_s + self._options.every_s - time.monotonic()
            self._timers[call_id] = loop.call_later(max(0.0, wait_s), self._queue, call_id)

    def _queue(self, call_id: str) -> None:
        """Let the call wait for its turn, once."""
        if (timer := self._timers.pop(call_id, None)) is not None:
            timer.cancel()
        talk = self._talks.get(call_id)
        if talk is None:
            return
        if talk.is_recorded:
            self._talks.pop(call_id)  # there may be thousands: each is read again when its turn comes
            self._queue_recorded(call_id)
        elif talk.is_ended:
            self._running.pop(call_id, None)
            self._ended[call_id] = None
        elif len(self._running) < MAX_WAITING or call_id in self._running:
            self._running[call_id] = None
        else:
            self._tell(call_id, talk, "wrapup.busy", "要素整理跟不上，挂机后补齐。")
        self._woken.set()

    def _queue_recorded(self, call_id: str) -> None:
        if len(self._recorded) < MAX_RECORDED:
            self._recorded[call_id] = None
        else:
            log.warning("call %s stays without a draft: %d others wait", call_id, len(self._recorded))

    async def run(self) -> None:
        """Draft without end, whatever waits; calls whose end was missed before this start come last."""
        since = self._clock() - _LOOK_BACK
        for missed in await self._in_thread(
            lambda: self._store.unfinished(ended_after=since, limit=_FOUND_AGAIN)
        ):
            self._queue_recorded(missed)
        while True:
            self._woken.clear()
            while (call_id := self._next()) is not None:
                await self._draft(call_id)
            await self._woken.wait()

    def _next(self) -> str | None:
        for waiting in (self._ended, self._running, self._recorded):
            for call_id in waiting:
                del waiting[call_id]
                return call_id
        return None

    async def _draft(self, call_id: str) -> None:
        """Draft one call; whatever breaks there, people still talk, and the form can be filled in by hand."""
        talk = self._talks.get(call_id) or Talk(drafting=self._engine.open(), is_known=False)
        talk.drafted_at_s = time.monotonic()
        try:
            if not talk.is_known:
                talk.recall(await self._in_thread(lambda: self._records.view(Stream.call(call_id))))
            talk.is_stale = False
            is_final, segments = talk.is_ended, tuple(talk.segments.values())
            with self._watch("wrapup.draft", call_id=call_id, finals=len(segments), is_last=is_final):
                draft = await self._in_thread(lambda: talk.drafting(segments, talk.caller))
                if draft is not None:
                    await self._hand_in(call_id, talk, draft, self._engine.name, is_final=is_final)
            if draft is not None and is_final and self._late is not None:
                self._draft_late(self._late, call_id, talk, draft)
        except CallError as error:
            log.error("the draft of call %s is not on record: %s", call_id, error.code)
        except Exception:  # the edge of one draft: the next one may do better
            log.exception("drafting call %s broke", call_id)
            self._tell(call_id, talk, "wrapup.failed", "要素整理出错，请手工填写。")
        if talk.is_stale:
            self._plan(call_id, talk)
        elif talk.is_ended:
            self._drop(call_id)

    async def _hand_in(self, call_id: str, talk: Talk, draft: Draft, engine: str, *, is_final: bool) -> None:
        await self._desk.draft(
            call_id, draft, engine=engine, is_final=is_final, used=tuple(talk.used.items())
        )

    def _draft_late(self, late: LateEngine, call_id: str, talk: Talk, embedded: Draft) -> None:
        """Ask the slower engine beside everything else."""
        if len(self._late_ones) >= MAX_LATE:
            log.warning("call %s keeps its first draft: %s is busy", call_id, late.name)
            return
        segments = tuple(talk.segments.values())

        async def ask() -> None:
            try:
                with self._watch("wrapup.model", call_id=call_id, finals=len(segments)):
                    draft = await late.draft(segments, embedded=embedded, caller=talk.caller)
                    if draft is not None:
                        await self._hand_in(call_id, talk, draft, late.name, is_final=True)
            except ModelFailed as error:
                log.warning("call %s keeps its first draft: %s", call_id, error.code)
                fact = CallDegraded(code=error.code, seconds=0.0, message=error.message)
                await self._degrade(call_id, fact)
            except CallError as error:
                log.error("the second draft of call %s is not on record: %s", call_id, error.code)
            except Exception:  # the first draft stays
                log.exception("%s broke on call %s", late.name, call_id)

        task = asyncio.create_task(ask(), name=f"late draft {call_id}")
        self._late_ones.add(task)
        task.add_done_callback(self._late_ones.discard)

    def _tell(self, call_id: str, talk: Talk, code: str, message: str) -> None:
        """Tell the screen of the call, once."""
        if talk.is_told:
            return
        talk.is_told = True

        fact = CallDegraded(code=code, seconds=0.0, message=message)
        task = asyncio.create_task(self._degrade(call_id, fact))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _degrade(self, call_id: str, fact: CallDegraded) -> None:
        try:
            await self._desk.degrade(call_id, fact)
        except CallError as error:
            log.error("call %s could not be told of its draft: %s", call_id, error.code)

    def _drop(self, call_id: str) -> None:
        """Forget what was remembered of the call."""
        self._talks.pop(call_id, None)
        self._running.pop(call_id, None)
        if (timer := self._timers.pop(call_id, None)) is not None:
            timer.cancel()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def close(self) -> None:
        """Let go of what waits, and wait for the running draft; the next start finds what is missing."""
        for timer in self._timers.values():
            timer.cancel()
        beside = (*self._late_ones, *self._telling)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await asyncio.to_thread(self._thread.shutdown)
