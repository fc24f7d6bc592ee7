"""The spool: every accepted byte of a call's sound, on disk before it is heard.

In: raw bytes as they came over the line. Out: the same bytes by position, now or after a restart.
Not known here: encodings beyond their frame size, decoding, calls beyond the file, who waits for it.
The methods wait for the disk, except `read_at_once`.
"""

import errno
import os
import shutil
from datetime import datetime
from pathlib import Path

from calls.types import AudioFormat, StorageFailed

_SILENCE = {"pcm_s16le": b"\x00", "mulaw": b"\xff", "alaw": b"\xd5"}
_SILENCE_BLOCK_S = 10.0
_AT_ONCE = getattr(os, "RWF_NOWAIT", None)
"""A read that gives up where it would have to wait for the disk; Linux has it."""


def spool_path(folder: Path, call_id: str) -> Path:
    """Where the sound of that call lies."""
    return folder / f"{call_id}.raw"


def has_room(folder: Path, *, min_free_bytes: int) -> bool:
    """Whether the disk below `folder` still has that much space."""
    return shutil.disk_usage(folder).free >= min_free_bytes


def quiet_s(path: Path, now: datetime) -> float:
    """How long ago, in seconds, something was last written there; 0 where there is no such file."""
    try:
        return max(0.0, now.timestamp() - path.stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def detach(path: Path) -> None:
    """Put a copy in the place of a spool; whoever has it open keeps the old one. Raises `StorageFailed`."""
    copy = path.with_suffix(".new")
    try:
        shutil.copyfile(path, copy)
        copy.chmod(0o600)
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        copy.replace(path)
    except OSError as error:
        raise StorageFailed(f"录音无法写入磁盘（{error.strerror}）。") from error


class Spool:
    """One append-only file; positions are bytes from its start, always whole sample frames."""

    def __init__(self, path: Path, audio_format: AudioFormat):
        """Open or go on with the file; a torn last frame (a crash in mid-write) is cut off.

        `found` is how much was there. Raises `StorageFailed` where the file cannot be opened.
        """
        self.path = path
        self._format = audio_format
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            size = os.fstat(self._fd).st_size
            self.found = self.end = size - size % audio_format.frame_bytes
            os.ftruncate(self._fd, self.end)
        except OSError as error:
            raise StorageFailed(f"录音无法写入磁盘（{error.strerror}）。") from error

    def append(self, data: bytes) -> None:
        """Keep whole sample frames. Raises `StorageFailed` and keeps none of them where the disk is full."""
        try:
            written = os.pwrite(self._fd, data, self.end)
            if written != len(data):
                raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise StorageFailed(f"录音无法写入磁盘（{error.strerror}）。") from error
        self.end += len(data)

    def append_silence(self, n_bytes: int) -> None:
        """Keep that much silence in place of sound that never came. Raises `StorageFailed`."""
        block = self._format.n_bytes(_SILENCE_BLOCK_S)
        while n_bytes > 0:
            self.append(_SILENCE[self._format.encoding] * min(block, n_bytes))
            n_bytes -= min(block, n_bytes)

    def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`."""
        return os.pread(self._fd, end - start, start)

    def read_at_once(self, start: int, end: int) -> bytes | None:
        """The same, or None where they are not in memory."""
        if _AT_ONCE is None:
            return self.read(start, end)
        data = bytearray(end - start)
        try:
            n_read = os.preadv(self._fd, [data], start, _AT_ONCE)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            return self.read(start, end)  # such a file system is in memory itself, or cannot tell
        return bytes(data) if n_read == len(data) else None

    def close(self) -> None:
        """Hand the file to the disk and let it go, also where that raises `StorageFailed`."""
        fd, self._fd = self._fd, -1  # the number may soon be another file's
        try:
            os.fsync(fd)
        except OSError as error:
            raise StorageFailed(f"录音无法写入磁盘（{error.strerror}）。") from error
        finally:
            os.close(fd)
