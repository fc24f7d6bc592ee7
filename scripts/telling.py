"""What commands that measure say: tables or JSON, how far they are, and a sentence where something failed.

In: figures, tables, errors. Out: standard output, standard error, exit codes.
Not known here: what is measured.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from agent_ui.logs import Form
from asr.types import AsrError, BadAudio
from knowledge_base.types import KnowledgeError
from models.errors import WeightsError
from scripts.call_data import BadData

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def console_beside(form: Form) -> Console:
    """Where sentences for people go while a server runs: not among lines for programs."""
    return Console(stderr=form == "text", highlight=False, soft_wrap=True)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """A bar on standard error; what is given steps it on, with the name of what is done."""
    with Progress(console=_console) as bar:
        task = bar.add_task(what, total=total)
        yield lambda _name: bar.advance(task)


@contextmanager
def failing_politely() -> Iterator[None]:
    """Turn what can go wrong into a sentence and an exit code."""
    for noisy in ("httpx", "sentence_transformers", "faster_whisper"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        yield
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        _console.print(f"setting {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}")
        raise typer.Exit(2) from None
    except (BadData, BadAudio) as error:
        _console.print(error.message)
        raise typer.Exit(2) from None
    except (AsrError, KnowledgeError, WeightsError) as error:
        _console.print(error.message)
        raise typer.Exit(1) from None


def tell(told: dict[str, Any], tables: list[Table], *, as_json: bool) -> None:
    """On standard output, as JSON or as tables."""
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    for each in tables:
        Console().print(each)
