"""`zhiting retention`: delete what has been kept long enough, or say what that would be.

In: the data folder, also while a server uses it. Out: sentences; exit code 1 where something failed.
Not known here: how calls are deleted.
"""

import json
from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from agent_ui.keeping_desk import KeepingDesk
from agent_ui.settings import Settings
from agent_ui.tuning import defaults_of
from agent_ui.tuning_file import FILE_NAME, TuningFile
from calls.audio.keys import NO_KEYS
from calls.audio.sound import Recordings
from calls.audio.types import AudioAway
from calls.keeping.types import Due, What
from knowledge_base.database import migrate, open_database
from knowledge_base.objects.types import ObjectsAway

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
_WHAT = {What.AUDIO: "录音", What.CALL: "整通"}


def retention(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be deleted, and delete nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="List as JSON lines on standard output.")] = False,
) -> None:
    """Delete recordings and calls that have been kept as long as the settings say."""
    settings = Settings()
    database = open_database(settings.database)
    try:
        objects = settings.open_objects()
        sounds = Recordings(
            folder=settings.audio_folder, keys=NO_KEYS, objects=objects
        )  # nothing is listened to
        sounds.folder.mkdir(parents=True, exist_ok=True)
        migrate(database)
        tuning = TuningFile(settings.data_dir / FILE_NAME, defaults_of(settings)).now
        desk = KeepingDesk.open(database, sounds, lambda: tuning.of_keeping, clock=settings.now)
        if not dry_run:
            deleted = desk.retention.run(settings.now())
            _console.print(f"已删除 {deleted} 项。")
            return
        found = list(desk.retention.due(settings.now()))
        for due in found:
            print(_json(due) if as_json else _line(due))
        _console.print(_told(found))
    except (AudioAway, ObjectsAway) as error:
        _console.print(error.message)
        raise typer.Exit(1) from None
    except (DBAPIError, OSError) as error:
        _console.print(f"没有做完，重新运行即可继续（{type(error).__name__}）。")
        raise typer.Exit(1) from None
    finally:
        database.dispose()


def _line(due: Due) -> str:
    held = "  保留中，不删" if due.is_held else ""
    kind = f" {due.kind}" if due.kind else ""
    return f"{due.call_id}  {_WHAT[due.what]}{kind}  {due.ended_at:%Y-%m-%d} 结束，保存 {due.days} 天{held}"


def _json(due: Due) -> str:
    told = {
        "call_id": due.call_id,
        "what": due.what,
        "kind": due.kind,
        "ended_at": due.ended_at.isoformat(),
        "days": due.days,
        "is_held": due.is_held,
    }
    return json.dumps(told, ensure_ascii=False)


def _told(found: list[Due]) -> str:
    counts = Counter(due.what for due in found if not due.is_held)
    held = sum(due.is_held for due in found)
    parts = [f"{_WHAT[what]} {count} 项" for what, count in sorted(counts.items())]
    return f"到期：{'，'.join(parts) or '没有'}；因保留不删 {held} 项。没有删除任何内容。"
