"""A stretch of a call's sound, as a WAV file that any player takes.

In: the call's spool, its format, and a stretch in seconds. Out: the file's length, then its bytes in blocks.
Not known here: HTTP, who listens, whether the call still goes on (its spool only grows).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from asr.decode import linear_pcm
from calls.types import AudioFormat

MAX_S = 600.0
"""Longest stretch that is given out at once."""
_BLOCK_S = 10.0
_SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Whole sample frames of a spool, `start` to `end` in bytes."""

    path: Path
    audio_format: AudioFormat
    start: int
    end: int

    @property
    def n_bytes(self) -> int:
        """Length of the WAV file."""
        return len(self._head()) + self._data_bytes()

    def blocks(self) -> Iterator[bytes]:
        """The WAV file: 16-bit linear, one channel per leg."""
        yield self._head()
        step = self.audio_format.n_bytes(_BLOCK_S)
        with self.path.open("rb") as spool:
            spool.seek(self.start)
            for position in range(self.start, self.end, step):
                data = spool.read(min(step, self.end - position))
                yield linear_pcm(self.audio_format.encoding, data)

    def _data_bytes(self) -> int:
        frames = (self.end - self.start) // self.audio_format.frame_bytes
        return frames * len(self.audio_format.channels) * _SAMPLE_BYTES

    def _head(self) -> bytes:
        channels, rate_hz = len(self.audio_format.channels), self.audio_format.sample_rate_hz
        frame_bytes, data_bytes = channels * _SAMPLE_BYTES, self._data_bytes()
        form = struct.pack(
            "<HHIIHH", 1, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, 8 * _SAMPLE_BYTES
        )
        head = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", data_bytes)
        return b"RIFF" + struct.pack("<I", len(head) + data_bytes) + head


def received_s(path: Path, audio_format: AudioFormat) -> float | None:
    """How much sound lies there, None where there is no file (never any, or deleted)."""
    if not path.exists():
        return None
    return audio_format.seconds(path.stat().st_size // audio_format.frame_bytes * audio_format.frame_bytes)


def cut(path: Path, audio_format: AudioFormat, from_s: float, to_s: float) -> Recording:
    """That stretch of the spool, as whole sample frames."""
    return Recording(
        path=path,
        audio_format=audio_format,
        start=audio_format.n_bytes(from_s),
        end=audio_format.n_bytes(to_s),
    )
