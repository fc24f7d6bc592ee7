"""One seeded year of a city, watched by the early warning and by what it is compared with.

In: a seed. Out: for each method, what stood out at which hour; and which of it was right, at any threshold.
Not known here: seeds of reports, how results are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from math import inf
from statistics import median

import numpy as np
from numpy.typing import NDArray

from insight.warning.baseline import Baseline
from insight.warning.raising import Raising
from insight.warning.streams import Streams
from insight.warning.watch import Watch, WatchOptions, shares_of
from scripts.city_rates import City
from scripts.simulate_city import ZONE, counts_of_days, kind_of, places_of_days, reports, simulate
from scripts.simulate_outbreaks import Outbreak
from scripts.warning_methods import EarsC2, FixedThreshold, Kleinberg, Method

OURS = "zhiting"
HISTORY_DAYS = 355
WARM_DAYS = 10
"""Watched but not judged: the compared methods look back so far."""
FOUND_WITHIN_H = 48
"""After the first call of an outbreak: later is missed."""
BELONGS_WITHIN_H = 96
"""A warning so long after the first call still speaks of the outbreak: it is not false."""
_FIRST = date(2024, 1, 1)
_LOW = {OURS: 1.0, "fixed": 15.0, "ears_c2": 6.0, "kleinberg": 7.0}
"""Scores below are not kept: no threshold as low would be bearable."""

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Moment:
    """The scores of an hour in which something scores."""

    hour: int
    scores: Floats32
    excess: Floats32


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was seen in one seed; hours count from the first day."""

    seed: int
    streams: Streams
    first_hour: int
    weeks: float
    outbreaks: tuple[Outbreak, ...]
    """All of them; judged are those that begin in the judged time."""
    moments: dict[str, list[Moment]]
    callers_a_day: float
    """Distinct callers, of the year that was learnt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an outbreak fared."""

    outbreak: Outbreak
    delay_h: float | None
    """From its first call to the warning; None: missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a method found at a threshold."""

    outcomes: tuple[Outcome, ...]
    right: int
    """Warnings that speak of an outbreak."""
    false: int
    weeks: float

    @property
    def false_per_week(self) -> float:
        """Of the whole city."""
        return self.false / self.weeks


def run_trial(city: City, seed: int, *, offset_days: int, days: int, options: WatchOptions) -> Trial:
    """Simulate a year and `days` after it, learn the year, watch the rest."""
    first = _FIRST + timedelta(days=offset_days)
    calls = simulate(city, first=first, days=HISTORY_DAYS + WARM_DAYS + days, seed=seed)
    kind = partial(kind_of, city, calls)
    history = counts_of_days(city, calls, HISTORY_DAYS - 2)
    baseline = Baseline(city.streams)
    named = places_of_days(city, calls, len(history))
    for number, (day, places) in enumerate(zip(history, named, strict=True)):
        baseline.learn_day(day, kind(first + timedelta(days=number)), places)
    start = datetime.combine(first, datetime.min.time(), ZONE)
    watch = Watch(baseline, now=start + timedelta(days=HISTORY_DAYS), kind_of=kind, options=options)
    leaves = city.streams.n_matter_leaves
    methods: tuple[Method, ...] = (
        FixedThreshold(),
        EarsC2(),
        Kleinberg(history[:, :leaves].sum(axis=2)),
    )
    moments: dict[str, list[Moment]] = {name: [] for name in (OURS, *(each.name for each in methods))}
    coming = iter(reports(city, calls, HISTORY_DAYS))
    known_min, report = next(coming)
    begin, end = (HISTORY_DAYS + WARM_DAYS) * 24, (HISTORY_DAYS + WARM_DAYS + days) * 24
    for hour in range(HISTORY_DAYS * 24, end):
        while known_min < (hour + 1) * 60:
            watch.hear(report)
            known_min, report = next(coming, (end * 60 * 2, report))
        grown = watch.counts.open_hour()
        growth = watch.look(grown)
        if hour >= begin:
            with np.errstate(divide="ignore"):
                scores = -np.log10(shares_of(growth))
            _keep(moments[OURS], hour + 1, OURS, scores, growth.observed - growth.expected)
            enough = watch.counts.last(24).sum(axis=1) >= options.raising.least_callers
            for method in methods:
                scores = np.zeros(city.streams.n_streams)
                scores[:leaves] = method.score(watch.counts)
                _keep(moments[method.name], hour + 1, method.name, np.where(enough & grown, scores, 0.0))
        watch.turn_hour()
    return Trial(
        seed=seed,
        streams=city.streams,
        first_hour=begin,
        weeks=days / 7,
        outbreaks=calls.outbreaks,
        moments=moments,
        callers_a_day=float(history[:, :leaves].sum() / len(history)),
    )


