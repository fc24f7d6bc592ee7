"""Puts an installation back as a backup has it, into an empty folder, and checks every byte on the way.

In: a folder of backups, which state, where to. Out: a data folder that a server can start on.
Not known here: the command line, making backups.

It is put together beside its place and renamed when all of it is right, so that nothing half is ever there.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from calls.audio.keys import NO_KEYS
from calls.audio.sound import Recordings
from knowledge_base.database import migrate, open_database, revisions
from knowledge_base.versions import VersionFolder
from scripts.backing_up import DATABASE, plain_url, revision_of
from scripts.backup_store import BackupStore, BadBackup, Forgotten, KeptFile, State, call_of
from scripts.forgetting import forget_again

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came back."""

    state: State
    files: int
    forgotten: int
    """Calls, or their sound, that were deleted again."""
    damaged: tuple[str, ...]
    """Files that did not come back, by path."""


def check(store: BackupStore, state: State, *, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Read all of a state; returns the paths of damaged files. Raises `BadBackup` where the database is."""
    _check_database(store, state)
    gone = {one.call_id for one in store.forgotten()}
    damaged = []
    for n, file in enumerate(state.files, 1):
        tell(f"核对 {n}/{len(state.files)}")
        if call_of(file.path) not in gone and not _is_right(store.blob(file.sha256), file):
            damaged.append(file.path)
    return damaged


def restore(
    store: BackupStore,
    state: State,
    into: Path,
    *,
    database_url: str = "",
    also_forgotten: Iterable[Forgotten] = (),
    may_lack: bool = False,
    now: datetime,
    tell: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Put a state into an empty folder, and its dump into an empty PostgreSQL database.

    Args:
        store: the folder of backups.
        state: which one of it.
        into: a folder that is empty or not there.
        database_url: of an empty database, for a state that PostgreSQL kept.
        also_forgotten: deletions beside those that the folder of backups knows.
        may_lack: whether damaged files are left out instead of being an error.
        now: the present moment.
        tell: told in a sentence how far it is.

    Raises:
        BadBackup: `restore.not_empty`, `restore.damaged`, `restore.newer_schema`, `restore.disk_full`,
            `restore.needs_postgresql`, `restore.pg_restore`, `restore.incomplete`.
        OSError, sqlite3.Error: the disk, or the database, said no.
    """
    _refuse(state, into, database_url)
    tell("核对数据库")
    _check_database(store, state)
    forgotten = [*store.forgotten(), *also_forgotten]
    part = into.with_name(f".{into.name}.restoring")
    if part.exists():
        shutil.rmtree(part)  # of an earlier try that was cut off
    part.mkdir(mode=0o700)
    damaged = _put_all(store, state, part, gone={one.call_id for one in forgotten}, tell=tell)
    if damaged and not may_lack:
        shutil.rmtree(part)
        raise BadBackup(
            f"备份里有 {len(damaged)} 个文件已损坏或缺失，例如 {damaged[0]}。"
            "加 --despite-damage 恢复其余的，或用别的备份。",
            code="restore.damaged",
        )
    (part / "audio").mkdir(exist_ok=True)
    if _is_dump(state):
        _load_dump(store, state, database_url)
    else:
        shutil.copyfile(store.place_of(state.name) / DATABASE, part / DATABASE)
        (part / DATABASE).chmod(0o600)
    tell("数据库结构")
    engine = open_database(database_url or part / DATABASE)
    try:
        migrate(engine)
        sounds = Recordings(folder=part / "audio", keys=NO_KEYS)  # nothing is listened to
        count = forget_again(engine, part, sounds, forgotten, now=now, tell=tell)
    finally:
        engine.dispose()
    versions = VersionFolder(part / "kb")
    if (served := versions.current()) is not None and not damaged:
        versions.path(served)  # a pointer that leads nowhere is an error here, and not at the start
    for path in (*part.rglob("*"), part):
        _hand_to_disk(path)
    if into.exists():
        into.rmdir()
    os.replace(part, into)
    _hand_to_disk(into.parent)
    n_files = len(state.files) - len(damaged)
    return Restored(state=state, files=n_files, forgotten=count, damaged=tuple(damaged))


def _refuse(state: State, into: Path, database_url: str) -> None:
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise BadBackup(f"{into} 不是空文件夹：请换一个，或先移走里面的内容。", code="restore.not_empty")
    if not state.is_whole:
        raise BadBackup(f"备份 {state.name} 只有数据库，没有录音：请选别的。", code="restore.incomplete")
    if _is_dump(state) and not database_url:
        raise BadBackup(
            "这个备份的数据库来自 PostgreSQL：用 --database-url 写一个空数据库的地址。",
            code="restore.needs_postgresql",
        )
    into.parent.mkdir(parents=True, exist_ok=True)
    need = sum(file.n_bytes for file in (*state.files, state.database) if file)
    if (free := shutil.disk_usage(into.parent).free) < need * 1.05:
        raise BadBackup(f"需要 {need / 1e9:.1f} GB，磁盘只剩 {free / 1e9:.1f} GB。", code="restore.disk_full")


def _is_dump(state: State) -> bool:
    return state.database is not None and state.database.path != DATABASE


def _put_all(
    store: BackupStore, state: State, folder: Path, *, gone: set[str], tell: Callable[[str], None]
) -> list[str]:
    """All files to their places; returns those that are not what they were, and ought to be."""
    damaged = []
    for n, file in enumerate(state.files, 1):
        tell(f"文件 {n}/{len(state.files)}")
        if not _put(store.blob(file.sha256), file, folder) and call_of(file.path) not in gone:
            damaged.append(file.path)
    return damaged


def _check_database(store: BackupStore, state: State) -> None:
    if state.database is None:
        raise BadBackup(f"备份 {state.name} 没有数据库。", code="restore.damaged")
    file = store.place_of(state.name) / state.database.path
    if not _is_right(file, state.database):
        raise BadBackup(f"备份 {state.name} 的数据库已损坏或缺失：用别的备份。", code="restore.damaged")
    if state.revision not in revisions():
        made_by = f"{state.version}，结构 {state.revision}"
        raise BadBackup(
            f"备份 {state.name} 来自更新的程序（{made_by}）：先升级程序，再恢复。",
            code="restore.newer_schema",
        )
    if _is_dump(state):
        return
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok" or revision_of(connection) != state.revision:
            raise BadBackup(f"备份 {state.name} 的数据库通不过检查：{found}。", code="restore.damaged")


def _is_right(path: Path, file: KeptFile) -> bool:
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except FileNotFoundError:
        return False


def _put(blob: Path, file: KeptFile, folder: Path) -> bool:
    """Copy a content to its place, with its time of change; False where it is not what it was."""
    parts = PurePosixPath(file.path).parts
    if ".." in parts or file.path.startswith("/"):
        raise BadBackup("备份的清单里有不该有的路径：它被改动过，不要使用。", code="restore.damaged")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    try:
        with blob.open("rb") as source, target.open("wb") as out:
            while block := source.read(_BLOCK):
                digest.update(block)
                out.write(block)
    except FileNotFoundError:
        return False
    if digest.hexdigest() != file.sha256:
        target.unlink()
        return False
    target.chmod(0o600)
    os.utime(target, ns=(file.changed_ns, file.changed_ns))
    return True


def _load_dump(store: BackupStore, state: State, url: str) -> None:
    assert state.database is not None
    options = ("--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={plain_url(url)}")
    done = subprocess.run(
        ["/usr/bin/env", "pg_restore", *options, str(store.place_of(state.name) / state.database.path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [""])[0]
        raise BadBackup(f"pg_restore 没有成功（数据库应是空的）：{said}", code="restore.pg_restore")


def _hand_to_disk(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
