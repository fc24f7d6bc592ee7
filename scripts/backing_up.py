"""Backs an installation up while calls go on.

In: a data folder, or a PostgreSQL address, a folder of backups. Out: a `State`.
Not known here: the command line, restoring.

The database comes first, as it was at one moment, and the files after it: whatever the database names is on
the disk already, and what was deleted meanwhile stands in the list of deletions, which is read last. Not in a
backup: weights (they come with the program), copies made for upgrades, files of the moment, keys.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import select, text

from calls.keeping.tables import deletions
from knowledge_base.database import open_database
from scripts.backup_store import BackupStore, BadBackup, Forgotten, KeptFile, State

DATABASE, DUMP = "zhiting.db", "zhiting.dump"
_LEFT_OUT = frozenset({"models", "recordings", "transcriptions", "before-upgrade", "after-upgrade"})
_PAGES = 2_000
_ENDINGS = (".part", ".lock", ".tmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backed:
    """What a backup took."""

    state: State
    new_files: int
    new_bytes: int
    pruned: int


def back_up(
    data: Path,
    store: BackupStore,
    *,
    database_url: str = "",
    is_whole: bool = True,
    keep: int = 0,
    now: datetime,
    tell: Callable[[str], None] = lambda _: None,
) -> Backed:
    """Add a state. Raises `BadBackup`, `OSError`, `sqlite3.Error`."""
    database = data / DATABASE
    if not database_url and not database.is_file():
        raise BadBackup(f"{data} 里没有 {DATABASE}：检查 ZHITING_DATA_DIR。", code="backup.no_data")
    if store.folder.resolve().is_relative_to(data.resolve()):
        raise BadBackup("备份文件夹在数据文件夹里面：请放到另一块磁盘。", code="backup.inside")
    store.open_for_writing()
    if not database_url and (free := shutil.disk_usage(store.folder).free) < database.stat().st_size:
        raise BadBackup(f"备份磁盘只剩 {free / 1e9:.1f} GB，放不下数据库。", code="backup.disk_full")
    name = f"{now.astimezone(UTC):%Y%m%dT%H%M%S%f}"
    place = store.place_of(name)
    place.mkdir(mode=0o700)
    known = {file.path: file for file in store.read(store.names()[-1]).files} if store.names() else {}
    tell("数据库")
    if database_url:
        kept_database, revision = _dump(database_url, place), revision_at(database_url)
    else:
        kept_database, revision = _copy(database, place, tell)
    files, new_files, new_bytes = [], 0, 0
    if is_whole:
        for source in _files(data):
            path = source.relative_to(data).as_posix()
            try:
                about, before = source.stat(), known.get(path)
                is_same = before and (before.n_bytes, before.changed_ns) == (about.st_size, about.st_mtime_ns)
                if before and is_same and store.blob(before.sha256).exists():
                    files.append(before)
                    continue
                kept, is_new = store.keep(source, path)
            except FileNotFoundError:
                continue  # packed, or deleted, since it was listed
            files.append(kept)
            new_files += is_new
            new_bytes += kept.n_bytes if is_new else 0
            tell(f"文件 {len(files)}，新增 {new_bytes / 1e6:.0f} MB")
    store.note(deletions_at(database_url) if database_url else deletions_in(database))
    state = State(
        name=name,
        made_at=now.isoformat(timespec="seconds"),
        version=version("zhiting"),
        revision=revision,
        database=kept_database,
        files=tuple(files),
        is_whole=is_whole,
    )
    store.write(state)
    return Backed(state=state, new_files=new_files, new_bytes=new_bytes, pruned=store.prune(keep=keep))


def deletions_in(database: Path) -> list[Forgotten]:
    """Which calls were deleted, by a database. Raises `sqlite3.Error`."""
    with closing(_opened(database)) as connection:
        try:
            rows = connection.execute("SELECT call_id, what, at FROM call_deletions ORDER BY deletion_id")
            return [Forgotten(call_id=call_id, what=what, at=at) for call_id, what, at in rows]
        except sqlite3.OperationalError:
            return []  # of a schema that had none


def deletions_at(url: str) -> list[Forgotten]:
    """The same by PostgreSQL. Raises `DBAPIError`."""
    engine = open_database(url)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(deletions).order_by(deletions.c.deletion_id)).all()
            return [Forgotten(call_id=row.call_id, what=row.what, at=row.at) for row in rows]
    finally:
        engine.dispose()


def revision_at(url: str) -> str:
    """The version of the schema in PostgreSQL. Raises `DBAPIError`."""
    engine = open_database(url)
    try:
        with engine.connect() as connection:
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
    finally:
        engine.dispose()


def revision_of(connection: sqlite3.Connection) -> str:
    """The version of the schema. Raises `sqlite3.Error`."""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def _copy(database: Path, place: Path, tell: Callable[[str], None]) -> tuple[KeptFile, str]:
    target = place / DATABASE
    with closing(_opened(database)) as source, closing(sqlite3.connect(target)) as copy:
        source.execute("BEGIN")
        revision = revision_of(
            source
        )  # reading begins here: later writes are not seen, and do not restart the copy
        source.backup(
            copy, pages=_PAGES, progress=lambda _, left, total: tell(f"数据库 {1 - left / max(total, 1):.0%}")
        )
        copy.execute("PRAGMA journal_mode = DELETE")
    target.chmod(0o600)
    return _kept(target, DATABASE), revision


def _dump(url: str, place: Path) -> KeptFile:
    target = place / DUMP
    done = subprocess.run(
        ["/usr/bin/env", "pg_dump", "--format=custom", "--no-owner", f"--file={target}", plain_url(url)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [""])[-1]
        raise BadBackup(f"pg_dump 没有成功：{said}", code="backup.pg_dump")
    return _kept(target, DUMP)


def plain_url(url: str) -> str:
    """A URL as PostgreSQL's own programs know it, without the name of a driver."""
    scheme, rest = url.split("://", 1)
    return f"{scheme.split('+')[0]}://{rest}"


def _kept(file: Path, path: str) -> KeptFile:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    about = file.stat()
    return KeptFile(path=path, sha256=sha256, n_bytes=about.st_size, changed_ns=about.st_mtime_ns)


def _opened(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=10)
    connection.isolation_level = None
    return connection


def _files(data: Path) -> Iterator[Path]:
    """Files to keep, those of a folder before its folders: pointers come before what they point to."""
    for top in sorted(data.iterdir(), key=lambda path: (path.is_dir(), path.name)):
        if top.name in _LEFT_OUT or top.name.startswith((".", DATABASE)):
            continue
        if top.is_file():
            yield top
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                if not name.startswith(".") and not name.endswith(_ENDINGS):
                    yield Path(folder) / name
