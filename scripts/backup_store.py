"""A folder of backups: states of an installation, each with its database, and files of all of them kept once.

In: a folder on another disk. Out: states, written and read; a list of what was deleted.
Not known here: what an installation consists of, databases.

    backups/
      zhiting-backups          says what this folder is
      deletions.jsonl          which calls were deleted, and when: nothing of them
      files/ab/abcd…           each content once, by its SHA-256
      states/20261126T0210/    papers.json, written last: a state without it is none

A file that is the same in length and time of change as in the newest state is not read again.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

MARK, PAPERS, DELETIONS = "zhiting-backups", "papers.json", "deletions.jsonl"
_BLOCK = 1024 * 1024
_OF_CALLS = ("call", "audio")


class BadBackup(Exception):
    """A backup that cannot be made or used; the message says why and what to do."""

    def __init__(self, message: str, *, code: str):
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """One file of a state."""

    path: str
    """Below the data folder, with forward slashes."""
    sha256: str
    n_bytes: int
    changed_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What an installation was at a moment."""

    name: str
    made_at: str
    version: str
    """Of the program."""
    revision: str
    """Of the database's schema."""
    database: KeptFile | None
    """In the state's own folder."""
    files: tuple[KeptFile, ...]
    is_whole: bool
    """False where sound and other files were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """A call that was deleted, or its sound, or a work order whose personal data were."""

    call_id: str
    """Or the order's identifier."""
    what: str
    """`call`, `audio` or `order`."""
    at: str


class BackupStore:
    """All methods block and raise `OSError`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def open_for_writing(self) -> None:
        """Make the folder where there is none. Raises `BadBackup` where something else lies in it."""
        if not (self.folder / MARK).is_file():
            if self.folder.exists() and any(self.folder.iterdir()):
                raise BadBackup(
                    f"{self.folder} 不是空的，也不是备份文件夹：请换一个。", code="backup.not_ours"
                )
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.folder / MARK).write_text("1\n", encoding="utf-8")
        (self.folder / "files").mkdir(exist_ok=True, mode=0o700)
        (self.folder / "states").mkdir(exist_ok=True, mode=0o700)

    def open_for_reading(self) -> None:
        """Raises `BadBackup` where this is no folder of backups."""
        if not (self.folder / MARK).is_file():
            raise BadBackup(f"{self.folder} 不是备份文件夹。", code="backup.none")

    def names(self) -> list[str]:
        """The complete states, oldest first."""
        return sorted(path.parent.name for path in (self.folder / "states").glob(f"*/{PAPERS}"))

    def place_of(self, name: str) -> Path:
        """The folder of a state."""
        return self.folder / "states" / name

    def read(self, name: str) -> State:
        """A state's papers. Raises `BadBackup`."""
        try:
            given = json.loads((self.place_of(name) / PAPERS).read_text(encoding="utf-8"))
            files = tuple(KeptFile(**one) for one in given.pop("files"))
            database = given.pop("database")
            return State(**given, database=KeptFile(**database) if database else None, files=files)
        except FileNotFoundError:
            raise BadBackup(
                f"没有 {name} 这个备份：{'、'.join(self.names())}。", code="backup.none"
            ) from None
        except (ValueError, KeyError, TypeError, UnicodeDecodeError):
            raise BadBackup(f"备份 {name} 的清单已损坏：用更早的一个。", code="backup.damaged") from None

    def write(self, state: State) -> None:
        """Make a state complete; its database lies in its folder already."""
        replace_durably(
            self.place_of(state.name) / PAPERS, json.dumps(asdict(state), ensure_ascii=False).encode()
        )

    def blob(self, sha256: str) -> Path:
        """Where that content lies, or would."""
        return self.folder / "files" / sha256[:2] / sha256

    def keep(self, source: Path, path: str) -> tuple[KeptFile, bool]:
        """Keep a file as it is now, up to its present end; also returns whether it was new."""
        part = self.folder / "files" / f".{os.getpid()}.part"
        digest, n_bytes = hashlib.sha256(), 0
        try:
            with source.open("rb") as file, part.open("wb") as out:
                about = os.fstat(file.fileno())
                while n_bytes < about.st_size and (block := file.read(min(_BLOCK, about.st_size - n_bytes))):
                    digest.update(block)
                    out.write(block)
                    n_bytes += len(block)
                out.flush()
                os.fsync(out.fileno())
            sha256 = digest.hexdigest()
            kept = KeptFile(path=path, sha256=sha256, n_bytes=n_bytes, changed_ns=about.st_mtime_ns)
            target = self.blob(sha256)
            if target.exists():
                return kept, False
            target.parent.mkdir(exist_ok=True, mode=0o700)
            os.replace(part, target)
            return kept, True
        finally:
            part.unlink(missing_ok=True)

    def forgotten(self) -> list[Forgotten]:
        """What was deleted, as far as a backup has heard of it."""
        file = self.folder / DELETIONS
        return read_forgotten(file) if file.exists() else []

    def note(self, deleted: Iterable[Forgotten]) -> None:
        """Add to what was deleted."""
        known = {(one.call_id, one.what): one for one in (*self.forgotten(), *deleted)}
        lines = [
            json.dumps(asdict(one), ensure_ascii=False) + "\n"
            for one in sorted(known.values(), key=lambda one: one.at)
        ]
        replace_durably(self.folder / DELETIONS, "".join(lines).encode())

    def prune(self, *, keep: int) -> int:
        """Delete all states but the newest, contents that none has any more, and sound that was deleted.

        Returns how many states went. 0 keeps all states.
        """
        names = self.names()
        old = names[:-keep] if keep else []
        for name in old:
            (self.place_of(name) / PAPERS).unlink()  # first: half a state is none
            shutil.rmtree(self.place_of(name))
        for torn in self._torn():
            shutil.rmtree(torn)
        gone = {one.call_id for one in self.forgotten() if one.what in _OF_CALLS}
        wanted = {
            file.sha256
            for name in self.names()
            for file in self.read(name).files
            if call_of(file.path) not in gone
        }
        for path in (self.folder / "files").glob("*/*"):
            if path.name not in wanted:
                path.unlink()
        return len(old)

    def _torn(self) -> Iterator[Path]:
        newest = max(self.names(), default="")
        for place in (self.folder / "states").iterdir():
            if place.name < newest and not (place / PAPERS).exists():
                yield place


def call_of(path: str) -> str | None:
    """The call whose sound lies at that path of the data folder."""
    folder, _, name = path.partition("/")
    return name.rpartition(".")[0] if folder == "audio" and "/" not in name else None


def read_forgotten(file: Path) -> list[Forgotten]:
    """A list of deletions. Raises `BadBackup`."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return [Forgotten(**json.loads(line)) for line in lines if line.strip()]
    except (ValueError, TypeError):
        raise BadBackup(f"{file} 不是删除清单，或已损坏。", code="backup.bad_deletions") from None


def replace_durably(file: Path, content: bytes) -> None:
    """Write a file so that there is the old or the new one, whatever happens."""
    part = file.with_name(f".{file.name}.part")
    with part.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
