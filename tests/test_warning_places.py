"""What the places that callers name are worth beside their number."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insight.warning.places import Places, PlacesOptions
from insight.warning.streams import Streams
from insight.warning.usual_places import FadingPlaces

STREAMS = Streams(["停水", "停电"], ["定海区", "普陀区"])
PLACES = [f"{number} 号" for number in range(60)]


def learnt(days: int = 60, *, hot: float = 0.0, from_day: int = 0) -> Places:
    """Six callers a day in the first leaf, anywhere; a part of them at one place from some day on."""
    rng, places = np.random.default_rng(4), Places(STREAMS)
    for day in range(days):
        named = [str(one) for one in rng.choice(PLACES, size=6)]
        is_hot = rng.random(6) < (hot if day >= from_day else 0.0)
        places.learn_day({0: ["工地" if each else one for each, one in zip(is_hot, named, strict=True)]})
    return places


def test_callers_of_one_place_are_evidence_and_callers_from_anywhere_are_none() -> None:
    places = learnt()
    one = places.evidence(0, ["7 号"] * 6 + PLACES[:4], 0.6)
    near = places.evidence(0, [PLACES[n % 3] for n in range(10)], 0.6)
    none = places.evidence(0, PLACES[:10], 0.6)
    assert one > 100
    assert near > 20
    assert none == pytest.approx(PlacesOptions().doubt, abs=0.05)
    assert one <= PlacesOptions().most
    assert places.evidence(0, ["7 号"] * 6 + PLACES[:4], 0.05) < one, "few of them are beyond the expected"


def test_a_single_caller_says_nothing() -> None:
    assert learnt().evidence(0, [], 0.9) == learnt().evidence(0, ["7 号"], 0.9) == 1.0


def test_what_is_complained_of_for_days_is_usual() -> None:
    named = ["工地"] * 5 + PLACES[:5]
    new, old = learnt().evidence(0, named, 0.5), learnt(hot=0.4, from_day=50).evidence(0, named, 0.5)
    assert new > 20 * old


def test_places_of_another_district_are_not_known_here() -> None:
    places = learnt(hot=0.6)
    assert places.evidence(1, ["工地"] * 4, 0.8) > places.evidence(0, ["工地"] * 4, 0.8)
    assert places.evidence(2, ["工地"] * 4, 0.8) < places.evidence(1, ["工地"] * 4, 0.8), (
        "its other matter is"
    )


def test_it_is_an_e_value_where_nothing_happens() -> None:
    """On average at most 1, if callers do what is usual; here they name places at random."""
    places, rng = learnt(), np.random.default_rng(8)
    found = [places.evidence(0, [str(one) for one in rng.choice(PLACES, size=12)], 0.5) for _ in range(2000)]
    assert np.mean(found) < 1.1


@settings(max_examples=40)
@given(st.lists(st.sampled_from(PLACES[:5]), max_size=200), st.floats(0, 1))
def test_it_keeps_its_bounds(named: list[str], more: float) -> None:
    options = PlacesOptions()
    found = learnt_once().evidence(0, named, more)
    assert options.doubt <= found <= max(1.0, options.most)


@cache
def learnt_once() -> Places:
    return learnt()


def test_counts_fade_and_are_forgotten() -> None:
    faded = FadingPlaces(half_life_days=10.0)
    faded.add(1, ["a", "a", "b"])
    assert faded.part(1, "a", 0.0, 0.0) == pytest.approx(2 / 3)
    for _ in range(10):
        faded.pass_day()
    assert faded.total(1) == pytest.approx(1.5)
    faded.add(1, ["b"] * 2)
    assert faded.part(1, "a", 0.0, 0.0) == pytest.approx(1 / 3.5)
    for _ in range(4000):
        faded.pass_day()
    assert faded.total(1) == pytest.approx(0.0, abs=1e-9)
    assert faded.state("x")["x_counts"].size == 0, "what has faded takes no room"
    faded.add(1, ["c"])
    assert faded.part(1, "c", 0.0, 0.0) == pytest.approx(1.0), "no matter how many days have passed"
