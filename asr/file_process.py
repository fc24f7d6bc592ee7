"""Decodes one stranger's file in a process that may not take much: the child of `asr.file_decode`.

In: the path of a file, the path to write to and the limits, as arguments.
Out: raw 16-bit PCM in the second file, and one line of JSON: what it is, or the code of its refusal.
Not known here: who asked, what is said.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any, BinaryIO

import av

from asr.sound_file import FileRefused, Likeness, SoundFile

_POLITE = 10
"""Added to the niceness: calls go first."""


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
    except FileRefused as refused:
        answer = {"code": str(refused)}
    except (av.FFmpegError, MemoryError, ValueError):
        answer = {"code": "asr.file_unreadable"}
    sys.stdout.write(json.dumps(answer))


def _decode(source: Path, out: BinaryIO, max_s: float) -> dict[str, Any]:
    with SoundFile(source) as file:
        if file.said_s > max_s * 1.5:  # a little more may be a guess of the container; it is counted below
            raise FileRefused("asr.file_too_long")
        likeness = Likeness()
        for block in file.blocks():
            if file.seconds > max_s:
                raise FileRefused("asr.file_too_long")
            if file.channels == 2:
                likeness.add(block)
            out.write(block.astype("<i2", copy=False).tobytes())
        return {
            "sample_rate_hz": file.rate_hz,
            "channels": file.channels,
            "samples": file.samples,
            "is_alike": file.channels == 2 and likeness.is_alike,
            "is_truncated": file.is_truncated,
        }


if __name__ == "__main__":
    main()
