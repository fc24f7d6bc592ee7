"""How much the pool takes on, and what it spends on an utterance when there is much to do.

In: the load, the length of an utterance, the cores of the machine.
Out: beams, how far the cadence of partials stretches, how many calls are admitted.
Not known here: threads, calls, engines.
"""

from dataclasses import dataclass, field

from asr.backlog import BatchOptions

_CALLS_PER_CORE = 8  # measured: docs/benchmarks.md
LISTENED_CALLS = 60
"""Calls for which one thread can look for speech, where recognition itself is elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may change while the pool runs."""

    max_calls: int
    """Calls admitted at the same time."""
    final_beam: int
    """The widest beam of finals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolOptions:
    """How much is taken on. Raises `ValueError` for values out of range."""

    workers: int = 2
    """Batches decoded at the same time, each by a thread of its own."""
    listeners: int = 1
    """Threads that look for speech; one is enough for some 60 calls, and more get in each other's way."""
    max_calls: int = 32
    """Calls admitted at the same time."""
    refuse_lag_s: float = 5.0
    """New calls are refused while the oldest waiting final is older than this."""
    easy_load: float = 0.4
    """Share of the threads' time up to which partials keep their cadence and finals their beam."""
    full_load: float = 0.7
    """Share from which on partials come `longest_stretch` times as seldom."""
    longest_stretch: float = 12.0
    """How much the cadence of partials stretches at most."""
    recorded_s: float = 14.0
    """Sound of recordings that is decoded at once while there are calls: so long a final may have to wait."""
    batches: BatchOptions = field(default_factory=BatchOptions)
    """How batches are put together."""

    def __post_init__(self) -> None:
        if not 1 <= self.listeners <= 64:
            raise ValueError("listeners must lie between 1 and 64.")
        if not 1 <= self.workers <= 64 or self.max_calls < 1 or self.refuse_lag_s <= 0:
            raise ValueError("workers must lie between 1 and 64, max_calls and refuse_lag_s above 0.")
        if not 0.1 <= self.easy_load < self.full_load <= 1.0 or self.longest_stretch < 1:
            raise ValueError("0.1 <= easy_load < full_load <= 1 and longest_stretch >= 1 must hold.")
        if self.recorded_s <= 0:
            raise ValueError("recorded_s must be above 0.")

    def stretch(self, load: float) -> float:
        """Say how many times as long as usual a leg waits for its next partial at this load."""
        share = (load - self.easy_load) / (self.full_load - self.easy_load)
        return 1.0 + (self.longest_stretch - 1.0) * min(1.0, max(0.0, share))

    @property
    def limits(self) -> Limits:
        """What holds as long as nobody says otherwise."""
        return Limits(max_calls=self.max_calls, final_beam=self.batches.final_beam)

    def final_beam(self, load: float, seconds: float, *, widest: int | None = None) -> int:
        """Choose the beam of finals so long at this load: the widest, the busy one, or the partials'.

        `widest` stands in for the options' own.
        """
        batches = self.batches
        widest = batches.final_beam if widest is None else widest
        if batches.busy_beam is None or (load <= self.easy_load and seconds <= batches.long_s):
            return widest
        return min(widest, batches.busy_beam) if load <= self.full_load else batches.partial_beam


def chosen_calls(cores: int) -> int:
    """Say how many calls a machine is given: what Whisper base carried on each of its processor cores."""
    return max(1, cores) * _CALLS_PER_CORE
