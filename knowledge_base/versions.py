"""The published versions on disk: one folder each, and a pointer to the one that is served.

In: a name for a new version and a builder that fills its folder.
Out: folders that are whole or not there, and a pointer that is old or new, never in between.
Not known here: what lies in a version's folder besides its description.

    kb/20260305T101500-1a2b3c4d/   whole and unchanging, `version.json` describes it
    kb/current                     the name of the served version
    kb/.building-…                 a publish under way, or what a killed one left behind
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from knowledge_base.json_text import dumps, loads
from knowledge_base.types import BadVersion, KnowledgeError, Version

_BUILDING = ".building-"
_REMOVING = ".removing-"
DESCRIPTION = "version.json"
SUMS = "sums.json"


class VersionFolder:
    """The folder of all versions. Reading needs no lock; changing happens inside `publishing`."""

    def __init__(self, root: Path):
        self._root = root

    def current(self) -> str | None:
        """Name of the served version, or None before the first publish; there may be none of that name."""
        try:
            return (self._root / "current").read_text(encoding="utf-8", errors="replace").strip() or None
        except FileNotFoundError:
            return None

    def path(self, version: str) -> Path:
        """Where the version lies; raises `BadVersion` when there is none of that name."""
        if version not in self.names():
            raise BadVersion(f"知识库版本 {version} 不存在。")
        return self._root / version

    def names(self) -> list[str]:
        """All whole versions, oldest first."""
        if not self._root.is_dir():
            return []
        found = (p for p in self._root.iterdir() if p.is_dir() and not p.name.startswith("."))
        return sorted(p.name for p in found if (p / DESCRIPTION).is_file())

    def check(self, version: str) -> None:
        """Hold every file of the version against the hashes noted when it was made; raises `BadVersion`."""
        check_seal(self.path(version))

    def describe(self, version: str) -> Version:
        """Read what the version says of itself; raises `BadVersion` when that cannot be read."""
        return read_description(self.path(version))

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Hold the right to change this folder, alone among all processes.

        What a killed predecessor left is removed first. Raises `KnowledgeError`
        (`kb.publishing`, recoverable) when another publish is under way.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise KnowledgeError(
                    "另一次发布正在进行，请稍后再试。", code="kb.publishing", recoverable=True
                ) from None
            for leftover in self._root.iterdir():
                if leftover.name.startswith((_BUILDING, _REMOVING)):
                    shutil.rmtree(leftover)
            yield

    @contextmanager
    def building(self, name: str) -> Iterator[Path]:
        """Give an empty folder to fill; it becomes the version `name` when the block ends well.

        The block ends by `write_description`; on an exception the folder is removed.
        """
        aside = self._root / f"{_BUILDING}{name}"
        aside.mkdir()
        try:
            yield aside
            read_description(aside)
            for file in aside.rglob("*"):
                _sync(file)
            _sync(aside)
            aside.rename(self._root / name)
            _sync(self._root)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise

    def point_to(self, version: str) -> None:
        """Serve that version from now on; durable before this returns."""
        self.path(version)
        aside = self._root / f"{_BUILDING}current"
        aside.mkdir()
        pointer = aside / "current"
        pointer.write_text(version + "\n", encoding="utf-8")
        _sync(pointer)
        os.replace(pointer, self._root / "current")
        _sync(self._root)
        aside.rmdir()

    def prune(self, keep: int) -> list[str]:
        """Remove all but the newest `keep` versions; the served one always stays."""
        if keep < 1:
            raise ValueError("at least one version must be kept")
        served = self.current()
        gone = [name for name in self.names()[:-keep] if name != served]
        self._remove(gone)
        return gone

    def keep_only(self, names: Collection[str]) -> None:
        """Remove all versions but these; the served one always stays."""
        served = self.current()
        self._remove([name for name in self.names() if name not in names and name != served])

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            aside = self._root / f"{_REMOVING}{name}"
            (self._root / name).rename(aside)
            shutil.rmtree(aside)


def version_name(now: datetime, content_hash: str) -> str:
    """Make a name that sorts by time; the hash tells apart what was published in the same second."""
    return f"{now:%Y%m%dT%H%M%S}-{content_hash[:8]}"


def write_description(folder: Path, version: Version) -> None:
    """Put the description into a version's folder, as the last of its files."""
    content = asdict(version) | {"published_at": version.published_at.isoformat()}
    (folder / DESCRIPTION).write_text(dumps(content) + "\n", encoding="utf-8")


def read_description(folder: Path) -> Version:
    """Read the description of the version in that folder; raises `BadVersion`."""
    try:
        content: dict[str, Any] = loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        return Version(**(content | {"published_at": datetime.fromisoformat(content["published_at"])}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadVersion(f"知识库版本 {folder.name} 的说明文件读不出来。") from error


def seal(folder: Path) -> None:
    """Note the hash of every file that lies in a version's folder."""
    sums = {file.name: _sha256(file) for file in folder.iterdir()}
    (folder / SUMS).write_text(dumps(sums) + "\n", encoding="utf-8")


def check_seal(folder: Path) -> None:
    """Read the files again and compare; raises `BadVersion`. What was never sealed passes."""
    try:
        sums: dict[str, str] = loads((folder / SUMS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise BadVersion(f"知识库版本 {folder.name} 的校验文件读不出来。") from error
    for name, expected in sums.items():
        try:
            found = _sha256(folder / name)
        except OSError as error:
            raise BadVersion(f"知识库版本 {folder.name} 缺少文件 {name}。") from error
        if found != expected:
            raise BadVersion(f"知识库版本 {folder.name} 的文件 {name} 已损坏。")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
