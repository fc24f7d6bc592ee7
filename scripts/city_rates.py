"""The city of the simulation: what is called about, how often, and when.

In: `data/city_rates.toml` and `data/city_matters.csv`. Out: factors as arrays, the kind of each day.
Not known here: chance.
"""

import csv
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from insight.types import DayKind
from insight.warning.streams import Streams

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class City:
    """Rates before any chance."""

    streams: Streams
    rates: dict[str, Any]
    a_day: Floats
    """Calls of each matter on an average day."""
    district_parts: Floats
    shapes: tuple[str, ...]
    """Of each matter: which hours, weekdays and holidays it has."""
    seasons: tuple[str, ...]
    storm: Floats
    """Of each matter: how many times as many calls a storm brings."""
    hours: Floats
    """Matters × 24, each row adds up to 1."""
    holidays: frozenset[date]
    place_kinds: tuple[str, ...]
    """Of each matter: "spot" where callers name a place, else "none"."""

    def kind(self, day: date) -> DayKind:
        """The kind of a day without storms, which are chance."""
        return DayKind.HOLIDAY if day in self.holidays else DayKind(day.weekday())

    def factors(self, day: date) -> Floats:
        """Of each matter: the day's weekday, holiday and season."""
        rates, kind = self.rates, self.kind(day)
        by_shape = {
            shape: rates["holidays"][shape] if kind is DayKind.HOLIDAY else weekdays[day.weekday()]
            for shape, weekdays in rates["weekdays"].items()
        }
        angle = 2 * np.pi * day.timetuple().tm_yday / 365.25
        by_season = {"none": 1.0} | {
            name: 1 + one["strength"] * np.cos(angle - 2 * np.pi * one["peak_day"] / 365.25)
            for name, one in rates["seasons"].items()
        }
        return np.array(
            [
                by_shape[shape] * by_season[season]
                for shape, season in zip(self.shapes, self.seasons, strict=True)
            ]
        )


@cache
def read_city() -> City:
    """Read the committed rates."""
    folder = files("scripts") / "data"
    rates = tomllib.loads((folder / "city_rates.toml").read_text(encoding="utf-8"))
    text = (folder / "city_matters.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    weights = np.array([float(row["per_mille"]) for row in rows])
    hours = np.array([rates["hours"][row["hours"]] for row in rows], dtype=float)
    return City(
        streams=Streams(
            [row["matter"] for row in rows], list(rates["districts"]), [row["category"] for row in rows]
        ),
        rates=rates,
        a_day=rates["calls_a_day"] * weights / weights.sum(),
        district_parts=np.array(list(rates["districts"].values())),
        shapes=tuple(row["hours"] for row in rows),
        seasons=tuple(row["season"] for row in rows),
        storm=np.array([float(row["storm"]) for row in rows]),
        hours=hours / hours.sum(axis=1, keepdims=True),
        holidays=frozenset(day for span in rates["calendar"]["holidays"] for day in _days(span)),
        place_kinds=tuple(row["place"] for row in rows),
    )


@cache
def categories() -> dict[str, str]:
    """The category of each matter."""
    text = (files("scripts") / "data" / "city_matters.csv").read_text(encoding="utf-8")
    return {row["matter"]: row["category"] for row in csv.DictReader(text.splitlines())}


def _days(span: str) -> list[date]:
    first, _, last = span.partition("/")
    start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]
