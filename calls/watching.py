"""Lets somebody look at work as it is done: which step, how long it took, what came of it.

In: the steps of whoever works. Out: the same, to a `Watch`, or to nobody at next to no cost.
Not known here: who looks, and what becomes of it.

Details are identifiers, durations and counts: never words, names or telephone numbers.
"""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeAlias

Detail: TypeAlias = str | int | float | bool
_NONE: Mapping[str, str] = {}


class Step(Protocol):
    """A step under way."""

    @property
    def headers(self) -> Mapping[str, str]:
        """To be sent along with a request, so that whoever gets it can say what it belongs to."""

    def note(self, **details: Detail) -> None:
        """Add what came of it."""

    def fail(self, why: str) -> None:
        """It came to nothing; `why` is a code or the name of an error's type."""


class Watch(Protocol):
    """Looks at a step until the `with` ends; an error that leaves it is a failure of the step."""

    def __call__(
        self, name: str, /, *, since_s: float | None = None, **details: Detail
    ) -> AbstractContextManager[Step]:
        """`since_s`: when it began, by the monotonic clock, where that is some time ago."""


class _Nobody:
    """Looks at nothing."""

    headers = _NONE

    def note(self, **details: Detail) -> None:
        """Nobody wants to know."""

    def fail(self, why: str) -> None:
        """Nobody wants to know."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


_NOBODY = _Nobody()


def unwatched(
    _name: str, /, *, since_s: float | None = None, **details: Detail
) -> AbstractContextManager[Step]:
    """The `Watch` of a house where nobody looks."""
    return _NOBODY


@dataclass(slots=True)
class WriteTimes:
    """When facts were on their way to the disk; all by the monotonic clock, in seconds."""

    asked_s: float = field(default_factory=time.monotonic)
    begun_s: float = 0.0
    """When the transaction began."""
    durable_s: float = 0.0
    """When it was committed."""
    together: int = 1
    """Appends in that transaction."""
