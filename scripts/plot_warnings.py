"""Draws how late outbreaks are found, by their size.

In: what `scripts/evaluate_warnings.py` reports. Out: a picture, by the ending of its name (svg, png, pdf).
Not known here: how anything was found.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from scripts.call_data import BadData

_NAMES = {
    "zhiting": "ours",
    "kleinberg": "Kleinberg's bursts",
    "ears_c2": "EARS C2",
    "fixed": "fixed threshold",
}
_COLOURS = {"zhiting": "#0b5fa5", "kleinberg": "#b3541e", "ears_c2": "#4d7d2f", "fixed": "#6b6b6b"}
_STYLES = {"zhiting": "-", "kleinberg": "--", "ears_c2": "-.", "fixed": ":"}
_LAST_H = 48
_ENDINGS = (".svg", ".png", ".pdf")


def check(file: Path) -> None:
    """Raise `BadData` where nothing could be drawn there."""
    if file.suffix not in _ENDINGS:
        raise BadData(f"A picture ends in {', '.join(_ENDINGS)}, not in “{file.suffix}”.")
    if find_spec("matplotlib") is None:
        raise BadData("Pictures need matplotlib: pip install matplotlib")


def plot(told: dict[str, Any], file: Path) -> None:
    """One field for each size: the share that each method found by so many hours after the first call."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import PercentFormatter

    matplotlib.rcParams["svg.hashsalt"] = "warnings"  # the same figures give the same file
    sizes = list(told["detected"])
    figure, fields = pyplot.subplots(
        1, len(sizes), figsize=(3.2 * len(sizes), 3.4), sharey=True, squeeze=False, layout="constrained"
    )
    for field, size in zip(fields[0], sizes, strict=True):
        for name, one in {"zhiting": told, **told["compared"]}.items():
            delays, of = one["delays_h"].get(size, []), one["detected"][size]["of"]
            hours = [0.0, *delays, float(_LAST_H)]
            shares = [0.0, *((n + 1) / of for n in range(len(delays))), len(delays) / of]
            field.step(
                hours,
                shares,
                where="post",
                label=f"{_NAMES[name]}, {one['false_per_week']:.2f} false a week",
                color=_COLOURS[name],
                linestyle=_STYLES[name],
                linewidth=2.4 if name == "zhiting" else 1.6,
            )
        field.set_title(f"+{size} callers within 48 h", fontsize=10)
        field.set_xlabel("hours after the first call")
        field.set_xlim(0, _LAST_H)
        field.set_ylim(0, 1.02)
        field.set_xticks(range(0, _LAST_H + 1, 12))
        field.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        field.grid(color="#d9d9d9", linewidth=0.6)
    fields[0][0].set_ylabel("outbreaks found")
    handles, labels = fields[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    pyplot.close(figure)
