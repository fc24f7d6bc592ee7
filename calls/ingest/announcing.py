"""What was said of lines before they come: some protocols carry sound and nothing else.

In: announcements, by the identifier that the line will bring. Out: the announcement, when the line is there.
Not known here: HTTP, sockets, calls.

Bound: 10,000 announcements; the oldest is forgotten for a new one. Each holds for two hours after it was made
or last used.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from asr.types import Party

MAX_KEPT = 10_000
HOLDS_FOR = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """Which call a line belongs to, and who is heard on it."""

    key: str
    """By which the lines of one call find each other."""
    party: Party | None = None
    """None: the port says it."""
    parties: tuple[Party, ...] = ()
    """Everybody who will be heard; empty: the port says it."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What is to be kept of the call: seat, numbers and so on."""


class Announcements:
    """All that were made and are not forgotten yet."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[datetime, Announcement]] = OrderedDict()

    def make(self, line: str, announcement: Announcement, now: datetime) -> None:
        """Keep it for the line of that identifier; a later one replaces it."""
        self._forget(now)
        self._kept.pop(line, None)
        while len(self._kept) >= MAX_KEPT:
            self._kept.popitem(last=False)
        self._kept[line] = (now + HOLDS_FOR, announcement)

    def find(self, line: str, now: datetime) -> Announcement | None:
        """What was said of that line; it may come again, after a transfer or a broken network."""
        self._forget(now)
        if (found := self._kept.pop(line, None)) is None:
            return None
        self._kept[line] = (now + HOLDS_FOR, found[1])
        return found[1]

    def _forget(self, now: datetime) -> None:
        while self._kept and next(iter(self._kept.values()))[0] <= now:
            self._kept.popitem(last=False)