def _keep(
    kept: list[Moment],
    hour: int,
    name: str,
    scores: NDArray[np.float64],
    excess: NDArray[np.float64] | None = None,
) -> None:
    if (scores >= _LOW[name]).any():
        excess = np.zeros_like(scores) if excess is None else excess
        kept.append(Moment(hour, scores.astype(np.float32), excess.astype(np.float32)))


def raise_all(trial: Trial, name: str, threshold: float, options: WatchOptions) -> list[tuple[int, int]]:
    """Hours and streams that a method tells of, by the same rules for all."""
    raising = Raising(trial.streams, options.raising)
    return [
        (moment.hour, stream)
        for moment in trial.moments[name]
        for stream in raising.raise_now(
            moment.hour, moment.scores >= threshold, moment.excess.astype(np.float64)
        )
    ]


def judge(trials: Sequence[Trial], name: str, threshold: float, options: WatchOptions) -> Judged:
    """Hold the warnings against the outbreaks.

    An outbreak is found by a warning of its matter and district. One of the whole city or of the whole
    category belongs to it, but found nothing.
    """
    outcomes: list[Outcome] = []
    right = false = 0
    for trial in trials:
        raised = raise_all(trial, name, threshold, options)
        belonging: set[tuple[int, int]] = set()
        for outbreak in trial.outbreaks:
            began = outbreak.began_min / 60
            finding, related = _speaking_of(trial.streams, outbreak.leaf)
            mine = [
                (hour, stream)
                for hour, stream in raised
                if 0 <= hour - began <= BELONGS_WITHIN_H and stream in related
            ]
            belonging.update(mine)
            if trial.first_hour <= began < trial.first_hour + trial.weeks * 168 - FOUND_WITHIN_H:
                delays = [hour - began for hour, stream in mine if stream in finding]
                delay = min(delays, default=None)
                is_found = delay is not None and delay <= FOUND_WITHIN_H
                outcomes.append(Outcome(outbreak=outbreak, delay_h=delay if is_found else None))
        right += len(belonging)
        false += len(set(raised) - belonging)
    return Judged(
        outcomes=tuple(outcomes), right=right, false=false, weeks=sum(trial.weeks for trial in trials)
    )


def _speaking_of(streams: Streams, leaf: int) -> tuple[frozenset[int], frozenset[int]]:
    """Streams whose warning finds an outbreak, and all whose warning belongs to it.

    One of a category is found by a warning of any of its matters in its district.
    """
    if streams.is_category(leaf):
        finding = [leaf, *streams.below(leaf)]
        return frozenset(finding), frozenset(finding + [streams.city(each) for each in finding])
    return frozenset([leaf]), frozenset(streams.counted_in(leaf))


def least_threshold(
    trials: Sequence[Trial], name: str, false_per_week: float, options: WatchOptions
) -> float:
    """The lowest threshold at which there are no more false warnings than that."""
    least = {float(np.float32(_LOW[name]))}
    tried = sorted(
        least.union(
            float(score)
            for trial in trials
            for moment in trial.moments[name]
            for score in np.unique(np.round(moment.scores[moment.scores >= _LOW[name]], 1))
        )
    )
    low, high = 0, len(tried) - 1
    while (
        low < high
    ):  # more false warnings at lower thresholds, but for the order in which they silence others
        middle = (low + high) // 2
        if judge(trials, name, tried[middle], options).false_per_week <= false_per_week:
            high = middle
        else:
            low = middle + 1
    return tried[low]


def median_delay(outcomes: Sequence[Outcome]) -> float | None:
    """Of all outbreaks, where a missed one is found after all others; None where most are missed."""
    found = median([inf if one.delay_h is None else one.delay_h for one in outcomes] or [inf])
    return None if found == inf else round(found, 1)
