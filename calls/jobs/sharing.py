"""One server among others that work on jobs: what it is called, whose jobs nobody works on any more.

In: who lives. Out: which jobs of others may be taken up. Not known here: databases, folders, turns.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """All methods run on the event loop."""

    process_id: str
    server: str
    """Its name for people."""
    has_one_folder: bool
    """Whether the files of jobs lie where every server has them."""
    lease_s: float
    """Seconds after which the jobs of a process that is gone are taken up."""
    lives: Callable[[str], bool]
    was_here: Callable[[str], bool]
    """Whether it was this server before its last start."""
    monotonic: Callable[[], float] = time.monotonic
    _gone_since: dict[str, float] = field(default_factory=dict)

    def is_left(self, holder: str | None) -> bool:
        """Whether nobody works on a job of that process any more, so far as this server may take it up.

        Asked again and again: whoever is not seen to live is given its time.
        """
        if holder is None or self.was_here(holder):
            return True
        if holder == self.process_id or self.lives(holder) or not self.has_one_folder:
            self._gone_since.pop(holder, None)
            return False
        now_s = self.monotonic()
        return now_s - self._gone_since.setdefault(holder, now_s) >= self.lease_s
