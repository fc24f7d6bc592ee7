"""The types of the search over calls, in the order in which a question is answered.

In: nothing but the types of calls. Out: `Wish` → `Page` of `Hit`s, and what an index of calls can do.
Not known here: how text is taken apart, where an index is kept, HTTP.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from calls.types import CallError


class By(StrEnum):
    """How words are compared."""

    TEXT = "text"
    SOUND = "sound"
    """By syllables, those that are often taken for each other alike; what stands in quotes by its text."""


class Order(StrEnum):
    """Which calls come first."""

    NEWEST = "newest"
    BEST = "best"
    """Those with the most lines in which all words stand, then with the most lines with any of them."""


class Source(StrEnum):
    """How a call came in."""

    LIVE = "live"
    RECORDING = "recording"


class Voice(StrEnum):
    """Whose words a line holds; the names of the index's columns."""

    CITIZEN = "citizen"
    OPERATOR = "operator"
    MIXED = "mixed"
    NOTE = "note"
    """What was written down about the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is looked for, and in which calls."""

    text: str
    by: By = By.TEXT
    voice: Voice | None = None
    caller: str | None = None
    operator_id: str | None = None
    seat: str | None = None
    """The one seat whose calls may be told of; None: all."""
    source: Source | None = None
    since: datetime | None = None
    """Calls that started then or later."""
    before: datetime | None = None
    order: Order = Order.NEWEST
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLine:
    """A line with what was looked for in it."""

    segment_id: str | None
    """None for a note."""
    note_id: str | None
    voice: Voice
    start_s: float | None
    """Its place in media time; None for a note."""
    text: str
    marks: tuple[tuple[int, int], ...]
    """Matched places: from and to, in characters of `text`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A call in which all words were found."""

    call_id: str
    started_at: datetime
    operator_id: str | None
    caller: str | None
    source: Source
    line: FoundLine
    """The one with most of the words, the earliest of those."""
    lines: int
    """Lines of this call with any of the words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of what was found."""

    total: int
    """Calls in all."""
    hits: tuple[Hit, ...]
    behind: int
    """Facts that are on record and not in the index yet."""


class CallIndex(Protocol):
    """What finds calls. Every method blocks, and raises `SearchFailed` where the disk does not play along."""

    def find(self, wish: Wish) -> Page:
        """The calls in which all words stand. Raises `BadWish`."""

    def catch_up(self, *, limit: int) -> int:
        """Take in at most `limit` facts that came after the last one taken in; returns how many it was."""

    def clear(self) -> None:
        """Forget everything, so that `catch_up` begins with the first fact."""

    def forget(self, call_id: str) -> None:
        """Forget one call, for whoever deletes it from the record."""


class BadWish(CallError):
    """A question that cannot be looked for; the message says what to do."""

    code = "search.bad_wish"


class SearchFailed(CallError):
    """The index cannot be read or written."""

    code = "search.failed"
    recoverable = True
