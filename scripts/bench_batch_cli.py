"""`zhiting bench batch`: how fast recordings are transcribed, and how well, beside faster-whisper.

In: a folder of recordings with references. Out: a table, or JSON on standard output.
Not known here: how anything is measured.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from agent_ui.settings import Settings
from asr.batch.ears import EarOptions
from asr.transcriber import WhisperOptions
from scripts.bench_batch import Measured, measure_ours, measure_theirs
from scripts.call_data import read_calls
from scripts.telling import failing_politely
from scripts.weights import weights_of
from scripts.wording import lexicon_of

_ARCHIVE_H = 53_000
"""A year of calls."""
_AGAINST = "faster-whisper"


def batch(
    data: Annotated[Path, typer.Option(metavar="DIR", help="NAME.json beside NAME.wav.")],
    against: Annotated[str, typer.Option(help=f"{_AGAINST}: measure its batched pipeline too.")] = "",
    beam: Annotated[int, typer.Option(min=1, max=10)] = 5,
    files: Annotated[
        int, typer.Option(min=0, help="How many files; the recordings are repeated. 0: each once.")
    ] = 0,
    words: Annotated[bool, typer.Option("--words", help="With the time of each word.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Transcribe recordings as files and measure speed, memory and errors."""
    if against not in ("", _AGAINST):
        raise typer.BadParameter(f"only {_AGAINST} can be measured against")
    with failing_politely():
        settings = Settings()
        calls = read_calls(data)
        options = EarOptions(
            folder=weights_of(settings, settings.speech_model),
            whisper=WhisperOptions(
                device=settings.device,
                compute_type=settings.compute_type,
                vocabulary=settings.speech_vocabulary,
            ),
            beam_size=beam,
            word_times=words,
        )
        lexicon = lexicon_of(settings.data_dir, settings.lexicon_path)
        names = [(call, copy) for copy in range(-(-files // len(calls)) or 1) for call in calls]
        chosen = names[: files or None]
        ours = measure_ours(chosen, options, lexicon)
        theirs = measure_theirs(calls, options) if against else None
    told = _told(
        ours,
        theirs,
        seconds=sum(call.seconds for call, _ in chosen),
        legs_s=sum(call.seconds * len(call.parties) for call, _ in chosen),
        their_seconds=sum(call.seconds for call in calls),
    ) | {"files": len(chosen), "beam": beam, "words": words}
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    shown = Table("figure", "value", title="Recordings")
    for name, value in told.items():
        shown.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    Console().print(shown)


def _told(
    ours: Measured, theirs: Measured | None, *, seconds: float, legs_s: float, their_seconds: float
) -> dict[str, Any]:
    speed = seconds / ours.took_s
    told: dict[str, Any] = {
        "seconds": round(seconds, 1),
        "took_s": round(ours.took_s, 2),
        "x_realtime": round(speed, 2),
        "x_realtime_of_legs": round(legs_s / ours.took_s, 2),
        "peak_mb": round(ours.peak_mb),
        "cer": ours.errors.rate,
        "cer_without_lexicon": ours.plain_errors.rate if ours.plain_errors else None,
        "machine_days_for_53000_h": round(_ARCHIVE_H / speed / 24, 1),
    }
    if theirs is not None:
        their_speed = their_seconds / theirs.took_s
        told |= {
            "baseline_took_s": round(theirs.took_s, 2),
            "baseline_x_realtime": round(their_speed, 2),
            "baseline_batch_size": theirs.batch_size,
            "baseline_peak_mb": round(theirs.peak_mb),
            "cer_baseline": theirs.errors.rate,
            "ratio": round(speed / their_speed, 2),
        }
    return told
