"""Packed recordings in the store that all servers share: their names, and reading one where it lies.

In: a call, the store. Out: a file to read from, whose bytes come as they are asked for.
Not known here: what is in a box, who listens, how recordings come there.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from calls.audio.types import AudioAway
from knowledge_base.objects.sending import Candidate
from knowledge_base.objects.types import NoSuchObject, Objects, ObjectsAway

_TOP, _ENDING = "audio/", ".zta"
_READ_BYTES = 256 * 1024
"""Fetched at once: ten seconds of a call are 160 to 320 KB."""


def stored_name(call_id: str) -> str:
    """Under which the recording of that call lies in the store."""
    return f"{_TOP}{call_id}{_ENDING}"


def call_in(name: str) -> str:
    """The call of such a name."""
    return name.removeprefix(_TOP).removesuffix(_ENDING)


def packed_in(folder: Path) -> Iterator[Candidate]:
    """Recordings of a folder that are packed for good: the spool is gone."""
    for path in sorted(folder.glob(f"*{_ENDING}")):
        if not path.with_suffix(".raw").exists():
            yield Candidate(stored_name(path.stem), path)


@contextmanager
def reaching() -> Iterator[None]:
    """The store's errors become those of recordings. Raises `AudioAway`, `FileNotFoundError`."""
    try:
        yield
    except ObjectsAway as error:
        raise AudioAway from error
    except NoSuchObject as error:
        raise FileNotFoundError(str(error)) from error


def open_stored(objects: Objects, call_id: str) -> IO[bytes]:
    """That recording as a file. Raises `FileNotFoundError`, `AudioAway`, also while it is read."""
    name = stored_name(call_id)
    with reaching():
        size = objects.size(name)
    if size is None:
        raise FileNotFoundError(name)
    n_bytes = size

    def read(start: int, end: int) -> bytes:
        with reaching():
            return objects.read(name, start, min(end, n_bytes))

    return cast("IO[bytes]", io.BufferedReader(_Remote(read, n_bytes), _READ_BYTES))


class _Remote(io.RawIOBase):
    """Bytes that are fetched by their place."""

    def __init__(self, read: Callable[[int, int], bytes], n_bytes: int):
        super().__init__()
        self._read = read
        self._n_bytes = n_bytes
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._n_bytes}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        data = self._read(self._at, self._at + len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
