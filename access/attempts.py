"""How often a wrong password was given, and how long to wait before the next try.

In: names, addresses, moments. Out: seconds to wait.
Not known here: passwords, accounts, clocks.

A name at one address is locked after 5 failures, an address after 30, a name wherever it is tried from after
50, each within a quarter of an hour and for as long. Bound: 10,000 keys; the longest untouched is forgotten.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass

_KEYS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOptions:
    """How many failures within which time lock what."""

    window_s: float = 900.0
    of_name_at_address: int = 5
    of_address: int = 30
    of_name: int = 50


class Attempts:
    """Counts failures. Any thread may ask."""

    def __init__(self, options: AttemptOptions = AttemptOptions()):
        self._options = options
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, name: str, address: str, now_s: float) -> float:
        """Seconds until that name may be tried from that address again; 0 at once."""
        with self._lock:
            return max(self._locked_s(key, most, now_s) for key, most in self._keys(name, address))

    def fail(self, name: str, address: str, now_s: float) -> bool:
        """Count a failure; returns whether it was the one that locks."""
        with self._lock:
            locks = False
            for key, most in self._keys(name, address):
                moments = self._failures.setdefault(key, deque(maxlen=most))
                moments.append(now_s)
                self._failures.move_to_end(key)
                locks |= self._locked_s(key, most, now_s) > 0
            while len(self._failures) > _KEYS:
                self._failures.popitem(last=False)
            return locks

    def succeed(self, name: str, address: str) -> None:
        """Forget the failures of that name at that address."""
        with self._lock:
            self._failures.pop((name.lower(), address), None)

    def _keys(self, name: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
        options, name = self._options, name.lower()
        return (
            ((name, address), options.of_name_at_address),
            (("", address), options.of_address),
            ((name, ""), options.of_name),
        )

    def _locked_s(self, key: tuple[str, str], most: int, now_s: float) -> float:
        moments = self._failures.get(key)
        if moments is None or len(moments) < most:
            return 0.0
        return max(0.0, moments[0] + self._options.window_s - now_s)
