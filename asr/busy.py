"""How busy somebody was lately.

In: seconds of work, the moments at which they ended. Out: a share of the time, 0 to 1.
Not known here: what was done, threads, clocks.
"""

import math

_TAU_S = 5.0  # the share is what was done in about this time


class BusyShare:
    """Work that fades with time."""

    def __init__(self, now: float) -> None:
        self._busy_s = 0.0
        self._at = now

    def add(self, now: float, seconds: float) -> None:
        """So many seconds of work have just ended."""
        self._busy_s = self._faded(now) + seconds
        self._at = now

    def share(self, now: float, workers: int) -> float:
        """Of the time that so many had."""
        return min(1.0, self._faded(now) / (_TAU_S * max(1, workers)))

    def _faded(self, now: float) -> float:
        return self._busy_s * math.exp(-(now - self._at) / _TAU_S)
