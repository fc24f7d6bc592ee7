"""Whether callers name the same places more often than usual, and what that is worth beside their number.

In: places in the order in which they were named. Out: an e-value: the number's probability may be divided
by it.
Not known here: how many callers are usual, where places lie.

A caller names the place of one of those before with some chance (an *echo*), else one that is usual for the
matter and district. How often usual callers echo is learnt, leaf by leaf; of an outbreak's callers most do.
The likelihood ratio of both is 1 on average while nothing happens, however many callers there are; so the
probability of their number divided by it is one again (Ignatiadis, Wang, Ramdas: E-values as unnormalized
weights in multiple testing, Biometrika 2024). Places that are complained of for days become usual soon.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from insight.warning.saved import Arrays, fill
from insight.warning.streams import Streams
from insight.warning.tails import Floats
from insight.warning.usual_places import FadingPlaces


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesOptions:
    """How places are learnt and judged; numbers of callers where nothing else is said."""

    half_life_days: float = 60.0
    recent_half_life_days: float = 4.0
    echo_half_life_days: float = 30.0
    unseen: float = 220.0
    """Kept in a district for places that nobody has named yet."""
    leaf_prior: float = 10.0
    """What a leaf borrows from its district, and its last days from all of its days."""
    usual_echo: float = 0.08
    """Part of the callers, before anything is learnt."""
    echo_prior: float = 50.0
    leaf_echo_prior: float = 20.0
    echo: float = 0.8
    """Of the callers beyond the expected, the part that echoes in an outbreak."""
    most: float = 1000.0
    """No e-value is higher: what is usual is known only so well."""
    doubt: float = 0.5
    """Of outbreaks, the part that is thought to have no place in common: no e-value is lower."""


class Places:
    """What is usual for each leaf, and what places now are worth."""

    def __init__(self, streams: Streams, options: PlacesOptions = PlacesOptions()) -> None:
        self.options = options
        self._districts = len(streams.districts)
        self._of_district = FadingPlaces(options.half_life_days)
        self._of_leaf = FadingPlaces(options.half_life_days)
        self._recent = FadingPlaces(options.recent_half_life_days)
        self._echoed = np.zeros(streams.n_leaves)
        self._could_echo = np.zeros(streams.n_leaves)

    def learn_day(self, named: Mapping[int, Sequence[str]]) -> None:
        """Add a whole day: of each leaf the places, in the order in which they were named."""
        fade = 0.5 ** (1 / self.options.echo_half_life_days)
        self._echoed *= fade
        self._could_echo *= fade
        usual_echoes = self._usual_echoes()
        for leaf, places in named.items():
            self._learn_echoes(leaf, places, float(usual_echoes[leaf]))
        for faded in (self._of_district, self._of_leaf, self._recent):
            faded.pass_day()
        for leaf, places in named.items():
            self._of_district.add(leaf % self._districts, places)
            self._of_leaf.add(leaf, places)
            self._recent.add(leaf, places)

    def evidence(self, leaf: int, places: Sequence[str], more: float) -> float:
        """The e-value of places of a leaf; `more`: the part of its callers that is beyond the expected."""
        options = self.options
        if len(places) < 2:
            return 1.0
        usual_echo = float(self._usual_echoes()[leaf])
        echo = usual_echo + (1 - usual_echo) * more * options.echo
        ratio = sum(
            log((echo * part + (1 - echo) * usual) / (usual_echo * part + (1 - usual_echo) * usual))
            for part, usual in self._parts(leaf, places)
        )
        return options.doubt + (1 - options.doubt) * min(exp(min(ratio, 100.0)), options.most)

    def state(self) -> Arrays:
        """What is learnt, to be kept."""
        return {
            "echoed": self._echoed,
            "could_echo": self._could_echo,
            **self._of_district.state("district_places"),
            **self._of_leaf.state("leaf_places"),
            **self._recent.state("recent_places"),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what was learnt of the same streams; raises `StateRefused`."""
        fill(self._echoed, state["echoed"])
        fill(self._could_echo, state["could_echo"])
        self._of_district.restore(state, "district_places")
        self._of_leaf.restore(state, "leaf_places")
        self._recent.restore(state, "recent_places")

    def _parts(self, leaf: int, places: Sequence[str]) -> list[tuple[float, float]]:
        """Of each place but the first: its part of those before, and how usual it is."""
        before: dict[str, int] = {}
        usual = {place: self._usual(leaf, place) for place in set(places)}
        found = []
        for number, place in enumerate(places):
            if number:
                found.append((before.get(place, 0) / number, usual[place]))
            before[place] = before.get(place, 0) + 1
        return found

    def _usual(self, leaf: int, place: str) -> float:
        """How probably a caller names the place, if nobody before counts."""
        prior = self.options.leaf_prior
        everywhere = self._of_district.part(leaf % self._districts, place, self.options.unseen, 0.0)
        everywhere += 1.0 / (self._of_district.total(leaf % self._districts) + self.options.unseen)
        always = self._of_leaf.part(leaf, place, prior, everywhere)
        return (always + self._recent.part(leaf, place, prior, always)) / 2

    def _usual_echoes(self) -> Floats:
        """Of each leaf, the part of usual callers that echoes."""
        options = self.options
        every = (self._echoed.sum() + options.echo_prior * options.usual_echo) / (
            self._could_echo.sum() + options.echo_prior
        )
        prior = options.leaf_echo_prior
        found: Floats = np.minimum((self._echoed + prior * every) / (self._could_echo + prior), 0.9)
        return found

    def _learn_echoes(self, leaf: int, places: Sequence[str], usual_echo: float) -> None:
        for part, usual in self._parts(leaf, places):
            echoed = usual_echo * part
            self._echoed[leaf] += echoed / (echoed + (1 - usual_echo) * usual)
            self._could_echo[leaf] += 1.0
