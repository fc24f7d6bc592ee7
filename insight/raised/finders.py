"""What finds warnings: told what is counted, asked when the clock has moved on.

In: changes of what is counted, the time. Out: `EarlyWarning`s, how a matter goes on.
Not known here: how one of them finds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from insight.raised.progress import Progress
from insight.raised.reports import Change
from insight.raised.types import Layer, RaisedWarning
from insight.types import EarlyWarning


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a finder fares, for people."""

    days: int = 0
    """Of history that it has learnt."""
    days_needed: int = 0
    """Before that it tells nothing."""
    looked_at: datetime | None = None
    """Up to when it has looked."""
    matters: int = 0
    districts: int = 0
    unlisted: int = 0
    """Reports of the last two days whose matter it does not count (yet)."""

    @property
    def is_learning(self) -> bool:
        """Whether it does not know enough yet."""
        return self.days < self.days_needed


class Finder(Protocol):
    """One way of finding. All methods block and are called from one thread at a time."""

    layer: Layer
    """Of what it finds."""

    def open(self, state: bytes | None, now: datetime) -> None:
        """Go on from a kept state, or learn from what is known where there is none that fits."""

    def hear(self, changes: Sequence[Change]) -> None:
        """Take in what is counted from now on."""

    def advance(self, now: datetime) -> list[EarlyWarning]:
        """Look at the time that has passed, and tell what stands out."""

    def progress(self, warning: RaisedWarning) -> Progress:
        """How a matter went on since the warning's `since`."""

    def sample_ids(self, warning: RaisedWarning, limit: int) -> tuple[str, ...]:
        """The newest reports of it, one for each caller."""

    def expected_hourly(self, warning: RaisedWarning, hours: Sequence[datetime]) -> list[float] | None:
        """Callers that are usual in those hours; None where nobody can say."""

    def state(self) -> bytes:
        """All that it remembers, for `open`."""

    @property
    def standing(self) -> Standing:
        """How it fares."""
