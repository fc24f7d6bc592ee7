"""Recordings played into the switchboard as if they were live calls.

In: the bytes of a sound file and how to play it. Out: a call that hears it at the pace of speech.
Not known here: HTTP, containers and codecs (a function decodes), recognition, screens.

Bound: `max_at_once` recordings between first byte and last word; past it `RecordingsBusy`. Two are decoded at
a time, the others wait. One that is paused for too long is hung up; the last 32 that are over are remembered.
"""

import asyncio
import logging
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from asr.types import Party
from calls.admission import Opening
from calls.ingest.playing import Playback, PlayState, play
from calls.spool import has_room
from calls.switchboard import Switchboard
from calls.types import AudioFormat, CallError, HouseFull, StorageFailed, UnknownCall

log = logging.getLogger(__name__)

_PIECE_BYTES = 1_048_576
_OVER_KEPT = 32


class RecordingsBusy(CallError):
    """As many recordings as the server plays at once are playing."""

    code = "recording.busy"


class RecordingTooLarge(CallError):
    """More bytes than a recording may have."""

    code = "recording.too_large"


class UnknownRecording(UnknownCall):
    """No recording plays as that call."""

    code = "recording.unknown"


class NobodyWaits(CallError):
    """Who sent the recording has left before it was ready."""

    code = "recording.abandoned"


class Decoded(Protocol):
    """What decoding says of a file."""

    @property
    def sample_rate_hz(self) -> int:
        """Of the written samples."""

    @property
    def channels(self) -> int:
        """One or two."""

    @property
    def seconds(self) -> float:
        """How long it plays."""

    @property
    def is_alike(self) -> bool:
        """Whether both channels are the same."""

    @property
    def is_truncated(self) -> bool:
        """Whether the file broke off."""


