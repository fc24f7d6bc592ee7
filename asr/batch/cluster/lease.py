"""One driver at a time for the same checkpoints and settings; whoever loses its lease notices.

In: checkpoints, a fingerprint. Out: a lease that is held until it is closed, or `CheckpointsTaken`.
Not known here: what is done under it.

Object stores lock nothing, so the lease is an object that is written anew every few seconds. A driver that
finds one watches it: if it is still written, somebody lives; if not, the lease is taken over. No clock is
compared with another machine's.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from asr.batch.cluster.checkpoints import Checkpoints
from asr.batch.cluster.types import CheckpointsTaken
from asr.batch.owner import is_alive, is_elsewhere, name_owner


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """How often the lease is written, and how long its silence means death."""

    beat_s: float = 10.0
    silent_s: float = 45.0
    settled_s: float = 1.0
    """Two that take it at the same moment find out after this."""


class Lease:
    """Taken when it is made; raises `CheckpointsTaken`. `tell` is told why that takes long."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        fingerprint: str,
        times: LeaseTimes | None = None,
        *,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._checkpoints = checkpoints
        self._place = f"{fingerprint}/driver"
        self._times = times or LeaseTimes()
        self._tell = tell
        self._owner = name_owner()
        self._beats = 0
        self._trouble: Exception | None = None
        self._over = threading.Event()
        self._wait_for_silence()
        self._beat()
        time.sleep(self._times.settled_s)
        self._check()
        self._thread = threading.Thread(target=self._keep, daemon=True, name="lease")
        self._thread.start()

    @property
    def word(self) -> str:
        """What a worker must find at `place` to know that it sees the same checkpoints."""
        return self._owner

    def check(self) -> None:
        """Raise `CheckpointsTaken` where another has taken over, or what kept it from being written."""
        if self._trouble is not None:
            raise self._trouble

    def close(self) -> None:
        """Let the next have it."""
        self._over.set()
        self._thread.join()
        if self._trouble is None:
            self._checkpoints.remove(self._place)

    def _wait_for_silence(self) -> None:
        found = self._checkpoints.read(self._place)
        if found is None:
            return
        owner = owner_of(found)
        if self._falls_silent(found) if is_elsewhere(owner) else not is_alive(owner):
            return
        raise _taken(owner)

    def _falls_silent(self, found: bytes) -> bool:
        until = time.monotonic() + self._times.silent_s
        host = owner_of(found).split(" ")[0]
        self._tell(f"{host} 上有转写程序留下的占用标记，等 {self._times.silent_s:.0f} 秒看它是否还在运行。")
        while time.monotonic() < until:
            time.sleep(self._times.beat_s / 5)
            now = self._checkpoints.read(self._place)
            if now is None or now != found:
                return now is None
        return True

    def _keep(self) -> None:
        good = time.monotonic()
        while not self._over.wait(self._times.beat_s):
            try:
                self._check()
                self._beat()
                good = time.monotonic()
            except CheckpointsTaken as error:
                self._trouble = error
                return
            except OSError as error:  # storage may come back before anybody takes over
                if time.monotonic() - good > self._times.silent_s:
                    self._trouble = error
                    return

    def _check(self) -> None:
        found = self._checkpoints.read(self._place)
        if found is not None and owner_of(found) != self._owner:
            raise _taken(owner_of(found))

    def _beat(self) -> None:
        self._beats += 1
        self._checkpoints.write(self._place, f"{self._owner}\n{self._beats}\n".encode())


def owner_of(content: bytes) -> str:
    """Who wrote a lease; nobody that is known where it is damaged."""
    owner = content.decode(errors="replace").split("\n", 1)[0]
    return owner if owner.count(" ") == 3 else "? 0 0 ?"


def is_there(checkpoints: Checkpoints, fingerprint: str, word: str) -> bool:
    """Whether the driver's lease can be read here."""
    found = checkpoints.read(f"{fingerprint}/driver")
    return found is not None and owner_of(found) == word


def _taken(owner: str) -> CheckpointsTaken:
    host, pid, _, _ = owner.split(" ")
    return CheckpointsTaken(
        f"另一个转写程序（{host}，进程 {pid}）正在使用同一个进度位置。"
        "请等它做完，或用 --checkpoints 另指一处。"
    )
