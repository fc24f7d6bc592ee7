"""The pure parts of the early warning: probabilities, counts, baseline, and what is told."""

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from insight.types import DayKind, Report, UnknownStream
from insight.warning.baseline import Baseline
from insight.warning.counts import Counts, by_window, hour_number, hour_start
from insight.warning.raising import Raising, RaisingOptions
from insight.warning.streams import Streams
from insight.warning.tails import false_shares, tail

ZONE = timezone(timedelta(hours=8))
NOON = datetime(2025, 3, 5, 12, tzinfo=ZONE)
STREAMS = Streams(["停水", "停电", "噪声"], ["定海区", "普陀区", "岱山县", "新城"])


def report(number: int, at: datetime, caller: str | None, district: str = "定海区") -> Report:
    return Report(report_id=f"r{number}", at=at, caller=caller, district=district, matter="停水")


@given(
    st.integers(0, 200),
    st.floats(0.01, 100),
    st.floats(0.001, 1.0),
)
def test_the_tail_is_that_of_the_negative_binomial(count: int, mean: float, spread: float) -> None:
    size = 1 / spread
    known = nbinom.sf(count - 1, size, size / (size + mean))
    assert tail(np.array([count]), np.array([mean]), np.array([spread]))[0] == pytest.approx(known, rel=1e-6)


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=50), st.randoms())
def test_false_shares_keep_the_order_and_never_fall_below_the_probability(
    probabilities: list[float], random: object
) -> None:
    given_ones = np.array(probabilities)
    shares = false_shares(given_ones)
    assert (shares >= given_ones - 1e-15).all()
    assert (shares <= np.minimum(given_ones * len(given_ones), 1.0) + 1e-15).all()
    order = np.argsort(given_ones)
    assert (np.diff(shares[order]) >= -1e-15).all()


def test_false_shares_of_a_known_case() -> None:
    shares = false_shares(np.array([0.01, 0.04, 0.03, 0.5]))
    assert shares == pytest.approx([0.04, 4 * 0.04 / 3, 4 * 0.04 / 3, 0.5])


@settings(max_examples=30)
@given(st.permutations(range(12)), st.integers(1, 4))
def test_the_order_in_which_reports_become_known_does_not_matter(order: list[int], people: int) -> None:
    """Hours of 12 reports of few people, within two days: everybody counts once."""
    counts = Counts(STREAMS, hour_number(NOON) - 60)
    for _ in range(60):
        counts.open_hour()
    for number in order:
        counts.hear(report(number, NOON - timedelta(hours=1 + number * 3), f"p{number % people}"))
    counts.open_hour()
    assert counts.last(48).sum(axis=1)[STREAMS.leaf("停水", "定海区")] == people


def test_a_report_counts_in_the_hour_in_which_it_was_said() -> None:
    counts = Counts(STREAMS, hour_number(NOON) - 72)
    for _ in range(72):
        counts.open_hour()
    counts.hear(report(1, NOON - timedelta(hours=30), "a"))
    counts.hear(report(2, NOON + timedelta(minutes=5), "b"))
    counts.hear(report(4, NOON + timedelta(minutes=65), "d"))
    counts.hear(report(3, NOON - timedelta(days=30), "c"))
    counts.open_hour()
    leaf = STREAMS.leaf("停水", "定海区")
    seen = counts.last(48)[leaf]
    assert np.flatnonzero(seen[::-1]).tolist() == [0, 30], "the newest hour first; a month ago is too late"
    assert [one.report_id for one in counts.behind(leaf, 48)] == ["r1", "r2"]
    counts.open_hour()
    assert [one.report_id for one in counts.behind(leaf, 1)] == ["r4"], "it has waited for its hour"


def test_a_caller_counts_again_after_two_days_and_in_the_city_once_for_all_districts() -> None:
    counts = Counts(STREAMS, hour_number(NOON))
    counts.hear(report(1, NOON, "a"))
    counts.hear(report(2, NOON, "a", "普陀区"))
    for _ in range(48):
        counts.open_hour()
    counts.hear(report(3, NOON + timedelta(hours=47), "a"))
    counts.hear(report(4, NOON + timedelta(hours=48), "a"))
    counts.open_hour()
    leaf, other = STREAMS.leaf("停水", "定海区"), STREAMS.leaf("停水", "普陀区")
    total = counts.last(72).sum(axis=1)
    assert (total[leaf], total[other], total[STREAMS.city(leaf)]) == (2, 1, 2)


