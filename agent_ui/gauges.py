"""Measures the machine: processor, memory, disk, and what an admin's file of words holds.

In: the data folder, the file. Out: `MachineFigures`, `DiskFigures`, counts.
Not known here: what is much and what is little, who asks. All of it blocks; any thread may ask.
"""

import os
import shutil
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from agent_ui.figures import DiskFigures, MachineFigures
from asr.term_file import TermFile
from asr.terms import BadTerms

SIZES_KEPT_S = 30.0
"""Sizes of folders may be that old: each call that was ever recorded is a file to look at."""
_LOAD_OVER_S = 5.0
_LATELY_S = 60.0
_GLANCE_S = 0.25


class MachineGauge:
    """Processor and memory.

    The load is that since the last time of asking, over 5 s at least; where that is more than a minute ago,
    that of the next quarter of a second.
    """

    def __init__(
        self,
        monotonic_s: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._monotonic_s = monotonic_s
        self._wait = wait
        self._cores = sorted(os.sched_getaffinity(0))
        self._process = psutil.Process()
        self._lock = threading.Lock()
        self._seen = self._times()
        self._seen_at_s = monotonic_s()
        self._load: float | None = None

    def read(self) -> MachineFigures:
        """The figures of the moment."""
        memory = psutil.virtual_memory()
        return MachineFigures(
            cores=len(self._cores),
            load=self._load_now(),
            memory_total=memory.total,
            memory_free=memory.available,
            process_memory=self._process.memory_info().rss,
        )

    def _load_now(self) -> float:
        with self._lock:
            age_s = self._monotonic_s() - self._seen_at_s
            if self._load is None or age_s >= _LOAD_OVER_S:
                if not _GLANCE_S <= age_s <= _LATELY_S:
                    self._seen = self._times()
                    self._wait(_GLANCE_S)
                busy, total = self._times()
                passed = total - self._seen[1]
                self._load = min(1.0, max(0.0, (busy - self._seen[0]) / passed)) if passed > 0 else 0.0
                self._seen, self._seen_at_s = (busy, total), self._monotonic_s()
            return self._load

    def _times(self) -> tuple[float, float]:
        """(busy, all) seconds of the cores that this process may use, since the machine started."""
        every = psutil.cpu_times(percpu=True)
        mine = [every[core] for core in self._cores if core < len(every)]
        # Linux counts the time of guests within `user` and `nice` already.
        total = sum(sum(core) - getattr(core, "guest", 0) - getattr(core, "guest_nice", 0) for core in mine)
        idle = sum(core.idle + getattr(core, "iowait", 0) for core in mine)
        return total - idle, total


class WordGauge:
    """The admin's own words, counted again when their file has changed."""

    def __init__(self, terms: TermFile) -> None:
        self._terms = terms
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._found: tuple[int | None, str | None] = (0, None)

    def read(self) -> tuple[int | None, str | None]:
        """How many there are, or None and why the file cannot be read."""
        with self._lock:
            try:
                status = self._terms.path.stat()
            except OSError:
                return 0, None
            seen = (status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                try:
                    self._found = len(self._terms.terms()), None
                except BadTerms as error:
                    self._found = None, error.message
                self._seen = seen
            return self._found


class DiskGauge:
    """The disk below the data folder, and what lies in that."""

    def __init__(self, data_dir: Path, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._data_dir = data_dir
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._read_at_s = float("-inf")
        self._sizes = (0, 0, 0, 0)

    def read(self) -> DiskFigures:
        """What is free now; the sizes may be half a minute old."""
        usage = shutil.disk_usage(self._data_dir)
        with self._lock:
            if self._monotonic_s() - self._read_at_s >= SIZES_KEPT_S:
                folder = self._data_dir
                self._sizes = (
                    size_of(folder / "audio"),
                    size_of(folder / "kb"),
                    size_of(folder / "models"),
                    sum(size_of(file) for file in folder.glob("zhiting.db*")),
                )
                self._read_at_s = self._monotonic_s()
            audio, kb, models, database = self._sizes
        return DiskFigures(
            free=usage.free, total=usage.total, audio=audio, kb=kb, models=models, database=database
        )


def size_of(path: str | Path) -> int:
    """Bytes on the disk of a file, or of a folder and all that is in it.

    Links are not followed; what is not there, or not to be looked at, counts as nothing.
    """
    try:
        status = os.lstat(path)
        names = os.listdir(path) if stat.S_ISDIR(status.st_mode) else []
    except OSError:
        return 0
    return status.st_blocks * 512 + sum(size_of(os.path.join(path, name)) for name in names)
