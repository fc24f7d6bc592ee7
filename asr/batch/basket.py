"""Gathers utterances of many files and gives them out in batches of one length, when rounded up.

In: utterances in the order in which they were found.
Out: batches, filled up with silence to one length; the oldest utterance is always in the next one.
Not known here: threads, models, files.
"""

from bisect import bisect_left, insort
from collections import OrderedDict
from dataclasses import dataclass, replace

import numpy as np

from asr.types import SAMPLE_RATE_HZ, Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketOptions:
    """How batches are put together. Raises `ValueError` for values out of range."""

    max_batch: int = 8
    """Utterances decoded together."""
    max_batch_s: float = 60.0
    """Sound decoded together, each utterance counted as long as the longest."""
    held_s: float = 480.0
    """Sound that waits at most; whoever brings more has to wait."""
    choice: int = 64
    """Utterances to choose from before a batch is given out, while more may come."""
    step_s: float = 0.5
    """Utterances decoded together are of one length when it is rounded up to steps of this."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_batch <= 256 or self.choice < 1:
            raise ValueError("max_batch must lie between 1 and 256, choice above 0.")
        if self.step_s <= 0 or self.max_batch_s <= 0 or self.held_s < self.max_batch_s:
            raise ValueError("0 < max_batch_s <= held_s and 0 < step_s must hold.")


class Basket:
    """Holds utterances; whoever shares it between threads locks it."""

    def __init__(self, options: BasketOptions) -> None:
        self._options = options
        self._by_age: OrderedDict[int, Utterance] = OrderedDict()
        self._by_length: list[tuple[int, int]] = []  # (samples, number of coming), rising
        self._came = 0
        self._samples = 0

    def __len__(self) -> int:
        return len(self._by_age)

    @property
    def held_s(self) -> float:
        """Sound that waits."""
        return self._samples / SAMPLE_RATE_HZ

    @property
    def is_full(self) -> bool:
        """Whether nothing more is taken for now."""
        return self.held_s >= self._options.held_s

    @property
    def has_choice(self) -> bool:
        """Whether enough waits for a good batch."""
        return len(self) >= self._options.choice or self.is_full

    def add(self, utterance: Utterance) -> None:
        """Take one more."""
        self._came += 1
        self._by_age[self._came] = utterance
        insort(self._by_length, (len(utterance.samples), self._came))
        self._samples += len(utterance.samples)

    def take(self) -> list[Utterance]:
        """Give the oldest and those nearest to it in length, within its step; empty where nothing waits."""
        if not self._by_age:
            return []
        oldest = next(iter(self._by_age))
        place = bisect_left(self._by_length, (len(self._by_age[oldest].samples), oldest))
        low, high = place, place + 1  # the batch is by_length[low:high]
        while high - low < self._options.max_batch:
            wider = self._wider(low, high, len(self._by_age[oldest].samples))
            if wider is None:
                break
            low, high = wider
        chosen = self._by_length[low:high]
        del self._by_length[low:high]
        self._samples -= sum(samples for samples, _ in chosen)
        return [
            self._filled_up(self._by_age.pop(number)) for _, number in sorted(chosen, key=lambda one: one[1])
        ]

    def _filled_up(self, utterance: Utterance) -> Utterance:
        """With silence up to a whole step: so its text does not depend on what it is decoded with."""
        missing = self._rounded(len(utterance.samples)) - len(utterance.samples)
        return replace(utterance, samples=np.pad(utterance.samples, (0, missing)))

    def _wider(self, low: int, high: int, samples: int) -> tuple[int, int] | None:
        """Take in the neighbour that is nearer in length, as long as the batch does not get too large."""
        shorter = samples - self._by_length[low - 1][0] if low > 0 else None
        longer = self._by_length[high][0] - samples if high < len(self._by_length) else None
        step = self._rounded(samples)
        if longer is not None and self._rounded(self._by_length[high][0]) != step:
            longer = None
        if shorter is not None and self._rounded(self._by_length[low - 1][0]) != step:
            shorter = None
        room = self._options.max_batch_s * SAMPLE_RATE_HZ / (high - low + 1)
        if longer is not None and self._by_length[high][0] > room:
            longer = None
        if shorter is not None and self._by_length[high - 1][0] > room:
            shorter = None
        if longer is not None and (shorter is None or longer <= shorter):
            return low, high + 1
        return (low - 1, high) if shorter is not None else None

    def _rounded(self, samples: int) -> int:
        """A number of samples, rounded up to whole steps."""
        step = round(self._options.step_s * SAMPLE_RATE_HZ)
        return -(-samples // step) * step
