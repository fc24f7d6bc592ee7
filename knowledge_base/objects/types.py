"""What can be done with files that all servers of a house share, and what can go wrong.

In: the errors of knowledge. Out: `Objects`, which a folder and a store of S3 implement alike.
Not known here: where files lie, what is in them.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from knowledge_base.types import KnowledgeError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One object."""

    name: str
    n_bytes: int
    changed: float
    """When it was put there, in seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStats:
    """How the store has fared."""

    is_up: bool
    """Whether the newest request was answered."""
    why: str
    """Why it was not; empty where it was."""
    failures: int
    """Requests that were not answered, since the start."""


class Objects(Protocol):
    """Objects by name, as `kb/VERSION/version.json`. Any thread may call; all of it blocks.

    Every method raises `ObjectsAway` where the place does not answer, or says no.
    """

    def put(self, name: str, file: Path) -> None:
        """Keep a copy of the file under that name: whole or, where this raises, as it was before."""

    def fetch(self, name: str, into: Path) -> None:
        """Write the object into a new file. Raises `NoSuchObject`; what the file then holds is nothing."""

    def read(self, name: str, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`, fewer where there are no more. Raises `NoSuchObject`."""

    def size(self, name: str) -> int | None:
        """How many bytes it has; None where there is no such object."""

    def text(self, name: str) -> str | None:
        """A small object as text; None where there is none."""

    def set_text(self, name: str, text: str) -> None:
        """Put a small text there: who reads sees the old one or the new one."""

    def delete(self, name: str) -> None:
        """Take it away, with all that is kept of it; nothing happens where there is none."""

    def under(self, prefix: str) -> Iterator[Stored]:
        """All objects whose name begins so; `prefix` ends with a slash."""

    def stats(self) -> ObjectStats:
        """How it has fared."""

    def close(self) -> None:
        """Let connections go."""


class ObjectsAway(KnowledgeError):
    """The place where objects lie does not answer, or does not let us in; what is there stays."""

    code = "kb.objects_away"
    recoverable = True

    def __init__(self, why: str):
        super().__init__(
            f"对象存储暂时用不了（{why}），这次没有做成，原来的内容照常使用。请检查 ZHITING_OBJECTS、"
            "ZHITING_S3_ENDPOINT、密钥和网络（zhiting doctor 会逐项检查），恢复后再试一次。"
        )
        self.why = why


class NoSuchObject(KnowledgeError):
    """There is no object of that name."""

    code = "kb.no_such_object"

    def __init__(self, name: str):
        super().__init__(f"对象存储里没有 {name}。")


class Health:
    """Counts what was not answered, and says in the log when that begins and ends."""

    def __init__(self) -> None:
        self._failures = 0
        self._why = ""

    @contextmanager
    def watching(self) -> Iterator[None]:
        """One request."""
        try:
            yield
        except ObjectsAway as error:
            if not self._why:
                log.error("the object store is away: %s", error.why)
            self._why = error.why
            self._failures += 1
            raise
        except NoSuchObject:
            self._answered()
            raise
        else:
            self._answered()

    def stats(self) -> ObjectStats:
        """What was counted."""
        return ObjectStats(is_up=not self._why, why=self._why, failures=self._failures)

    def _answered(self) -> None:
        if self._why:
            log.info("the object store is back")
            self._why = ""


def checked(name: str) -> str:
    """The name itself; raises `ValueError` where it is none: no way into another folder, nothing hidden."""
    parts = name.split("/")
    if not all(part and not part.startswith(".") and part.isprintable() for part in parts) or "\\" in name:
        raise ValueError(f"not a name of an object: {name!r}")
    return name