def test_callers_who_are_not_known_count_by_their_reports() -> None:
    counts = Counts(STREAMS, hour_number(NOON))
    for number in range(3):
        counts.hear(report(number, NOON, None))
    counts.open_hour()
    assert counts.last(1).sum() == 6, "three in the district, three in the city"


def test_what_nobody_counts_is_refused() -> None:
    counts = Counts(STREAMS, hour_number(NOON))
    with pytest.raises(UnknownStream, match="火星"):
        counts.hear(report(1, NOON, "a", "火星"))


def test_hours_are_those_of_the_city() -> None:
    assert hour_start(hour_number(NOON), ZONE) == NOON
    assert hour_number(NOON) % 24 == 12


def test_windows_end_now() -> None:
    hourly = np.arange(1, 7).reshape(1, 6)
    assert by_window(hourly, (1, 3, 6)).tolist() == [[6.0, 15.0, 21.0]]


def days(rng: np.random.Generator, rates: np.ndarray, number: int) -> np.ndarray:
    """Counts of a day: leaves by rate, evening hours only; weekends half."""
    of_day = rates * (0.5 if number % 7 >= 5 else 1.0)
    leaves = np.zeros((STREAMS.n_leaves, 24), dtype=np.int64)
    leaves[:, 18:22] = rng.poisson(np.repeat(of_day[:, None] / 4, 4, axis=1))
    city = leaves.reshape(3, 4, 24).sum(axis=1)
    return np.concatenate([leaves, city])


def learnt(n_days: int, seed: int = 1) -> tuple[Baseline, np.ndarray]:
    rng = np.random.default_rng(seed)
    rates = np.array([20, 10, 5, 5, 8, 4, 2, 2, 1, 0.5, 0.2, 0.3])
    baseline = Baseline(STREAMS)
    for number in range(n_days):
        baseline.learn_day(days(rng, rates, number), DayKind(number % 7))
    return baseline, rates


def test_the_baseline_learns_levels_weekdays_and_hours() -> None:
    baseline, rates = learnt(200)
    monday = sum(baseline.expected(DayKind.MONDAY, hour) for hour in range(24))
    sunday = sum(baseline.expected(DayKind.SUNDAY, hour) for hour in range(24))
    assert monday[:6] == pytest.approx(rates[:6], rel=0.2)
    assert sunday[:6] == pytest.approx(rates[:6] / 2, rel=0.25)
    assert monday[STREAMS.n_leaves :] == pytest.approx(monday[:12].reshape(3, 4).sum(axis=1))
    assert baseline.expected(DayKind.MONDAY, 19)[0] > 20 * baseline.expected(DayKind.MONDAY, 3)[0]


def test_plain_chance_has_little_spread_and_what_is_hardly_known_has_much() -> None:
    baseline, _ = learnt(200)
    assert baseline.spread.city[0] < 0.02
    assert baseline.spread.alone[0] < 0.02
    assert baseline.spread.alone[11] > 4 * baseline.spread.alone[0]
    assert baseline.spread.city[2] > 4 * baseline.spread.city[0]


def test_storms_teach_nothing_and_an_outbreak_teaches_little() -> None:
    baseline, rates = learnt(100)
    before = baseline.expected(DayKind.MONDAY, 19)
    flood = days(np.random.default_rng(2), rates * 20, 0)
    baseline.learn_day(flood, DayKind.STORM)
    assert (baseline.expected(DayKind.MONDAY, 19) == before).all()
    baseline.learn_day(flood, DayKind.MONDAY)
    assert baseline.expected(DayKind.MONDAY, 19)[0] < before[0] * 1.35


def raised(hours: dict[int, dict[int, float]]) -> dict[int, list[int]]:
    """What is told, given the excess of the streams that stand out by hour."""
    raising = Raising(STREAMS, RaisingOptions(quiet_h=72, ends_h=24))
    told = {}
    for hour, excess in hours.items():
        every = np.zeros(STREAMS.n_streams)
        every[list(excess)] = list(excess.values())
        told[hour] = raising.raise_now(hour, every > 0, every)
    return told


def test_a_warning_is_told_once_while_it_lasts() -> None:
    assert raised({1: {0: 9}, 2: {0: 9}, 60: {0: 9}, 80: {0: 9}, 110: {0: 9}}) == {
        1: [0],
        2: [],
        60: [],
        80: [],
        110: [0],
    }


