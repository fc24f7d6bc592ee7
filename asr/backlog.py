"""Decides which utterances are decoded next, and which together.

In: closed utterances (finals) and open ones (partials) of all calls, each with the time it came.
Out: batches of similar length, finals before partials, and when it is worth asking again.
Not known here: threads, event loops, models, text. `now` is always an argument.
"""

from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeAlias, TypeVar

from asr.types import SAMPLE_RATE_HZ, Party, Utterance

T = TypeVar("T")
LegKey: TypeAlias = tuple[str, Party]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How batches are put together. Raises `ValueError` for values out of range."""

    max_batch: int = 4
    """Utterances decoded together: more of them cost less each, but all wait for all."""
    max_batch_s: float = 14.0
    """Sound decoded together, each utterance counted as long as the longest."""
    gather_s: float = 0.005
    """How long a final waits for others to come along."""
    length_ratio: float = 1.6
    """How many times longer than the oldest another utterance may be, or shorter."""
    length_slack_s: float = 1.0
    """Difference in length that never matters."""
    partial_every_s: float = 0.8
    """Least time between two partials of one utterance when there is nothing else to do."""
    first_until_s: float = 1.2
    """A partial of a shorter utterance is a first guess, and so is the one after it while there is time."""
    second_guess_stretch: float = 3.0
    """Beyond this stretch of the cadence there is no time for second guesses."""
    slow_from_s: float = 5.0
    """Length from which on a partial comes more seldom even when idle, so as not to be in a final's way."""
    costly_s: float = 4.0
    """Length from which on a partial's cadence stretches in full under load; shorter ones stretch less."""
    final_beam: int = 5
    """Beam of finals and of open utterances that are likely to become final."""
    busy_beam: int | None = None
    """Their beam while the threads are rather busy, and for long ones; None keeps `final_beam` always."""
    long_s: float = 7.0
    """Length from which on a final is a long one."""
    partial_beam: int = 1
    """Beam of the other open ones."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_batch <= 64 or self.max_batch_s <= 0:
            raise ValueError("max_batch must lie between 1 and 64, max_batch_s above 0.")
        if self.gather_s < 0 or self.length_ratio < 1 or self.length_slack_s < 0 or self.partial_every_s < 0:
            raise ValueError("Waits and slacks must not be negative, length_ratio not below 1.")
        beams = (self.partial_beam, self.final_beam, self.busy_beam or self.final_beam)
        if not all(1 <= beam <= 10 for beam in beams):
            raise ValueError("Beams must lie between 1 and 10.")


class Urgency(IntEnum):
    """What is served before what."""

    FINAL = 0
    """Closed: somebody waits for its text."""
    PAUSED = 1
    """Open, but the speaker has paused: it will be the final if nothing more is said."""
    FIRST = 2
    """Open, and nothing of it has been recognised yet: short, and the screen shows nothing of it."""
    GROWN = 3
    """Open, and recognised before when it was shorter."""


@dataclass(slots=True, kw_only=True, eq=False)
class Job(Generic[T]):
    """One utterance that waits; `ticket` is whatever its owner needs to answer."""

    utterance: Utterance
    ticket: T
    came_at: float
    urgency: Urgency = Urgency.FINAL
    """As it was when it was taken."""

    @property
    def leg(self) -> LegKey:
        """The call and party it belongs to."""
        return self.utterance.call_id, self.utterance.party

    @property
    def seconds(self) -> float:
        """Length of its sound."""
        return len(self.utterance.samples) / SAMPLE_RATE_HZ

    @property
    def is_thorough(self) -> bool:
        """It is final, or will be if nothing more is said: worth the beam and the retries of a final."""
        return self.utterance.is_closed or self.utterance.is_settled


class Backlog(Generic[T]):
    """Finals in the order they came, and at most one open utterance per leg."""

    def __init__(self, options: BatchOptions) -> None:
        self._options = options
        self._finals: deque[Job[T]] = deque()
        self._opens: dict[LegKey, Job[T]] = {}
        self._begun: dict[LegKey, tuple[Utterance, float]] = {}
        """Of each leg the open utterance that was begun last, and when."""

    @property
    def finals(self) -> int:
        """How many finals wait."""
        return len(self._finals)

    @property
    def opens(self) -> int:
        """How many open utterances wait."""
        return len(self._opens)

    def oldest_final_s(self, now: float) -> float:
        """Say how long the oldest final has waited; 0 where none does."""
        return now - self._finals[0].came_at if self._finals else 0.0

    def add_final(self, job: Job[T]) -> Job[T] | None:
        """Queue a final; give back the open one of its leg that it makes needless."""
        self._finals.append(job)
        waiting = self._opens.get(job.leg)
        if waiting and waiting.utterance.number <= job.utterance.number:
            return self._opens.pop(job.leg)
        return None

    def put_open(self, job: Job[T]) -> Job[T] | None:
        """Queue an open utterance; give back the older one of its leg that it replaces."""
        replaced = self._opens.pop(job.leg, None)
        if replaced and self._urgency(replaced, 1.0) is Urgency.FIRST is self._urgency(job, 1.0):
            job.came_at = replaced.came_at  # it takes over its place, too
        self._opens[job.leg] = job
        return replaced

    def remove(self, job: Job[T]) -> None:
        """Forget a job whose owner no longer waits; unknown ones are ignored."""
        if self._opens.get(job.leg) is job:
            del self._opens[job.leg]
        elif job in self._finals:
            self._finals.remove(job)

    def forget(self, call_id: str) -> list[Job[T]]:
        """Forget the legs of a call that ended; give back the open utterances that still waited."""
        gone = [job for job in self._opens.values() if job.utterance.call_id == call_id]
        for job in gone:
            del self._opens[job.leg]
        for leg in [leg for leg in self._begun if leg[0] == call_id]:
            del self._begun[leg]
        return gone

    def drop_opens(self) -> list[Job[T]]:
        """Forget all open utterances and give them back."""
        dropped = list(self._opens.values())
        self._opens.clear()
        return dropped

    def drop_finals(self) -> list[Job[T]]:
        """Forget all finals and give them back."""
        dropped = list(self._finals)
        self._finals.clear()
        return dropped

    def take(self, now: float, *, stretch: float, with_grown: bool) -> list[Job[T]]:
        """Take the next batch; empty where nothing is due.

        `stretch` (>= 1) lengthens the cadence of grown partials under load; without `with_grown` none of
        them is taken.
        """
        if self._finals and not self._is_gathered(now):
            return []
        due = sorted(
            (job for job in self._waiting(with_grown, stretch) if self._due_at(job, stretch) <= now),
            key=lambda job: (self._urgency(job, stretch), self._rank(job, stretch)),
        )
        batch = self._fitting(due)
        for job in batch:
            job.urgency = self._urgency(job, stretch)
            self.remove(job)
            if not job.utterance.is_closed:
                self._begun[job.leg] = (job.utterance, now)
        return batch

    def next_at(self, *, stretch: float, with_grown: bool) -> float | None:
        """Say from when on `take` has something to give, as things stand."""
        if self._finals:
            return self._finals[0].came_at + self._options.gather_s
        return min((self._due_at(job, stretch) for job in self._waiting(with_grown, stretch)), default=None)

    def _waiting(self, with_grown: bool, stretch: float) -> list[Job[T]]:
        opens = self._opens.values()
        return [
            *self._finals,
            *(job for job in opens if with_grown or self._urgency(job, stretch) is not Urgency.GROWN),
        ]

    def _is_gathered(self, now: float) -> bool:
        """Whether the oldest final has waited for company long enough."""
        waited = now - self._finals[0].came_at
        return waited >= self._options.gather_s or len(self._finals) >= self._options.max_batch

    def _urgency(self, job: Job[T], stretch: float) -> Urgency:
        if job.utterance.is_closed:
            return Urgency.FINAL
        if job.utterance.is_settled:
            return Urgency.PAUSED
        earlier, _ = self._begun.get(job.leg, (None, 0.0))
        if earlier is None or earlier.number != job.utterance.number:
            return Urgency.FIRST
        has_time = stretch <= self._options.second_guess_stretch
        is_young = has_time and earlier.end_s - earlier.start_s < self._options.first_until_s
        return Urgency.FIRST if is_young else Urgency.GROWN

    def _rank(self, job: Job[T], stretch: float) -> float:
        """Within one urgency who came first is first; of grown ones, who was served longest ago."""
        if self._urgency(job, stretch) is Urgency.GROWN:
            return self._begun[job.leg][1]
        return job.came_at

    def _due_at(self, job: Job[T], stretch: float) -> float:
        if self._urgency(job, stretch) is not Urgency.GROWN:
            return job.came_at
        _, begun_at = self._begun[job.leg]
        # short ones cost little: under load they come sooner, so that a first guess is soon mended
        share = min(1.0, job.seconds / self._options.costly_s)
        times = max(1.0, job.seconds / self._options.slow_from_s, stretch * share)
        return max(job.came_at, begun_at + self._options.partial_every_s * times)

    def _fitting(self, jobs: list[Job[T]]) -> list[Job[T]]:
        """Keep the first and those that cost little beside it."""
        batch: list[Job[T]] = []
        longest = 0.0
        for job in jobs:
            longest_then = max(longest, job.seconds)
            fits = not batch or (
                job.is_thorough == batch[0].is_thorough
                and self._is_similar(job.seconds, batch[0].seconds)
                and longest_then * (len(batch) + 1) <= self._options.max_batch_s
            )
            if fits:
                batch.append(job)
                longest = longest_then
            if len(batch) == self._options.max_batch:
                break
        return batch

    def _is_similar(self, seconds: float, other_s: float) -> bool:
        short, long = sorted((seconds, other_s))
        return long <= short * self._options.length_ratio + self._options.length_slack_s
