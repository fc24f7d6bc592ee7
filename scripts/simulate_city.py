"""Calls of a city, by chance, with outbreaks that are known.

In: the rates of a city, a first day, a number of days, a seed. Out: every call as numbers, and the outbreaks.
Not known here: how warnings are found.

The same seed gives the same calls. Times are minutes since the beginning of the first day.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from insight.types import DayKind, Report
from insight.warning.counts import ONCE_H
from scripts.city_rates import City
from scripts.simulate_outbreaks import Outbreak, draw_category_outbreaks, draw_outbreaks
from scripts.simulate_places import NOWHERE, name_places

ZONE = timezone(timedelta(hours=8))
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulated:
    """Calls in the order in which they were made."""

    first: date
    days: int
    at_min: Ints
    known_min: Ints
    """When each is known here."""
    leaf: Ints
    caller: Ints
    place: Ints
    """A number in its district, or `NOWHERE`."""
    outbreaks: tuple[Outbreak, ...]
    """Of matters, then of categories."""
    storms: frozenset[date]


def simulate(city: City, *, first: date, days: int, seed: int) -> Simulated:
    """Make the calls of some days."""
    rng = np.random.default_rng(seed)
    storms = _storms(city, first, days, rng)
    at, leaf = _usual(city, first, days, storms, rng)
    callers = city.rates["callers"]
    who = rng.integers(callers["citizens"], size=len(at))
    of_matters, extra = draw_outbreaks(city, days, rng)
    more = np.random.default_rng([seed, 1])
    outbreaks, spread = draw_category_outbreaks(city, days, of_matters, more)
    calls = [_usually(at, leaf, who), extra, spread, _usually(*_persistent(city, days, rng))]
    again = rng.random(len(at)) < callers["again"]
    calls.append(_usually(at[again] + rng.integers(5, 48 * 60, size=again.sum()), leaf[again], who[again]))
    together = np.concatenate(calls, axis=1)
    together = together[:, together[0] < days * 24 * 60]
    at, leaf, who, outbreak = together[:, np.argsort(together[0], kind="stable")]
    place = name_places(
        city,
        at_min=at,
        leaf=leaf,
        outbreak=outbreak,
        commons=[one.common for one in outbreaks],
        days=days,
        rng=more,
    )
    late = np.where(rng.random(len(at)) < callers["late"], rng.integers(60, 36 * 60, size=len(at)), 0)
    return Simulated(
        first=first,
        days=days,
        at_min=at,
        known_min=at + late,
        leaf=leaf,
        caller=who,
        place=place,
        outbreaks=outbreaks,
        storms=storms,
    )


def kind_of(city: City, calls: Simulated, day: date) -> DayKind:
    """The kind of a day, as the calendar and the weather service tell it."""
    return DayKind.STORM if day in calls.storms else city.kind(day)


def counts_of_days(city: City, calls: Simulated, days: int) -> Ints:
    """Distinct callers of the first days: days × streams × 24, each once in `ONCE_H` hours of a stream."""
    streams = city.streams
    wanted = calls.at_min < days * 24 * 60
    hour, leaf, caller = calls.at_min[wanted] // 60, calls.leaf[wanted], calls.caller[wanted]
    counts = np.zeros((days, streams.n_streams, 24), dtype=np.int64)
    counted_in = np.array([streams.counted_in(each) for each in range(streams.n_matter_leaves)])
    for stream in counted_in[leaf].T:
        first = _counting(stream, caller, hour)
        np.add.at(counts, (hour[first] // 24, stream[first], hour[first] % 24), 1)
    return counts


def places_of_days(city: City, calls: Simulated, days: int) -> list[dict[int, list[str]]]:
    """The places that distinct callers named on each of the first days, by leaf, in their order."""
    streams = city.streams
    wanted = calls.at_min < days * 24 * 60
    hour, leaf, caller = calls.at_min[wanted] // 60, calls.leaf[wanted], calls.caller[wanted]
    counted_in = np.array([streams.counted_in(each) for each in range(streams.n_matter_leaves)])
    found: list[dict[int, list[str]]] = [{} for _ in range(days)]
    for stream in (one for one in counted_in[leaf].T if not streams.is_city(int(one[0]))):
        for n in np.sort(_counting(stream, caller, hour)).tolist():
            if calls.place[n] != NOWHERE:
                places = found[hour[n] // 24].setdefault(int(stream[n]), [])
                places.append(place_name(int(calls.place[n])))
    return found


def place_name(place: int) -> str:
    """What a caller calls a place."""
    return "" if place == NOWHERE else f"{place} 号"


def _counting(stream: Ints, caller: Ints, hour: Ints) -> Ints:
    """The calls whose caller was not counted in the stream before."""
    order = np.lexsort((hour, caller, stream))
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (np.diff(stream[order]) == 0) & (np.diff(caller[order]) == 0)
    same[1:] &= np.diff(hour[order]) < ONCE_H
    return order[~same]


def reports(city: City, calls: Simulated, from_day: int) -> list[tuple[int, Report]]:
    """Calls from a day on with the minute in which each is known, in that order."""
    start = datetime.combine(calls.first, datetime.min.time(), ZONE)
    chosen = np.flatnonzero(calls.at_min >= from_day * 24 * 60)
    chosen = chosen[np.argsort(calls.known_min[chosen], kind="stable")]
    streams = city.streams
    return [
        (
            int(calls.known_min[n]),
            Report(
                report_id=str(n),
                at=start + timedelta(minutes=int(calls.at_min[n])),
                caller=str(calls.caller[n]),
                district=streams.district(leaf) or "",
                matter=streams.matter(leaf),
                place=place_name(place),
            ),
        )
        for n, leaf, place in zip(
            chosen.tolist(), calls.leaf[chosen].tolist(), calls.place[chosen].tolist(), strict=True
        )
    ]


def _usually(at: Ints, leaf: Ints, who: Ints) -> Ints:
    """Calls of no outbreak."""
    return np.stack([at, leaf, who, np.full(len(at), -1)])


def _gamma(rng: np.random.Generator, spread: float, shape: tuple[int, ...]) -> Floats:
    """Factors with mean 1."""
    return rng.gamma(1 / spread, spread, size=shape)


def _storms(city: City, first: date, days: int, rng: np.random.Generator) -> frozenset[date]:
    rule = city.rates["storms"]
    found: set[date] = set()
    for year in range(first.year, (first + timedelta(days=days)).year + 1):
        for start in rng.integers(rule["first_day"], rule["last_day"], size=rule["a_year"]):
            day = date(year, 1, 1) + timedelta(days=int(start))
            found |= {day + timedelta(days=n) for n in range(rule["days"])}
    return frozenset(found)


def _usual(
    city: City, first: date, days: int, storms: frozenset[date], rng: np.random.Generator
) -> tuple[Ints, Ints]:
    noise, (matters, districts) = city.rates["noise"], (len(city.a_day), len(city.district_parts))
    taste = _gamma(rng, city.rates["district_taste"]["spread"], (matters, districts))
    parts = city.district_parts * taste
    parts /= parts.sum(axis=1, keepdims=True)
    walk = np.zeros(matters)
    at: list[Ints] = []
    leaves: list[Ints] = []
    for number in range(days):
        day = first + timedelta(days=number)
        if number % 7 == 0:
            walk = 0.9 * walk + rng.normal(0, noise["matter_week"], size=matters)
        of_matter = (
            city.a_day * city.factors(day) * np.exp(walk) * _gamma(rng, noise["matter_day"], (matters,))
        )
        of_leaf = of_matter[:, None] * parts * _gamma(rng, noise["leaf_day"], (matters, districts))
        if day in storms:
            strength = _gamma(rng, city.rates["storms"]["strength_spread"], (districts,))
            of_leaf *= 1 + (city.storm[:, None] - 1) * strength
        rate = of_leaf[:, :, None] * city.hours[:, None, :]
        rate *= _gamma(rng, noise["leaf_hour"], rate.shape)
        drawn = rng.poisson(rate).reshape(matters * districts, 24)
        leaf, hour = np.nonzero(drawn)
        times = drawn[leaf, hour]
        leaf, hour = np.repeat(leaf, times), np.repeat(hour, times)
        at.append((number * 24 + hour) * 60 + rng.integers(60, size=len(hour)))
        leaves.append(leaf)
    return np.concatenate(at), np.concatenate(leaves)


def _persistent(city: City, days: int, rng: np.random.Generator) -> Ints:
    callers = city.rates["callers"]
    parts = (city.a_day[:, None] * city.district_parts).ravel()
    found = [np.zeros((3, 0), dtype=np.int64)]
    for _ in range(rng.poisson(callers["persistent_a_week"] * days / 7)):
        times = int(rng.integers(8, 21))
        start = rng.integers(days * 24 * 60)
        at = np.asarray(start + rng.integers(48 * 60, size=times), dtype=np.int64)
        leaf, who = rng.choice(len(parts), p=parts / parts.sum()), rng.integers(callers["citizens"])
        found.append(np.stack([at, np.full(times, leaf), np.full(times, who)]))
    return np.concatenate(found, axis=1)
