"""Objects as files of a folder that several servers share, by NFS or the like.

In: a folder. Out: `Objects`; a name is a path below the folder, as in a data folder.
Not known here: S3, what the files are.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from knowledge_base.objects.types import Health, NoSuchObject, ObjectsAway, ObjectStats, Stored, checked

_PART = ".part-"
_PIECE = 1 << 20


class FolderObjects:
    """The folder must be there: one that is not mounted is away, and not empty."""

    def __init__(self, root: Path):
        self._root = root
        self._health = Health()

    def put(self, name: str, file: Path) -> None:
        """Copied under another name, handed to the disk, then renamed."""
        with file.open("rb") as source, self._asking(name) as place, self._replacing(place) as out:
            shutil.copyfileobj(source, out, _PIECE)

    def fetch(self, name: str, into: Path) -> None:
        """Copied."""
        with into.open("wb") as out:
            for piece in self._pieces(name):
                out.write(piece)

    def read(self, name: str, start: int, end: int) -> bytes:
        """A piece of the file."""
        with self._asking(name) as place, place.open("rb") as file:
            file.seek(start)
            return file.read(max(0, end - start))

    def size(self, name: str) -> int | None:
        """Of the file."""
        try:
            with self._asking(name) as place:
                return place.stat().st_size
        except NoSuchObject:
            return None

    def text(self, name: str) -> str | None:
        """All of the file."""
        try:
            with self._asking(name) as place:
                return place.read_text(encoding="utf-8", errors="replace")
        except NoSuchObject:
            return None

    def set_text(self, name: str, text: str) -> None:
        """Renamed into its place."""
        with self._asking(name) as place, self._replacing(place) as out:
            out.write(text.encode())

    def delete(self, name: str) -> None:
        """Unlinked; folders that become empty stay."""
        with self._asking(name) as place:
            place.unlink(missing_ok=True)

    def under(self, prefix: str) -> Iterator[Stored]:
        """What is being written does not count."""
        with self._asking(prefix.rstrip("/")) as top:
            found = list(self._below(top))
        yield from found

    def stats(self) -> ObjectStats:
        """How it has fared."""
        return self._health.stats()

    def close(self) -> None:
        """Nothing is open."""

    def _pieces(self, name: str) -> Iterator[bytes]:
        with self._asking(name) as place, place.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def _below(self, top: Path) -> Iterator[Stored]:
        for folder, folders, names in os.walk(top, onerror=_unless_missing):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            for name in sorted(one for one in names if not one.startswith(".")):
                path = Path(folder) / name
                try:
                    about = path.stat()
                except FileNotFoundError:  # somebody has just deleted it
                    continue
                relative = path.relative_to(self._root).as_posix()
                yield Stored(name=relative, n_bytes=about.st_size, changed=about.st_mtime)

    @contextmanager
    def _asking(self, name: str) -> Iterator[Path]:
        place = self._root.joinpath(*checked(name).split("/"))
        with self._health.watching():
            if not self._root.is_dir():
                raise ObjectsAway("共享文件夹不在，可能没有挂载")
            try:
                yield place
            except FileNotFoundError:
                raise NoSuchObject(name) from None
            except OSError as error:
                raise ObjectsAway(error.strerror or type(error).__name__) from error

    @contextmanager
    def _replacing(self, place: Path) -> Iterator[IO[bytes]]:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = place.with_name(f"{_PART}{secrets.token_hex(6)}")
        try:
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            aside.replace(place)
            _hand_over(place.parent)
        finally:
            aside.unlink(missing_ok=True)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _hand_over(folder: Path) -> None:
    """Names of files are on the disk when their folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
