"""The sound of a call, wherever it lies: in the spool of one that may go on, or in a box of one that is over.

In: a folder, keys, a call; the store that all servers share, where boxes may lie.
Out: 16-bit linear samples from any place to any other.
Not known here: how sound comes about, who listens.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol

import numpy as np

from calls.audio.box import Box
from calls.audio.codecs import OPUS_RATE_HZ, PRE_ROLL, Pcm, at_rate, linear_samples, samples_of
from calls.audio.keys import Keys
from calls.audio.stored import call_in, open_stored, reaching, stored_name
from calls.audio.types import Codec
from calls.spool import spool_path
from calls.types import AudioFormat
from knowledge_base.objects.types import Objects

_READ_S = 10.0
_ENDINGS = (".raw", ".zta", ".part")
_MARGIN_S = 0.05
"""Around a place at which the rate is changed, so that nothing is heard of it."""


def box_path(folder: Path, call_id: str) -> Path:
    """Where the kept recording of that call lies."""
    return folder / f"{call_id}.zta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How the sound of a call lies on the disk."""

    codec: Codec
    n_bytes: int
    key: str | None
    """The name of the key that sealed it; None where it is not sealed."""


class _Source(Protocol):
    """Where samples come from."""

    frames: int

    def linear(self, start: int, end: int) -> Pcm:
        """These sample frames, all of them there."""

    def close(self) -> None:
        """Let the file go."""


class Sound:
    """An opened recording; close it after use, or open it with `with`."""

    def __init__(self, source: _Source, audio_format: AudioFormat, kept: Kept):
        self._source = source
        self.rate_hz = audio_format.sample_rate_hz
        self.channels = audio_format.channels
        self.frames = source.frames
        self.kept = kept

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return self.frames / self.rate_hz

    def pieces(self, start: int, end: int) -> Iterator[Pcm]:
        """The sample frames from `start` to `end`, as many at a time as are well read at once."""
        step = round(_READ_S * self.rate_hz)
        end = min(end, self.frames)
        for at in range(start, end, step):
            yield self._source.linear(at, min(at + step, end))

    def close(self) -> None:
        """Let the file go."""
        self._source.close()

    def __enter__(self) -> "Sound":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """The folder of the calls' sound, and the store for what is packed, where there is one."""

    folder: Path
    keys: Keys
    objects: Objects | None = None

    def open(self, call_id: str, audio_format: AudioFormat) -> Sound | None:
        """The sound of a call; None where there is none. Raises `AudioError`."""
        for _ in range(2):  # between the looks it may be put from the spool into a box
            with suppress(FileNotFoundError):
                return of_spool(spool_path(self.folder, call_id), audio_format)
            with suppress(FileNotFoundError):
                return of_box(box_path(self.folder, call_id).open("rb"), self.keys)
        if self.objects is not None:
            with suppress(FileNotFoundError):
                return of_box(open_stored(self.objects, call_id), self.keys)
        return None

    def n_bytes(self, call_id: str) -> int:
        """How much the sound of a call takes of the disk, or else of the store. Raises `AudioAway`."""
        n_bytes = 0
        for path in self._paths(call_id):
            with suppress(FileNotFoundError):
                n_bytes += path.stat().st_size
        if self.objects is not None:
            with reaching():
                n_bytes = n_bytes or self.objects.size(stored_name(call_id)) or 0
        return n_bytes

    def delete(self, call_id: str) -> bool:
        """Take all sound of a call away, everywhere; False where there is none. Raises `AudioAway`."""
        is_there = False
        for path in self._paths(call_id):
            with suppress(FileNotFoundError):
                path.unlink()
                is_there = True
        if self.objects is not None:
            name = stored_name(call_id)
            with reaching():
                is_there |= self.objects.size(name) is not None
                self.objects.delete(name)
        return is_there

    def stored(self, *, before: float) -> Iterator[str]:
        """Calls with sound in the store that came there before that time. Raises `AudioAway`."""
        if self.objects is not None:
            with reaching():
                for one in self.objects.under("audio/"):
                    if one.changed < before:
                        yield call_in(one.name)

    def call_ids(self, *, before: float) -> list[str]:
        """Calls with sound that was last written to before that time, in seconds since 1970."""
        found = set()
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                if path.suffix in _ENDINGS and path.stat().st_mtime < before:
                    found.add(path.name.removesuffix(path.suffix))
        return sorted(found)

    def _paths(self, call_id: str) -> tuple[Path, ...]:
        boxed = box_path(self.folder, call_id)
        return (spool_path(self.folder, call_id), boxed, boxed.with_suffix(".part"))


class _Spooled:
    def __init__(self, path: Path, audio_format: AudioFormat):
        self._file = path.open("rb")
        self._format = audio_format
        self.frames = path.stat().st_size // audio_format.frame_bytes

    def linear(self, start: int, end: int) -> Pcm:
        self._file.seek(start * self._format.frame_bytes)
        data = self._file.read((end - start) * self._format.frame_bytes)
        return linear_samples(self._format, data)

    def close(self) -> None:
        self._file.close()


class _Boxed:
    def __init__(self, box: Box):
        self._box = box
        self.frames = box.frames
        self._rate_hz = box.shape.audio_format.sample_rate_hz

    def linear(self, start: int, end: int) -> Pcm:
        if self._box.shape.codec is not Codec.OPUS:
            return self._decoded(start, end)
        # Counted at another rate: a little more on both sides, then cut to length.
        margin = round(_MARGIN_S * self._rate_hz)
        first = max(0, start - margin)
        scale = OPUS_RATE_HZ / self._rate_hz
        pcm = self._decoded(round(first * scale), round((end + margin) * scale))
        pcm = at_rate(pcm, OPUS_RATE_HZ, self._rate_hz)[start - first : end - first]
        missing = end - start - len(pcm)
        return np.pad(pcm, ((0, missing), (0, 0))) if missing > 0 else pcm

    def _decoded(self, start: int, end: int) -> Pcm:
        """Samples by the rate of the box, the lead left out."""
        shape = self._box.shape
        start, end = start + shape.lead, end + shape.lead
        before = PRE_ROLL if shape.codec is Codec.OPUS else 0
        blocks = list(self._box.packets(max(0, start - before), end))
        first = blocks[0][0] if blocks else start
        pcm = samples_of(shape, (packet for _, packets in blocks for packet in packets))
        return pcm[start - first : end - first]

    def close(self) -> None:
        self._box.close()


def of_spool(path: Path, audio_format: AudioFormat) -> Sound:
    """A spool. Raises `FileNotFoundError`."""
    source = _Spooled(path, audio_format)
    return Sound(source, audio_format, Kept(codec=Codec.RAW, n_bytes=path.stat().st_size, key=None))


def of_box(file: IO[bytes], keys: Keys) -> Sound:
    """A box, which is closed with the sound. Raises `AudioError`."""
    box = Box(file, keys)
    kept = Kept(codec=box.shape.codec, n_bytes=box.n_bytes, key=box.key)
    return Sound(_Boxed(box), box.shape.audio_format, kept)
