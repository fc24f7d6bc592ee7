"""One recording on its way into one call: at the pace of speech, to be paused and stopped.

In: raw PCM on disk, a session that is open. Out: sound fed to the call, then its hang-up.
Not known here: how the file was decoded, who may ask, other recordings.

Unlike a telephone line, a file can wait: where the ears fall behind, it is held instead of skipped.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np

from asr.types import Party
from calls.session import Session
from calls.switchboard import Switchboard
from calls.types import CallError

_BLOCK_S = 0.1
_UNHEARD_S = 4.0
"""With this much sound waiting for the ears, the file waits too."""
_LOOK_S = 0.1


class PlayState(StrEnum):
    """Where a recording stands."""

    PLAYING = "playing"
    PAUSED = "paused"
    ENDING = "ending"
    """All was said; the last words are being written."""
    ENDED = "ended"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Playback:
    """A recording being played, as one may look at it and steer it."""

    call_id: str
    name: str
    parties: tuple[Party, ...]
    seconds: float
    speed: float
    is_truncated: bool
    is_alike: bool
    """Two channels with the same sound were laid together."""
    state: PlayState = PlayState.PLAYING
    position_s: float = 0.0
    error: CallError | None = None
    is_stopping: bool = False
    steered: asyncio.Event = field(default_factory=asyncio.Event)

    def pause(self, *, is_paused: bool) -> None:
        """Hold or go on; without effect once all was said."""
        if self.state in (PlayState.PLAYING, PlayState.PAUSED):
            self.state = PlayState.PAUSED if is_paused else PlayState.PLAYING
            self.steered.set()

    def stop(self) -> None:
        """Hang up; the words up to here are still written."""
        self.is_stopping = True
        self.steered.set()


async def play(
    playback: Playback,
    session: Session,
    switchboard: Switchboard,
    *,
    pcm: Path,
    audio: tuple[int, int],
    max_paused_s: float,
    clock_s: Callable[[], float],
) -> None:
    """Play to the end, or until stopped, and hang up; `audio` is the file's rate in Hz and its channels.

    Never raises a `CallError`: it is kept to be asked for.
    """
    fd = await asyncio.to_thread(os.open, pcm, os.O_RDONLY)
    try:
        rate_hz, channels = audio
        begun_s, begun_at_s = clock_s(), 0.0
        while not playback.is_stopping:
            if playback.state is PlayState.PAUSED or session.line.unheard_s > _UNHEARD_S:
                if await _hold(playback, session, switchboard, max_paused_s):
                    break
                begun_s, begun_at_s = clock_s(), playback.position_s
                continue
            start = round(playback.position_s * rate_hz)
            data = os.pread(fd, round(_BLOCK_S * rate_hz) * 2 * channels, start * 2 * channels)
            if not data:
                break
            end_s = (start + len(data) // (2 * channels)) / rate_hz
            # Sound is heard when it has been spoken, not before: a live line cannot look ahead.
            due_s = begun_s + (end_s - begun_at_s) / playback.speed
            if await _is_steered(playback, due_s - clock_s()):
                continue
            await switchboard.feed(session, _laid_together(data) if _is_to_mix(playback, channels) else data)
            playback.position_s = end_s
        playback.state = PlayState.ENDING
        await switchboard.hang_up(session)
        playback.state = PlayState.ENDED
    except CallError as error:
        playback.state, playback.error = PlayState.FAILED, error
    finally:
        os.close(fd)


async def _hold(playback: Playback, session: Session, switchboard: Switchboard, max_paused_s: float) -> bool:
    """Wait while paused, or until the ears have caught up; says whether it was held for too long."""
    if playback.state is not PlayState.PAUSED:
        await switchboard.feed(session, b"")  # a call that broke meanwhile says so
        await asyncio.sleep(_LOOK_S)
        return False
    switchboard.pause(session, is_paused=True)
    if not await _is_steered(playback, max_paused_s):
        return True
    switchboard.pause(session, is_paused=False)
    return False


async def _is_steered(playback: Playback, wait_s: float) -> bool:
    """Wait; says whether somebody paused, went on or stopped meanwhile."""
    if wait_s > 0:
        try:
            async with asyncio.timeout(wait_s):
                await playback.steered.wait()
        except TimeoutError:
            return False
    is_steered = playback.steered.is_set()
    playback.steered.clear()
    return is_steered


def _is_to_mix(playback: Playback, channels: int) -> bool:
    return channels > len(playback.parties)


def _laid_together(data: bytes) -> bytes:
    """The mean of two channels."""
    pairs = np.frombuffer(data, dtype="<i2").reshape(-1, 2).astype(np.int32)
    return bytes((pairs.sum(axis=1) // 2).astype("<i2").tobytes())
