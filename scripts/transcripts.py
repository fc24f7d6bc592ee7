"""Recordings as the streaming engine writes them down, remembered until engine, settings or sound change.

In: reference calls with recordings, the settings of the ears, a folder to remember in.
Out: the final `Segment`s of each call, in the order in which they ended.
Not known here: what is measured with them, any server.

Sound is given as fast as it is taken, yet never before the engine has answered what it heard so far: so
the ears decide as they would live with time to spare, and the same recording gives the same text.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

import asr
from asr.backlog import BatchOptions
from asr.pool_options import PoolOptions
from asr.recordings import read_file
from asr.stream import StreamOptions, recognise_call
from asr.transcriber import WhisperOptions, WhisperTranscriber
from asr.types import AudioFrame, Segment, Utterance
from asr.vad import SileroDetector
from asr.worker import RecognitionPool, Ticket
from scripts.call_data import ReferenceCall, with_recordings

_LIBRARIES = ("av", "ctranslate2", "faster-whisper", "numpy", "onnxruntime", "opencc", "soxr")
_SEGMENTS = TypeAdapter(tuple[Segment, ...])
_SETTINGS = TypeAdapter(dict[str, Any])
_AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EarSettings:
    """Which model hears, and how."""

    model: str
    """Name of the model, for people."""
    folder: Path
    """Where its weights lie."""
    whisper: WhisperOptions = field(default_factory=WhisperOptions)
    stream: StreamOptions = field(default_factory=StreamOptions)
    beam_size: int = 5
    """Of finals."""

    def told(self) -> dict[str, Any]:
        """All that decides what is heard, in JSON form, but the weights and the code."""
        return {
            "model": self.model,
            "beam_size": self.beam_size,
            "whisper": asdict(self.whisper),
            "stream": asdict(self.stream),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcripts:
    """What was heard in all calls."""

    segments: dict[str, tuple[Segment, ...]]
    """By call, in the order of their ends."""
    heard_calls: int
    """Calls recognised now; the others were remembered."""
    heard_s: float
    """Length of their recordings."""
    took_s: float
    """How long that took."""

    @property
    def x_realtime(self) -> float | None:
        """Seconds of recording per second; None where everything was remembered."""
        return self.heard_s / self.took_s if self.heard_calls else None


class TranscriptCache:
    """Files of segments, named by everything that decides what is in them."""

    def __init__(self, folder: Path, settings: EarSettings) -> None:
        self._folder = folder
        self._fingerprint = _fingerprint(settings)

    def place(self, call: ReferenceCall, recording: Path) -> Path:
        """Where the call's segments are remembered; reads the whole recording once."""
        with recording.open("rb") as sound:
            digest = hashlib.file_digest(sound, "sha256")
        digest.update("\0".join([self._fingerprint, call.call_id, *call.parties]).encode())
        return self._folder / f"{digest.hexdigest()[:40]}.json"

    def read(self, place: Path) -> tuple[Segment, ...] | None:
        """Recall segments; None where there are none, or none that can be read."""
        try:
            return _SEGMENTS.validate_json(place.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write(self, place: Path, segments: tuple[Segment, ...]) -> None:
        """Remember segments; a reader sees all of them or none."""
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = place.with_suffix(f".{time.monotonic_ns()}.part")
        aside.write_bytes(_SEGMENTS.dump_json(segments, indent=1))
        aside.replace(place)


async def transcribe_calls(
    calls: Sequence[ReferenceCall],
    settings: EarSettings,
    folder: Path,
    *,
    on_done: Callable[[str], None] = lambda _call_id: None,
) -> Transcripts:
    """Hear every call, or remember what was heard; `on_done` is told each call.

    Raises `BadData` where a recording is missing, and `AsrError` where one cannot be heard.
    """
    cache = TranscriptCache(folder, settings)
    places = {call.call_id: cache.place(call, recording) for call, recording in with_recordings(calls)}
    segments: dict[str, tuple[Segment, ...]] = {}
    unheard = []
    for call in calls:
        remembered = cache.read(places[call.call_id])
        if remembered is None:
            unheard.append(call)
        else:
            segments[call.call_id] = remembered
            on_done(call.call_id)
    took_s = 0.0
    if unheard:
        began = time.monotonic()
        async with aclosing(_hear_all(unheard, settings)) as heard:
            async for call_id, found in heard:
                cache.write(places[call_id], found)
                segments[call_id] = found
                on_done(call_id)
        took_s = time.monotonic() - began
    return Transcripts(
        segments=segments,
        heard_calls=len(unheard),
        heard_s=sum(call.seconds for call in unheard),
        took_s=took_s,
    )


class _PatientPool(RecognitionPool):
    """A pool that keeps the answers it owes, so that a call can wait for them.

    Of open utterances it takes those at a pause alone: their text decides how long a pause is waited for,
    and it becomes the final where nothing more is said. All others are for the eye.
    """

    def __init__(self, transcriber: WhisperTranscriber, beam_size: int) -> None:
        # One utterance at a time: what is decoded beside it must not change its text. One thread
        # more than the engine has, because the pool keeps one from open utterances.
        options = PoolOptions(
            workers=transcriber.workers + 1,
            batches=BatchOptions(max_batch=1, gather_s=0.0, partial_every_s=0.0, final_beam=beam_size),
        )
        super().__init__(transcriber, options)
        self._owed: dict[str, list[Ticket]] = {}

    def offer(self, utterance: Utterance) -> Ticket | None:
        """Offer an open utterance, and remember that its answer is owed."""
        is_wanted = utterance.is_settled and not utterance.is_guess  # guesses hang on the load of the moment
        ticket = super().offer(utterance) if is_wanted else None
        if ticket is not None:
            self._owed.setdefault(utterance.call_id, []).append(ticket)
        return ticket

    async def answered(self, call_id: str) -> None:
        """Wait until everything offered in the call has its answer."""
        owed = self._owed.pop(call_id, [])
        if owed:
            await asyncio.wait(owed)


async def _hear_all(
    calls: Sequence[ReferenceCall], settings: EarSettings
) -> AsyncGenerator[tuple[str, tuple[Segment, ...]]]:
    """Hear several calls at once; gives each as it is done."""
    transcriber = await asyncio.to_thread(WhisperTranscriber, settings.folder, settings.whisper)
    detector = SileroDetector()
    room = asyncio.Semaphore(_AT_ONCE)
    async with _PatientPool(transcriber, settings.beam_size) as pool:

        async def hear(call: ReferenceCall) -> tuple[str, tuple[Segment, ...]]:
            async with room:
                given = recognise_call(
                    _frames(call, pool), pool=pool, detector=detector, options=settings.stream
                )
                finals = [segment async for segment in given if segment.is_final and segment.text]
            # Which leg's thread was quicker is chance; when a segment ended is not.
            return call.call_id, tuple(sorted(finals, key=lambda each: (each.end_s, each.segment_id)))

        tasks = [asyncio.create_task(hear(call)) for call in calls]
        try:
            for done in asyncio.as_completed(tasks):
                yield await done
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _frames(call: ReferenceCall, pool: _PatientPool) -> AsyncIterator[AudioFrame]:
    assert call.recording is not None  # `with_recordings` has seen to it
    for frame in read_file(call.recording, call_id=call.call_id, parties=call.parties):
        await pool.answered(call.call_id)
        yield frame


def _fingerprint(settings: EarSettings) -> str:
    """Hash what decides what is heard: settings, weights, our own code, the libraries."""
    digest = hashlib.sha256(_SETTINGS.dump_json(settings.told()))
    sources = Path(asr.__file__).parent
    for file in chain(sorted(sources.rglob("*.py")), sorted(settings.folder.rglob("*"))):
        if file.is_file():
            with file.open("rb") as content:
                digest.update(file.name.encode() + hashlib.file_digest(content, "sha256").digest())
    for library in _LIBRARIES:
        digest.update(f"{library}=={version(library)}".encode())
    return digest.hexdigest()
