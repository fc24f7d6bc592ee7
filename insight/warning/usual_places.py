"""How often each place was named, where the past fades.

In: places by a key, day by day. Out: the part that a place has among all of a key.
Not known here: what keys are, what is unusual.
"""

from collections.abc import Sequence

import numpy as np

from insight.warning.saved import Arrays, of_texts, to_texts

_LEAST = 0.02
"""Callers: a place that has faded to less is forgotten."""
_LARGE = 2.0**40


class FadingPlaces:
    """Counts that fade: instead of every one of them, the weight of a new caller grows day by day."""

    def __init__(self, half_life_days: float) -> None:
        self._growth = 2.0 ** (1 / half_life_days)
        self._weight = 1.0
        self._days = 0
        self._named: dict[int, dict[str, float]] = {}
        self._totals: dict[int, float] = {}

    def pass_day(self) -> None:
        """Let a day fade; once in 16 days forget what has faded."""
        self._weight *= self._growth
        self._days += 1
        if self._days % 16 == 0:
            self._forget()

    def add(self, key: int, places: Sequence[str]) -> None:
        """Count places of a key."""
        named = self._named.setdefault(key, {})
        for place in places:
            named[place] = named.get(place, 0.0) + self._weight
        self._totals[key] = self._totals.get(key, 0.0) + self._weight * len(places)

    def total(self, key: int) -> float:
        """How many callers are remembered of a key."""
        return self._totals.get(key, 0.0) / self._weight

    def part(self, key: int, place: str, prior: float, before: float) -> float:
        """The part of those who named the place; `prior` callers are added, the part `before` of whom did."""
        seen = self._named.get(key, {}).get(place, 0.0) / self._weight
        return (seen + prior * before) / (self.total(key) + prior)

    def _forget(self) -> None:
        scale = self._weight if self._weight > _LARGE else 1.0
        least = _LEAST * self._weight
        for key, named in self._named.items():
            self._named[key] = {place: n / scale for place, n in named.items() if n >= least}
        self._totals = {key: total / scale for key, total in self._totals.items()}
        self._weight /= scale

    def state(self, name: str) -> Arrays:
        """All of it, to be kept."""
        names = sorted({place for named in self._named.values() for place in named})
        number = {place: n for n, place in enumerate(names)}
        rows = [(key, number[place], n) for key, named in self._named.items() for place, n in named.items()]
        return {
            f"{name}_names": of_texts(names),
            f"{name}_keys": np.array([key for key, _, _ in rows], dtype=np.int32),
            f"{name}_numbers": np.array([place for _, place, _ in rows], dtype=np.int32),
            f"{name}_counts": np.array([n for _, _, n in rows]),
            f"{name}_totals": np.array([[key, total] for key, total in self._totals.items()]).reshape(-1, 2),
            f"{name}_weight": np.array([self._weight, float(self._days)]),
        }

    def restore(self, state: Arrays, name: str) -> None:
        """Take over what `state` gave; raises `KeyError`, `ValueError` or `TypeError` for anything else."""
        names = to_texts(state[f"{name}_names"])
        self._named = {}
        for key, place, n in zip(
            state[f"{name}_keys"].tolist(),
            state[f"{name}_numbers"].tolist(),
            state[f"{name}_counts"].tolist(),
            strict=True,
        ):
            self._named.setdefault(key, {})[names[place]] = n
        self._totals = {int(key): total for key, total in state[f"{name}_totals"].tolist()}
        weight, days = state[f"{name}_weight"].tolist()
        self._weight, self._days = weight, int(days)
