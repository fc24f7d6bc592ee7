"""`zhiting wrapup`: what people corrected in drafts of wrap-ups, to learn from.

In: the data folder, also while a server uses it. Out: JSON lines or CSV; sentences; exit code 1 where
something failed. Not known here: how anything is learnt from it.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from agent_ui.settings import Settings
from calls.forms.keeping import Correction, FormStore
from calls.records import Records
from calls.types import Stream
from knowledge_base.database import migrate, open_database

app = typer.Typer(help="Wrap-ups: what people corrected in them.", no_args_is_help=True)
_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
_TOLD = ("call_id", "field", "drafted", "corrected", "is_right", "confidence", "engine", "by", "at")
_COLUMNS = (*_TOLD, "text")


@app.callback()
def _wrapups() -> None:
    """Let there be a group although it has one command."""


@app.command()
def corrections(
    as_json: Annotated[bool, typer.Option("--json", help="JSON, one object a line (the default).")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV for a spreadsheet.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; else standard output.")] = None,
) -> None:
    """Write what people left in each field of each call, beside the draft and the text of the call.

    A field that somebody found right is there as well (`is_right`). What citizens said is in it in full: keep
    the file as carefully as the calls.
    """
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")
    settings = Settings()
    database = open_database(settings.database)
    try:
        migrate(database)
        rows = _rows(FormStore(database), Records(database))
        file = out.open("w", encoding="utf-8-sig" if as_csv else "utf-8", newline="") if out else sys.stdout
        try:
            count = _write_csv(rows, file) if as_csv else _write_json(rows, file)
        finally:
            if out:
                file.close()
    except OSError as error:
        _console.print(f"没能写入文件，请检查位置和磁盘空间（{error.strerror}）。")
        raise typer.Exit(1) from None
    finally:
        database.dispose()
    _console.print(f"共 {count} 处。")


def _rows(store: FormStore, records: Records) -> Iterator[dict[str, Any]]:
    lines: tuple[str, list[dict[str, str]]] = ("", [])
    for one in store.corrections():
        if lines[0] != one.call_id:
            lines = (one.call_id, _lines(records, one.call_id))
        yield _row(one) | {"lines": lines[1]}


def _row(one: Correction) -> dict[str, Any]:
    return {
        "call_id": one.call_id,
        "field": one.name.value,
        "drafted": one.drafted,
        "corrected": one.corrected,
        "is_right": one.drafted == one.corrected,
        "confidence": round(one.confidence, 3),
        "engine": one.engine,
        "by": one.by,
        "at": one.at.isoformat(),
    }


def _lines(records: Records, call_id: str) -> list[dict[str, str]]:
    """What was said, as people left it, in the order of time."""
    said = sorted(records.view(Stream.call(call_id)).segments.values(), key=lambda each: each.start_s)
    return [{"party": each.party.value, "text": each.text} for each in said]


def _write_json(rows: Iterator[dict[str, Any]], file: Any) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last one is the count
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def _write_csv(rows: Iterator[dict[str, Any]], file: Any) -> int:
    table = csv.DictWriter(file, _COLUMNS, extrasaction="ignore")
    table.writeheader()
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        text = "\n".join(f"{line['party']}: {line['text']}" for line in row["lines"])
        table.writerow(row | {"text": text})
    return count
