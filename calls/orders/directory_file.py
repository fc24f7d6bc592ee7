"""The directory of this city: in memory for whoever asks, and in one CSV file.

In: the text of a directory that somebody brings. Out: the `Directory` of the moment, also after a restart.
Not known here: who brings it, what a row means.

Where nothing was brought yet the sample stands in. The file is written aside, flushed and renamed, so that a
power cut leaves the old or the new one; one that cannot be read is reported in the log, and the sample holds.
"""

import logging
import os
import threading
from pathlib import Path

from calls.orders.directory import Directory, DirectoryRead, read_directory, sample_directory

log = logging.getLogger(__name__)
FILE_NAME = "departments.csv"
"""In the data folder."""


class DirectoryFile:
    """Any thread may read and replace it."""

    def __init__(self, path: Path) -> None:
        """Read the file, where there is one."""
        self._path = path
        self._lock = threading.Lock()
        self._now = self._read()

    @property
    def now(self) -> Directory:
        """The directory that holds now."""
        return self._now

    def replace(self, text: str) -> DirectoryRead:
        """Take another directory, all of it or nothing. Raises `OSError`; nothing changes then."""
        read = read_directory(text)
        if read.directory is not None:
            with self._lock:
                self._write(text.removeprefix("\ufeff"))
                self._now = read.directory
        return read

    def _read(self) -> Directory:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return sample_directory()
        except (OSError, UnicodeDecodeError):
            log.error("%s cannot be read: the sample directory stands in", self._path)
            return sample_directory()
        read = read_directory(text)
        if read.directory is None:
            log.error("%s has %d bad rows: the sample stands in", self._path, len(read.errors))
        return read.directory or sample_directory()

    def _write(self, text: str) -> None:
        aside = self._path.with_name(f".{self._path.name}.new")
        with aside.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._path)
