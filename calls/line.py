"""The line: one call's sound on its way from whoever carries it to the ears.

In: raw bytes and gaps, as they come. Out: `AudioFrame`s in media time, and what had to be skipped.
Not known here: sockets and protocols, recognition, what the sound means.

Bounds: 10 s of unheard sound. When full, the carrier waits up to 2 s for the ears; then the oldest second
is skipped, `on_skipped` is told, and the span is kept for hearing after the call (it is in the spool).
2 s of sound that is not on disk yet: when full, the carrier waits for the disk. Only what is there is heard.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from asr.decode import Encoding, FrameDecoder
from asr.types import AudioFrame, Party
from calls.tape import Tape
from calls.types import AudioFormat, CallBroken, StorageFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOptions:
    """How much unheard sound a line holds, and in what pieces it is heard."""

    max_unheard_s: float = 10.0
    """Seconds of sound that may wait for the ears."""
    patience_s: float = 2.0
    """Seconds that the carrier waits for room before the oldest sound is skipped."""
    skip_s: float = 1.0
    """Seconds that are skipped at a time."""
    max_unwritten_s: float = 2.0
    """Seconds of sound that may wait for the disk."""
    block_s: float = 0.1
    """Seconds of sound that are handed on together."""

    def __post_init__(self) -> None:
        if not 0 < self.block_s <= self.skip_s <= self.max_unheard_s:
            raise ValueError("block_s, skip_s and max_unheard_s must be positive and in that order")
        if self.max_unwritten_s < 0:
            raise ValueError("max_unwritten_s must not be below 0")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the spool, in bytes."""

    start: int
    end: int


