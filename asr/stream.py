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
from concurrent.futures import Executor
from dataclasses import dataclass, field

from asr.endpoint import Hint, ending_of
from asr.leg import Leg
from asr.segmenter import SegmenterOptions
from asr.text import readable
from asr.types import AudioFrame, Hypothesis, Party, Segment, Utterance
from asr.vad import SpeechDetector
from asr.worker import RecognitionPool, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """How one call is recognised. Raises `ValueError` for values out of range."""

    segmenter: SegmenterOptions = field(default_factory=SegmenterOptions)
    """How speech is cut into utterances."""
    block_s: float = 0.15
    """Sound of one leg that is collected before it is listened to."""
    finals_in_flight: int = 4
    """Closed utterances per leg that may wait for their text before no more sound is taken."""
    segments_waiting: int = 64
    """Segments that may wait for whoever takes them."""
    with_partials: bool = True
    """Whether open utterances are recognised too; files have no use for them."""

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
    listen_on: Executor | None = None,
) -> AsyncIterator[Segment]:
    """Yield the segments of one call until its frames end and every final has been given.

    `first_numbers` lets a resumed call go on numbering its utterances; `listen_on` are the threads that
    look for speech (the loop's own where None). Close the iterator (`aclose`) to give up early.
    Raises `AsrError` where recognition fails, and whatever `frames` raises.
    """
    call = _Call(pool, detector, options or StreamOptions(), first_numbers or {}, listen_on)
    work = asyncio.create_task(call.run(frames))
    try:
        while (segment := await call.segments.get()) is not None:
            yield segment
        await work
    finally:
        work.cancel()
        await asyncio.wait([work])


class _Ear:
    """What is known of one leg: the listening, the finals under way, the partials shown."""

    def __init__(self, leg: Leg, in_flight: int) -> None:
        self.leg = leg
        self.finals: asyncio.Queue[tuple[Utterance, asyncio.Task[Hypothesis]] | None] = asyncio.Queue()
        self.room = asyncio.Semaphore(in_flight)
        self.waiting: list[AudioFrame] = []
        self.waiting_s = 0.0
        self.hint: Hint | None = None
        self.finished = 0  # number of the last utterance whose final was given
        self.shown: set[int] = set()  # numbers of open utterances of which a partial was given
        self.shown_until_s = 0.0


class _Call:
    """The tasks of one call and what they share."""

    def __init__(
        self,
        pool: RecognitionPool,
        detector: SpeechDetector,
        options: StreamOptions,
        first_numbers: Mapping[Party, int],
        listen_on: Executor | None,
    ) -> None:
        self.segments: asyncio.Queue[Segment | None] = asyncio.Queue(options.segments_waiting)
        self._pool = pool
        self._detector = detector
        self._options = options
        self._first_numbers = first_numbers
        self._listen_on = listen_on
        self._ears: dict[Party, _Ear] = {}

    async def run(self, frames: AsyncIterator[AudioFrame]) -> None:
        """Work until the frames end and all is recognised; then, or on an error, end the segments."""
        try:
            async with asyncio.TaskGroup() as tasks:
                async for frame in frames:
                    ear = self._ears.get(frame.party) or self._new_ear(frame, tasks)
                    ear.waiting.append(frame)
                    ear.waiting_s += frame.end_s - frame.start_s
                    if ear.waiting_s >= self._options.block_s:
                        await self._listen(ear, tasks)
                for ear in self._ears.values():
                    await self._listen(ear, tasks)
                    await self._take(ear, await self._threaded(ear.leg.finish), tasks)
                    ear.finals.put_nowait(None)
        except BaseExceptionGroup as group:
            raise _first(group) from None
        finally:
            await _put_end(self.segments)
