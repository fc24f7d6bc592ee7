"""`zhiting forget`: delete again what a list of deletions names.

In: a list as `zhiting backup` keeps it. Out: a sentence; exit code 1 where it failed.
Not known here: how calls are deleted.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from agent_ui.settings import Settings
from calls.audio.keys import NO_KEYS
from calls.audio.sound import Recordings
from calls.audio.types import AudioAway
from calls.orders.types import AttachmentAway
from knowledge_base.database import migrate, open_database
from knowledge_base.objects.types import ObjectsAway
from scripts.backup_store import BadBackup, read_forgotten
from scripts.forgetting import forget_again

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def forget(listed: Annotated[Path, typer.Argument(help="deletions.jsonl of a folder of backups.")]) -> None:
    """Delete again what was deleted, in data that come from before that; for data put back by hand."""
    settings = Settings()
    database = open_database(settings.database)
    try:
        objects = settings.open_objects()
        sounds = Recordings(folder=settings.audio_folder, keys=NO_KEYS, objects=objects)
        forgotten = read_forgotten(listed)
        sounds.folder.mkdir(parents=True, exist_ok=True)
        migrate(database)
        count = forget_again(database, settings.data_dir, sounds, forgotten, now=settings.now())
    except BadBackup as problem:
        _console.print(f"{problem.message}（{problem.code}）")
        raise typer.Exit(1) from None
    except (AudioAway, AttachmentAway, ObjectsAway) as error:
        _console.print(error.message)
        raise typer.Exit(1) from None
    except (DBAPIError, OSError) as error:
        _console.print(f"没有做完，重新运行即可继续（{type(error).__name__}）。")
        raise typer.Exit(1) from None
    finally:
        database.dispose()
    _console.print(f"清单 {len(forgotten)} 项，再次删除 {count} 项。")
