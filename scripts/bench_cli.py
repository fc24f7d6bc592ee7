"""`zhiting bench`: how many calls a machine carries, how soon their text comes, and what it costs.

In: a folder of recordings with references. Out: tables, or JSON on standard output; exit code 2 and a
sentence where the folder is not one, 1 where something failed.
Not known here: how anything is measured (`docs/benchmarks.md` says what each figure means).
"""

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from agent_ui.settings import Settings
from scripts.bench_batch_cli import batch
from scripts.bench_lines import read_tracks
from scripts.bench_live import MOST_CALLS, Bench, Limits, Report, find_capacity, run_live
from scripts.bench_server import ServerFailed
from scripts.call_data import ReferenceCall, read_calls
from scripts.simulate_caller import PROTOCOLS
from scripts.soak_cli import soak
from scripts.telling import failing_politely

app = typer.Typer(help="Measure a server under load.", no_args_is_help=True)
app.command()(batch)
app.command()(soak)
_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)

_ROWS = {
    "calls": "calls at once",
    "turns": "turns",
    "final_lag_p50_s": "final lag, median s",
    "final_lag_p95_s": "final lag, p95 s",
    "final_lag_max_s": "final lag, most s",
    "first_partial_p50_s": "first partial, median s",
    "partial_cadence_p50_s": "partial cadence, median s",
    "changed_share": "shown characters changed",
    "lost": "speech lost s",
    "doubled": "speech doubled s",
    "dropped_s": "sound dropped s",
    "refused": "calls refused",
    "broken": "calls broken",
    "cer_streamed": "CER streamed",
    "cer_offline": "CER offline",
    "cpu_percent": "CPU % of one core",
    "peak_rss_mb": "peak memory MB",
    "recovered_s": "ready again after s",
    "sent_late_s": "sound sent late, most s",
}


@app.command()
def live(
    data: Annotated[Path, typer.Option(metavar="DIR", help="NAME.json beside NAME.wav.")],
    calls: Annotated[int, typer.Option(min=1, help="Two-channel calls at once.")] = 16,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long each run lasts.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    server: Annotated[
        str | None, typer.Option(help="Address of a running server; without it one is started for the run.")
    ] = None,
    capacity: Annotated[
        bool,
        typer.Option(
            "--find-capacity",
            help="Find the most calls that keep the limits, from --calls on.",
        ),
    ] = False,
    p95_final_s: Annotated[float, typer.Option(help="Limit of the p95 of the final lag.")] = 1.5,
    churn: Annotated[
        bool, typer.Option("--churn", help="Calls come and go, are cut off, and sometimes vanish.")
    ] = False,
    carrier: Annotated[
        str | None,
        typer.Option(help="Protocol of a telephone system, as of `zhiting simulate-caller`; else our own."),
    ] = None,
    offline: Annotated[
        bool, typer.Option(help="Whether the recordings are also transcribed offline.")
    ] = True,
) -> None:
    """Stream recordings in real time, as lines would, and measure what reaches the screens."""
    if carrier is not None and (carrier not in PROTOCOLS or churn):
        raise typer.BadParameter(
            f"one of {', '.join(PROTOCOLS)}, and not with --churn", param_hint="--carrier"
        )
    with _failing_politely():
        settings = Settings()
        references = read_calls(data)
        plan = Bench(
            tracks=read_tracks(references),
            seconds=minutes * 60,
            shared=settings.data_dir,
            server=server,
            token=settings.token,
            has_churn=churn,
            carrier=carrier,
            max_calls=MOST_CALLS if capacity else None,
        )
        load = os.getloadavg()[0]
        if capacity:
            told = asyncio.run(_capacity(plan, calls, Limits(p95_final_s=p95_final_s)))
        else:
            told = asyncio.run(run_live(plan, calls))
        told["load_before"] = round(load, 2)
        if offline and not capacity:
            played = [call for call in references if call.call_id in told["recordings"]]
            told["cer_offline"] = _offline_cer(played, settings)
    _tell(told, as_json=as_json)


