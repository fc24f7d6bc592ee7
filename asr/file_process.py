"""Decodes one stranger's file in a process that may not take much: the child of `asr.file_decode`.

In: the path of a file, the path to write to and the limits, as arguments.
Out: raw 16-bit PCM in the second file, and one line of JSON: what it is, or the code of its refusal.
Not known here: who asked, what is said.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from asr.decode import MIN_RATE_HZ
from asr.types import SAMPLE_RATE_HZ

_POLITE = 10
"""Added to the niceness: calls go first."""
_DAMAGED_SHARE = 0.5
"""A file of which more packets than this cannot be decoded is no recording."""
_ALIKE = 0.95
"""Two channels that correlate more than this are one microphone written twice."""
_SHORT_S, _SHORT_SHARE = 1.0, 0.02
"""A file that is shorter than it says by more than this has been cut off."""


class _Refused(Exception):
    """The code of what is wrong with the file."""


@dataclass
class _Likeness:
    """Whether two channels carry the same sound, added up block by block."""

    left: float = 0.0
    right: float = 0.0
    both: float = 0.0

    def add(self, block: NDArray[np.int16]) -> None:
        left, right = block.astype(np.float64).T
        self.left += float(left @ left)
        self.right += float(right @ right)
        self.both += float(left @ right)

    @property
    def is_alike(self) -> bool:
        power = (self.left * self.right) ** 0.5
        return bool(power == 0.0 or self.both / power > _ALIKE)


def main() -> None:
    """Decode, answer, end."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    max_s, cpu_s, memory_bytes = float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
    os.nice(_POLITE)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with target.open("wb") as out:
            answer = _decode(source, out, max_s)
    except _Refused as refused:
        answer = {"code": str(refused)}
    except (av.FFmpegError, MemoryError, ValueError):
        answer = {"code": "asr.file_unreadable"}
    sys.stdout.write(json.dumps(answer))


def _decode(source: Path, out: BinaryIO, max_s: float) -> dict[str, Any]:
    with av.open(str(source), mode="r", metadata_errors="ignore") as container:
        if not container.streams.audio:
            raise _Refused("asr.file_no_sound")
        stream = container.streams.audio[0]
        rate = int(stream.rate)
        rate = rate if MIN_RATE_HZ <= rate <= SAMPLE_RATE_HZ else SAMPLE_RATE_HZ
        channels = 2 if stream.channels == 2 else 1
        said_s = float(stream.duration * stream.time_base) if stream.duration else 0.0
        said_s = max(said_s, _wav_seconds(source))
        if said_s > max_s * 1.5:  # a little more may be a guess of the container; it is counted below
            raise _Refused("asr.file_too_long")
        shape = av.AudioResampler(format="s16", layout="stereo" if channels == 2 else "mono", rate=rate)
        likeness, count = _Likeness(), 0
        for found in _blocks(container, stream, shape):
            block = found.to_ndarray().reshape(-1, channels)
            count += len(block)
            if count > max_s * rate:
                raise _Refused("asr.file_too_long")
            if channels == 2:
                likeness.add(block)
            out.write(block.astype("<i2", copy=False).tobytes())
    if count == 0:
        raise _Refused("asr.file_no_sound")
    missing_s = said_s - count / rate
    return {
        "sample_rate_hz": rate,
        "channels": channels,
        "samples": count,
        "is_alike": channels == 2 and likeness.is_alike,
        "is_truncated": missing_s > max(_SHORT_S, said_s * _SHORT_SHARE),
    }


def _blocks(
    container: "av.container.InputContainer", stream: Any, shape: "av.AudioResampler"
) -> Iterator["av.AudioFrame"]:
    """Every block that can be decoded; damaged packets are passed over, as any player does."""
    good = damaged = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):  # the container breaks off: what came before still counts
            break
        try:
            frames = packet.decode()
        except av.FFmpegError:
            damaged += 1
            continue
        good += 1
        for frame in frames:
            yield from shape.resample(frame)
    if damaged > _DAMAGED_SHARE * (good + damaged):
        raise _Refused("asr.file_unreadable")
    if good:
        yield from shape.resample(None)


def _wav_seconds(path: Path) -> float:
    """How long a plain WAV file says it is; FFmpeg believes the file's size instead. 0 where unknown."""
    with path.open("rb") as file:
        head = file.read(4096)
    place = head.find(b"data", 12)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE" or place < 0 or len(head) < place + 8:
        return 0.0
    bytes_per_s = int.from_bytes(head[28:32], "little")
    size = int.from_bytes(head[place + 4 : place + 8], "little")
    is_open_ended = size in (0, 0xFFFFFFFF, 0x7FFFFFFF) or size >= 0xFFFFFF00  # written while it was recorded
    return 0.0 if is_open_ended or bytes_per_s == 0 else size / bytes_per_s


if __name__ == "__main__":
    main()
