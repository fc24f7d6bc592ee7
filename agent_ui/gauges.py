"""Measures the machine: processor, memory, disk.

In: the data folder. Out: `MachineFigures`, `DiskFigures`.
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

SIZES_KEPT_S = 30.0
"""Sizes of folders may be that old: each call that was ever recorded is a file to look at."""
_LOAD_OVER_S = 5.0


class MachineGauge:
    """Processor and memory. The load is that since the last time of asking, over 5 s at least."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
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
            now_s = self._monotonic_s()
            if self._load is None or now_s - self._seen_at_s >= _LOAD_OVER_S:
                busy, total = self._times()
                passed = total - self._seen[1]
                self._load = min(1.0, max(0.0, (busy - self._seen[0]) / passed)) if passed > 0 else 0.0
                self._seen, self._seen_at_s = (busy, total), now_s
            return self._load

    def _times(self) -> tuple[float, float]:
        """(busy, all) seconds of the cores that this process may use, since the machine started."""
        every = psutil.cpu_times(percpu=True)
        mine = [every[core] for core in self._cores if core < len(every)]
        # Linux counts the time of guests within `user` and `nice` already.
        total = sum(sum(core) - getattr(core, "guest", 0) - getattr(core, "guest_nice", 0) for core in mine)
        idle = sum(core.idle + getattr(core, "iowait", 0) for core in mine)
        return total - idle, total


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
