"""How often somebody may come, and how long to wait for whoever came too often.

In: keys, how many a minute, moments. Out: seconds to wait.
Not known here: what is asked, who asks, clocks.

A bucket lets through as many at once as may come in a minute, and fills again evenly (GCRA: one number for
each key). Bound: 20,000 keys; the longest untouched is forgotten, and begins anew with a full bucket.
"""

import threading
from collections import OrderedDict

MOST_KEYS = 20_000
_WITHIN_S = 60.0

Key = tuple[str, ...]


class Rates:
    """Owns the buckets. Any thread may ask."""

    def __init__(self, most_keys: int = MOST_KEYS):
        self._most_keys = most_keys
        self._full_at: OrderedDict[Key, float] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._full_at)

    def wait_s(self, key: Key, per_minute: float, now_s: float) -> float:
        """Let one through and return 0; or none, and return the seconds until one would be let through."""
        every_s = _WITHIN_S / per_minute
        with self._lock:
            full_at = max(self._full_at.get(key, now_s), now_s)
            wait_s = full_at + every_s - now_s - _WITHIN_S
            if wait_s > 1e-6:  # so much is lost in adding up
                return wait_s
            self._full_at[key] = full_at + every_s
            self._full_at.move_to_end(key)
            while len(self._full_at) > self._most_keys:
                self._full_at.popitem(last=False)
            return 0.0
