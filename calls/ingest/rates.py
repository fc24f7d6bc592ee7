"""Linear samples of one rate at another one: a call keeps the rate at which it began.

In: 16-bit samples of one channel, piece by piece. Out: the same sound at the wanted rate.
Not known here: where they came from.
"""

import numpy as np
import soxr
from numpy.typing import NDArray


class Resampled:
    """One stream of sound; what goes in at the wanted rate comes out as it is."""

    def __init__(self, to_hz: int):
        self._to_hz = to_hz
        self._from_hz = to_hz
        self._stream: soxr.ResampleStream | None = None

    def take(self, rate_hz: int, data: bytes) -> bytes:
        """The sound at the wanted rate; the filter holds back a few milliseconds."""
        tail = b""
        if rate_hz != self._from_hz:
            tail = self.flush()
            self._from_hz = rate_hz
            if rate_hz != self._to_hz:
                self._stream = soxr.ResampleStream(rate_hz, self._to_hz, 1, dtype="int16")
        if self._stream is None:
            return tail + data
        return tail + _bytes(self._stream.resample_chunk(np.frombuffer(data, "<i2")))

    def flush(self) -> bytes:
        """What the filter still holds."""
        stream, self._stream = self._stream, None
        if stream is None:
            return b""
        self._from_hz = self._to_hz
        return _bytes(stream.resample_chunk(np.zeros(0, np.int16), last=True))


def _bytes(samples: NDArray[np.int16]) -> bytes:
    return bytes(samples.astype("<i2").tobytes())
