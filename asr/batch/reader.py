"""Reads files through a child process, so that none can take down those who decode.

In: paths.
Out: the utterances of each and its facts; a child that hangs or dies is replaced, and costs its file.
Not known here: what is in the files, who decodes.
"""

import multiprocessing
from collections.abc import Callable, Generator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from asr.batch.reading_process import read_files
from asr.batch.types import FileFacts, ListeningOptions
from asr.sound_file import FileRefused
from asr.types import Utterance

_LOOK_S = 0.5  # so soon it is noticed that a file is no longer wanted
_SPAWN = multiprocessing.get_context("spawn")  # threads and models of this process are not for the child


class ReadingStopped(Exception):
    """The file is no longer wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLimits:
    """What one file may take."""

    silent_s: float = 120.0
    """Time within which the child must get on. One that is slower is given up."""
    memory_bytes: int = 3 * 1024**3
    """Address space of the child."""

    def __post_init__(self) -> None:
        if self.silent_s <= 0 or self.memory_bytes <= 0:
            raise ValueError("limits must be positive")


class Reader:
    """One child process, begun when it is first needed. For one thread."""

    def __init__(self, options: ListeningOptions, limits: ReaderLimits | None = None) -> None:
        self._options = options
        self._limits = limits or ReaderLimits()
        self._child: BaseProcess | None = None
        self._pipe: Connection | None = None

    def read(
        self,
        path: Path,
        *,
        digest: str,
        on_read: Callable[[float], None] = lambda _: None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Generator[Utterance, None, FileFacts]:
        """Yield the utterances of a file; the facts are the generator's value.

        `on_read` is told the seconds read so far. A generator that is not read to its end costs the child.
        Raises `FileRefused`, and `ReadingStopped` soon after the file is no longer wanted.
        """
        pipe = self._begun()
        is_over = False
        try:
            pipe.send((str(path), digest))
            while True:
                self._wait(pipe, is_wanted)
                told: Utterance | FileFacts | float | str = pipe.recv()
                if isinstance(told, float):
                    on_read(told)
                    continue
                is_over = not isinstance(told, Utterance)
                if isinstance(told, str):
                    raise FileRefused(told)
                if isinstance(told, FileFacts):
                    return told
                yield told
        except (EOFError, ConnectionError):  # the child has died of it
            raise FileRefused("asr.file_unreadable") from None
        finally:
            if not is_over:
                self.close()

    def _wait(self, pipe: Connection, is_wanted: Callable[[], bool]) -> None:
        waited_s = 0.0
        while is_wanted():
            if pipe.poll(min(_LOOK_S, self._limits.silent_s)):
                return
            waited_s += _LOOK_S
            if waited_s >= self._limits.silent_s:
                raise FileRefused("asr.file_too_costly")
        raise ReadingStopped

    def close(self) -> None:
        """End the child."""
        if self._pipe is not None:
            self._pipe.close()
        if self._child is not None:
            self._child.kill()
            self._child.join()
        self._child = self._pipe = None

    def _begun(self) -> Connection:
        if self._pipe is None:
            self._pipe, theirs = _SPAWN.Pipe()
            self._child = _SPAWN.Process(
                target=read_files,
                args=(theirs, self._options, self._limits.memory_bytes),
                daemon=True,
                name="reader",
            )
            self._child.start()
            theirs.close()
        return self._pipe
