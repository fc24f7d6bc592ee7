"""Bytes of one call, as a telephone line or a socket delivers them, become frames at 16 kHz.

In: binary messages of interleaved samples in one `Encoding`, at 8 to 48 kHz, one channel per party.
Out: `AudioFrame`s, one per party and message, whose samples add up to the exact media time.
Not known here: sockets, files, calls beyond their identifier, what is said.
"""

from enum import StrEnum

import numpy as np
import soxr
from numpy.typing import NDArray

from asr.types import SAMPLE_RATE_HZ, AudioFrame, BadAudio, Party, Samples

MIN_RATE_HZ = 8_000
MAX_RATE_HZ = 48_000
TELEPHONE_RATE_HZ = 8_000
"""The only rate at which G.711 (µ-law and A-law) exists."""


class Encoding(StrEnum):
    """How one sample is written."""

    PCM_S16LE = "pcm_s16le"
    MULAW = "mulaw"
    ALAW = "alaw"

    @property
    def bytes_per_sample(self) -> int:
        """Two for linear PCM, one for the companded telephone codes."""
        return 2 if self is Encoding.PCM_S16LE else 1


def _mulaw_table() -> Samples:
    """Expand all 256 µ-law codes to [-1, 1] (ITU-T G.711, table 2)."""
    codes = ~np.arange(256, dtype=np.uint8)
    exponent = (codes >> 4).astype(np.int32) & 0x07
    mantissa = codes.astype(np.int32) & 0x0F
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    signed = np.where(codes & 0x80, -magnitude, magnitude)
    return (signed / 32768.0).astype(np.float32)


def _alaw_table() -> Samples:
    """Expand all 256 A-law codes to [-1, 1] (ITU-T G.711, table 1)."""
    codes = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent = (codes >> 4).astype(np.int32) & 0x07
    mantissa = codes.astype(np.int32) & 0x0F
    linear = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, linear, (linear + 0x100) << np.maximum(exponent - 1, 0))
    signed = np.where(codes & 0x80, magnitude, -magnitude)
    return (signed / 32768.0).astype(np.float32)


_TABLES = {Encoding.MULAW: _mulaw_table(), Encoding.ALAW: _alaw_table()}


def linear_pcm(encoding: Encoding | str, data: bytes) -> bytes:
    """Samples of that encoding as 16-bit linear ones, channels as they were interleaved."""
    known = _known_encoding(encoding)
    if known is Encoding.PCM_S16LE:
        return data
    linear = np.round(_TABLES[known][np.frombuffer(data, dtype=np.uint8)] * 32768.0)
    return np.clip(linear, -32768, 32767).astype("<i2").tobytes()


