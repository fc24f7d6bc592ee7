"""What small files that admins edit are, wherever they are kept.

In: nothing. Out: `Paper`, `Mark`, `Kind`; `Home`, where the content of one is kept.
Not known here: databases, folders, what is in a file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

MAX_CHARACTERS = 5_000_000
"""Of one file; a larger one is not shared."""
FROM_FILE = "文件"
"""The author of what was changed in a file by hand."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Names one state of a paper; the time tells apart states of the same number after a backup came back."""

    revision: int
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file as the database has it."""

    name: str
    content: str | None
    """None: somebody has taken the file away, and what comes with the product holds."""
    revision: int
    """Counts from 1."""
    author: str
    at: datetime

    @property
    def mark(self) -> Mark:
        """Of this state."""
        return Mark(self.revision, self.at.isoformat())


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of the files: its name for all servers, where it lies here, and what is wrong with a content."""

    name: str
    path: Path
    fault_of: Callable[[str], str | None]
    """A sentence, or None where nothing is."""


class Home(Protocol):
    """Where the content of a file is kept. Methods block; any thread may call them."""

    def fetch(self) -> None:
        """See that the file is the newest there is, before it is changed. Raises `StoreFailed`."""

    def write(self, content: str, *, by: str) -> bool:
        """Replace the content; False where somebody else was faster, and nothing was written.

        Raises `OSError`, `StoreFailed`.
        """
