"""Outbreaks of a simulated city: callers that would not have called.

In: the rates of a city, chance. Out: outbreaks, and their calls as numbers.
Not known here: usual calls, how warnings are found.

Calls are arrays of four rows: the minute since the beginning, the leaf, the caller, the outbreak's number.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from scripts.city_rates import City
from scripts.simulate_places import Common, draw_common

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Shape(StrEnum):
    """How an outbreak goes."""

    BURST = "burst"
    STEADY = "steady"
    RAMP = "ramp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbreak:
    """Callers that would not have called."""

    leaf: int
    """Of a matter, or of a category over whose matters its callers spread."""
    size: int
    shape: Shape
    began_min: int
    """The first of its calls: nobody could know earlier."""
    usual_a_day: float
    """Calls of the leaf on an average day."""
    is_category: bool = False
    common: Common = Common.NONE
    """Which places they name."""


def draw_outbreaks(city: City, days: int, rng: np.random.Generator) -> tuple[tuple[Outbreak, ...], Ints]:
    """Outbreaks spread over the days; none in a matter that has had one in the week before or after."""
    rule, districts = city.rates["outbreaks"], len(city.district_parts)
    usual = (city.a_day[:, None] * city.district_parts).ravel()
    found: list[Outbreak] = []
    calls = [np.zeros((4, 0), dtype=np.int64)]
    total = rule["a_week"] * days // 7
    for number in range(total):
        start = int((number + rng.random()) * days * 24 * 60 / total)
        leaf = int(rng.integers(len(usual)))
        while any(
            one.leaf // districts == leaf // districts and abs(one.began_min - start) < 7 * 24 * 60
            for one in found
        ):
            leaf = int(rng.integers(len(usual)))
        size = rule["sizes"][number % len(rule["sizes"])]
        shape = list(Shape)[number // len(rule["sizes"]) % len(Shape)]
        hours = city.hours[leaf // districts]
        at = start + _outbreak_minutes(city, hours, start, size, shape, rng)
        who = rng.choice(city.rates["callers"]["citizens"], size=size, replace=False)
        found.append(
            Outbreak(
                leaf=leaf, size=size, shape=shape, began_min=int(at.min()), usual_a_day=float(usual[leaf])
            )
        )
        calls.append(np.stack([at, np.full(size, leaf), who, np.full(size, number)]))
    return tuple(found), np.concatenate(calls, axis=1)


def draw_category_outbreaks(
    city: City, days: int, others: tuple[Outbreak, ...], rng: np.random.Generator
) -> tuple[tuple[Outbreak, ...], Ints]:
    """Add outbreaks over all matters of a category in a district, in weeks without others in the category.

    Returns all of them, with the places that they have in common; and the calls of those that are added.
    """
    rule, streams = city.rates["category_outbreaks"], city.streams
    size: int = rule["size"]
    districts = len(streams.districts)
    above = np.array([streams.counted_in(each)[-2] for each in range(streams.n_matter_leaves)])
    usual = (city.a_day[:, None] * city.district_parts).ravel()
    found: list[Outbreak] = []
    calls = [np.zeros((4, 0), dtype=np.int64)]
    total = rule["a_week"] * days // 7
    for number in range(total):
        start = int((number + rng.random()) * days * 24 * 60 / total)
        taken = {
            above[one.leaf] // districts if one in others else one.leaf // districts
            for one in (*others, *found)
            if abs(one.began_min - start) < 7 * 24 * 60
        }
        free = [each for each in range(streams.n_matters, len(streams.matters)) if each not in taken]
        category = int(rng.choice(free))
        leaf = category * districts + int(rng.integers(districts))
        below = np.flatnonzero(above == leaf)
        shape = list(Shape)[number % len(Shape)]
        weights = usual[below] / usual[below].sum()
        hours = weights @ city.hours[below // districts]
        at = start + _outbreak_minutes(city, hours, start, size, shape, rng)
        who = rng.choice(city.rates["callers"]["citizens"], size=size, replace=False)
        usual_a_day = float(usual[below].sum())
        found.append(
            Outbreak(
                leaf=leaf,
                size=size,
                shape=shape,
                began_min=int(at.min()),
                usual_a_day=usual_a_day,
                is_category=True,
            )
        )
        whose = np.full(size, len(others) + number)
        calls.append(np.stack([at, rng.choice(below, size=size, p=weights), who, whose]))
    every = tuple(replace(one, common=draw_common(city, one.leaf, rng)) for one in (*others, *found))
    return every, np.concatenate(calls, axis=1)


def _outbreak_minutes(
    city: City, hours: Floats, start: int, size: int, shape: Shape, rng: np.random.Generator
) -> Ints:
    """Minutes after its beginning at which it is called about: its shape × the hours people call at."""
    rule = city.rates["outbreaks"]
    minute = np.arange(rule["hours"] * 60)
    density = {
        Shape.BURST: np.exp(-minute / (rule["burst_mean_h"] * 60)),
        Shape.STEADY: np.ones(len(minute)),
        Shape.RAMP: minute + 1.0,
    }[shape]
    density = density * hours[(start + minute) // 60 % 24]
    return np.asarray(rng.choice(minute, size=size, p=density / density.sum()), dtype=np.int64)
