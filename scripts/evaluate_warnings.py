"""How early the early warning warns, and how often falsely, beside what it is compared with.

In: seeds. Out: counts by size of outbreak, for people and for programs.
Not known here: how anything is simulated or found.

The compared methods get the threshold that on these very seeds gives them as many false warnings as ours has,
or just fewer; ours has the threshold that it ships with, chosen on `TUNING_SEEDS`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rich.table import Table

from insight.warning.watch import WatchOptions
from scripts.city_rates import read_city
from scripts.evaluate_wrapup import wilson
from scripts.simulate_outbreaks import Shape
from scripts.simulate_places import Common
from scripts.warning_trial import (
    OURS,
    Judged,
    Outcome,
    Trial,
    judge,
    least_threshold,
    median_delay,
    run_trial,
)

TUNING_SEEDS = (1001, 1002, 1003, 1004, 1005, 1006)
"""On which everything was chosen; never to be reported."""
JUDGED_DAYS = 70
_APART_DAYS = 42
"""Trials begin so far apart in the year, so that all of them together see a whole one."""
_TRIALS_A_YEAR = 8
COMPARED = ("fixed", "ears_c2", "kleinberg")
_USUAL = ((0.0, 1.0), (1.0, 3.0), (3.0, 6.0), (6.0, math.inf))
"""Calls of the leaf on an average day, from and below."""


def run_trials(
    seeds: Sequence[int], options: WatchOptions, on_done: Callable[[str], None], *, days: int = JUDGED_DAYS
) -> list[Trial]:
    """Watch one simulated city for each seed."""
    trials = []
    for number, seed in enumerate(seeds):
        offset_days = number % _TRIALS_A_YEAR * _APART_DAYS
        trials.append(run_trial(read_city(), seed, offset_days=offset_days, days=days, options=options))
        on_done(str(seed))
    return trials


def report(trials: Sequence[Trial], options: WatchOptions) -> dict[str, Any]:
    """Ours as it ships, the others at as many false warnings."""
    ours, of_categories = _apart(judge(trials, OURS, -math.log10(options.false_share), options))
    told: dict[str, Any] = {
        "seeds": [trial.seed for trial in trials],
        "weeks": round(ours.weeks, 1),
        "callers_a_day": round(sum(trial.callers_a_day for trial in trials) / len(trials)),
        "streams": trials[0].streams.n_streams,
        "false_share": options.false_share,
        **_told(ours),
        "by_shape": {
            shape.value: _by_size([one for one in ours.outcomes if one.outbreak.shape is shape])
            for shape in Shape
        },
        "by_usual_calls_a_day": {
            f"{low:g}-{high:g}": _by_size(
                [one for one in ours.outcomes if low <= one.outbreak.usual_a_day < high]
            )
            for low, high in _USUAL
        },
        "of_categories": _by_size(of_categories),
        "delays_h": _delays(ours),
        "compared": {},
    }
    for name in COMPARED:
        threshold = least_threshold(trials, name, ours.false_per_week, options)
        judged, _ = _apart(judge(trials, name, threshold, options))
        told["compared"][name] = {
            "threshold": round(threshold, 1),
            **_told(judged),
            "delays_h": _delays(judged),
        }
    return told


def tables(told: dict[str, Any]) -> list[Table]:
    """Methods × sizes, then ours by shape and by how busy the leaf is."""
    sizes = list(told["detected"])
    methods = Table(
        "method",
        *(f"+{size}" for size in sizes),
        "false a week",
        title=f"Outbreaks found within 48 h, median delay; {told['weeks']:g} weeks",
    )
    for name, one in {OURS: told, **told["compared"]}.items():
        methods.add_row(name, *(_cell(one, size) for size in sizes), f"{one['false_per_week']:.2f}")
    parts = Table(
        "ours", *(f"+{size}" for size in sizes), title="By places in common, shape, calls a day of the leaf"
    )
    for group in ("by_places", "by_shape", "by_usual_calls_a_day"):
        for name, one in told[group].items():
            parts.add_row(name, *(_cell(one, size) if size in one["detected"] else "" for size in sizes))
    categories = Table(
        "ours", *(f"+{size}" for size in told["of_categories"]["detected"]), title="Over a category's matters"
    )
    categories.add_row(
        "found", *(_cell(told["of_categories"], size) for size in told["of_categories"]["detected"])
    )
    return [methods, parts, categories]


def _apart(judged: Judged) -> tuple[Judged, list[Outcome]]:
    """Outbreaks of matters, as they are judged, and those of categories."""
    of_categories = [one for one in judged.outcomes if one.outbreak.is_category]
    others = tuple(one for one in judged.outcomes if not one.outbreak.is_category)
    return replace(judged, outcomes=others), of_categories


def _delays(judged: Judged) -> dict[str, list[float]]:
    """Of those that were found, by size, shortest first."""
    sizes = sorted({one.outbreak.size for one in judged.outcomes})
    return {
        str(size): sorted(
            round(one.delay_h, 2)
            for one in judged.outcomes
            if one.outbreak.size == size and one.delay_h is not None
        )
        for size in sizes
    }


def _told(judged: Judged) -> dict[str, Any]:
    warnings = judged.right + judged.false
    return {
        **_by_size(judged.outcomes),
        "by_places": {
            common.value: _by_size([one for one in judged.outcomes if one.outbreak.common is common])
            for common in Common
        },
        "false_per_week": round(judged.false_per_week, 2),
        "precision": round(judged.right / warnings, 3) if warnings else None,
    }


def _by_size(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """A missed outbreak counts as found after all others."""
    detected: dict[str, Any] = {}
    delays: dict[str, float | None] = {}
    for size in sorted({one.outbreak.size for one in outcomes}):
        some = [one for one in outcomes if one.outbreak.size == size]
        found = sum(one.delay_h is not None for one in some)
        low, high = wilson(found, len(some))
        detected[str(size)] = {
            "found": found,
            "of": len(some),
            "share": round(found / len(some), 3),
            "low": round(low, 3),
            "high": round(high, 3),
        }
        delays[str(size)] = median_delay(some)
    return {"detected": detected, "median_delay_h": delays}


def _cell(one: dict[str, Any], size: str) -> str:
    detected, delay = one["detected"][size], one["median_delay_h"][size]
    after = "—" if delay is None else f"{delay:.1f} h"
    return f"{detected['found']} of {detected['of']} ({detected['share']:.0%}), {after}"