class FrameDecoder:
    """Decodes the messages of one connection and keeps the state of its resampler between them.

    Raises `BadAudio` when built with an unknown encoding (`asr.unknown_encoding`) or with a rate the
    encoding does not have (`asr.bad_sample_rate`).
    """

    def __init__(
        self,
        *,
        call_id: str,
        encoding: Encoding | str,
        sample_rate_hz: int,
        parties: tuple[Party, ...],
        start_s: float = 0.0,
    ) -> None:
        self._encoding = _known_encoding(encoding)
        _check_rate(self._encoding, sample_rate_hz)
        if not parties or len(set(parties)) != len(parties):
            raise ValueError("Each channel needs a party of its own, and there must be one at least.")
        self._call_id = call_id
        self._rate_hz = sample_rate_hz
        self._parties = parties
        self._frame_bytes = self._encoding.bytes_per_sample * len(parties)
        self._begin(start_s)

    @property
    def received_s(self) -> float:
        """Media time up to which sound was accepted, the part still inside the resampler included."""
        return self._start_s + self._taken / self._rate_hz

    def decode(self, data: bytes) -> list[AudioFrame]:
        """Decode one message into at most one frame per party.

        Raises `BadAudio` (`asr.misaligned`, recoverable) where the bytes are not whole sample frames;
        such a message is dropped whole and leaves the decoder as it was.
        """
        if len(data) % self._frame_bytes:
            raise BadAudio(
                f"A message of {len(data)} bytes is not a whole number of sample frames "
                f"of {self._frame_bytes} bytes; it was dropped.",
                code="asr.misaligned",
                recoverable=True,
            )
        block = self._expand(data)  # (n, channels) float32 at the source's rate
        self._taken += len(block)
        if self._resampler is not None and len(block):
            block = self._resampler.resample_chunk(block)
        return self._frames(block)

    def flush(self) -> list[AudioFrame]:
        """Give out what the resampler still holds; afterwards a new stretch begins right there."""
        tail = np.zeros((0, len(self._parties)), dtype=np.float32)
        end_s = self.received_s
        if self._resampler is not None and self._taken:
            tail = self._resampler.resample_chunk(tail, last=True)
        due = round(self._taken * SAMPLE_RATE_HZ / self._rate_hz) - self._given
        if len(tail) < due:  # the filter rounds the last sample its own way
            tail = np.pad(tail, ((0, due - len(tail)), (0, 0)))
        frames = self._frames(tail[:due])
        self._begin(end_s)
        return frames

    def skip_to(self, media_s: float) -> list[AudioFrame]:
        """Leave out the time up to `media_s`; return the tail of the sound before the gap.

        Raises `ValueError` where `media_s` lies before what was already received.
        """
        if media_s < self.received_s:
            raise ValueError(f"Media time cannot go back from {self.received_s:.3f} s to {media_s:.3f} s.")
        tail = self.flush()
        self._begin(media_s)
        return tail

    def _begin(self, start_s: float) -> None:
        self._start_s = start_s
        self._taken = 0  # source samples per channel since start_s
        self._given = 0  # 16 kHz samples per channel since start_s
        self._resampler = (
            None
            if self._rate_hz == SAMPLE_RATE_HZ
            else soxr.ResampleStream(self._rate_hz, SAMPLE_RATE_HZ, len(self._parties), dtype="float32")
        )

    def _expand(self, data: bytes) -> NDArray[np.float32]:
        if self._encoding is Encoding.PCM_S16LE:
            flat = np.frombuffer(data, dtype="<i2").astype(np.float32) / 32768.0
        else:
            flat = _TABLES[self._encoding][np.frombuffer(data, dtype=np.uint8)]
        return flat.reshape(-1, len(self._parties))

    def _frames(self, block: NDArray[np.float32]) -> list[AudioFrame]:
        if not len(block):
            return []
        start_s = self._start_s + self._given / SAMPLE_RATE_HZ
        self._given += len(block)
        return [
            AudioFrame(
                call_id=self._call_id,
                party=party,
                start_s=start_s,
                samples=np.clip(block[:, channel], -1.0, 1.0),
            )
            for channel, party in enumerate(self._parties)
        ]


def _known_encoding(encoding: Encoding | str) -> Encoding:
    try:
        return Encoding(encoding)
    except ValueError:
        known = ", ".join(Encoding)
        raise BadAudio(
            f"The encoding {encoding!r} is unknown; known are {known}.", code="asr.unknown_encoding"
        ) from None


def _check_rate(encoding: Encoding, sample_rate_hz: int) -> None:
    if encoding is not Encoding.PCM_S16LE and sample_rate_hz != TELEPHONE_RATE_HZ:
        raise BadAudio(
            f"{encoding} exists at {TELEPHONE_RATE_HZ} Hz only, not at {sample_rate_hz} Hz.",
            code="asr.bad_sample_rate",
        )
    if not MIN_RATE_HZ <= sample_rate_hz <= MAX_RATE_HZ:
        raise BadAudio(
            f"The sample rate must lie between {MIN_RATE_HZ} and {MAX_RATE_HZ} Hz, not {sample_rate_hz} Hz.",
            code="asr.bad_sample_rate",
        )
