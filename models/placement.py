"""Puts a folder into its place as a whole or not at all.

In: the place. Out: an empty folder to fill, which takes the place if the filling went well.
Not known here: what goes into the folder.

The folder is filled beside its place under a name of its own, flushed to disk and then renamed, under a
lock: at every moment the place is whole or absent, for other processes and after a power cut.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from models.errors import WeightsError

LOCK_TIMEOUT_S = 1800.0
"""How long to wait for another process that fills the same place."""
SPARE_BYTES = 64 * 1024 * 1024
"""Disk space that must remain free after a folder is filled."""


@contextmanager
def placing(folder: Path) -> Iterator[Path | None]:
    """Yield an empty folder that becomes `folder` when the block ends well; None if that is there by then.

    Raises:
        WeightsError: the disk is full or cannot be written, or another process holds the lock too long.
    """
    with disk_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f".{folder.name}.lock"), timeout=LOCK_TIMEOUT_S)
        try:
            lock.acquire()
        except Timeout as problem:
            message = f"another process has been filling {folder} for more than {LOCK_TIMEOUT_S:.0f} s"
            raise WeightsError(message, code="models.locked") from problem
    try:
        if folder.is_dir():
            yield None
            return
        for left in folder.parent.glob(
            f".{folder.name}.partial-*"
        ):  # of a process that died: the lock is ours
            shutil.rmtree(left)
        partial = folder.with_name(f".{folder.name}.partial-{uuid.uuid4().hex}")
        try:
            with disk_errors(folder.parent):
                partial.mkdir()
                yield partial
                _flush(partial)
                partial.rename(folder)
                _flush_directory(folder.parent)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    finally:
        lock.release()


def ensure_space(name: str, needed_bytes: int, folder: Path) -> None:
    """Check that the disk of an existing `folder` can take what `name` needs.

    Raises:
        WeightsError: it cannot.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + SPARE_BYTES:
        raise WeightsError(
            f"{name} needs {needed_bytes / 1e6:,.0f} MB in {folder.parent}, where only {free / 1e6:,.0f} MB "
            "are free: make room, or set another data directory",
            code="models.disk_full",
        )


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn what the operating system refuses inside the block into a sentence.

    Raises:
        WeightsError: with the code `models.disk_full` or `models.unwritable`.
    """
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            message = f"the disk of {place} is full: make room, or set another data directory"
            raise WeightsError(message, code="models.disk_full") from problem
        message = f"{problem.filename or place} cannot be read or written: {problem.strerror or problem}"
        raise WeightsError(message, code="models.unwritable") from problem


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            _flush_directory(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    _flush_directory(folder)


def _flush_directory(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
