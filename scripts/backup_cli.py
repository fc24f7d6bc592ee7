"""`zhiting backup`: back an installation up while calls go on.

In: the data folder of the settings, a folder for backups. Out: a state in it; exit code 1 where it failed.
Not known here: how it is done.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from agent_ui.settings import Settings
from scripts.backing_up import DATABASE, back_up, deletions_at, deletions_in
from scripts.backup_store import BackupStore, BadBackup

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder of backups, on another disk; it is made.")],
    keep: Annotated[int, typer.Option(min=0, help="States to keep, the newest; 0 keeps all.")] = 0,
    database_only: Annotated[
        bool,
        typer.Option(
            "--database-only", help="Leave sound and other files out; such a state alone cannot be restored."
        ),
    ] = False,
    deletions_only: Annotated[
        bool,
        typer.Option("--deletions-only", help="Only note what was deleted, so that it does not come back."),
    ] = False,
    keys: Annotated[
        Path | None, typer.Option(help="Copy the keys of the sound into this file, which belongs elsewhere.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Only list the states there are.")] = False,
) -> None:
    """Back everything up but weights and keys: database, sound, knowledge, attachments, words."""
    settings, store = Settings(), BackupStore(folder)
    try:
        if listing:
            store.open_for_reading()
            for name in store.names():
                state = store.read(name)
                size = f"{sum(file.n_bytes for file in state.files) / 1e6:.0f} MB"
                print(f"{name}  {state.made_at}  {len(state.files)} files  {size}  {state.version}")
            return
        if keys is not None:
            _copy_keys(settings.audio_keys, keys, folder)
        if deletions_only:
            store.open_for_writing()
            url = settings.database_url
            store.note(deletions_at(url) if url else deletions_in(settings.data_dir / DATABASE))
            return
        with _console.status("") as status:
            backed = back_up(
                settings.data_dir,
                store,
                database_url=settings.database_url,
                is_whole=not database_only,
                keep=keep,
                now=settings.now(),
                tell=status.update,
            )
    except BadBackup as problem:
        _console.print(f"{problem.message}（{problem.code}）")
        raise typer.Exit(1) from None
    except (OSError, sqlite3.Error, DBAPIError) as error:
        _console.print(f"备份没有做完（{error}）；已有的备份没有变。")
        raise typer.Exit(1) from None
    new = f"新增 {backed.new_files} 个（{backed.new_bytes / 1e6:.1f} MB）"
    _console.print(f"{backed.state.name}：数据库和 {len(backed.state.files)} 个文件，其中{new}。")
    if backed.pruned:
        _console.print(f"删除了 {backed.pruned} 个旧备份。")
    if settings.audio_keys is not None and keys is None:
        _console.print("录音是加密的：密钥不在备份里，用 --keys 另存一份到别处，丢了就再也打不开。")


def _copy_keys(source: Path | None, target: Path, backups: Path) -> None:
    if source is None:
        raise BadBackup("没有设置录音密钥（ZHITING_AUDIO_KEYS）。", code="backup.no_keys")
    if target.resolve().is_relative_to(backups.resolve()):
        raise BadBackup("密钥不能和备份放在一起：请换一个位置。", code="backup.keys_inside")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    number = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with closing(os.fdopen(number, "wb")) as out:
        out.write(source.read_bytes())
