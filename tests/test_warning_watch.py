"""The early warning as a whole, in a small town of a few matters where everything is known."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from insight.types import DayKind, EarlyWarning, Report
from insight.warning.baseline import Baseline
from insight.warning.counts import hour_start
from insight.warning.streams import Streams
from insight.warning.watch import Watch, WatchOptions, shares_of
from scripts import plot_warnings
from scripts.call_data import BadData
from scripts.city_rates import City, read_city
from scripts.evaluate_warnings import report, tables
from scripts.simulate_city import counts_of_days, kind_of, reports, simulate
from scripts.simulate_outbreaks import Outbreak, Shape
from scripts.warning_trial import OURS, Moment, Trial, judge, least_threshold, raise_all

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2025, 3, 3, tzinfo=ZONE)
STREAMS = Streams(["停水", "停电", "噪声", "占道"], ["定海区", "普陀区", "岱山县"])
A_DAY = 1.5


def weekday(day: date) -> DayKind:
    return DayKind(day.weekday())


def usual(rng: np.random.Generator) -> np.ndarray:
    leaves = np.zeros((STREAMS.n_leaves, 24), dtype=np.int64)
    leaves[:, 8:20] = rng.poisson(A_DAY / 12, size=(STREAMS.n_leaves, 12))
    return np.concatenate([leaves, leaves.reshape(4, 3, 24).sum(axis=1)])


def open_watch(kind: object = weekday) -> Watch:
    rng, baseline = np.random.default_rng(5), Baseline(STREAMS)
    for number in range(120):
        baseline.learn_day(usual(rng), DayKind(number % 7))
    return Watch(baseline, now=NOW, kind_of=kind)  # type: ignore[arg-type]


def calls(
    first_h: float,
    n: int,
    *,
    over_h: float = 6.0,
    caller: str = "",
    district: str = "定海区",
    matter: str = "停水",
) -> list[Report]:
    """Calls spread evenly over some hours, each by somebody else unless a caller is named."""
    return [
        Report(
            report_id=f"{matter}{district}{number}",
            at=NOW + timedelta(hours=first_h + over_h * number / n),
            caller=caller or f"{district}{number}",
            district=district,
            matter=matter,
            place=f"{number % 3} 号楼",
        )
        for number in range(n)
    ]


def run(watch: Watch, reports: list[Report], hours: int, *, late_h: float = 0.0) -> list[EarlyWarning]:
    """Hear each report when it is known, and look at every hour."""
    coming = sorted(reports, key=lambda one: one.at)
    told: list[EarlyWarning] = []
    for hour in range(1, hours + 1):
        now = NOW + timedelta(hours=hour)
        while coming and coming[0].at + timedelta(hours=late_h) < now:
            watch.hear(coming.pop(0))
        told += watch.advance(now)
    return told


def test_a_burst_is_told_early_and_explains_itself() -> None:
    told = run(open_watch(), calls(33, 24), 60)
    assert len(told) == 1
    warning = told[0]
    assert (warning.matter, warning.district, warning.districts) == ("停水", "定海区", ("定海区",))
    assert NOW + timedelta(hours=34) <= warning.raised_at <= NOW + timedelta(hours=37)
    assert warning.since == NOW + timedelta(hours=33)
    assert 5 <= warning.observed <= 16
    assert warning.places == 3
    assert 0 < warning.expected < 1.5
    assert warning.probability < 1e-4
    assert warning.probability / warning.place_factor <= warning.false_share <= 0.03
    assert (warning.common_places[:1], warning.matters) == (("0 号楼",), ())
    assert warning.place_factor > 10, "all of them live in one of three houses"
    assert len(warning.sample_ids) == min(warning.observed, 10)
    assert warning.sample_ids[0] == f"停水定海区{warning.observed - 1}", "the newest comes first"


def test_one_angry_caller_is_no_burst() -> None:
    assert run(open_watch(), calls(33, 40, caller="13900000000"), 60) == []


def test_fewer_than_the_floor_are_no_matter_for_the_city() -> None:
    assert run(open_watch(), calls(27, 4, over_h=0.5), 48) == []


def test_recordings_that_become_known_late_are_no_burst_now() -> None:
    reports = calls(9, 24)
    assert run(open_watch(), reports, 40, late_h=20) == []
    assert len(run(open_watch(), reports, 40)) == 1, "the same calls, known at once"


def test_what_all_districts_call_about_is_told_once_for_the_city() -> None:
    reports = [one for district in STREAMS.districts for one in calls(33, 16, district=district)]
    told = run(open_watch(), reports, 60)
    assert [warning.district for warning in told] == [None]
    assert set(told[0].districts) == set(STREAMS.districts)


def test_in_an_announced_storm_only_a_district_that_stands_out_is_told() -> None:
    def stormy(day: date) -> DayKind:
        return DayKind.STORM if day == date(2025, 3, 4) else weekday(day)

    reports = [one for district in STREAMS.districts for one in calls(33, 16, district=district)]
    assert run(open_watch(stormy), reports, 60) == []
    much = [*reports, *calls(33, 60, district="普陀区", matter="停电")]
    assert [(one.matter, one.district) for one in run(open_watch(stormy), much, 60)] == [("停电", "普陀区")]


def test_a_quiet_month_tells_almost_nothing_and_is_learnt() -> None:
    rng, watch = np.random.default_rng(9), open_watch()
    learnt = watch.baseline.days
    told: list[EarlyWarning] = []
    for number in range(28):
        day = usual(rng)[: STREAMS.n_leaves]
        for leaf, hour in np.argwhere(day):
            for each in range(day[leaf, hour]):
                watch.hear(
                    Report(
                        report_id=f"{number}-{leaf}-{hour}-{each}",
                        at=NOW + timedelta(days=number, hours=int(hour)),
                        caller=None,
                        district=STREAMS.district(int(leaf)) or "",
                        matter=STREAMS.matter(int(leaf)),
                    )
                )
        # All of a day is heard at its beginning: what was said when decides.
        told += watch.advance(NOW + timedelta(days=number + 1))
    assert len(told) <= 2
    assert watch.baseline.days == learnt + 26, "a day is learnt when it is two days old"


def test_options_have_their_range() -> None:
    with pytest.raises(ValueError, match="false_share"):
        WatchOptions(false_share=1.5)


@cache
def small_city() -> City:
    """The committed city with a fifth of its calls."""
    city = read_city()
    return replace(city, a_day=city.a_day / 5)


def test_the_same_seed_simulates_the_same_calls() -> None:
    one, other = (simulate(small_city(), first=date(2024, 1, 1), days=14, seed=3) for _ in range(2))
    assert (one.at_min == other.at_min).all()
    assert one.outbreaks == other.outbreaks
    assert (np.diff(one.at_min) >= 0).all()
    assert (one.known_min >= one.at_min).all()
    third = simulate(small_city(), first=date(2024, 1, 1), days=14, seed=4)
    assert third.outbreaks != one.outbreaks


def test_the_city_has_about_the_calls_that_are_promised() -> None:
    city = read_city()
    calls_made = simulate(city, first=date(2024, 3, 1), days=28, seed=3)
    assert (city.streams.n_matters, len(city.streams.matters)) == (160, 176)
    assert len(calls_made.at_min) / 28 == pytest.approx(2200, rel=0.06)


def test_an_outbreak_has_its_callers_within_two_days() -> None:
    calls_made = simulate(small_city(), first=date(2024, 3, 1), days=28, seed=3)
    assert {one.size for one in calls_made.outbreaks} == {10, 15, 25, 40}
    for one in calls_made.outbreaks:
        if one.began_min < 26 * 24 * 60:
            leaves = small_city().streams.below(one.leaf) or [one.leaf]
            mine = np.isin(calls_made.leaf, leaves)
            mine &= (calls_made.at_min >= one.began_min) & (calls_made.at_min < one.began_min + 48 * 60)
            assert len(set(calls_made.caller[mine].tolist())) >= one.size


def test_history_counts_as_the_watch_does() -> None:
    """Days counted at once agree with days heard one by one, but for what became known too late."""
    city = small_city()
    calls_made = simulate(city, first=date(2024, 3, 1), days=6, seed=3)
    known_at_once = replace(calls_made, known_min=calls_made.at_min)
    whole = counts_of_days(city, known_at_once, 5).sum(axis=2)
    start = datetime(2024, 3, 1, tzinfo=ZONE)
    watch = Watch(Baseline(city.streams), now=start, kind_of=lambda day: kind_of(city, known_at_once, day))
    for _, one in reports(city, known_at_once, 0):
        if one.at < start + timedelta(days=5):
            watch.advance(one.at)
            watch.hear(one)
    watch.advance(start + timedelta(days=5))
    heard = watch.counts.last(120).reshape(-1, 5, 24).sum(axis=2).T
    leaves = city.streams.n_leaves
    difference = np.abs(heard[:, :leaves] - whole[:, :leaves]).sum()
    assert difference <= 0.02 * whole[:, :leaves].sum(), "who keeps calling is counted anew after two days"


def trial_of(moments: dict[str, list[Moment]]) -> Trial:
    outbreak = Outbreak(leaf=0, size=15, shape=Shape.BURST, began_min=60 * 10, usual_a_day=1.0)
    return Trial(
        seed=1,
        streams=STREAMS,
        first_hour=0,
        weeks=1.0,
        outbreaks=(outbreak, replace(outbreak, leaf=3, began_min=60 * 20)),
        moments=moments,
        callers_a_day=0.0,
    )


def moment(hour: int, scores: dict[int, float]) -> Moment:
    every = np.zeros(STREAMS.n_streams, dtype=np.float32)
    every[list(scores)] = list(scores.values())
    return Moment(hour, every, every)


def test_judging_tells_found_missed_and_false() -> None:
    trial = trial_of({"fixed": [moment(5, {8: 20}), moment(14, {0: 30, 5: 15}), moment(100, {4: 30})]})
    judged = judge([trial], "fixed", 15.0, WatchOptions())
    assert [one.delay_h for one in judged.outcomes] == [4.0, None]
    assert (judged.right, judged.false) == (1, 3), "before its time and in another district is false as well"


def test_a_trial_raises_what_the_watch_tells() -> None:
    told_by, looked_at = open_watch(), open_watch()
    heard = [*calls(33, 24), *calls(40, 9, district="普陀区", matter="停电"), *calls(90, 30, matter="噪声")]
    told = run(told_by, heard, 200)
    for one in heard:
        looked_at.hear(one)
    moments = []
    for _ in range(200):
        growth = looked_at.look(looked_at.counts.open_hour())
        scores = -np.log10(shares_of(growth))
        moments.append(Moment(looked_at.counts.hour, scores, growth.observed - growth.expected))
        looked_at.turn_hour()
    options = looked_at.options
    raised = raise_all(trial_of({OURS: moments}), OURS, -np.log10(options.false_share), options)
    assert len(told) >= 3
    assert [(hour_start(hour, ZONE), STREAMS.matter(stream)) for hour, stream in raised] == [
        (one.raised_at, one.matter) for one in told
    ]


def test_the_report_counts_by_size_and_compares_at_no_more_false_warnings() -> None:
    good = [moment(12, {0: 40}), moment(30, {3: 40}), moment(60, {8: 20})]
    poor = [moment(12, {0: 40}), moment(30, {8: 50}), moment(60, {4: 60}), moment(90, {11: 70})]
    trial = trial_of({OURS: good, "fixed": poor, "ears_c2": good, "kleinberg": []})
    told = report([trial], WatchOptions())
    assert told["detected"]["15"]["found"] == told["detected"]["15"]["of"] == 2
    assert told["median_delay_h"] == {"15": 6.0}, "2 hours and 10"
    assert (told["false_per_week"], told["precision"]) == (1.0, 0.667)
    assert told["compared"]["ears_c2"]["detected"] == told["detected"]
    assert told["compared"]["fixed"]["threshold"] == 70.0
    assert told["compared"]["fixed"]["detected"]["15"]["found"] == 0
    assert told["compared"]["kleinberg"]["median_delay_h"] == {"15": None}
    assert json.loads(json.dumps(told)) == told
    assert [table.row_count for table in tables(told)] == [4, 10, 1]


def test_the_report_keeps_outbreaks_of_categories_apart() -> None:
    trial = trial_of({OURS: [moment(12, {0: 40})], "fixed": [], "ears_c2": [], "kleinberg": []})
    one = replace(trial.outbreaks[0], size=25, is_category=True)
    told = report([replace(trial, outbreaks=(*trial.outbreaks, one))], WatchOptions())
    assert list(told["detected"]) == ["15"]
    assert told["of_categories"]["detected"]["25"]["found"] == 1
    assert told["delays_h"] == {"15": [2.0]}
    assert [told["by_places"][kind]["detected"].get("15", {}).get("of") for kind in ("one", "none")] == [
        None,
        2,
    ]


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_how_late_they_are_found_is_drawn(tmp_path: Path, ending: str) -> None:
    good, late = [moment(12, {0: 40}), moment(30, {3: 40})], [moment(50, {0: 40})]
    told = report([trial_of({OURS: good, "fixed": late, "ears_c2": [], "kleinberg": good})], WatchOptions())
    file = tmp_path / f"delays{ending}"
    plot_warnings.check(file)
    plot_warnings.plot(told, file)
    assert file.read_bytes()[:5] in (b"<?xml", b"\x89PNG\r")
    with pytest.raises(BadData, match="svg"):
        plot_warnings.check(tmp_path / "delays.txt")


def test_a_district_that_a_storm_hits_harder_is_no_outbreak() -> None:
    """Six matters are raised everywhere, in one district three times as much; another grows alone."""
    streams = Streams([f"事项{number}" for number in range(8)], ["定海区", "普陀区", "岱山县"])
    rng, baseline = np.random.default_rng(3), Baseline(streams)
    for number in range(120):
        leaves = np.zeros((streams.n_leaves, 24), dtype=np.int64)
        leaves[:, 8:20] = rng.poisson(0.15, size=(streams.n_leaves, 12))
        city = leaves.reshape(8, 3, 24).sum(axis=1)
        baseline.learn_day(np.concatenate([leaves, city]), DayKind(number % 7))

    def stormy(day: date) -> DayKind:
        return DayKind.STORM if day == date(2025, 3, 4) else weekday(day)

    heard = [
        one
        for number in range(6)
        for district, n in (("定海区", 24), ("普陀区", 8), ("岱山县", 8))
        for one in calls(32, n, over_h=10, district=district, matter=f"事项{number}")
    ]
    heard += calls(34, 25, district="普陀区", matter="事项7")
    heard = [replace(one, place="") for one in heard]
    told = run(Watch(baseline, now=NOW, kind_of=stormy), heard, 60)
    assert [(one.matter, one.district) for one in told] == [("事项7", "普陀区")]


def test_the_threshold_is_the_least_that_is_quiet_enough() -> None:
    trial = trial_of({"fixed": [moment(5, {8: 20}), moment(100, {10: 30}), moment(14, {0: 25})]})
    threshold = least_threshold([trial], "fixed", 1.0, WatchOptions())
    assert threshold == pytest.approx(25.0)
    assert judge([trial], "fixed", threshold, WatchOptions()).false_per_week == 1.0
