"""Brings files of a folder to the store, and lets go of those that are there.

In: where the files are, which of them may go. Out: the same files in the store; how many wait.
Not known here: what the files are, when there is time for it.

Nothing goes from the folder before the store has it, at the same length. What fails is tried again at the
next round. Whoever deletes for good what a file belongs to may do so at any moment: that is looked at before
and after.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from knowledge_base.database import StoreFailed
from knowledge_base.objects.types import Objects, ObjectsAway

log = logging.getLogger(__name__)

SEND_EVERY_S = 5.0
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that is whole and changes no more."""

    name: str
    """Under which it goes into the store."""
    path: Path


@dataclass(slots=True, kw_only=True)
class Sender:
    """All of it blocks; one thread at a time."""

    objects: Objects
    find: Callable[[], Iterable[Candidate]]
    wanted: Callable[[list[str]], set[str]] = set
    """Which of these names still belong to something; the others are left alone."""
    keep_s: float = 0.0
    """How long after its last change a file stays here although the store has it."""
    forget_s: float | None = None
    """How long after its last change a file goes that belongs to nothing; None: it stays."""
    waiting: int = field(default=0, init=False)
    """Files that the store does not have yet, as far as is known."""
    _there: set[str] = field(default_factory=set, init=False)
    """Files that stay here for a while and are in the store."""

    def round(self) -> None:
        """Bring there what is not there, and let go of what is. Ends early where the store is away."""
        found = list(self.find())
        self._there &= {one.name for one in found}
        self.waiting = sum(one.name not in self._there for one in found)
        try:
            for some in _by_the(_AT_ONCE, found):
                wanted = self.wanted([one.name for one in some])
                for one in some:
                    if one.name in wanted:
                        self._see_to(one)
                    else:
                        self._forget(one)
        except ObjectsAway:  # it says so itself
            return

    def _see_to(self, one: Candidate) -> None:
        try:
            about = one.path.stat()
            if one.name not in self._there:
                if not self._bring(one, about.st_size):
                    return
                self._there.add(one.name)
                self.waiting -= 1
            if time.time() - about.st_mtime >= self.keep_s:
                one.path.unlink()
                self._there.discard(one.name)
        except OSError as error:  # deleted by somebody, or the disk does not let us
            if not isinstance(error, FileNotFoundError):
                log.error("a file cannot be brought to the object store: %s", error.strerror)

    def _forget(self, one: Candidate) -> None:
        self.waiting -= one.name not in self._there
        with suppress(FileNotFoundError):
            if self.forget_s is not None and time.time() - one.path.stat().st_mtime >= self.forget_s:
                one.path.unlink()

    def _bring(self, one: Candidate, n_bytes: int) -> bool:
        if self.objects.size(one.name) != n_bytes:
            self.objects.put(one.name, one.path)
            if self.objects.size(one.name) != n_bytes:
                log.error("the object store did not keep what it was given")
                return False
        if one.name not in self.wanted([one.name]):  # it was deleted meanwhile
            self.objects.delete(one.name)
            return False
        return True


async def keep_sending(sender: Sender) -> None:
    """Round after round, without end."""
    while True:
        try:
            await asyncio.to_thread(sender.round)
        except StoreFailed as error:
            log.error("files are not brought to the object store (%s)", type(error).__name__)
        await asyncio.sleep(SEND_EVERY_S)


def _by_the(number: int, found: list[Candidate]) -> Iterator[list[Candidate]]:
    rest = iter(found)
    while some := list(islice(rest, number)):
        yield some
