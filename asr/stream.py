"""Recognises one call, live or from a file: frames in, segments out.

In: an async iterator of `AudioFrame`s of all legs, and the shared pool and speech detector.
Out: `Segment`s, partial ones that replace each other and then one final per utterance, in order within
a leg. A final with empty text comes only where a partial was shown that has to go.
Not known here: sockets, journals, screens, other calls.

Queues: the finals in flight per leg are bounded; when full, no further frame is taken, and whoever
brings the frames feels it. The way out is bounded too and waits for whoever takes the segments.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

from asr.agreement import Agreement
from asr.crosstalk import LeakOptions
from asr.endpoint import Hint, ending_of
from asr.leg import Heard, Leg, listen_together
from asr.lexicon import Lexicon, corrected
from asr.segmenter import SegmenterOptions
from asr.segments import segment_of
from asr.types import AsrError, AudioFrame, Hypothesis, Party, Segment, Utterance
from asr.vad import SpeechDetector
from asr.worker import RecognitionPool, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """How one call is recognised. Raises `ValueError` for values out of range."""

    segmenter: SegmenterOptions = field(default_factory=SegmenterOptions)
    """How speech is cut into utterances."""
    leaks: LeakOptions = field(default_factory=LeakOptions)
    """When a leg is taken to repeat the other party's voice."""
    block_s: float = 0.09
    """Sound of one leg that is collected before it is listened to."""
    finals_in_flight: int = 4
    """Closed utterances per leg that may wait for their text before no more sound is taken."""
    segments_waiting: int = 64
    """Segments that may wait for whoever takes them."""
    with_partials: bool = True
    """Whether open utterances are recognised too; files have no use for them."""
    keep_fillers: bool = True
    """Whether hesitations such as 嗯 stay in the text."""

    def __post_init__(self) -> None:
        if not 0.032 <= self.block_s <= 5.0:
            raise ValueError("block_s must lie between 0.032 and 5 s.")
        if self.finals_in_flight < 1 or self.segments_waiting < 1:
            raise ValueError("finals_in_flight and segments_waiting must be 1 at least.")


async def recognise_call(
    frames: AsyncIterator[AudioFrame],
    *,
    pool: RecognitionPool,
    detector: SpeechDetector,
    options: StreamOptions | None = None,
    first_numbers: Mapping[Party, int] | None = None,
    lexicon: Lexicon | None = None,
) -> AsyncIterator[Segment]:
    """Yield the segments of one call until its frames end and every final has been given.

    `first_numbers` lets a resumed call go on numbering its utterances; `lexicon` are the words that are
    put right. Close the iterator (`aclose`) to give up early.
    An utterance that the engine fails on does not end the call: the last partial stands for it, marked
    as unclear. Raises `AsrError` where the pool was stopped, and whatever `frames` raises.
    """
    call = _Call(pool, detector, options or StreamOptions(), first_numbers or {}, lexicon)
    work = asyncio.create_task(call.run(frames))
    try:
        while (given := await call.segments.get()) is not None:
            if isinstance(given, Exception):
                raise given
            yield given
    finally:
        work.cancel()
        await asyncio.wait([work])


@dataclass(slots=True, eq=False)
class _Ear:
    """What is known of one leg."""

    leg: Leg
    room: asyncio.Semaphore
    """As many closed utterances may be in flight as it lets pass."""
    finals: asyncio.Queue[tuple[Utterance, asyncio.Task[Hypothesis | None]] | None]
    """The finals in flight, in the order in which they are given out."""
    waiting: list[AudioFrame] = field(default_factory=list)
    """Frames that do not yet make a block."""
    waiting_s: float = 0.0
    hint: Hint | None = None
    finished: int = 0
    """Number of the last utterance whose final was given."""
    shown: dict[int, "_Partials"] = field(default_factory=dict)
    """By number, the utterances not yet final of which a partial was given."""
    shown_until_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Partials:
    """What was shown of an open utterance."""

    latest: Hypothesis
    agreement: Agreement = field(default_factory=Agreement)


