"""What the recognition pool is doing, in figures.

In: nothing. Out: `PoolStats`.
Not known here: how they are counted, who looks at them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStats:
    """What the pool is doing and has done since it started."""

    calls: int
    queued_finals: int
    queued_partials: int
    oldest_final_s: float
    """How long the oldest waiting final has waited."""
    load: float
    """Share of the threads' time that was used lately, 0 to 1."""
    finals: int
    partials: int
    partials_dropped: int
    finals_reused: int
    """Finals whose sound had been recognised already, at the pause before they were closed."""
    rejected: int
    """Finals that made no sense after every retry."""
    failed: int
    """Utterances that the engine failed on."""
    batches: int
    mean_batch: float
    decoded_s: float
    """Seconds of sound decoded, partials included."""
    queued_recorded: int = 0
    """Utterances of recordings that wait for time to spare."""
    recorded_s: float = 0.0
    """Seconds of sound of recordings decoded."""


@dataclass(slots=True)
class Counts:
    """The totals behind `PoolStats`."""

    finals: int = 0
    partials: int = 0
    partials_dropped: int = 0
    finals_reused: int = 0
    rejected: int = 0
    failed: int = 0
    batches: int = 0
    batched: int = 0
    decoded_s: float = 0.0
