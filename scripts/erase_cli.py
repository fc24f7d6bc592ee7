"""`zhiting erase`: let go of all that is kept of a person, by their telephone number.

In: the data folder, also while a server uses it. Out: sentences; exit code 1 where something had to stay.
Not known here: how anything is found or deleted.
"""

from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from agent_ui.settings import Settings
from calls.audio.keys import NO_KEYS
from calls.audio.sound import Recordings
from calls.masking import masked_text
from knowledge_base.database import migrate, open_database
from knowledge_base.objects.types import ObjectsAway
from scripts.erasing import Erased, Found, copies_in, find_by_number, let_go

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
_BY = "zhiting erase"
_ELSEWHERE = (
    "还要在别处处理：备份（重新备份，只留新的：zhiting backup 目录 --keep 1）；导出的文件；"
    "已送到 webhook 接收方的数据（工单会再通知 order.erased）；录音任务（在录音页删除）；"
    "其他通话里提到此人的话（在记录页按号码或姓名查找）。见 docs/security.md。"
)


def erase(
    number: Annotated[str, typer.Argument(help="Telephone number, 7 digits or more.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept with the list of deletions.")] = "本人要求",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what there is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the calls of a number, and what leads to the person in the work orders of it."""
    settings = Settings()
    database = open_database(settings.database)
    try:
        objects = settings.open_objects()
        sounds = Recordings(folder=settings.audio_folder, keys=NO_KEYS, objects=objects)
        sounds.folder.mkdir(parents=True, exist_ok=True)
        migrate(database)
        found = find_by_number(database, number)
        for one in (*found.calls, *found.orders):
            print(one)
        _console.print(f"通话 {len(found.calls)} 通，工单 {len(found.orders)} 张。")
        if dry_run or not (found.calls or found.orders):
            return
        if not yes:
            typer.confirm("删除后不能恢复，继续吗？", abort=True, err=True)
        told = masked_text(reason)
        done = let_go(database, settings.data_dir, sounds, found, who=_BY, reason=told, now=settings.now())
    except ValueError as error:
        _console.print(str(error))
        raise typer.Exit(2) from None
    except ObjectsAway as error:
        _console.print(error.message)
        raise typer.Exit(1) from None
    except (DBAPIError, OSError) as error:
        _console.print(f"没有做完，重新运行即可继续（{type(error).__name__}）。")
        raise typer.Exit(1) from None
    finally:
        database.dispose()
    _say(done, found)
    for copy in copies_in(settings.data_dir):
        _console.print(f"升级时留下的旧数据库里可能还有，不需要时请删除：{copy}")
    _console.print(_ELSEWHERE)
    raise typer.Exit(bool(done.left))


def _say(done: Erased, found: Found) -> None:
    _console.print(f"已删除 {done.gone} 项，共 {len(found.calls) + len(found.orders)} 项。")
    for one, why in done.left:
        _console.print(f"{one}：{why}")
