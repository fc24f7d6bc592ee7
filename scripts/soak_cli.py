"""`zhiting bench soak`: hours under load; what grows, gets slower or is lost.

In: the command line. Out: a report, all samples as JSON, a picture; exit code 1 where something was lost.
Not known here: how anything is measured or drawn.
"""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agent_ui.settings import Settings
from scripts.bench_lines import read_tracks
from scripts.call_data import read_calls
from scripts.plot_soak import plot
from scripts.soak import Sample, Wish
from scripts.soak import soak as run
from scripts.telling import failing_politely

_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)


def soak(
    data: Annotated[Path, typer.Option(metavar="DIR", help="NAME.json beside NAME.wav.")],
    out: Annotated[Path, typer.Option(help="Where all samples are kept, as JSON.")],
    hours: Annotated[float, typer.Option(min=0.01, help="How long it goes on.")] = 2.0,
    share: Annotated[float, typer.Option(min=0.01, max=1.0, help="Of the calls that are admitted.")] = 0.75,
    publish_minutes: Annotated[float, typer.Option(min=0.5, help="Between two publishes.")] = 10.0,
    picture: Annotated[
        Path | None, typer.Option(help="Draw it there (svg, png, pdf); needs matplotlib.")
    ] = None,
) -> None:
    """Keep a server under load for hours, and look whether anything grows, gets slower or is lost."""
    with failing_politely():
        settings = Settings()
        wish = Wish(
            tracks=read_tracks(read_calls(data)),
            shared=settings.data_dir,
            seconds=hours * 3600,
            calls=max(1, int(share * settings.calls_at_once)),
            publish_every_s=publish_minutes * 60,
        )
    with _console.status("…") as status:

        def on_sample(sample: Sample) -> None:
            status.update(
                f"{sample.at_s / 60:.0f} min: {sample.rss_mb:.0f} MB, {sample.handles} handles, "
                f"lag {sample.figures.get('zhiting_lag_seconds', 0.0):.1f} s"
            )

        told = asyncio.run(run(wish, on_sample)).as_json()
    out.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    if picture is not None:
        plot(told, picture)
    report = told["report"]
    assert isinstance(report, dict)
    typer.echo(json.dumps(report, ensure_ascii=False, indent=1))
    if report["faults_in_all"]:
        raise typer.Exit(1)
