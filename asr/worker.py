"""Recognises the utterances of all calls: decides what is decoded next, and gives it to a `Decoder`.

In: closed and open `Utterance`s of any number of calls, from one event loop; those of recordings.
Out: a `Hypothesis` for every closed one, and for open ones as often as there is time.
Not known here: sockets, screens, readable text, which engine there is and where.

Queue: finals are bounded by what each leg may have in flight and are never dropped; past the limit new
calls are refused (`EarsFull`). Open utterances: one per leg, the newest replaces the older.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

from threadpoolctl import threadpool_limits

from asr.backlog import Backlog, Job, LegKey, Urgency
from asr.busy import BusyShare
from asr.decoder import Batch, Decoder, ThreadDecoder
from asr.guard import is_invented
from asr.pool_options import Limits, PoolOptions
from asr.pool_stats import Counts, PoolStats
from asr.spare_time import SpareTime, stopped
from asr.timing import Decoding, Timing
from asr.transcriber import Transcriber
from asr.types import AsrError, EarsFull, Hypothesis, Utterance

Found = TypeVar("Found")
Ticket: TypeAlias = asyncio.Future[Hypothesis | None]


class RecognitionPool:
    """Owns the decoder; `async with` starts it and, at the end, lets every waiting final finish.

    All methods are called from the event loop that entered it.
    """

    def __init__(
        self,
        engine: Transcriber | Decoder,
        options: PoolOptions | None = None,
        *,
        limits: Callable[[], Limits] | None = None,
    ) -> None:
        """A transcriber gets threads of its own, as many as the options say.

        `limits` is asked whenever one of them matters; without it they are those of the options.
        """
        self._options = options or PoolOptions()
        self._decoder = (
            engine if isinstance(engine, Decoder) else ThreadDecoder(engine, self._options.workers)
        )
        self._limits = limits or (lambda: self._options.limits)
        self._backlog: Backlog[Ticket] = Backlog(self._options.batches)
        self._calls: set[str] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._grown_batches = 0  # running
        self.recorded = SpareTime(self._decoder.decode, on_wish=self._dispatch)
        """Hears recordings, whenever no call needs the threads."""
        self._in_work: dict[Ticket, Job[Ticket]] = {}
        self._settled: dict[LegKey, tuple[Utterance, Ticket]] = {}
        self._waiting_since: dict[Ticket, tuple[str, float]] = {}  # finals not yet answered
        self._wake: asyncio.TimerHandle | None = None
        self._counts = Counts()
        self.timing: Timing[Ticket] = Timing()
        """Tells a listener when finals were decoded."""
        self._is_open = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._busy = BusyShare(self._loop.time())
        self._decoder.open(self._dispatch, calls=lambda: len(self._calls))
        self._listeners = ThreadPoolExecutor(self._options.listeners, thread_name_prefix="listen")
        # one core is one worker's; BLAS would spread each spectrum over all of them, and spin between
        threadpool_limits(1, user_api="blas")
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Take nothing more, drop what is open, finish the finals, end the threads."""
        self._is_open = False
        self.recorded.stop()
        for job in self._backlog.drop_opens():
            self._drop(job)
        self._decoder.hasten()
        while self._running or (self._backlog.finals and self._decoder.places):
            self._dispatch()
            if self._running:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(self._options.batches.gather_s)
        for job in self._backlog.drop_finals():  # nobody is there to decode them
            if not job.ticket.done():
                job.ticket.set_exception(stopped())
        if self._wake:
            self._wake.cancel()
        self._listeners.shutdown(wait=False)
        await self._decoder.close()

    @property
    def has_room(self) -> bool:
        """Whether one more call would be admitted."""
        is_late = self._backlog.oldest_final_s(self._loop.time()) > self._options.refuse_lag_s
        can_hear = self._is_open and self._decoder.places > 0 and not is_late
        return can_hear and len(self._calls) < self._most_calls

    @property
    def places(self) -> int:
        """How many batches may be decoded at the same time now."""
        return self._decoder.places

    @property
    def _most_calls(self) -> int:
        allowed, heard = self._limits().max_calls, self._decoder.most_calls
        return allowed if heard is None else min(allowed, heard)

    def admit(self, call_id: str) -> None:
        """Count a call in until `release`. Raises `EarsFull`; a call already counted is let pass."""
        if call_id in self._calls:
            return
        if not self.has_room:
            raise EarsFull(
                f"{len(self._calls)} calls are being recognised and no more can be taken in time; "
                "try again when one has ended."
            )
        self._calls.add(call_id)

    def release(self, call_id: str) -> None:
        """Count a call out; finals that still wait are finished for whoever waits for them."""
        self._calls.discard(call_id)

    def forget(self, call_id: str) -> None:
        """Drop what is kept of a call's open utterances; no more of them will come."""
        for job in self._backlog.forget(call_id):
            self._drop(job)
        for leg in [leg for leg in self._settled if leg[0] == call_id]:
            del self._settled[leg]

    async def recognise(self, utterance: Utterance) -> Hypothesis:
        """Recognise a closed utterance, whatever the load.

        Raises `AsrError` (`asr.recognition_failed`, recoverable) where the engine failed on it, and
        (`asr.stopped`) after the pool was stopped.
        """
        self._must_be_open()
        known, closed_s = self._known(utterance), self._loop.time()
        self._settled.pop((utterance.call_id, utterance.party), None)
        if known is not None:
            hypothesis = await self._shared(utterance, known)
            if hypothesis is not None:
                self._counts.finals += 1
                self._counts.finals_reused += 1
                self._counts.rejected += hypothesis.is_rejected
                self.timing.answered(utterance, known, closed_s)
                return hypothesis
            self._must_be_open()
        job = self._job(utterance)
        needless = self._backlog.add_final(job)
        if needless:
            self._drop(needless)
        self._waiting_since[job.ticket] = (utterance.call_id, job.came_at)
        self._dispatch()
        try:
            hypothesis = await job.ticket
        finally:
            del self._waiting_since[job.ticket]
            self._backlog.remove(job)
        assert hypothesis is not None  # only partials are dropped
        self._counts.finals += 1
        self._counts.rejected += hypothesis.is_rejected
        self.timing.answered(utterance, job.ticket, closed_s)
        return hypothesis

    async def listen(self, look: Callable[[], Found]) -> Found:
        """Look for speech off the event loop, so that the other calls are not kept waiting.

        Raises `AsrError` (`asr.stopped`) after the pool was stopped.
        """
        self._must_be_open()
        return await self._loop.run_in_executor(self._listeners, look)

    def offer(self, utterance: Utterance) -> Ticket | None:
        """Offer an open utterance; its future gives None where it is dropped. None: not taken at all."""
        is_busy = len(self._running) >= self._decoder.places or not self._is_easy
        if not self._is_open or (utterance.is_guess and is_busy):
            return None
        if utterance.is_settled and self._known(utterance) is not None:
            return None  # guessed right, and under way
        job = self._job(utterance)
        replaced = self._backlog.put_open(job)
        if replaced:
            self._drop(replaced)
        if utterance.is_settled:
            self._settled[job.leg] = (utterance, job.ticket)
        self._dispatch()
        return job.ticket

    def lag_s(self, call_id: str) -> float:
        """Say how long the call's oldest unanswered final has been waiting."""
        came = [at for owner, at in self._waiting_since.values() if owner == call_id]
        return self._loop.time() - min(came) if came else 0.0

    def stats(self) -> PoolStats:
        """Give the figures of the moment and the totals."""
        now = self._loop.time()
        counts = self._counts
        return PoolStats(
            calls=len(self._calls),
            queued_finals=self._backlog.finals,
            queued_partials=self._backlog.opens,
            oldest_final_s=self._backlog.oldest_final_s(now),
            load=self._load(now),
            finals=counts.finals,
            partials=counts.partials,
            partials_dropped=counts.partials_dropped,
            finals_reused=counts.finals_reused,
            rejected=counts.rejected,
            failed=counts.failed,
            batches=counts.batches,
            mean_batch=counts.batched / counts.batches if counts.batches else 0.0,
            decoded_s=counts.decoded_s,
            queued_recorded=self.recorded.queued,
            recorded_s=self.recorded.decoded_s,
        )

    def _must_be_open(self) -> None:
        if not self._is_open:
            raise stopped()

    def _job(self, utterance: Utterance) -> Job[Ticket]:
        ticket: Ticket = self._loop.create_future()
        return Job(utterance=utterance, ticket=ticket, came_at=self._loop.time())

    def _known(self, utterance: Utterance) -> Ticket | None:
        """Find the future of the same speech, given out when the speaker paused, unless it still waits."""
        settled, ticket = self._settled.get((utterance.call_id, utterance.party), (None, None))
        if settled is None or ticket is None or settled.number != utterance.number:
            return None
        is_same = settled.speech_end_s == utterance.speech_end_s
        return ticket if is_same and (ticket in self._in_work or ticket.done()) else None

    async def _shared(self, utterance: Utterance, ticket: Ticket) -> Hypothesis | None:
        """Wait for a future that somebody else owns, and count the wait as this final's."""
        mine: Ticket = self._loop.create_future()
        self._waiting_since[mine] = (utterance.call_id, self._loop.time())
        try:
            await asyncio.wait([ticket])
        finally:
            del self._waiting_since[mine]
        return None if ticket.cancelled() else ticket.result()

    def _drop(self, job: Job[Ticket]) -> None:
        if not job.ticket.done():
            job.ticket.set_result(None)
        self._counts.partials_dropped += 1

    @property
    def _is_easy(self) -> bool:
        return self._load(self._loop.time()) <= self._options.easy_load

    def _load(self, now: float) -> float:
        return self._busy.share(now, self._decoder.places)

    def _dispatch(self) -> None:
        """Start batches while threads are free; else see to it that this is asked again in time."""
        if self._wake:
            self._wake.cancel()
            self._wake = None
        while len(self._running) < self._decoder.places:
            now = self._loop.time()
            stretch = self._options.stretch(self._load(now))
            # one thread is kept from them, where there is more than one: they are long, and can wait
            with_grown = self._has_spare_thread
            batch = self._backlog.take(now, stretch=stretch, with_grown=with_grown)
            if not batch and not self._backlog.finals and self._begin_recorded():
                continue
            if not batch:
                next_at = self._backlog.next_at(stretch=stretch, with_grown=with_grown)
                if next_at is not None:
                    self._wake = self._loop.call_at(max(next_at, now + 0.001), self._dispatch)
                return
            batch = [job for job in batch if not job.ticket.cancelled()]
            if batch:
                self._start(batch)

    @property
    def _has_spare_thread(self) -> bool:
        """Whether a further thread may be taken by what can wait."""
        others = self.recorded.running if self._calls else 0
        return self._grown_batches + others < max(1, self._decoder.places - 1)

    def _begin_recorded(self) -> bool:
        """Give a thread to recordings; while there are calls, one at most and not for long."""
        if self._calls and (self.recorded.running or not self._has_spare_thread):
            return False
        task = self.recorded.begin(max_s=self._options.recorded_s if self._calls else None)
        if task is None:
            return False
        self._running.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            self._dispatch()

        task.add_done_callback(ended)
        return True

    def _start(self, batch: list[Job[Ticket]]) -> None:
        for job in batch:
            self._in_work[job.ticket] = job
        is_grown = any(job.urgency is Urgency.GROWN for job in batch)
        self._grown_batches += is_grown
        task = self._loop.create_task(self._run(batch))
        self._running.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            self._grown_batches -= is_grown
            for job in batch:
                del self._in_work[job.ticket]
            self._dispatch()

        task.add_done_callback(ended)

    async def _run(self, batch: list[Job[Ticket]]) -> None:
        began, ears = self._loop.time(), [""]
        try:
            found: list[Hypothesis | AsrError] = list(await self._transcribe(batch, ears.append))
        except Exception as error:  # noqa: BLE001 - whatever the engine raises becomes a coded error
            found = [_failed(error)] if len(batch) == 1 else [await self._alone(job) for job in batch]
        now = self._loop.time()
        self._busy.add(now, now - began)
        self._counts.batches += 1
        self._counts.batched += len(batch)
        if self.timing.listener is not None:
            decoding = Decoding(began_s=began, ended_s=now, together=len(batch), ear=ears[-1])
            self.timing.decoded((job.ticket for job in batch), decoding)
        for job, answer in zip(batch, found, strict=True):
            self._counts.decoded_s += job.seconds
            self._answer(job, answer)

    async def _alone(self, job: Job[Ticket]) -> Hypothesis | AsrError:
        """Find out which utterance of a failed batch was to blame."""
        try:
            return (await self._transcribe([job]))[0]
        except Exception as error:  # noqa: BLE001 - as in _run
            return _failed(error)

    async def _transcribe(
        self, batch: Sequence[Job[Ticket]], seen: Callable[[str], None] | None = None
    ) -> list[Hypothesis]:
        options = self._options.batches
        is_thorough = batch[0].is_thorough
        longest_s = max(job.seconds for job in batch)
        final_beam = self._options.final_beam(
            self._load(self._loop.time()), longest_s, widest=self._limits().final_beam
        )
        return await self._decoder.decode(
            Batch(
                clips=tuple(job.utterance.samples for job in batch),
                beam_size=final_beam if is_thorough else options.partial_beam,
                retry=is_thorough,
                rank=min(job.urgency for job in batch),
            ),
            seen=seen,
        )

    def _answer(self, job: Job[Ticket], answer: Hypothesis | AsrError) -> None:
        is_partial = not job.utterance.is_closed
        self._counts.failed += isinstance(answer, AsrError)
        self._counts.partials += is_partial
        if job.ticket.done():  # its owner has gone
            return
        if isinstance(answer, Hypothesis):
            is_nonsense = is_invented(answer, job.utterance)
            job.ticket.set_result(replace(answer, text="", is_rejected=True) if is_nonsense else answer)
        elif is_partial:
            job.ticket.set_result(None)
        else:
            job.ticket.set_exception(answer)


def _failed(error: Exception) -> AsrError:
    failure = AsrError(
        f"The speech engine failed on an utterance ({type(error).__name__}).",
        code="asr.recognition_failed",
        recoverable=True,
    )
    failure.__cause__ = error
    return failure
