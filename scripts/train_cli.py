"""`zhiting train`: models that come with the product, made again.

In: the training data under `scripts/data`, and what operators did with cards where that is wanted; a file
of sorted messages. Out: a model, and a report of its calibration where there is one.
Not known here: how a model is trained, what it is used for.
"""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from agent_ui.settings import Settings
from calls.records import Records
from knowledge_base.database import migrate, open_database
from knowledge_base.importer import load_sample
from knowledge_base.json_text import dumps
from retrieval.judge import SHIPPED
from retrieval.types import Findings, Query
from scripts import dialogues, train_messages
from scripts.call_data import read_calls
from scripts.evaluate_cli import MessageFile, hear_calls
from scripts.feedback_rows import feedback_rows
from scripts.labelled import FOUND, Rows, join, label
from scripts.matching import open_matching
from scripts.message_vectors import embed_messages
from scripts.noise import Noise
from scripts.telling import failing_politely
from scripts.train_advisor import Trained, TrainingOptions, as_json, brier, reliability, train
from scripts.train_messages import read_messages
from scripts.weights import weights_of
from scripts.wording import lexicon_of, put_right

app = typer.Typer(help="Train what the product decides with.", no_args_is_help=True)
_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


@app.command()
def advisor(
    hear: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Hear these calls anew and keep what was heard as training data."),
    ] = None,
    feedback: Annotated[
        bool, typer.Option(help="Learn from operators' marks in this data folder as well.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where the model is written.")] = SHIPPED,
    seed: Annotated[int, typer.Option(help="Of folds and of the trees.")] = TrainingOptions().seed,
    as_json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Train the model that decides which cards are worth showing, and report its calibration."""
    with failing_politely():
        settings = Settings()
        if hear is not None:
            _, heard = hear_calls(read_calls(hear), settings)
            dialogues.write_heard(
                put_right(heard.segments, lexicon_of(settings.data_dir, settings.lexicon_path))
            )
        options = TrainingOptions(seed=seed)
        rows, marked = asyncio.run(_rows(settings, is_feedback=feedback))
        trained = train(rows, options)
        model = as_json(trained, rows, options, dialogues.fingerprint())
        model["trained"]["marked_rows"] = marked
        out.write_text(f"{dumps(model)}\n", encoding="utf-8")
        report = _report(trained, rows, model)
        if as_json_:
            typer.echo(json.dumps(report, ensure_ascii=False, indent=1))
        else:
            Console().print(_table(report))


@app.command()
def messages(
    file: MessageFile,
    out: Annotated[
        Path | None,
        typer.Option(help="Where the model is written; else message_kinds.npz in the data folder."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the training.")] = 0,
) -> None:
    """Train the model that sorts typed messages, on messages of your own; none comes with the product."""
    with failing_politely():
        settings = Settings()
        rows = read_messages(file)
        some = embed_messages([row.message for row in rows], settings)
        place = out or settings.data_dir / "message_kinds.npz"
        model = train_messages.train(some, [row.category for row in rows], seed)
        model.write(place)
        _console.print(f"{place}: {len(rows)} messages, {len(model.categories)} categories.")


async def _rows(settings: Settings, *, is_feedback: bool) -> tuple[Rows, int]:
    """Label the lessons over the sample, and marked cards over what is published."""
    embedding = weights_of(settings, settings.embedding_model)
    now = settings.now()
    sample = load_sample()
    noise = Noise(text for one in sample for text in (one.title, one.body, *one.questions))
    # A folder in which nothing is published: the lessons are about the articles of the sample.
    place = settings.data_dir / "training"
    async with open_matching(place, embedding, now=now, tell=_console.print) as matching:

        def find(query: Query) -> Findings:
            return matching.searcher.search(query, day=now.date(), k=FOUND)

        lessons = dialogues.written_lessons(noise)
        lessons += dialogues.call_lessons(dialogues.shared_calls(), dialogues.read_heard(), noise)
        rows = label(lessons, find)
    if not is_feedback:
        return rows, 0
    database = open_database(settings.database)
    migrate(database)
    async with open_matching(settings.data_dir, embedding, now=now, tell=_console.print) as matching:
        marked = feedback_rows(
            Records(database), lambda query: matching.searcher.search(query, day=now.date())
        )
    database.dispose()
    return join([rows, marked]), len(marked.helps)


def _report(trained: Trained, rows: Rows, model: dict[str, Any]) -> dict[str, Any]:
    by_form = {}
    for form in sorted(set(rows.forms)):
        chosen = [each == form for each in rows.forms]
        by_form[form] = {
            "rows": sum(chosen),
            "brier": brier(trained.unseen[chosen], rows.helps[chosen]),
        }
    trained_on: dict[str, Any] = model["trained"]
    return trained_on | {
        "brier": brier(trained.unseen, rows.helps),
        "brier_of_the_mean": float(rows.helps.mean() * (1 - rows.helps.mean())),
        "forms": by_form,
        "reliability": reliability(trained.unseen, rows.helps),
    }


def _table(report: dict[str, Any]) -> Table:
    title = f"{report['rows']} rows, unseen by the model that judged them: Brier score {report['brier']:.4f}"
    table = Table("probability", title=title)
    for heading in ("rows", "said", "true"):
        table.add_column(heading, justify="right")
    for band in report["reliability"]:
        table.add_row(
            f"{band['from']:.2f} to {band['to']:.2f}",
            str(band["rows"]),
            f"{band['said']:.3f}",
            f"{band['true']:.3f}",
        )
    return table
