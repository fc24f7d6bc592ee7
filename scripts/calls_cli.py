"""`zhiting calls`: look after what is kept of calls.

In: the data folder, also while a server uses it. Out: sentences; exit code 1 where something failed.
Not known here: how calls are kept and found.
"""

import time

import typer
from rich.console import Console

from agent_ui.settings import Settings
from calls.search.follower import AT_ONCE
from calls.search.index import FullTextIndex
from calls.types import CallError
from knowledge_base.database import migrate, open_database

app = typer.Typer(help="Calls: build the index of the search anew.", no_args_is_help=True)
_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


@app.callback()
def _calls() -> None:
    """Let there be a group although it has one command."""


@app.command()
def reindex() -> None:
    """Forget the index of the search over calls and build it anew from what is on record.

    A server may run meanwhile: it finds fewer calls until this is done. Live calls are kept waiting as little
    as by the server's own index, but for a second or two while a large index is emptied.
    """
    settings = Settings()
    database = open_database(settings.database)
    index = FullTextIndex(database)
    try:
        migrate(database)
        index.clear()
        facts = 0
        with _console.status("") as status:
            while True:
                began = time.monotonic()
                taken = index.catch_up(limit=AT_ONCE)
                if not taken:
                    break
                facts += taken
                status.update(f"已处理 {facts} 条记录")
                time.sleep((time.monotonic() - began) / 4)  # a live call's facts get their turns
    except CallError as error:
        _console.print(f"{error.message}重新运行即可继续。（{error.code}）")
        raise typer.Exit(1) from None
    finally:
        database.dispose()
    _console.print(f"通话查找的索引已重建，共处理 {facts} 条记录。")
