"""`zhiting database`: bring a whole database into another one.

In: the command line. Out: progress, a table of counts, sentences; exit code 1 where something failed.
Not known here: how rows go over.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import ArgumentError, DBAPIError

from agent_ui.data_folder import claim
from knowledge_base.copying import CopyRefused, copy_database
from knowledge_base.database import open_database
from knowledge_base.postgres import NoDriver

app = typer.Typer(help="The database: from SQLite to PostgreSQL and back.", no_args_is_help=True)
_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


@app.callback()
def _databases() -> None:
    """Let there be a group although it has one command."""


@app.command()
def copy(
    source: Annotated[str, typer.Option("--from", metavar="PATH|URL", help="The database that is there.")],
    target: Annotated[str, typer.Option("--to", metavar="PATH|URL", help="An empty one, or none yet.")],
) -> None:
    """Copy all rows into an empty database; the servers of both must be stopped.

    Recordings, versions of the knowledge base and settings stay in the data folder. Set ZHITING_DATABASE_URL
    afterwards, or take it away.
    """
    try:
        with ExitStack() as stack:
            if "://" not in source and not Path(source).is_file():
                raise CopyRefused(f"没有数据库 {source}。")
            for folder in {Path(place).parent for place in (source, target) if "://" not in place}:
                stack.enter_context(claim(folder))
            here, there = open_database(source), open_database(target)
            for engine in (here, there):
                stack.callback(engine.dispose)
            progress = stack.enter_context(
                Progress(
                    TextColumn("{task.description}"),
                    BarColumn(),
                    MofNCompleteColumn(),
                    TimeRemainingColumn(),
                    console=_console,
                    transient=True,
                )
            )
            bar = progress.add_task("")

            def tell(table: str, done: int, total: int) -> None:
                progress.update(bar, description=table, completed=done, total=total)

            copied = copy_database(here, there, tell)
    except (CopyRefused, NoDriver) as error:
        _console.print(str(error))
        raise typer.Exit(1) from None
    except (DBAPIError, ArgumentError) as error:
        why = error.orig if isinstance(error, DBAPIError) else error
        _console.print(f"数据库出错，没有写入任何内容：{str(why).strip()}")
        raise typer.Exit(1) from None
    for table, n_rows in copied.items():
        if n_rows:
            _console.print(f"{table:<24}{n_rows:>12,}")
    _console.print(
        f"已复制 {sum(copied.values()):,} 行，{len(copied)} 张表。通话的查找索引由服务启动后重新建立。"
    )
