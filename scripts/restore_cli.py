"""`zhiting restore`: an installation out of a backup, into an empty folder.

In: a folder of backups. Out: a data folder; exit code 0 all of it, 1 nothing, 3 all but damaged files.
Not known here: how it is done.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from knowledge_base.types import KnowledgeError
from scripts.backing_up import deletions_in
from scripts.backup_store import BackupStore, BadBackup, Forgotten, read_forgotten
from scripts.restoring import check
from scripts.restoring import restore as put_back

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder of backups.")],
    into: Annotated[Path | None, typer.Option(help="An empty folder, or one that is not there yet.")] = None,
    state: Annotated[
        str | None, typer.Option(help="Which one, by `zhiting backup --list`; else the newest.")
    ] = None,
    deletions: Annotated[
        Path | None, typer.Option(help="A further list of deletions, or a database that knows them.")
    ] = None,
    only_check: Annotated[bool, typer.Option("--check", help="Only read and verify everything.")] = False,
    despite_damage: Annotated[
        bool, typer.Option("--despite-damage", help="Leave damaged files out instead of restoring nothing.")
    ] = False,
    database_url: Annotated[
        str, typer.Option(help="An empty PostgreSQL database, for a backup of one.")
    ] = "",
) -> None:
    """Restore a backup; calls that were deleted after it are deleted again."""
    store = BackupStore(folder)
    try:
        store.open_for_reading()
        if not (names := store.names()):
            raise BadBackup(f"{folder} 里还没有完整的备份。", code="backup.none")
        chosen = store.read(state or names[-1])
        with _console.status("") as status:
            if only_check:
                damaged = check(store, chosen, tell=status.update)
                _console.print(
                    f"{chosen.name}：数据库完好，{len(chosen.files)} 个文件中 {len(damaged)} 个有问题。"
                )
                _tell_damaged(damaged)
                raise typer.Exit(1 if damaged else 0)
            if into is None:
                _console.print("用 --into 写恢复到哪个文件夹。")
                raise typer.Exit(2)
            restored = put_back(
                store,
                chosen,
                into.absolute(),
                database_url=database_url,
                also_forgotten=_more(deletions),
                may_lack=despite_damage,
                now=datetime.now(UTC),
                tell=status.update,
            )
    except (BadBackup, KnowledgeError) as problem:
        _console.print(f"{problem.message}（{problem.code}）")
        raise typer.Exit(1) from None
    except (OSError, sqlite3.Error, DBAPIError) as error:
        _console.print(
            f"恢复没有做完（{type(error).__name__}：{error}）；目标文件夹没有变，排除原因后重新运行。"
        )
        raise typer.Exit(1) from None
    _console.print(
        f"恢复到 {into}：{chosen.made_at} 的状态，{restored.files} 个文件，再次删除 {restored.forgotten} 项。"
    )
    _tell_damaged(restored.damaged)
    raise typer.Exit(3 if restored.damaged else 0)


def _more(given: Path | None) -> list[Forgotten]:
    if given is None:
        return []
    return deletions_in(given) if given.suffix == ".db" else read_forgotten(given)


def _tell_damaged(damaged: list[str] | tuple[str, ...]) -> None:
    for path in damaged[:20]:
        _console.print(f"  损坏或缺失：{path}")
    if len(damaged) > 20:
        _console.print(f"  …共 {len(damaged)} 个")
