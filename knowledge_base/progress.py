"""How far a publish has come, for anybody who asks, in whatever process.

In: the steps of whoever publishes.
Out: `PublishState`, also after the publisher was killed.
Not known here: what is published, who asks.

The state lies in `publish.json` of the versions' folder. While a publish runs it holds a lock of its own:
where the file says "running" and nobody holds the lock, the publisher is gone.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from knowledge_base.json_text import dumps, loads
from knowledge_base.types import KnowledgeError

log = logging.getLogger(__name__)


class Stage(StrEnum):
    """What a publish is doing, or how it ended."""

    NEVER = "never"
    STARTING = "starting"
    """The process that will publish is loading."""
    EMBEDDING = "embedding"
    BUILDING = "building"
    CHECKING = "checking"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """Its process is gone; the next publish goes on with what it had embedded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishState:
    """One look at the newest publish."""

    stage: Stage
    started_at: datetime | None = None
    done: int = 0
    """Passages embedded."""
    total: int = 0
    """Passages to embed; those known already do not count."""
    version: str | None = None
    """What is served now, once the stage is `done`."""
    canaries: int = 0
    """Canary questions that found their article."""
    code: str | None = None
    message: str | None = None
    """Why it failed, in a sentence."""

    @property
    def is_running(self) -> bool:
        """Whether a publish is under way."""
        return self.stage in (Stage.STARTING, Stage.EMBEDDING, Stage.BUILDING, Stage.CHECKING)


class ProgressNote:
    """Writes and reads the state. One publisher writes at a time; anybody reads."""

    def __init__(self, root: Path):
        self._path = root / "publish.json"
        self._lock = root / ".publish.lock"

    @contextmanager
    def publishing(self, now: datetime) -> Iterator["RunningNote"]:
        """Write down the steps of a publish; an exception is noted as its failure and goes on."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # readers hold it for microseconds only
            note = RunningNote(self._path, PublishState(stage=Stage.EMBEDDING, started_at=now))
            try:
                yield note
            except KnowledgeError as error:
                note.tell(stage=Stage.FAILED, code=error.code, message=error.message)
                raise
            except BaseException:
                note.tell(stage=Stage.INTERRUPTED)
                raise

    def read(self) -> PublishState:
        """The newest publish as it stands; a note that cannot be read tells of none."""
        try:
            values: dict[str, Any] = loads(self._path.read_text(encoding="utf-8"))
            state = PublishState(
                **values
                | {
                    "stage": Stage(values["stage"]),
                    "started_at": datetime.fromisoformat(values["started_at"]),
                }
            )
        except FileNotFoundError:
            return PublishState(stage=Stage.NEVER)
        except (ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be read: %s", self._path, type(error).__name__)
            return PublishState(stage=Stage.NEVER)
        return replace(state, stage=Stage.INTERRUPTED) if state.is_running and self._is_free() else state

    def _is_free(self) -> bool:
        with self._lock.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True


class RunningNote:
    """The state of the publish that runs in this process."""

    def __init__(self, path: Path, state: PublishState):
        self._path = path
        self._state = state
        self.tell()

    def tell(self, **changes: Any) -> None:
        """Write down what changed; a reader sees the old state or the new one."""
        self._state = replace(self._state, **changes)
        content = asdict(self._state)
        content["started_at"] = self._state.started_at and self._state.started_at.isoformat()
        aside = self._path.with_name(f".{self._path.name}.aside")
        aside.write_text(dumps(content), encoding="utf-8")
        os.replace(aside, self._path)
