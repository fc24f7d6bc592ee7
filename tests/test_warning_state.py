"""A watch that is stopped and goes on: the same warnings as if it had never stopped."""

import io
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest

from insight.types import DayKind, EarlyWarning, Report, StateRefused
from insight.warning.baseline import Baseline
from insight.warning.streams import Streams
from insight.warning.watch import Watch

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2025, 3, 3, tzinfo=ZONE)
STREAMS = Streams(["停水", "停电", "噪声"], ["定海区", "普陀区", "岱山县"])
LEAVES = STREAMS.n_leaves
DAYS = 8


def weekday(day: date) -> DayKind:
    return DayKind(day.weekday())


def learnt(streams: Streams = STREAMS) -> Watch:
    rng, baseline = np.random.default_rng(5), Baseline(streams)
    for number in range(60):
        leaves = np.zeros((streams.n_leaves, 24), dtype=np.int64)
        leaves[:, 8:20] = rng.poisson(0.1, size=(streams.n_leaves, 12))
        city = leaves.reshape(len(streams.matters), -1, 24).sum(axis=1)
        baseline.learn_day(np.concatenate([leaves, city]), DayKind(number % 7))
    return Watch(baseline, now=NOW, kind_of=weekday)


def empty(streams: Streams = STREAMS) -> Watch:
    """As after a restart: nothing learnt, the clock far ahead."""
    return Watch(Baseline(streams), now=NOW + timedelta(days=400), kind_of=weekday)


def calls() -> list[tuple[float, Report]]:
    """Usual calls and two bursts, each with the hour in which it becomes known; some late, some ahead."""
    rng = np.random.default_rng(11)
    hours = [(float(hour), int(leaf)) for hour, leaf in zip(*_usual(rng), strict=True)]
    hours += [(40 + n / 4, 0) for n in range(20)] + [(120 + n / 3, 5) for n in range(25)]
    found = []
    for number, (hour, leaf) in enumerate(hours):
        known = hour + float(rng.choice([0.0, 0.1, 20.0, -3.0], p=[0.7, 0.2, 0.05, 0.05]))
        found.append(
            (
                known,
                Report(
                    report_id=f"r{number}",
                    at=NOW + timedelta(hours=hour),
                    caller=None if number % 9 == 0 else f"c{rng.integers(400)}",
                    district=STREAMS.district(leaf) or "",
                    matter=STREAMS.matter(leaf),
                    place=f"{rng.integers(4)} 号楼",
                ),
            )
        )
    return sorted(found, key=lambda one: one[0])


def _usual(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    size = DAYS * 10
    return rng.random(size) * DAYS * 24, rng.integers(LEAVES, size=size)


def run(watch: Watch, hour_done: Callable[[int, Watch], Watch]) -> tuple[list[EarlyWarning], Watch]:
    coming = calls()
    told: list[EarlyWarning] = []
    for hour in range(1, DAYS * 24 + 1):
        while coming and coming[0][0] < hour:
            watch.hear(coming.pop(0)[1])
        told += watch.advance(NOW + timedelta(hours=hour))
        watch = hour_done(hour, watch)
    return told, watch


def again(watch: Watch) -> Watch:
    other = empty()
    other.restore(watch.state())
    return other


@pytest.mark.parametrize("every_h", [1, 7, 50])
def test_stopping_changes_no_warning_and_nothing_that_is_learnt(every_h: int) -> None:
    told, never = run(learnt(), lambda hour, watch: watch)
    told_again, often = run(learnt(), lambda hour, watch: watch if hour % every_h else again(watch))
    assert len(told) >= 2
    assert told_again == told
    assert often.state() == never.state()


def test_what_was_heard_before_stopping_may_be_heard_again() -> None:
    told, _ = run(learnt(), lambda hour, watch: watch)
    heard = calls()

    def restart(hour: int, watch: Watch) -> Watch:
        if hour != 43:
            return watch
        watch = again(watch)
        for known, report in heard:
            if known < hour:
                watch.hear(report)
        return watch

    assert run(learnt(), restart)[0] == told


@pytest.mark.parametrize(
    "other",
    [
        Streams(STREAMS.matters, STREAMS.districts[:2]),
        Streams([*STREAMS.matters, "占道"], STREAMS.districts),
        Streams(STREAMS.matters[::-1], STREAMS.districts),
    ],
)
def test_a_state_of_other_streams_is_refused(other: Streams) -> None:
    with pytest.raises(StateRefused, match="重新学习") as refused:
        empty(other).restore(learnt().state())
    assert (refused.value.code, refused.value.recoverable) == ("insight.state_refused", True)


def archive(**changed: object) -> bytes:
    with np.load(io.BytesIO(learnt().state())) as whole:
        arrays = {**{name: whole[name] for name in whole.files}, **changed}
    written = io.BytesIO()
    np.savez_compressed(written, **{name: one for name, one in arrays.items() if one is not None})
    return written.getvalue()


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"\x93NUMPY",
        b'{"version": 1}',
        learnt().state()[:-400],
        learnt().state().replace(b"hour_seen", b"hour_sawn"),
        archive(version=np.array(99)),
        archive(version=None),
        archive(began=None),
        archive(began=np.array("x")),
        archive(expected=np.zeros(49)),
        archive(by_hour=np.zeros((3, 3))),
        archive(behind=np.frombuffer(b"[[1]]", dtype=np.uint8)),
        archive(ahead=np.frombuffer(b"[", dtype=np.uint8)),
        archive(streams=np.frombuffer(b"[1]", dtype=np.uint8)),
        archive(hours=np.array([1])),
        archive(news=np.array([object()], dtype=object)),
    ],
)
def test_what_is_no_state_is_refused(state: bytes) -> None:
    with pytest.raises(StateRefused):
        empty().restore(state)
