"""Draws a long run: memory, handles, lag and queues over time.

In: what `zhiting bench soak` keeps. Out: a picture, by the ending of its name (svg, png, pdf).
Not known here: how anything was measured.
"""

from pathlib import Path
from typing import Any

_BLUE, _RED, _GREY = "#0b5fa5", "#b3541e", "#6b6b6b"


def plot(told: dict[str, Any], file: Path) -> None:
    """Four fields, one above the other, over the minutes of the run; a line for each publish."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "soak"  # the same figures give the same file
    samples = told["samples"]
    minutes = [sample["at_s"] / 60 for sample in samples]
    figure, fields = pyplot.subplots(4, 1, figsize=(9, 9), sharex=True, layout="constrained")
    fields[0].plot(minutes, [sample["rss_mb"] for sample in samples], color=_BLUE)
    fields[0].set_ylabel("memory, MB")
    fields[1].plot(minutes, [sample["handles"] for sample in samples], color=_BLUE, label="file handles")
    fields[1].plot(minutes, [sample["threads"] for sample in samples], color=_RED, label="threads")
    fields[1].legend(frameon=False, fontsize=9)
    windows = [window for window in told["windows"] if window["final_lag_p95_s"] is not None]
    middles = [window["from_s"] / 60 + 2.5 for window in windows]
    fields[2].plot(middles, [one["final_lag_p50_s"] for one in windows], "o-", color=_BLUE, label="median")
    fields[2].plot(middles, [one["final_lag_p95_s"] for one in windows], "o-", color=_RED, label="95 %")
    fields[2].axhline(1.5, color=_GREY, linestyle=":", label="limit of 95 %")
    fields[2].set_ylabel("final lag, s")
    fields[2].legend(frameon=False, fontsize=9)
    for name, label, colour in (
        ("zhiting_ears_queued", "utterances", _BLUE),
        ("zhiting_journal_waiting", "facts for the disk", _RED),
    ):
        fields[3].plot(
            minutes, [sample["figures"].get(name, 0) for sample in samples], color=colour, label=label
        )
    fields[3].set_ylabel("waiting")
    fields[3].legend(frameon=False, fontsize=9)
    fields[3].set_xlabel("minutes")
    for field in fields:
        field.set_ylim(bottom=0)
        field.grid(color="#d9d9d9", linewidth=0.6)
        for publish in told["published"]:
            field.axvline(publish["at_s"] / 60, color=_GREY, linewidth=0.6, alpha=0.5)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    pyplot.close(figure)
