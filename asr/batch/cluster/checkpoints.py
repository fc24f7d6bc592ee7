"""Results where all machines of a cluster can see them: one object for each file and fingerprint.

In: a URL that fsspec knows (`file://`, `s3://`, …), results as they come. Out: what is there.
Not known here: who works on what; the driver gives each file to one worker at a time.

An object is written as a whole: on a file system aside and then renamed, in an object store by its nature.
One that is damaged all the same counts as not there.
"""

import os
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import fsspec
from pydantic import TypeAdapter, ValidationError

from asr.batch.cluster.types import ClusterError
from asr.batch.types import Piece, Refusal, Transcript
from asr.types import Party


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """Exactly one of them."""

    transcript: Transcript | None = None
    refusal: Refusal | None = None


_RESULT = TypeAdapter(_Result)


class Checkpoints:
    """Opened on a URL; any thread may use it. Implements `asr.batch.records.Records`. Raises `OSError`."""

    def __init__(self, url: str) -> None:
        try:
            self._files, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise ClusterError(f"--checkpoints {url}：不能使用这种位置：{error}") from None
        self._root = root.rstrip("/")
        self._is_plain = "file" in _protocols(self._files.protocol)

    @property
    def url(self) -> str:
        """The same place, named so that it does not depend on the current folder."""
        full: str = self._files.unstrip_protocol(self._root)
        return full

    def read(self, name: str) -> bytes | None:
        """An object's bytes; None where there is none."""
        try:
            with _as_os_error():
                content: bytes = self._files.cat_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return None
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write an object, or write it anew."""
        place = f"{self._root}/{name}"
        if not self._is_plain:
            with _as_os_error():
                self._files.pipe_file(place, content)
            return
        aside = f"{place}.{uuid.uuid4().hex[:8]}.part"
        self._files.makedirs(os.path.dirname(place), exist_ok=True)
        try:
            self._files.pipe_file(aside, content)
            self._files.mv(aside, place)
        except OSError:
            if self._files.exists(aside):
                self._files.rm_file(aside)
            raise

    def remove(self, name: str) -> None:
        """Take an object away, if it is there."""
        try:
            with _as_os_error():
                self._files.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return

    def transcript(self, digest: str, fingerprint: str) -> Transcript | None:
        """What was recognised, if all of it was."""
        found = self._result(digest, fingerprint)
        return found.transcript if found else None

    def refusal(self, digest: str, fingerprint: str) -> Refusal | None:
        """Why it was refused, if it was."""
        found = self._result(digest, fingerprint)
        return found.refusal if found else None

    def pieces(self, digest: str, fingerprint: str) -> Mapping[tuple[Party, int], Piece]:
        """None: whole files are kept, not their utterances."""
        return {}

    def keep(self, fingerprint: str, pieces: Iterable[tuple[str, Piece]]) -> None:
        """Do nothing: a file is kept when it is whole."""

    def finish(self, digest: str, fingerprint: str, transcript: Transcript) -> None:
        """Put a transcript on record."""
        self._put(digest, fingerprint, _Result(transcript=transcript))

    def refuse(self, digest: str, fingerprint: str, refusal: Refusal) -> None:
        """Put on record that there will be no transcript, and why."""
        self._put(digest, fingerprint, _Result(refusal=refusal))

    def claim(self, digest: str, fingerprint: str) -> bool:
        """Agree: whoever was given a file has it."""
        return True

    def release(self, digest: str, fingerprint: str) -> None:
        """Do nothing: files are given out elsewhere."""

    def _put(self, digest: str, fingerprint: str, result: _Result) -> None:
        self.write(_place(digest, fingerprint), zlib.compress(_RESULT.dump_json(result)))

    def _result(self, digest: str, fingerprint: str) -> _Result | None:
        packed = self.read(_place(digest, fingerprint))
        if packed is None:
            return None
        try:
            return _RESULT.validate_json(zlib.decompress(packed))
        except (zlib.error, ValidationError):
            return None  # broke off while it was written, or was written by another version


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Whatever a client of some storage raises, e.g. where it has no credentials."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def _place(digest: str, fingerprint: str) -> str:
    return f"{fingerprint}/{digest[:2]}/{digest}"


def _protocols(named: str | tuple[str, ...]) -> tuple[str, ...]:
    return (named,) if isinstance(named, str) else named
