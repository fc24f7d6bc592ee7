"""One sound file of a stranger, opened: what it says it is, and its sound block by block.

In: the path of a file in whatever container it comes.
Out: blocks of 16-bit PCM at 8 to 16 kHz, and afterwards whether the file broke off; or the code of a refusal.
Not known here: processes, limits of time, who speaks on which channel.
"""

from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from asr.decode import MIN_RATE_HZ
from asr.types import SAMPLE_RATE_HZ

Block: TypeAlias = NDArray[np.int16]
"""Shape (n, channels)."""

_DAMAGED_SHARE = 0.5
"""A file of which more packets than this cannot be decoded is no recording."""
_SHORT_S, _SHORT_SHARE = 1.0, 0.02
"""A file that is shorter than it says by more than this has been cut off."""


class FileRefused(Exception):
    """The code of what is wrong with the file, e.g. `asr.file_no_sound`."""


class SoundFile(AbstractContextManager["SoundFile"]):
    """Raises `FileRefused`, and whatever FFmpeg raises for a file that it cannot open."""

    def __init__(self, path: Path) -> None:
        self._container = av.open(str(path), mode="r", metadata_errors="ignore")
        if not self._container.streams.audio:
            self._container.close()
            raise FileRefused("asr.file_no_sound")
        self._stream: Any = self._container.streams.audio[0]
        rate = int(self._stream.rate)
        self.rate_hz = rate if MIN_RATE_HZ <= rate <= SAMPLE_RATE_HZ else SAMPLE_RATE_HZ
        """Of the blocks."""
        self.source_channels = int(self._stream.channels)
        """Of the file; more than two are laid together."""
        self.channels = 2 if self.source_channels == 2 else 1
        """Of the blocks."""
        duration = self._stream.duration
        said_s = float(duration * self._stream.time_base) if duration else 0.0
        self.said_s = max(said_s, _wav_seconds(path))
        """How long the file says it is; 0 where it does not say."""
        self.samples = 0
        """Of each channel, given so far."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    @property
    def seconds(self) -> float:
        """How much was given so far."""
        return self.samples / self.rate_hz

    @property
    def is_truncated(self) -> bool:
        """Whether the file, read to its end, says that it is longer than it is."""
        return self.said_s - self.seconds > max(_SHORT_S, self.said_s * _SHORT_SHARE)

    def blocks(self) -> Generator[Block, None, None]:
        """Every block that can be decoded; damaged packets are passed over, as any player does."""
        layout = "stereo" if self.channels == 2 else "mono"
        shape = av.AudioResampler(format="s16", layout=layout, rate=self.rate_hz)
        good = damaged = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.FFmpegError):  # it breaks off: what came before still counts
                break
            try:
                frames = packet.decode()
            except av.FFmpegError:
                damaged += 1
                continue
            good += 1
            for frame in frames:
                for shaped in shape.resample(frame):
                    yield self._counted(shaped)
        if damaged > _DAMAGED_SHARE * (good + damaged):
            raise FileRefused("asr.file_unreadable")
        if good:
            for shaped in shape.resample(None):
                yield self._counted(shaped)
        if self.samples == 0:
            raise FileRefused("asr.file_no_sound")

    def _counted(self, frame: "av.AudioFrame") -> Block:
        block: Block = frame.to_ndarray().reshape(-1, self.channels)
        self.samples += len(block)
        return block


class Likeness:
    """Whether two channels carry the same sound, added up block by block."""

    _ALIKE = 0.95
    """Two channels that correlate more than this are one microphone written twice."""

    def __init__(self) -> None:
        self._left = self._right = self._both = 0.0

    def add(self, block: Block) -> None:
        """Take the next block of shape (n, 2)."""
        left, right = block.astype(np.float64).T
        self._left += float(left @ left)
        self._right += float(right @ right)
        self._both += float(left @ right)

    @property
    def is_silent(self) -> bool:
        """Whether nothing was heard on one of them."""
        return self._left == 0.0 or self._right == 0.0

    @property
    def is_alike(self) -> bool:
        """Whether both are the same; two silent ones are."""
        power = (self._left * self._right) ** 0.5
        return bool(power == 0.0 or self._both / power > self._ALIKE)


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
