"""The files of this server, kept in step with the database.

In: which files there are, the store, the present moment. Out: files as the database has them; the database as
somebody has changed a file by hand. Not known here: what is in a file, who reads it, other servers.

What each file is a copy of stands in a note beside them, so that a change by hand is told from an old copy,
also after a restart. Where a file and the database were both changed, the database holds and the file is put
aside.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from calls.papers.own_file import replace_file, state_of
from calls.papers.store import PaperStore
from calls.papers.types import FROM_FILE, MAX_CHARACTERS, Kind, Mark, Paper

log = logging.getLogger(__name__)
NOTES = ".papers.json"
"""In the data folder."""
_NOT_TEXT = "不是 UTF-8 编码的文本，或者太大。"


class _Known(BaseModel):
    """What a file here was a copy of."""

    revision: int
    at: str
    digest: str | None

    @property
    def mark(self) -> Mark:
        return Mark(self.revision, self.at)


class _Notes(BaseModel):
    files: dict[str, _Known] = {}


class Copies:
    """All methods block; any thread may call them. They raise `StoreFailed` while the database is away."""

    def __init__(
        self, store: PaperStore, kinds: Sequence[Kind], *, notes: Path, clock: Callable[[], datetime]
    ) -> None:
        """`notes` is where it is noted what each file is a copy of."""
        self.told: Callable[[], None] = lambda: None
        """Called, on any thread, when the database has something new from here."""
        self._store = store
        self._kinds = {kind.name: kind for kind in kinds}
        self._path = notes
        self._clock = clock
        self._lock = threading.RLock()
        self._notes = _read_notes(notes)
        self._digests: dict[str, tuple[tuple[int, int, int], str]] = {}
        self._faulty: dict[str, str | None] = {}
        self._stuck: set[str] = set()

    def look(self, *, is_first: bool = False) -> None:
        """Bring every file and the database in step.

        At the `first` look, before anybody has read the files, one that cannot be used is put aside where the
        database has another: a server must be able to start.
        """
        with self._lock:
            marks = self._store.marks()
            for kind in self._kinds.values():
                try:
                    self._settle(kind, marks.get(kind.name), is_first=is_first)
                    self._stuck.discard(kind.name)
                except OSError as error:  # it is tried again at the next look
                    self._tell_stuck(kind, error)

    def fetch(self, name: str) -> None:
        """See that one file is the newest there is."""
        with self._lock:
            paper = self._store.paper(name)
            self._settle(self._kinds[name], paper.mark if paper else None)

    def write(self, name: str, content: str, *, by: str) -> bool:
        """Replace the content of a file that was fetched; False where somebody was faster.

        What the database has taken counts: a disk here that takes nothing is tried again at the next look.
        """
        kind = self._kinds[name]
        with self._lock:
            known = self._notes.files.get(name)
            paper = self._store.put(
                name, content, expected=known.mark if known else None, author=by, at=self._clock()
            )
            if paper is None:
                return False
            self.told()
            try:
                self._take(kind, paper)
            except OSError as error:
                self._tell_stuck(kind, error)
        return True

    def _tell_stuck(self, kind: Kind, error: OSError) -> None:
        if kind.name not in self._stuck:  # once, not at every look
            log.error("%s cannot be kept in step: %s", kind.path, error.strerror)
        self._stuck.add(kind.name)

    def _settle(self, kind: Kind, mark: Mark | None, *, is_first: bool = False) -> None:
        known = self._notes.files.get(kind.name)
        digest = self._digest(kind)
        is_edited = digest != (known.digest if known else None)
        is_newer = mark != (known.mark if known else None)
        if not is_edited and not is_newer:
            return
        paper = self._store.paper(kind.name) if mark else None
        if paper is None:
            if digest is not None:
                self._offer(kind, None)
            elif known is not None:
                self._forget(kind)
        elif digest == _digest_of(paper.content):
            self._note(kind, paper)
        elif is_edited and not is_newer:
            self._offer(kind, paper, is_first=is_first)
        else:
            if is_edited:
                self._put_aside(kind)
            self._take(kind, paper)

    def _offer(self, kind: Kind, paper: Paper | None, *, is_first: bool = False) -> None:
        """Give the database what somebody wrote into the file, if it can be used."""
        content, fault = None, None
        if kind.path.exists():
            content = _text_of(kind.path)
            fault = _NOT_TEXT if content is None else kind.fault_of(content)
        digest = self._digest(kind)
        if fault is not None:
            if self._faulty.get(kind.name) != digest:
                log.error("%s is not taken, nor told to other servers: %s", kind.path, fault)
            self._faulty[kind.name] = digest
            if is_first and paper is not None:
                self._put_aside(kind)
                self._take(kind, paper)
            return
        taken = self._store.put(
            kind.name,
            content,
            expected=paper.mark if paper else None,
            author=FROM_FILE,
            at=self._clock(),
        )
        if taken is not None:  # else another server was faster, and the next look sees what is so
            log.info("%s was changed by hand and is revision %d for all servers", kind.path, taken.revision)
            self._note(kind, taken)
            self.told()

    def _take(self, kind: Kind, paper: Paper) -> None:
        """Make the file what the database has."""
        if paper.content is None:
            kind.path.unlink(missing_ok=True)
        else:
            kind.path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(kind.path, paper.content)
        self._note(kind, paper)
        log.info("%s is revision %d of the database", kind.path, paper.revision)

    def _put_aside(self, kind: Kind) -> None:
        if not kind.path.exists():
            return
        aside = kind.path.with_name(f"{kind.path.name}.{self._clock():%Y%m%d-%H%M%S}.aside")
        kind.path.replace(aside)
        log.error("%s was put aside as %s: the database has another", kind.path, aside.name)

    def _note(self, kind: Kind, paper: Paper) -> None:
        self._faulty.pop(kind.name, None)
        self._notes.files[kind.name] = _Known(
            revision=paper.revision, at=paper.mark.at, digest=_digest_of(paper.content)
        )
        self._write_notes()

    def _forget(self, kind: Kind) -> None:
        del self._notes.files[kind.name]
        self._write_notes()

    def _write_notes(self) -> None:
        replace_file(self._path, self._notes.model_dump_json(indent=2) + "\n")

    def _digest(self, kind: Kind) -> str | None:
        """Of the file as it is; read again only where it has changed."""
        state = state_of(kind.path)
        if state is None:
            return None
        seen = self._digests.get(kind.name)
        if seen is None or seen[0] != state:
            with kind.path.open("rb") as file:
                seen = (state, hashlib.file_digest(file, "sha256").hexdigest())
            self._digests[kind.name] = seen
        return seen[1]


class SharedFile:
    """The `Home` of a file that all servers share."""

    def __init__(self, copies: Copies, name: str) -> None:
        self._copies = copies
        self._name = name

    def fetch(self) -> None:
        """See that it is the newest there is. Raises `StoreFailed`."""
        self._copies.fetch(self._name)

    def write(self, content: str, *, by: str) -> bool:
        """Replace it for all servers; False where one was faster. Raises `StoreFailed`."""
        return self._copies.write(self._name, content, by=by)


def _digest_of(content: str | None) -> str | None:
    return None if content is None else hashlib.sha256(content.encode()).hexdigest()


def _text_of(path: Path) -> str | None:
    """The content, if the database can keep it."""
    if path.stat().st_size > 4 * MAX_CHARACTERS:
        return None
    try:
        content = path.read_bytes().decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in content or len(content) > MAX_CHARACTERS else content


def _read_notes(path: Path) -> _Notes:
    try:
        return _Notes.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return _Notes()
    except (OSError, ValidationError) as error:  # then files here are seen as if they were changed by hand
        log.error("%s cannot be read: %s", path, type(error).__name__)
        return _Notes()