def test_one_district_explains_the_city() -> None:
    city = STREAMS.city(0)
    assert raised({1: {0: 9, city: 10}, 2: {city: 10}}) == {1: [0], 2: []}


def test_many_districts_are_the_citys() -> None:
    city = STREAMS.city(0)
    assert raised({1: {0: 5, 1: 5, 2: 5, city: 16}, 2: {3: 5, city: 20}}) == {1: [city], 2: []}
    assert raised({1: {city: 16}}) == {1: [city]}, "no district stands out"


def test_a_district_is_told_after_the_city_when_it_makes_up_most_of_it() -> None:
    city = STREAMS.city(0)
    told = raised({1: {city: 8}, 5: {1: 8, city: 14}, 9: {1: 11, city: 15}, 10: {1: 11, city: 15}})
    assert told == {1: [city], 5: [], 9: [1], 10: []}


CATEGORIES = Streams(["停水", "水黄", "停电", "噪声"], ["定海区", "普陀区"], ["供水", "供水", "供电", ""])
WATER = 4
"""The category's number; only one has several matters."""


def raised_of_categories(hours: dict[int, dict[int, float]]) -> dict[int, list[int]]:
    raising = Raising(CATEGORIES)
    told = {}
    for hour, excess in hours.items():
        every = np.zeros(CATEGORIES.n_streams)
        every[list(excess)] = list(excess.values())
        told[hour] = raising.raise_now(hour, every > 3, every)
    return told


def test_a_category_is_a_matter_of_its_own_that_counts_its_callers_once() -> None:
    assert CATEGORIES.matters == ("停水", "水黄", "停电", "噪声", "供水")
    leaf, other = CATEGORIES.leaf("停水", "普陀区"), CATEGORIES.leaf("水黄", "普陀区")
    category = CATEGORIES.leaves(WATER)[1]
    assert CATEGORIES.counted_in(leaf) == (leaf, CATEGORIES.city(leaf), category, CATEGORIES.city(category))
    assert CATEGORIES.below(category) == [leaf, other]
    assert CATEGORIES.below(CATEGORIES.city(category)) == [CATEGORIES.city(leaf), CATEGORIES.city(other)]
    assert CATEGORIES.above(leaf) == (CATEGORIES.city(leaf), category)
    assert CATEGORIES.counted_in(CATEGORIES.leaf("停电", "普陀区")) == (5, CATEGORIES.city(5))
    counts = Counts(CATEGORIES, hour_number(NOON))
    counts.hear(report(1, NOON, "a", "普陀区"))
    counts.hear(Report(report_id="r2", at=NOON, caller="a", district="普陀区", matter="水黄"))
    counts.open_hour()
    total = counts.last(1)[:, 0]
    assert (total[leaf], total[other], total[category], total[CATEGORIES.city(category)]) == (1, 1, 1, 1)
    with pytest.raises(ValueError, match="category"):
        Streams(["停水"], ["定海区"], [])


def test_one_matter_explains_its_category() -> None:
    category = CATEGORIES.leaves(WATER)[0]
    assert raised_of_categories({1: {0: 9, category: 10}, 2: {0: 9, 2: 1, category: 10}}) == {1: [0], 2: []}


def test_matters_that_grow_together_are_told_once_as_their_category() -> None:
    category = CATEGORIES.leaves(WATER)[0]
    together = {0: 5.0, 2: 5.0, category: 9.0}
    assert raised_of_categories({1: together, 2: together, 30: together}) == {1: [category], 2: [], 30: []}
    faint = {0: 2.9, 2: 2.9, category: 6.0}
    assert raised_of_categories({1: faint}) == {1: [category]}, "neither stands out by itself"


def test_a_matter_is_told_after_its_category_when_it_makes_up_most_of_it() -> None:
    category = CATEGORIES.leaves(WATER)[0]
    faint = {0: 2.9, 2: 2.9, category: 6.0}
    clear = {0: 12.0, 2: 2.9, category: 14.0}
    assert raised_of_categories({1: faint, 3: clear, 4: clear}) == {1: [category], 3: [0], 4: []}


def test_another_matter_is_told_at_the_same_hour() -> None:
    assert raised({1: {0: 9, 4: 9}}) == {1: [0, 4]}
