"""A small file that is kept on this machine alone.

In: its path, a content.
Out: the file, replaced at once, so that a reader and a power cut find the old or the new one.
Not known here: what is in it, other servers.
"""

import os
from pathlib import Path


class OwnFile:
    """The `Home` of a file of a server that is alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fetch(self) -> None:
        """Nobody else writes it."""

    def write(self, content: str, *, by: str) -> bool:
        """Replace it. Raises `OSError`."""
        replace_file(self._path, content)
        return True


def replace_file(path: Path, content: str) -> None:
    """Write aside, flush, rename. Raises `OSError`; the old content stays then."""
    aside = path.with_name(f".{path.name}.new")
    with aside.open("w", encoding="utf-8", newline="") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def state_of(path: Path) -> tuple[int, int, int] | None:
    """Changes whenever the file does; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
