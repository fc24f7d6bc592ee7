"""Packets in any order become sound in order: bounded waiting, silence for what never came."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.ingest.jitter import Heard, Jitter, JitterOptions, Missing, Stretch

RATE_HZ = 8000
SILENCE = b"\xff"
PACKET_S = 0.02


def packet(number: int, leg: int = 0) -> tuple[int, float, bytes, int]:
    """Packet `number` of a leg: 20 ms of one value that tells it from its neighbours."""
    return leg, number * PACKET_S, bytes([1 + (2 * number + leg) % 250]) * 160, number


def put_all(jitter: Jitter, packets: list[tuple[int, float, bytes, int]]) -> list[Stretch]:
    out: list[Stretch] = []
    for leg, at_s, data, number in packets:
        out += jitter.put(leg, at_s, data, number)
    return out + jitter.flush()


def heard(stretches: list[Stretch]) -> bytes:
    return b"".join(stretch.data for stretch in stretches if isinstance(stretch, Heard))


def mono() -> Jitter:
    return Jitter(legs=1, rate_hz=RATE_HZ, silence=SILENCE)


def in_order(count: int) -> bytes:
    return b"".join(packet(number)[2] for number in range(count))


def test_what_comes_in_order_is_not_held_back() -> None:
    jitter = mono()
    for number in range(10):
        assert jitter.put(*packet(number)) == [Heard(packet(number)[2])]
    assert jitter.flush() == []


@given(seed=st.integers(0, 10_000))
def test_packets_that_come_within_the_delay_are_put_in_order(seed: int) -> None:
    rng = random.Random(seed)
    packets = [packet(number, leg) for number in range(100) for leg in (0, 1)]
    arrivals = sorted(packets, key=lambda one: one[1] + rng.random() * 0.17)
    jitter = Jitter(legs=2, rate_hz=RATE_HZ, silence=SILENCE)
    sound = heard(put_all(jitter, arrivals))
    assert sound[0::2] == b"".join(packet(number, 0)[2] for number in range(100))
    assert sound[1::2] == b"".join(packet(number, 1)[2] for number in range(100))
    assert jitter.counts.late == jitter.counts.duplicate == 0


@given(lost=st.sets(st.integers(1, 98), max_size=20))
def test_what_never_comes_becomes_silence_of_its_length(lost: set[int]) -> None:
    jitter = mono()
    stretches = put_all(jitter, [packet(number) for number in range(100) if number not in lost])
    sound, position = b"", 0
    for stretch in stretches:
        sound += stretch.data if isinstance(stretch, Heard) else SILENCE * round(stretch.seconds * RATE_HZ)
    for number in range(100):
        piece = sound[position : position + 160]
        assert piece == (SILENCE * 160 if number in lost else packet(number)[2])
        position += 160
    assert jitter.counts.filled_s + jitter.counts.missing_s == pytest.approx(len(lost) * PACKET_S)


def test_duplicates_and_late_packets_are_dropped_and_counted() -> None:
    jitter = mono()
    arrivals = [packet(number) for number in range(30) if number != 5]
    arrivals[10:10] = [packet(3), packet(9)]
    arrivals.append(packet(5))
    assert len(heard(put_all(jitter, arrivals))) == 30 * 160
    assert (jitter.counts.duplicate, jitter.counts.late) == (2, 1)
    assert jitter.counts.filled_s == pytest.approx(PACKET_S)


def test_a_leg_that_is_silent_holds_the_other_one_back_for_the_delay_alone() -> None:
    jitter = Jitter(legs=2, rate_hz=RATE_HZ, silence=SILENCE)
    out: list[Stretch] = []
    for number in range(100):
        out += jitter.put(*packet(number))
        behind = (number + 1) * 160 - len(heard(out)) // 2
        assert behind <= 0.2 * RATE_HZ
    sound = heard(out + jitter.flush())
    assert sound[0::2] == in_order(100)
    assert sound[1::2] == SILENCE * 100 * 160


def test_a_long_hole_on_every_leg_is_a_gap() -> None:
    jitter = mono()
    later = [(leg, at_s + 20.0, data, -1) for leg, at_s, data, _ in map(packet, range(10, 15))]
    stretches = put_all(jitter, [packet(number) for number in range(10)] + later)
    gaps = [stretch for stretch in stretches if isinstance(stretch, Missing)]
    assert [gap.seconds for gap in gaps] == [pytest.approx(20.0)]
    assert heard(stretches) == in_order(15)


def test_one_packet_from_nowhere_moves_nothing() -> None:
    jitter = mono()
    arrivals = [packet(number) for number in range(20)]
    arrivals.insert(7, (0, 5000.0, b"\x07" * 160, -1))
    arrivals.insert(12, (0, -5000.0, b"\x07" * 160, -1))
    assert heard(put_all(jitter, arrivals)) == in_order(20)
    assert jitter.counts.stray == 2


@pytest.mark.parametrize("moved_s", [-1000.0, 100_000.0])
def test_a_clock_that_is_set_anew_loses_nothing(moved_s: float) -> None:
    jitter = mono()
    later = [(leg, at_s + moved_s, data, number) for leg, at_s, data, number in map(packet, range(10, 30))]
    assert heard(put_all(jitter, [packet(number) for number in range(10)] + later)) == in_order(30)
    assert jitter.counts.jumps == 1


def test_a_clock_that_begins_anywhere_begins_the_stream() -> None:
    jitter = mono()
    arrivals = [(leg, 1.6e9 + at_s, data, number) for leg, at_s, data, number in map(packet, range(9))]
    assert heard(put_all(jitter, arrivals)) == in_order(9)
    assert jitter.counts.filled_s == 0


def test_stamps_of_the_wall_clock_tear_no_holes_where_numbers_follow() -> None:
    rng = random.Random(3)
    arrivals = [
        (leg, at_s + rng.random() * 0.03, data, number) for leg, at_s, data, number in map(packet, range(200))
    ]
    jitter = mono()
    assert heard(put_all(jitter, arrivals)).strip(SILENCE) == in_order(200)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.floats(-3000, 3000) | st.floats(0, 3),
            st.binary(max_size=400),
            st.integers(-1, 300),
        ),
        max_size=200,
    )
)
def test_nothing_that_comes_breaks_it_or_makes_it_hold_much(
    arrivals: list[tuple[int, float, bytes, int]],
) -> None:
    jitter = Jitter(legs=2, rate_hz=RATE_HZ, silence=SILENCE)
    came = 0
    out: list[Stretch] = []
    for leg, at_s, data, number in arrivals:
        out += jitter.put(leg, at_s, data, number)
        came += len(data)
        assert sum(len(lane.ready) for lane in jitter._legs) <= 2 * (0.2 * RATE_HZ + 400)
        assert len(jitter._suspects) < JitterOptions().witnesses
    out += jitter.flush()
    assert all(len(lane.ready) == 0 and not lane.waiting for lane in jitter._legs)
    counts = jitter.counts
    sounded_s = len(heard(out)) / 2 / RATE_HZ
    assert sounded_s <= came / RATE_HZ + counts.filled_s + 1e-6
    assert all(stretch.seconds <= 901 for stretch in out if isinstance(stretch, Missing))


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="in that order"):
        JitterOptions(delay_s=1.0)
