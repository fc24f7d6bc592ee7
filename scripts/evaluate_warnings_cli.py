"""`zhiting evaluate warnings`: how early and how rightly the early warning warns.

In: seeds of simulated cities, a file of messages with times. Out: tables, or JSON; a plot.
Not known here: how anything is measured.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from agent_ui.settings import Settings
from knowledge_base.importer import load_sample
from retrieval.embedder import SentenceEmbedder
from scripts import evaluate_clusters
from scripts.call_data import BadData
from scripts.telling import failing_politely, progress, tell
from scripts.weights import weights_of

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def warnings(
    as_json: AsJson = False,
    seeds: Annotated[
        int, typer.Option(min=0, help="Simulated cities, each of 10 weeks after a year; 0: messages alone.")
    ] = 8,
    first_seed: Annotated[int, typer.Option(help="Of the seeds, which follow each other.")] = 4001,
    messages: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Lines of JSON (id, user, title, time) in which matters without a name are looked for, with "
            "known_issues.json beside it.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw how late they are found, by size: .svg, .png or .pdf; needs matplotlib.",
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Outbreaks found in simulated cities, how late, and false warnings; takes a minute or more."""
    from insight.warning.watch import WatchOptions
    from scripts import evaluate_warnings, plot_warnings  # nothing else needs SciPy

    with failing_politely():
        if plot is not None:
            plot_warnings.check(plot)  # before the minutes that the figures take
        told: dict[str, Any] = {}
        shown: list[Table] = []
        if seeds:
            options = WatchOptions()
            with progress("watching cities", seeds) as advance:
                cities = range(first_seed, first_seed + seeds)
                trials = evaluate_warnings.run_trials(cities, options, advance)
            told = evaluate_warnings.report(trials, options)
            shown = evaluate_warnings.tables(told)
            if plot is not None:
                plot_warnings.plot(told, plot)
        if messages is not None:
            told["messages"] = _measure_clusters(messages)
            shown += evaluate_clusters.tables(told["messages"])
        if not shown:
            raise BadData("Nothing is measured without seeds and without messages.")
        tell(told, shown, as_json=as_json)


def _measure_clusters(file: Path) -> dict[str, Any]:
    settings = Settings()
    said = evaluate_clusters.read_messages(file, settings.now().tzinfo)
    known = evaluate_clusters.read_known(file)
    embedder = SentenceEmbedder(weights_of(settings, settings.embedding_model))
    with progress("grouping messages", len(said)) as advance:
        usual = [article.title for article in load_sample()]
        trial = evaluate_clusters.run_trial(said, embedder.embed_passages, usual, advance)
    return evaluate_clusters.report(trial, known)