class _Call:
    """The tasks of one call and what they share."""

    def __init__(
        self,
        pool: RecognitionPool,
        detector: SpeechDetector,
        options: StreamOptions,
        first_numbers: Mapping[Party, int],
        lexicon: Lexicon | None,
    ) -> None:
        self.segments: asyncio.Queue[Segment | Exception | None] = asyncio.Queue(options.segments_waiting)
        self._pool = pool
        self._detector = detector
        self._options = options
        self._first_numbers = first_numbers
        self._lexicon = lexicon
        self._ears: dict[Party, _Ear] = {}
        self._call_ids: set[str] = set()
        self._has_listened = False

    async def run(self, frames: AsyncIterator[AudioFrame]) -> None:
        """Work until the frames end and all is recognised; the last thing given is None or an error."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._hear(frames, tasks)
        except ExceptionGroup as group:
            await self.segments.put(_first(group))
        else:
            await self.segments.put(None)
        finally:
            for call_id in self._call_ids:
                self._pool.forget(call_id)

    async def _hear(self, frames: AsyncIterator[AudioFrame], tasks: asyncio.TaskGroup) -> None:
        async for frame in frames:
            ear = self._ears.get(frame.party) or self._new_ear(frame, tasks)
            ear.waiting.append(frame)
            ear.waiting_s += frame.end_s - frame.start_s
            if self._is_time_to_listen(ear):
                await self._listen(tasks)
        await self._listen(tasks)
        for ear in self._ears.values():
            for utterance in await self._pool.listen(ear.leg.finish):
                await self._recognise(ear, utterance, tasks)
            ear.finals.put_nowait(None)

    def _is_time_to_listen(self, ear: _Ear) -> bool:
        """Whether every leg has brought a block, or one of them so much that it waits no longer."""
        block_s = self._options.block_s
        # the first block waits for a second one, because only then all legs are known
        if ear.waiting_s >= 2 * block_s:
            return True
        return self._has_listened and all(other.waiting_s >= block_s for other in self._ears.values())

    def _new_ear(self, frame: AudioFrame, tasks: asyncio.TaskGroup) -> _Ear:
        ear = _Ear(
            leg=Leg(
                call_id=frame.call_id,
                party=frame.party,
                detector=self._detector.new_leg(),
                options=self._options.segmenter,
                leaks=self._options.leaks,
                first_number=self._first_numbers.get(frame.party, 1),
            ),
            room=asyncio.Semaphore(self._options.finals_in_flight),
            finals=asyncio.Queue(),
        )
        self._ears[frame.party] = ear
        self._call_ids.add(frame.call_id)
        tasks.create_task(self._give_finals(ear))
        return ear

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        self._has_listened = True
        ears = list(self._ears.values())
        heard = []
        for ear in ears:
            heard.append(Heard(leg=ear.leg, frames=ear.waiting, hint=ear.hint))
            ear.waiting, ear.waiting_s, ear.hint = [], 0.0, None
        for ear, utterances in zip(
            ears, await self._pool.listen(lambda: listen_together(heard)), strict=True
        ):
            for utterance in utterances:
                await self._take(ear, utterance, tasks)

    async def _take(self, ear: _Ear, utterance: Utterance, tasks: asyncio.TaskGroup) -> None:
        if utterance.is_closed:
            await self._recognise(ear, utterance, tasks)
        elif self._options.with_partials:
            ticket = self._pool.offer(utterance)
            if ticket is not None:
                tasks.create_task(self._give_partial(ear, utterance, ticket))

    async def _recognise(self, ear: _Ear, utterance: Utterance, tasks: asyncio.TaskGroup) -> None:
        await ear.room.acquire()
        ear.finals.put_nowait((utterance, tasks.create_task(self._recognised(utterance))))

    async def _recognised(self, utterance: Utterance) -> Hypothesis | None:
        """Wait for the text of a closed utterance; None where the engine failed on it."""
        try:
            return await self._pool.recognise(utterance)
        except AsrError as error:
            if error.recoverable:
                return None
            raise

    async def _give_finals(self, ear: _Ear) -> None:
        while (final := await ear.finals.get()) is not None:
            utterance, recognition = final
            hypothesis = await recognition
            ear.room.release()
            ear.finished = utterance.number
            partials = ear.shown.pop(utterance.number, None)
            text_of = hypothesis or (partials.latest if partials else None)
            if text_of is None:
                continue  # the pool has counted the failure, and nothing on the screen has to go
            segment = self._segment(utterance, text_of)
            if hypothesis is None:
                segment = replace(segment, is_unclear=True)
            if segment.text or partials:
                await self.segments.put(corrected(segment, self._lexicon))

    async def _give_partial(self, ear: _Ear, utterance: Utterance, ticket: Ticket) -> None:
        hypothesis = await ticket
        is_late = utterance.number <= ear.finished or utterance.end_s < ear.shown_until_s
        if hypothesis is None or is_late:
            return
        segment = self._segment(utterance, hypothesis)
        ear.hint = Hint(number=utterance.number, until_s=utterance.end_s, ending=ending_of(segment.text))
        segment = corrected(segment, self._lexicon)  # only now: no list of words decides where speech is cut
        if segment.text and not self.segments.full():  # a slow reader misses partials, never finals
            partials = ear.shown.setdefault(utterance.number, _Partials(latest=hypothesis))
            partials.latest = hypothesis
            ear.shown_until_s = utterance.end_s
            text = partials.agreement.show(segment.text, is_whole=utterance.is_settled)
            # the places of corrections are those in the text as it was recognised
            kept = segment.corrections if text == segment.text else ()
            self.segments.put_nowait(replace(segment, text=text, corrections=kept))

    def _segment(self, utterance: Utterance, hypothesis: Hypothesis) -> Segment:
        return segment_of(
            hypothesis,
            call_id=utterance.call_id,
            segment_id=utterance.segment_id,
            party=utterance.party,
            start_s=utterance.start_s,
            end_s=utterance.end_s,
            is_final=utterance.is_closed,
            keep_fillers=self._options.keep_fillers,
        )


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """Take the first error out of a group; the others are its consequences."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