@app.command()
def noise(
    minutes: Annotated[float, typer.Option(min=0.1, help="How much of each sound is listened to.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Listen to lines on which nobody speaks: nothing may be written down."""
    from asr.engines import open_engine
    from scripts.bench_noise import listen_to_sounds
    from scripts.evaluate_cli import ears_of

    with _failing_politely():
        ears = ears_of(Settings())
        written = asyncio.run(listen_to_sounds(open_engine(ears.folder, ears.whisper), minutes * 60))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in written], ensure_ascii=False, indent=1))
    else:
        shown = Table("sound", "s", "taken for speech", "characters", title="Lines on which nobody speaks")
        for each in written:
            shown.add_row(each.sound, f"{each.seconds:.0f}", str(each.utterances), str(each.characters))
        Console().print(shown)
    if any(each.characters for each in written):
        raise typer.Exit(1)


@app.command()
def retrieval(
    passages: Annotated[int, typer.Option(min=10, help="How many passages are searched.")] = 10_000,
    questions: Annotated[int, typer.Option(min=1, help="How often something is asked.")] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure a query to its cards in one process, over a knowledge base of that size."""
    from retrieval.embedder import EmbedderOptions, SentenceEmbedder
    from scripts.bench_retrieval import measure
    from scripts.weights import weights_of

    with _failing_politely():
        settings = Settings()
        embedder = SentenceEmbedder(weights_of(settings, settings.embedding_model), EmbedderOptions())
        _console.print("Building …")
        found = measure(embedder, passages=passages, questions=questions, now=settings.now())
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1))
        return
    shown = Table("figure", "value", title="From a query to its cards")
    for name, value in asdict(found).items():
        shown.add_row(name, str(value))
    Console().print(shown)


async def _capacity(plan: Bench, first: int, limits: Limits) -> dict[str, Any]:
    async def run(calls: int) -> Report:
        _console.print(f"{calls} calls …")
        report = await run_live(plan, calls)
        _console.print(
            f"{calls} calls: p95 {report['final_lag_p95_s']} s, lost {report['lost']} s, "
            f"refused {report['refused']}"
        )
        return report

    carried, reports = await find_capacity(run, limits, first=first)
    best = next((report for report in reversed(reports) if report["kept"]), reports[0])
    return {**best, "capacity": carried, "p95_final_limit_s": limits.p95_final_s, "runs": reports}


def _offline_cer(references: list[ReferenceCall], settings: Settings) -> float | None:
    """Hear the same recordings with all the time in the world, by the same engine."""
    from scripts.evaluate_asr import pooled, score_call
    from scripts.evaluate_cli import ears_of
    from scripts.transcripts import transcribe_calls
    from scripts.wording import lexicon_of, put_right

    for noisy in ("httpx", "faster_whisper"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    place = settings.data_dir / "evaluation" / "transcripts"
    heard = asyncio.run(transcribe_calls(references, ears_of(settings), place))
    final = put_right(heard.segments, lexicon_of(settings.data_dir, settings.lexicon_path))
    return pooled([score_call(call, final[call.call_id]) for call in references]).rate


@contextmanager
def _failing_politely() -> Iterator[None]:
    with failing_politely():
        try:
            yield
        except ServerFailed as error:
            _console.print(str(error))
            raise typer.Exit(1) from None


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    shown = Table(title="Live calls", show_header=False)
    for key, name in _ROWS.items():
        if told.get(key) is not None:
            value = told[key]
            shown.add_row(name, f"{value:.4f}" if isinstance(value, float) else str(value))
    if "capacity" in told:
        shown.add_row("capacity, calls", str(told["capacity"]))
    for refusal in told["refused_with"]:
        shown.add_row("refused with", refusal)
    Console().print(shown)
