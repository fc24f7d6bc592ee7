"""The folder in which results are kept: each written as a whole, and anew only where something changed.

In: papers, by the names of their recordings. Out: files; which of them are up to date.
Not known here: how recordings are transcribed.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from asr.batch.manifest import Manifest
from asr.batch.papers.formats import Format, put_on_paper
from asr.batch.papers.types import Paper


class Shelf:
    """Results below one folder."""

    def __init__(self, folder: Path, formats: Iterable[Format], manifest: Manifest) -> None:
        self._folder = folder
        self._formats = tuple(formats)
        self._manifest = manifest

    def place(self, name: PurePosixPath, form: Format) -> Path:
        """Where a result is kept."""
        return self._folder / name.parent / f"{name.name}.{form}"

    def is_up_to_date(self, name: PurePosixPath, mark: str) -> bool:
        """Whether all formats are there, as they were written with that mark."""
        places = [self.place(name, form) for form in self._formats]
        return all(place.is_file() and self._manifest.mark_of(place) == mark for place in places)

    def put(self, name: PurePosixPath, paper: Paper, mark: str) -> None:
        """Write all formats; a reader sees the old file or the new one. Raises `OSError`."""
        for form in self._formats:
            place = self.place(name, form)
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole(place, put_on_paper(paper, form))
            self._manifest.note_written(place, mark)


def mark_of(*parts: str) -> str:
    """Name what decides the content of a result."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def write_whole(place: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all. Raises `OSError`."""
    aside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(place)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
