"""The directory of this city: in memory for whoever asks, and in one CSV file.

In: the text of a directory that somebody brings. Out: the `Directory` of the moment, also after a restart.
Not known here: who brings it, what a row means, other servers.

Where nothing was brought yet the sample stands in. One that cannot be read at the start is reported in the
log, and the sample holds; a file that turns bad later leaves the last good one.
"""

import hashlib
import logging
import threading
from pathlib import Path

from calls.orders.directory import Directory, DirectoryRead, read_directory, sample_directory
from calls.orders.types import OrderError
from calls.papers.own_file import OwnFile, state_of
from calls.papers.types import Home

log = logging.getLogger(__name__)
FILE_NAME = "departments.csv"
"""In the data folder."""


class DirectoryChanged(OrderError):
    """The directory is not any more what the change was made for."""

    code = "directory.changed"

    def __init__(self) -> None:
        super().__init__("名录刚被别人改过，请刷新后再改。")


def mark_of(directory: Directory) -> str:
    """Names a directory: another one has another mark."""
    return hashlib.sha256(repr(directory).encode()).hexdigest()[:16]


class DirectoryFile:
    """Any thread may read and replace it."""

    def __init__(self, path: Path, home: Home | None = None) -> None:
        """Read the file, where there is one."""
        self._path = path
        self._home = home or OwnFile(path)
        self._lock = threading.Lock()
        self._seen = state_of(path)
        self._now = self._read() or sample_directory()

    @property
    def now(self) -> Directory:
        """The directory that holds now."""
        return self._now

    def look(self) -> None:
        """Read the file again where it has changed. Blocks."""
        with self._lock:
            self._look()

    def replace(self, text: str, *, by: str = "", expected: str | None = None) -> DirectoryRead:
        """Take another directory, all of it or nothing.

        Raises `OSError`, and `DirectoryChanged` where `expected` is not the mark any more; nothing changes.
        """
        read = read_directory(text)
        if read.directory is not None:
            with self._lock:
                self._home.fetch()
                self._look()
                if expected is not None and expected != mark_of(self._now):
                    raise DirectoryChanged
                if not self._home.write(text.removeprefix("\ufeff"), by=by):
                    raise DirectoryChanged
                self._seen, self._now = state_of(self._path), read.directory
        return read

    def _look(self) -> None:
        seen = state_of(self._path)
        if seen != self._seen:
            self._seen = seen
            self._now = (self._read() or self._now) if seen else sample_directory()

    def _read(self) -> Directory | None:
        """What the file says; None where there is none, or none that can be used."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            log.error("%s cannot be read: the last good one, or the sample, stands in", self._path)
            return None
        read = read_directory(text)
        if read.directory is None:
            log.error(
                "%s has %d bad rows: the last good one, or the sample, stands in",
                self._path,
                len(read.errors),
            )
        return read.directory
