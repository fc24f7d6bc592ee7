"""Decodes a stranger's sound file in a bounded child process: no file can take the server's time or memory.

In: the path of a file in whatever container it comes, and a path to write to.
Out: raw 16-bit PCM of one or two channels, and what it is; or a refusal in a sentence.
Not known here: calls, who asked.
"""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from asr.refusals import sentence_of
from asr.types import BadAudio

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """What one file may hold, and what decoding it may take."""

    max_s: float = 7200.0
    """Longest sound."""
    cpu_s: int = 180
    """Processor time."""
    wall_s: float = 300.0
    """Time until the answer; longer than `cpu_s`, as calls go first."""
    memory_bytes: int = 2 * 1024**3
    """Address space of the process."""

    def __post_init__(self) -> None:
        if min(self.max_s, self.cpu_s, self.wall_s, self.memory_bytes) <= 0:
            raise ValueError("limits must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedFile:
    """What was decoded; the samples lie interleaved, little-endian, in the file that was written."""

    sample_rate_hz: int
    channels: int
    """1 or 2."""
    samples: int
    """Of each channel."""
    is_alike: bool
    """Both channels carry the same sound: one microphone written twice."""
    is_truncated: bool
    """The file says that it is longer than it is."""

    @property
    def seconds(self) -> float:
        """How long it plays."""
        return self.samples / self.sample_rate_hz


_LIMITS = FileLimits()


def _command(source: Path, target: Path, limits: FileLimits) -> list[str]:
    paths = [str(path.absolute()) for path in (source, target)]
    numbers = [str(limits.max_s), str(limits.cpu_s), str(limits.memory_bytes)]
    return [sys.executable, "-m", "asr.file_process", *paths, *numbers]


async def decode_bounded(source: Path, target: Path, limits: FileLimits = _LIMITS) -> DecodedFile:
    """Decode in a child process; the child ends where the caller is cancelled.

    Raises `BadAudio` with one of the codes `asr.file_…`.
    """
    if await asyncio.to_thread(lambda: source.stat().st_size) == 0:
        raise _refusal("asr.file_empty", limits)
    child = await asyncio.create_subprocess_exec(
        *_command(source, target, limits),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # what libraries say of a file may hold its words
        cwd=_ROOT,
    )
    try:
        async with asyncio.timeout(limits.wall_s):
            said, _ = await child.communicate()
    except TimeoutError:
        raise _refusal("asr.file_too_costly", limits) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise _refusal("asr.file_too_costly", limits)
    answer = json.loads(said)
    if "code" in answer:
        raise _refusal(answer["code"], limits)
    return DecodedFile(**answer)


def _refusal(code: str, limits: FileLimits) -> BadAudio:
    return BadAudio(sentence_of(code, max_s=limits.max_s), code=code)