class Line:
    """One call's sound, on its way to its spool and read back from it at the pace of the ears."""

    def __init__(
        self,
        *,
        call_id: str,
        audio_format: AudioFormat,
        tape: Tape,
        on_skipped: Callable[[float, float], Awaitable[None]],
        options: LineOptions,
        heard: int = 0,
        skipped: Sequence[Span] = (),
    ):
        """When a call is taken up again, `heard` is the position in bytes from which to hear.

        `skipped` is then what was skipped before that and has not been heard since; what of it is not on
        the tape goes to `away`.
        `on_skipped` is awaited with media time and length, in seconds, of sound that was skipped.
        """
        self.skipped, self.away = _divided(skipped, tape.found)
        self._call_id = call_id
        self._format = audio_format
        self._tape = tape
        tape.on_moved = self._note_written
        self._on_skipped = on_skipped
        self._options = options
        self._heard = heard
        self._opened_at = tape.end
        self._gaps: deque[Span] = deque()
        self._is_hung_up = False
        self._arrived = asyncio.Event()
        self._moved = asyncio.Event()

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self._format.frame_bytes

    @property
    def is_hung_up(self) -> bool:
        """Whether the line takes no more sound."""
        return self._is_hung_up

    @property
    def away_s(self) -> list[tuple[float, float]]:
        """Media time and length, in seconds, of skipped sound that is not here and cannot be heard later."""
        seconds = self._format.seconds
        return [(seconds(one.start), seconds(one.end - one.start)) for one in self.away]

    @property
    def received_s(self) -> float:
        """Media time of all that was accepted, gaps included."""
        return self._format.seconds(self._tape.taken)

    @property
    def unheard_s(self) -> float:
        """Seconds of sound fed to this line that the ears have not taken yet.

        Gaps are not counted, nor what an earlier line left unheard: that is caught up with, not skipped.
        """
        return self._unheard_s(self._tape.taken)

    @property
    def behind_s(self) -> float:
        """For how long the oldest sound that is not on disk yet has been waiting for that."""
        return self._tape.behind_s

    def _unheard_s(self, end: int) -> float:
        gaps = sum(gap.end - gap.start for gap in self._gaps if gap.end <= end)
        return self._format.seconds(end - max(self._heard, self._opened_at) - gaps)

    async def feed(self, data: bytes) -> None:
        """Accept whole sample frames. Raises `StorageFailed`, and `CallBroken` where the line is hung up.

        `StorageFailed` says that sound which was accepted lately could not be written; what was written
        before stays, and `settled` says how much that is.
        """
        if self._is_hung_up:
            raise CallBroken
        self._tape.put(data)
        while not self._is_hung_up and self._unwritten_s > self._options.max_unwritten_s:
            self._moved.clear()
            await self._moved.wait()
        while not self._is_hung_up and self._unheard_s(self._tape.end) > self._options.max_unheard_s:
            self._moved.clear()
            try:
                async with asyncio.timeout(self._options.patience_s):
                    await self._moved.wait()
            except TimeoutError:
                await self._skip_oldest()

    @property
    def _unwritten_s(self) -> float:
        return self._format.seconds(self._tape.taken - self._tape.end)

    def _note_written(self) -> None:
        """More is on disk, or what waited for it is forgotten: then gaps that are not there are none."""
        while self._gaps and self._gaps[-1].end > self._tape.taken:
            gap = self._gaps.pop()
            if gap.start < self._tape.taken:
                self._gaps.append(Span(gap.start, self._tape.taken))
        self._arrived.set()
        self._moved.set()

    async def _skip_oldest(self) -> None:
        start = self._heard
        end = min(start + self._format.n_bytes(self._options.skip_s), self._tape.end)
        self._heard = end
        if self.skipped and self.skipped[-1].end == start:
            self.skipped[-1] = Span(self.skipped[-1].start, end)
        else:
            self.skipped.append(Span(start, end))
        await self._on_skipped(self._format.seconds(start), self._format.seconds(end - start))

    async def leave_gap(self, seconds: float) -> None:
        """Let media time go on by sound that never came; the spool keeps silence there.

        Raises `StorageFailed`.
        """
        start = self._tape.taken
        self._tape.put_silence(self._format.n_bytes(seconds))
        self._gaps.append(Span(start, self._tape.taken))
        await self._tape.written()

    async def settled(self, within_s: float) -> float:
        """Wait until nothing waits for the disk; returns the seconds that are there, where a carrier goes on.

        Raises `StorageFailed` where that takes too long.
        """
        try:
            with suppress(StorageFailed):  # what could not be written is not among them
                async with asyncio.timeout(within_s):
                    await self._tape.written()
        except TimeoutError:
            raise StorageFailed("磁盘写入太慢，先前的声音还没有写完，请稍后重试。") from None
        return self.received_s

    def hang_up(self) -> None:
        """No more sound will come; `frames` ends once everything was heard."""
        self._is_hung_up = True
        self._arrived.set()
        self._moved.set()

    async def close(self) -> None:
        """Let the spool of a line that is hung up go, once all is on disk. Raises `StorageFailed`."""
        await self._tape.close()

    async def frames(self) -> AsyncIterator[AudioFrame]:
        """The sound in order of media time, every leg, until the line is hung up.

        Raises `StorageFailed` in the end where the last of it could not be written.
        """
        decoder = self._decoder(self._heard)
        block = self._format.n_bytes(self._options.block_s)
        position = self._heard
        while True:
            self._arrived.clear()
            if position != self._heard or self._jump_gap():
                for frame in decoder.flush():
                    yield frame
                position = self._heard
                decoder.skip_to(self._format.seconds(position))
            upto, is_cut = self._readable()
            ready = upto - position
            if ready >= block or (ready > 0 and is_cut):
                data = await self._tape.read(position, position + min(ready, block))
                if position != self._heard:
                    continue  # skipped meanwhile
                position = self._heard = position + len(data)
                self._moved.set()
                for frame in decoder.decode(data):
                    yield frame
            elif self._is_hung_up and self._tape.is_written and not self._gaps:
                self._tape.check()
                break
            else:
                await self._arrived.wait()
        for frame in decoder.flush():
            yield frame

    def _readable(self) -> tuple[int, bool]:
        """Up to where sound can be read, and whether a gap or the end follows there."""
        end = self._tape.end
        if self._gaps and self._gaps[0].start <= end:
            return self._gaps[0].start, True
        return end, self._is_hung_up and self._tape.is_written

    def _jump_gap(self) -> bool:
        """Step over a gap that has been reached; sound skipped past a gap takes the gap with it."""
        has_jumped = False
        while self._gaps and self._heard >= self._gaps[0].start and self._gaps[0].end <= self._tape.end:
            self._heard = max(self._heard, self._gaps.popleft().end)
            has_jumped = True
        return has_jumped

    async def frames_of(self, span: Span) -> AsyncIterator[AudioFrame]:
        """The sound of one span, from the spool."""
        decoder = self._decoder(span.start)
        block = self._format.n_bytes(1.0)
        for start in range(span.start, span.end, block):
            for frame in decoder.decode(await self._tape.read(start, min(start + block, span.end))):
                yield frame
        for frame in decoder.flush():
            yield frame

    def _decoder(self, start: int) -> FrameDecoder:
        return FrameDecoder(
            call_id=self._call_id,
            encoding=Encoding(self._format.encoding),
            sample_rate_hz=self._format.sample_rate_hz,
            parties=tuple(Party(channel) for channel in self._format.channels),
            start_s=self._format.seconds(start),
        )


def _divided(spans: Sequence[Span], at: int) -> tuple[list[Span], list[Span]]:
    """What lies before that position, and what lies behind it."""
    before = [Span(one.start, min(one.end, at)) for one in spans if one.start < at]
    behind = [Span(max(one.start, at), one.end) for one in spans if one.end > at]
    return before, behind