Decode = Callable[[Path, Path], Awaitable[Decoded]]
"""(file as it came, file to write) → what was written. Raises `AsrError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOptions:
    """How much is taken."""

    max_at_once: int = 8
    """Recordings being received, decoded or played."""
    max_decoding: int = 2
    """Of these, decoded at the same time."""
    max_bytes: int = 200_000_000
    """Of one file."""
    min_free_bytes: int = 1_000_000_000
    """Free disk space below which no recording is taken: calls need it more."""
    max_paused_s: float = 600.0
    """A recording that is paused longer is hung up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a recording shall be played."""

    name: str
    left: Literal["citizen", "operator", "mixed"] = "citizen"
    """Who speaks on the left of two channels; `mixed`: both are laid together."""
    speed: float = 1.0
    operator_id: str | None = None


class Recordings:
    """Every recording that is on its way into this server."""

    def __init__(self, switchboard: Switchboard, *, decode: Decode, folder: Path, options: RecordingOptions):
        self._switchboard = switchboard
        self._decode = decode
        self._folder = folder
        self._options = options
        self._decoding = asyncio.Semaphore(options.max_decoding)
        self._under_way = 0
        self._playing: dict[str, Playback] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def max_bytes(self) -> int:
        """Of one file."""
        return self._options.max_bytes

    def all(self) -> list[Playback]:
        """Those that play and those that are over, oldest first."""
        return list(self._playing.values())

    def get(self, call_id: str) -> Playback:
        """The recording that plays as that call. Raises `UnknownRecording`."""
        try:
            return self._playing[call_id]
        except KeyError:
            raise UnknownRecording(f"没有正在播放的录音 {call_id}。") from None

    async def start(
        self, chunks: AsyncIterator[bytes], wish: Wish, *, is_wanted: Callable[[], Awaitable[bool]]
    ) -> Playback:
        """Take a file, decode it, open a call and begin to play; returns once the call is open.

        Raises `CallError`s and what decoding raises; nothing of the file is left then.
        """
        if (why := self._refusal()) is not None:
            await _drain(chunks, self._options.max_bytes)
            raise why
        self._under_way += 1
        stem = self._folder / secrets.token_hex(8)
        came, pcm = stem.with_suffix(".part"), stem.with_suffix(".pcm")
        is_handed_on = False
        try:
            await self._receive(chunks, came)
            async with self._decoding:
                decoded = await self._decode(came, pcm)
            if not await is_wanted():
                raise NobodyWaits("页面已离开，录音没有开始。")
            playback = await self._open(decoded, pcm, wish)
            is_handed_on = True
            return playback
        finally:
            await asyncio.to_thread(_remove, came, *(() if is_handed_on else (pcm,)))
            if not is_handed_on:
                self._under_way -= 1

    def _refusal(self) -> CallError | None:
        if self._under_way >= self._options.max_at_once:
            return RecordingsBusy(f"同时试听的录音已有 {self._under_way} 个，请等其中一个结束后再试。")
        if (why := self._switchboard.refusal()) is not None:
            return HouseFull(why)
        if not has_room(self._folder, min_free_bytes=self._options.min_free_bytes):
            return StorageFailed("服务器磁盘空间不足，暂不接收录音，请管理员清理磁盘。")
        return None

    async def _receive(self, chunks: AsyncIterator[bytes], path: Path) -> None:
        size = 0
        waiting = bytearray()
        try:
            file = await asyncio.to_thread(path.open, "wb")
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self._options.max_bytes:
                        limit = self._options.max_bytes // 1_000_000
                        raise RecordingTooLarge(f"文件超过 {limit} MB，请截短或压缩后再试。")
                    waiting += chunk
                    if len(waiting) >= _PIECE_BYTES:
                        await asyncio.to_thread(file.write, bytes(waiting))
                        waiting.clear()
                await asyncio.to_thread(file.write, bytes(waiting))
            finally:
                await asyncio.to_thread(file.close)
        except OSError as error:
            raise StorageFailed(f"录音无法写入磁盘（{error.strerror}）。") from error

    async def _open(self, decoded: Decoded, pcm: Path, wish: Wish) -> Playback:
        is_mixed = decoded.channels == 1 or decoded.is_alike or wish.left == "mixed"
        legs = [Party.CITIZEN, Party.OPERATOR]
        parties = (Party.MIXED,) if is_mixed else tuple(legs if wish.left == "citizen" else reversed(legs))
        opening = Opening(
            call_id=f"r-{secrets.token_hex(8)}",
            audio_format=AudioFormat(
                encoding="pcm_s16le", sample_rate_hz=decoded.sample_rate_hz, channels=parties
            ),
            operator_id=wish.operator_id,
            meta={"来源": "录音试听写", "录音": wish.name[:200]},
        )
        session = await self._switchboard.open(opening)
        playback = Playback(
            call_id=opening.call_id,
            name=wish.name,
            parties=parties,
            seconds=decoded.seconds,
            speed=wish.speed,
            is_truncated=decoded.is_truncated,
            is_alike=decoded.is_alike,
        )
        self._playing[opening.call_id] = playback
        work = play(
            playback,
            session,
            self._switchboard,
            pcm=pcm,
            audio=(decoded.sample_rate_hz, decoded.channels),
            max_paused_s=self._options.max_paused_s,
            clock_s=time.monotonic,
        )
        task = asyncio.create_task(work, name=f"recording {opening.call_id}")
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._leave(done, pcm))
        return playback

    def _leave(self, done: asyncio.Task[None], pcm: Path) -> None:
        self._tasks.discard(done)
        self._under_way -= 1
        _remove(pcm)
        over = [one for one in self._playing.values() if one.state in (PlayState.ENDED, PlayState.FAILED)]
        for old in over[:-_OVER_KEPT]:
            del self._playing[old.call_id]
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("a recording broke", exc_info=error)

    async def close(self) -> None:
        """Stop playing; the calls stay open for the switchboard to close."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def open_recordings(
    switchboard: Switchboard, *, decode: Decode, data_dir: Path, options: RecordingOptions | None = None
) -> AsyncIterator[Recordings]:
    """Play recordings while the house is open; what a crash left of their files is cleared away first."""
    folder = data_dir / "recordings"

    def prepare() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)

    await asyncio.to_thread(prepare)
    recordings = Recordings(switchboard, decode=decode, folder=folder, options=options or RecordingOptions())
    try:
        yield recordings
    finally:
        await recordings.close()


async def _drain(chunks: AsyncIterator[bytes], max_bytes: int) -> None:
    """Read what is being sent: a browser hears a refusal only once it has been listened to."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            return


def _remove(*paths: Path) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)
