"""Which place each simulated call names.

In: calls as numbers, which outbreak each belongs to. Out: the number of a place in its district, or none.
Not known here: how places are judged.

Usual callers name the places of their leaf, some of them the place that was named just before; some places
are complained of for weeks. Callers of an outbreak name one place, neighbouring ones, or none in common.
"""

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.city_rates import City

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NOWHERE = -1
_DAY_MIN = 24 * 60


class Common(StrEnum):
    """What the callers of an outbreak have in common."""

    ONE = "one"
    NEAR = "near"
    NONE = "none"


def draw_common(city: City, leaf: int, rng: np.random.Generator) -> Common:
    """By the kind of the matter, or of the category's matters."""
    parts = city.rates["places"]["outbreaks"][_kind(city, leaf)]
    drawn = rng.random()
    if drawn < parts["one"]:
        return Common.ONE
    return Common.NEAR if drawn < parts["one"] + parts["near"] else Common.NONE


def name_places(
    city: City,
    *,
    at_min: Ints,
    leaf: Ints,
    outbreak: Ints,
    commons: list[Common],
    days: int,
    rng: np.random.Generator,
) -> Ints:
    """Calls in the order in which they were made; `outbreak`: its number in `commons`, -1 for usual calls."""
    rule = city.rates["places"]
    popular = [_popular(city, rule, district, rng) for district in range(len(city.district_parts))]
    place = np.full(len(at_min), NOWHERE)
    order = np.argsort(leaf, kind="stable")
    starts = np.searchsorted(leaf[order], np.arange(city.streams.n_matter_leaves + 1))
    for each in range(city.streams.n_matter_leaves):
        mine = order[starts[each] : starts[each + 1]]
        weights = popular[each % len(popular)]
        weights = weights * rng.gamma(1 / rule["taste_spread"], rule["taste_spread"], size=len(weights))
        usual = rng.choice(len(weights), size=len(mine), p=weights / weights.sum())
        _add_spells(rule["spells"], at_min[mine], usual, len(weights), days, rng)
        _add_echoes(rule, at_min[mine], usual, rng)
        place[mine] = np.where(rng.random(len(mine)) < rule["named"][_kind(city, each)], usual, NOWHERE)
    for number, common in enumerate(commons):
        mine = np.flatnonzero(outbreak == number)
        if common is not Common.NONE and len(mine):
            places = len(popular[int(leaf[mine[0]]) % len(popular)])
            place[mine] = _in_common(rule["outbreaks"], common, len(mine), places, rng)
    return place


def _kind(city: City, leaf: int) -> str:
    """Of a category: of its first matter."""
    matter = int(city.streams.matter_of[leaf])
    if matter >= city.streams.n_matters:
        matter = city.streams.category_of.index(matter)
    return city.place_kinds[matter]


def _popular(city: City, rule: dict[str, Any], district: int, rng: np.random.Generator) -> Floats:
    """How often each place of a district is named."""
    places = rule["least"] + round(rule["by_part"] * city.district_parts[district])
    rank = rng.permutation(places) + 1.0
    weights: Floats = rank ** -rule["popularity"]
    return weights


def _add_spells(
    rule: dict[str, Any], at_min: Ints, place: Ints, places: int, days: int, rng: np.random.Generator
) -> None:
    """Let one place have a part of the leaf's calls for some weeks, now and then."""
    day = rng.exponential(rule["gap_mean_days"])
    while day < days:
        ends = day + rng.uniform(*rule["days"])
        during = (at_min >= day * _DAY_MIN) & (at_min < ends * _DAY_MIN)
        during &= rng.random(len(at_min)) < rng.uniform(*rule["part"])
        place[during] = rng.integers(places)
        day = ends + rng.exponential(rule["gap_mean_days"])


def _add_echoes(rule: dict[str, Any], at_min: Ints, place: Ints, rng: np.random.Generator) -> None:
    """Let some calls name the place of one of the three before."""
    for call in np.flatnonzero(rng.random(len(at_min)) < rule["echo"]):
        before = call - int(rng.integers(1, 4))
        if before >= 0 and at_min[call] - at_min[before] < rule["echo_h"] * 60:
            place[call] = place[before]


def _in_common(
    rule: dict[str, Any], common: Common, calls: int, places: int, rng: np.random.Generator
) -> Ints:
    middle = int(rng.integers(places))
    if common is Common.ONE:
        off = np.where(rng.random(calls) < rule["otherwise"], rng.integers(-3, 4, size=calls), 0)
    else:
        off = rng.integers(rule["near"], size=calls)
    return np.where(rng.random(calls) < rule["named"], (middle + off) % places, NOWHERE)
