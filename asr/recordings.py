"""Recordings on disk, in whatever container they come, become PCM and frames, block by block.

In: the path of an audio file.
Out: blocks of 16-bit PCM, or `AudioFrame`s exactly as a live line would have given them.
Not known here: sockets, time of day, what is said.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from asr.decode import MAX_RATE_HZ, MIN_RATE_HZ, Encoding, FrameDecoder
from asr.types import SAMPLE_RATE_HZ, AudioFrame, BadAudio, Party, Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A whole file as linear PCM."""

    samples: NDArray[np.int16]
    """Shape (n, channels)."""
    sample_rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return len(self.samples) / self.sample_rate_hz


def parties_of(path: Path, parties: tuple[Party, ...] | None = None) -> tuple[Party, ...]:
    """Say whose legs the channels of a file are.

    Left of a stereo file is the citizen unless told otherwise; any other file is one mixed leg.
    Raises `BadAudio` (`asr.channel_mismatch`) where two parties are wanted of a mono file.
    """
    with _opened(path) as source:
        channels = int(source.streams.audio[0].channels)
    if parties is None:
        return (Party.CITIZEN, Party.OPERATOR) if channels == 2 else (Party.MIXED,)
    if len(parties) not in (1, channels):
        raise BadAudio(
            f"{path.name} has {channels} channel(s), but {len(parties)} parties were named.",
            code="asr.channel_mismatch",
        )
    return parties


def read_pcm(path: Path, *, channels: int) -> Generator[tuple[NDArray[np.int16], int], None, None]:
    """Yield blocks of shape (n, channels) with their sample rate, in order; one channel means a mixdown.

    The rate is the file's own where the ears take it, else 16 kHz. Raises `BadAudio`
    (`asr.file_unreadable`) where there is nothing to hear or the file breaks off.
    """
    with _opened(path) as source:
        stream = source.streams.audio[0]
        rate = int(stream.rate)
        if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ:
            rate = SAMPLE_RATE_HZ
        layout = {1: "mono", 2: "stereo"}.get(channels) or stream.layout
        shape = av.AudioResampler(format="s16", layout=layout, rate=rate)
        try:
            for frame in source.decode(stream):
                for block in shape.resample(frame):
                    yield block.to_ndarray().reshape(-1, channels), rate
            for block in shape.resample(None):
                yield block.to_ndarray().reshape(-1, channels), rate
        except av.FFmpegError as error:
            raise _unreadable(path, error) from error


def file_to_pcm(path: Path) -> Recording:
    """Read a whole file with the channels it has. Raises `BadAudio` (`asr.file_unreadable`)."""
    with _opened(path) as source:
        channels = int(source.streams.audio[0].channels)
    blocks: list[NDArray[np.int16]] = []
    rate = SAMPLE_RATE_HZ
    for block, rate in read_pcm(path, channels=channels):  # noqa: B007 - the last rate is every block's
        blocks.append(block)
    if not blocks:
        raise _unreadable(path, "it holds no sound")
    return Recording(samples=np.concatenate(blocks), sample_rate_hz=rate)


def read_file(path: Path, *, call_id: str, parties: tuple[Party, ...] | None = None) -> Iterator[AudioFrame]:
    """Yield the frames of a file as they would have come over a line, legs in turn.

    Raises `BadAudio` (`asr.file_unreadable`, `asr.channel_mismatch`).
    """
    legs = parties_of(path, parties)
    decoder: FrameDecoder | None = None
    with closing(read_pcm(path, channels=len(legs))) as blocks:
        for block, rate in blocks:
            decoder = decoder or FrameDecoder(
                call_id=call_id, encoding=Encoding.PCM_S16LE, sample_rate_hz=rate, parties=legs
            )
            yield from decoder.decode(block.astype("<i2", copy=False).tobytes())
    if decoder is None:
        raise _unreadable(path, "it holds no sound")
    yield from decoder.flush()


def decode_file(path: Path, parties: tuple[Party, ...] | None = None) -> dict[Party, Samples]:
    """Decode a whole file into one array of 16 kHz samples per leg. Raises as `read_file` does."""
    legs: dict[Party, list[Samples]] = {}
    for frame in read_file(path, call_id=path.stem, parties=parties):
        legs.setdefault(frame.party, []).append(frame.samples)
    return {party: np.concatenate(pieces) for party, pieces in legs.items()}


def _opened(path: Path) -> "av.container.InputContainer":
    try:
        source = av.open(str(path), mode="r", metadata_errors="ignore")
    except (av.FFmpegError, OSError) as error:
        raise _unreadable(path, error) from error
    if not source.streams.audio:
        source.close()
        raise _unreadable(path, "it has no audio track")
    return source


def _unreadable(path: Path, reason: object) -> BadAudio:
    said = getattr(reason, "strerror", None) or str(reason)
    return BadAudio(f"The file {path.name} cannot be read as audio: {said}.", code="asr.file_unreadable")
