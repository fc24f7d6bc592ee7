"""Reads strangers' files in a process of its own, one after the other: the child of `asr.batch.reader`.

In: (path, identifier) pairs through a pipe. Out: through the same pipe the utterances of each and how far it
was read, then its `FileFacts` or the code of its refusal.
Not known here: models of speech to text, what becomes of the text.
"""

import os
import resource
from multiprocessing.connection import Connection
from pathlib import Path

import av

from asr.batch.listening import utterances_of
from asr.batch.types import ListeningOptions
from asr.sound_file import FileRefused, SoundFile
from asr.vad import SileroDetector

_POLITE = 5
"""Added to the niceness: reading ahead must not keep decoding waiting."""


def read_files(pipe: Connection, options: ListeningOptions, memory_bytes: int) -> None:
    """Serve one request after the other until the pipe is closed."""
    os.nice(_POLITE)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    detector = SileroDetector()
    while True:
        try:
            path, digest = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            _read(pipe, Path(path), digest, options, detector)
        except (BrokenPipeError, KeyboardInterrupt):
            return


def _read(
    pipe: Connection, path: Path, digest: str, options: ListeningOptions, detector: SileroDetector
) -> None:
    try:
        if path.stat().st_size == 0:
            raise FileRefused("asr.file_empty")
        with SoundFile(path) as file:
            utterances = utterances_of(file, options, detector, call_id=digest, on_read=pipe.send)
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
