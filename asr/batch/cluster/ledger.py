"""Who has which file: the longest go out first, and what a lost worker had goes to others.

In: tasks; what became of them; which workers come and go. Out: what a worker gets next.
Not known here: Ray, time, sound.

Shares are counted in likely seconds of sound and shrink towards the end, so that all workers end together.
A file that was lost twice goes out alone: if its next worker is lost too, it is the file.
"""

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, replace

from asr.batch.cluster.types import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much a worker has in hand. Raises `ValueError` for values out of range."""

    least_s: float = 60.0
    """Small, for this is what all wait for in the end."""
    most_s: float = 3600.0
    """More would be done twice if it were lost."""
    losses: int = 3
    """So many workers may be lost with a file before it is given up."""

    def __post_init__(self) -> None:
        if not 0 < self.least_s <= self.most_s or self.losses < 1:
            raise ValueError("0 < least_s <= most_s must hold, losses must be above 0.")


class Ledger:
    """For one thread."""

    def __init__(self, tasks: Iterable[Task], shares: Shares) -> None:
        self._shares = shares
        self._waiting: list[Task] = []  # the longest last
        self._waiting_s = 0.0
        self._suspects: list[Task] = []
        self._alike: dict[str, list[Task]] = {}  # by likeness, those that wait for the first of them
        self._hands: dict[str, dict[str, Task]] = {}  # by worker and path
        for task in tasks:
            if task.likeness and task.likeness in self._alike:
                self._alike[task.likeness].append(task)
                continue
            if task.likeness:
                self._alike[task.likeness] = []
            self._wait(task)
        self._waiting.sort(key=_length)

    @property
    def is_over(self) -> bool:
        """Whether nothing waits and nobody has anything in hand."""
        return not (self._waiting or self._suspects or any(self._hands.values()))

    def hire(self, worker: str) -> None:
        """Somebody comes."""
        self._hands[worker] = {}

    def hand_out(self, worker: str) -> list[Task]:
        """What the worker gets in addition to what it has; it has it from now on."""
        hand = self._hands[worker]
        given: list[Task] = []
        if any(task.losses >= 2 for task in hand.values()):
            return given
        share_s = self._share_s
        in_hand_s = sum(task.likely_s for task in hand.values())
        while self._waiting and (in_hand_s < share_s or not hand):
            task = self._waiting.pop()
            self._waiting_s -= task.likely_s
            in_hand_s += task.likely_s
            hand[str(task.path)] = task
            given.append(task)
        if not hand and self._suspects:
            given = [self._suspects.pop()]
            hand[str(given[0].path)] = given[0]
        return given

    def end(self, worker: str, path: str) -> Task | None:
        """A file has a result; None where the worker does not have it (any more)."""
        task = self._hands.get(worker, {}).pop(path, None)
        if task is not None:
            self._release_alike(task)
        return task

    def has_work(self, worker: str) -> bool:
        """Whether the worker has anything in hand."""
        return bool(self._hands.get(worker))

    def lose(self, worker: str, *, counts: bool = True) -> list[Task]:
        """The worker is gone; gives back the files that are given up. `counts`: a file may be to blame."""
        given_up = []
        for task in self._hands.pop(worker, {}).values():
            lost = replace(task, losses=task.losses + counts)
            if lost.losses >= self._shares.losses:
                given_up.append(lost)
                self._release_alike(lost)
            elif lost.losses >= 2:
                self._suspects.append(lost)
            else:
                self._wait(lost, is_sorted=True)
        return given_up

    @property
    def _share_s(self) -> float:
        fair_s = self._waiting_s / (4 * max(1, len(self._hands)))
        return min(self._shares.most_s, max(self._shares.least_s, fair_s))

    def _release_alike(self, task: Task) -> None:
        for other in self._alike.pop(task.likeness, []):
            self._wait(other, is_sorted=True)

    def _wait(self, task: Task, *, is_sorted: bool = False) -> None:
        self._waiting_s += task.likely_s
        if is_sorted:
            insort(self._waiting, task, key=_length)
        else:
            self._waiting.append(task)


def _length(task: Task) -> tuple[float, str]:
    return task.likely_s, task.name
