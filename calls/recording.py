"""A stretch of a call's sound, as a WAV file that any player takes.

In: what opens a recording, a stretch, the legs that are wanted. Out: the file's length, then its bytes.
Not known here: HTTP, who listens, how the sound is kept, whether the call still goes on (it only grows).
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from calls.audio.sound import Sound

MAX_S = 600.0
"""Longest stretch that is given out at once, where no range is asked for."""
_SAMPLE_BYTES = 2
_HEAD_BYTES = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Whole sample frames, `start` to `end`; 16-bit linear, one channel per leg that is wanted."""

    open: Callable[[], Sound]
    """Called when the first byte is asked for: whoever asks for none leaves no file open."""
    rate_hz: int
    start: int
    end: int
    legs: tuple[int, ...]

    @property
    def n_bytes(self) -> int:
        """Length of the WAV file."""
        return _HEAD_BYTES + (self.end - self.start) * self._frame_bytes

    @property
    def _frame_bytes(self) -> int:
        return len(self.legs) * _SAMPLE_BYTES

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        """The bytes of the file from `first` up to but not including `last`."""
        last = self.n_bytes if last is None else last
        with self.open() as sound:
            if first < _HEAD_BYTES:
                yield self._head()[first:last]
            frame, skipped = divmod(max(0, first - _HEAD_BYTES), self._frame_bytes)
            left = last - max(first, _HEAD_BYTES)
            for pcm in sound.pieces(self.start + frame, self.end):
                if left <= 0:
                    return
                data = np.ascontiguousarray(pcm[:, self.legs]).astype("<i2").tobytes()[skipped:][:left]
                skipped, left = 0, left - len(data)
                yield data

    def _head(self) -> bytes:
        channels, rate_hz = len(self.legs), self.rate_hz
        data_bytes = (self.end - self.start) * self._frame_bytes
        form = struct.pack(
            "<HHIIHH", 1, channels, rate_hz, rate_hz * self._frame_bytes, self._frame_bytes, 8 * _SAMPLE_BYTES
        )
        head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", data_bytes)
        return b"RIFF" + struct.pack("<I", len(head) + data_bytes) + head


def cut(
    open_sound: Callable[[], Sound], from_s: float, to_s: float, legs: tuple[int, ...] | None = None
) -> Recording:
    """That stretch, as whole sample frames; of all legs unless some are named."""
    with open_sound() as sound:
        return Recording(
            open=open_sound,
            rate_hz=sound.rate_hz,
            start=min(round(from_s * sound.rate_hz), sound.frames),
            end=min(round(to_s * sound.rate_hz), sound.frames),
            legs=tuple(range(len(sound.channels))) if legs is None else legs,
        )
