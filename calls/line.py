"""The line: one call's sound on its way from whoever carries it to the ears.

In: raw bytes and gaps, as they come. Out: `AudioFrame`s in media time, and what had to be skipped.
Not known here: sockets and protocols, recognition, what the sound means.

Bound: 10 s of unheard sound. When full, the carrier waits up to 2 s for the ears; then the oldest second
is skipped, `on_skipped` is told, and the span is kept for hearing after the call (it is in the spool).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from asr.decode import Encoding, FrameDecoder
from asr.types import AudioFrame, Party
from calls.spool import Spool
from calls.types import AudioFormat, CallBroken


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOptions:
    """How much unheard sound a line holds, and in what pieces it is heard."""

    max_unheard_s: float = 10.0
    """Seconds of sound that may wait for the ears."""
    patience_s: float = 2.0
    """Seconds that the carrier waits for room before the oldest sound is skipped."""
    skip_s: float = 1.0
    """Seconds that are skipped at a time."""
    block_s: float = 0.1
    """Seconds of sound that are handed on together."""

    def __post_init__(self) -> None:
        if not 0 < self.block_s <= self.skip_s <= self.max_unheard_s:
            raise ValueError("block_s, skip_s and max_unheard_s must be positive and in that order")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the spool, in bytes."""

    start: int
    end: int


class Line:
    """One call's sound, written to its spool and read back from it at the pace of the ears."""

    def __init__(
        self,
        *,
        call_id: str,
        audio_format: AudioFormat,
        spool: Spool,
        on_skipped: Callable[[float, float], Awaitable[None]],
        options: LineOptions,
        heard: int = 0,
        skipped: Sequence[Span] = (),
    ):
        """When a call is taken up again, `heard` is the position in bytes from which to hear.

        `skipped` is then what was skipped before that and has not been heard since.
        `on_skipped` is awaited with media time and length, in seconds, of sound that was skipped.
        """
        self.skipped: list[Span] = list(skipped)
        self._call_id = call_id
        self._format = audio_format
        self._spool = spool
        self._on_skipped = on_skipped
        self._options = options
        self._heard = heard
        self._opened_at = spool.end
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
    def received_s(self) -> float:
        """Media time of all that was accepted, gaps included."""
        return self._format.seconds(self._spool.end)

    @property
    def unheard_s(self) -> float:
        """Seconds of sound fed to this line that the ears have not taken yet.

        Gaps are not counted, nor what an earlier line left unheard: that is caught up with, not skipped.
        """
        waiting = self._spool.end - max(self._heard, self._opened_at)
        return self._format.seconds(waiting - sum(gap.end - gap.start for gap in self._gaps))

    async def feed(self, data: bytes) -> None:
        """Accept whole sample frames. Raises `StorageFailed`, and `CallBroken` where the line is hung up.

        What was accepted before stays.
        """
        if self._is_hung_up:
            raise CallBroken
        self._spool.append(data)
        self._arrived.set()
        while not self._is_hung_up and self.unheard_s > self._options.max_unheard_s:
            self._moved.clear()
            try:
                async with asyncio.timeout(self._options.patience_s):
                    await self._moved.wait()
            except TimeoutError:
                await self._skip_oldest()

    async def _skip_oldest(self) -> None:
        start = self._heard
        end = min(start + self._format.n_bytes(self._options.skip_s), self._spool.end)
        self._heard = end
        if self.skipped and self.skipped[-1].end == start:
            self.skipped[-1] = Span(self.skipped[-1].start, end)
        else:
            self.skipped.append(Span(start, end))
        await self._on_skipped(self._format.seconds(start), self._format.seconds(end - start))

    def leave_gap(self, seconds: float) -> None:
        """Let media time go on by sound that never came; the spool keeps silence there."""
        start = self._spool.end
        self._spool.append_silence(seconds)
        self._gaps.append(Span(start, self._spool.end))
        self._arrived.set()

    def hang_up(self) -> None:
        """No more sound will come; `frames` ends once everything was heard."""
        self._is_hung_up = True
        self._arrived.set()
        self._moved.set()

    def close(self) -> None:
        """Let the spool of a line that is hung up go. Raises `StorageFailed`. Blocks until all is on disk."""
        self._spool.close()

    async def frames(self) -> AsyncIterator[AudioFrame]:
        """The sound in order of media time, every leg, until the line is hung up."""
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
            ready = (self._gaps[0].start if self._gaps else self._spool.end) - position
            if ready >= block or (ready > 0 and (self._is_hung_up or self._gaps)):
                data = self._spool.read(position, position + min(ready, block))
                position = self._heard = position + len(data)
                self._moved.set()
                for frame in decoder.decode(data):
                    yield frame
            elif self._is_hung_up and not self._gaps:
                break
            elif not self._gaps:
                await self._arrived.wait()
        for frame in decoder.flush():
            yield frame

    def _jump_gap(self) -> bool:
        """Step over a gap that has been reached; sound skipped past a gap takes the gap with it."""
        has_jumped = False
        while self._gaps and self._heard >= self._gaps[0].start:
            self._heard = max(self._heard, self._gaps.popleft().end)
            has_jumped = True
        return has_jumped

    async def frames_of(self, span: Span) -> AsyncIterator[AudioFrame]:
        """The sound of one span, from the spool."""
        decoder = self._decoder(span.start)
        block = self._format.n_bytes(1.0)
        for start in range(span.start, span.end, block):
            for frame in decoder.decode(self._spool.read(start, min(start + block, span.end))):
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
