"""A recording in a form that every player takes: a WAV file, made once and kept with its job.

In: a recording in whatever container it came, its job's folder. Out: the path of a WAV file.
Not known here: HTTP, jobs, what is said in it.
"""

import asyncio
import wave
from pathlib import Path

from asr.file_decode import DecodedFile, decode_bounded

_AT_ONCE = 2
_COPIED_BYTES = 1_048_576


class Sounds:
    """Makes WAV files, a few at a time."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def wav(self, source: Path, folder: Path, number: int) -> Path:
        """The WAV file of a job's recording. Raises `BadAudio` and `OSError`."""
        target = folder / "heard" / f"{number:05}.wav"
        async with self._room:
            if await asyncio.to_thread(target.is_file):
                return target
            await asyncio.to_thread(target.parent.mkdir, mode=0o700, exist_ok=True)
            raw, part = target.with_suffix(".raw"), target.with_suffix(".part")
            try:
                decoded = await decode_bounded(source, raw)
                await asyncio.to_thread(_write, decoded, raw, part)
                await asyncio.to_thread(part.replace, target)
            finally:
                await asyncio.to_thread(_remove, raw, part)
        return target


def _write(decoded: DecodedFile, raw: Path, part: Path) -> None:
    with raw.open("rb") as samples, wave.open(str(part), "wb") as out:
        out.setparams((decoded.channels, 2, decoded.sample_rate_hz, decoded.samples, "NONE", ""))
        while piece := samples.read(_COPIED_BYTES):
            out.writeframesraw(piece)


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
