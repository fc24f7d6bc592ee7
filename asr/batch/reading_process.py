"""Reads strangers' files in a process of its own, one after the other: the child of `asr.batch.reader`.

In: (path, identifier) pairs through a pipe. Out: through the same pipe the utterances of each and how far it
was read, then its `FileFacts` or the code of its refusal.
Not known here: models of speech to text, what becomes of the text.
"""

import os
import resource
from collections.abc import Callable, Generator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeAlias

import av
import psutil

from asr.batch.dividing import divided
from asr.batch.listening import utterances_of
from asr.batch.types import FileFacts, ListeningOptions
from asr.sound_file import FileRefused, SoundFile
from asr.types import Utterance
from asr.vad import SileroDetector

_POLITE = 5
"""Added to the niceness: reading ahead must not keep decoding waiting."""

_Utterances: TypeAlias = Generator[Utterance, None, FileFacts]
_Listen: TypeAlias = Callable[[SoundFile, str, Callable[[float], None]], _Utterances]
"""Of an opened file, its identifier, and who is told how far it was read."""


def read_files(pipe: Connection, options: ListeningOptions, memory_bytes: int) -> None:
    """Serve one request after the other until the pipe is closed."""
    os.nice(_POLITE)
    listen = _listener(options)
    if options.voices is not None:  # the library that opened them is no part of what a file may take
        memory_bytes += psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            path, digest = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            _read(pipe, Path(path), digest, listen)
        except (BrokenPipeError, KeyboardInterrupt):
            return


def _listener(options: ListeningOptions) -> _Listen:
    """Open what finds speech and, where that is wanted, tells the speakers of a mixed leg apart."""
    detector = SileroDetector()

    def listen(file: SoundFile, digest: str, on_read: Callable[[float], None]) -> _Utterances:
        return utterances_of(file, options, detector, call_id=digest, on_read=on_read)

    if options.voices is None:
        return listen
    from asr.batch.voices import Voices  # takes seconds and 200 MB that nobody else needs

    voices = Voices(options.voices)
    return lambda file, digest, on_read: divided(listen(file, digest, on_read), voices.prints)


def _read(pipe: Connection, path: Path, digest: str, listen: _Listen) -> None:
    try:
        if path.stat().st_size == 0:
            raise FileRefused("asr.file_empty")
        with SoundFile(path) as file:
            utterances = listen(file, digest, pipe.send)
            while True:
                try:
                    pipe.send(next(utterances))
                except StopIteration as end:
                    pipe.send(end.value)
                    return
    except FileRefused as refused:
        pipe.send(str(refused))
    except OSError as error:  # FFmpeg's errors are some of these
        is_sound = isinstance(error, av.FFmpegError)
        pipe.send("asr.file_unreadable" if is_sound else "asr.file_unopened")
    except (av.FFmpegError, MemoryError, ValueError):
        pipe.send("asr.file_unreadable")
