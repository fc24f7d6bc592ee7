"""AudioSocket's packets, legs laid together, and announcements: the pure parts."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.ingest.announcing import HOLDS_FOR, MAX_KEPT, Announcement, Announcements
from calls.ingest.audiosocket import (
    RATES_HZ,
    Digit,
    Failed,
    HungUp,
    Identity,
    Packet,
    PacketReader,
    Pcm,
    Unknown,
    digit_packet,
    failed_packet,
    hang_up_packet,
    identity_packet,
    sound_packet,
)
from calls.ingest.joining import Joining
from calls.ingest.messages import BadMessage
from calls.ingest.rates import Resampled

NOW = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)
RATE_HZ = 8_000
PATIENCE = 3_200


@st.composite
def written_packets(draw: st.DrawFn) -> tuple[bytes, Packet]:
    match draw(st.integers(0, 5)):
        case 0:
            return hang_up_packet(), HungUp()
        case 1:
            uuid = draw(st.uuids())
            return identity_packet(uuid), Identity(uuid)
        case 2:
            digit = draw(st.sampled_from("0123456789*#ABCD"))
            return digit_packet(digit), Digit(digit)
        case 3:
            code = draw(st.integers(0, 255))
            return failed_packet(code), Failed(code)
        case 4:
            kind, payload = draw(st.integers(0x40, 0xF0)), draw(st.binary(max_size=9))
            return bytes([kind]) + len(payload).to_bytes(2) + payload, Unknown(kind)
        case _:
            rate_hz = draw(st.sampled_from(list(RATES_HZ.values())))
            data = draw(st.binary(max_size=100).map(lambda raw: raw[: len(raw) // 2 * 2]))
            return sound_packet(rate_hz, data), Pcm(rate_hz, data)


@given(st.lists(written_packets(), max_size=12), st.integers(0, 1_000_000))
def test_packets_are_read_however_tcp_cuts_them(written: list[tuple[bytes, Packet]], seed: int) -> None:
    uuid = UUID(int=7)
    written = [(identity_packet(uuid), Identity(uuid)), *written]
    stream = b"".join(data for data, _ in written)
    rng = random.Random(seed)
    reader, found, at = PacketReader(), [], 0
    while at < len(stream):
        size = rng.choice([1, 2, 3, 7, 50, 1000])
        found += reader.read(stream[at : at + size])
        at += size
    assert found == [packet for _, packet in written]


@given(st.lists(st.binary(max_size=400), max_size=20), st.booleans())
def test_no_bytes_break_the_reader(pieces: list[bytes], has_begun: bool) -> None:
    reader = PacketReader()
    for piece in [identity_packet(UUID(int=7)), *pieces] if has_begun else pieces:
        try:
            reader.read(piece)
        except BadMessage:
            break


@pytest.mark.parametrize("packet", [b"\x01\x00\x02ab", b"\x10\x00\x03abc"])
def test_what_cannot_be_is_said(packet: bytes) -> None:
    with pytest.raises(BadMessage):
        PacketReader().read(identity_packet(UUID(int=7)) + packet)


@pytest.mark.parametrize("first", [hang_up_packet(), b"GET", b"\x01\x00\x11"])
def test_whoever_does_not_begin_with_a_uuid_is_known_by_the_first_three_bytes(first: bytes) -> None:
    with pytest.raises(BadMessage):
        PacketReader().read(first)


def test_an_error_without_a_code_is_an_error() -> None:
    packets = PacketReader().read(identity_packet(UUID(int=7)) + b"\xff\x00\x00")
    assert packets[1:] == [Failed(-1)]


def pcm(value: int, samples: int) -> bytes:
    return np.full(samples, value, "<i2").tobytes()


def legs_of(data: bytes) -> np.ndarray:
    return np.frombuffer(data, "<i2").reshape(-1, 2).T


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 4_000)), max_size=40), st.integers(0, 40))
def test_nothing_is_lost_when_legs_are_laid_together(puts: list[tuple[int, int]], left_at: int) -> None:
    joining, out = Joining(legs=2, rate_hz=RATE_HZ), b""
    sent: tuple[list[int], list[int]] = ([], [])
    number = 0
    for n, (leg, samples) in enumerate(puts):
        if n == left_at:
            out += joining.leave(0)
        values = [1 + (number + at) % 30_000 for at in range(samples)]
        number += samples
        sent[leg].extend(values)
        out += joining.put(leg, np.array(values, "<i2").tobytes())
    out += joining.flush()
    for leg in (0, 1):
        heard = legs_of(out)[leg]
        assert heard[heard != 0].tolist() == sent[leg]


def test_legs_that_come_together_are_not_held_back() -> None:
    joining = Joining(legs=2, rate_hz=RATE_HZ)
    assert joining.put(0, pcm(1, 160)) == b""
    assert legs_of(joining.put(1, pcm(2, 160))).tolist() == [[1] * 160, [2] * 160]
    assert joining.flush() == b""


def test_a_leg_alone_is_held_back_for_the_patience_and_then_goes_on() -> None:
    joining = Joining(legs=2, rate_hz=RATE_HZ)
    assert joining.put(0, pcm(1, PATIENCE)) == b""
    out = legs_of(joining.put(0, pcm(1, 160)))
    assert out.tolist() == [[1] * 160, [0] * 160]


def test_a_leg_that_joins_later_is_laid_beside_what_is_said_then() -> None:
    joining = Joining(legs=2, rate_hz=RATE_HZ)
    out = joining.put(0, pcm(1, 10 * RATE_HZ))
    out += joining.put(1, pcm(2, 160)) + joining.put(0, pcm(1, 160)) + joining.put(1, pcm(2, 160))
    first, second = legs_of(out + joining.flush())
    assert first.tolist() == [1] * (10 * RATE_HZ + 160)
    assert second.tolist() == [0] * (10 * RATE_HZ - 160) + [2] * 320


def test_a_leg_that_has_gone_is_not_waited_for() -> None:
    joining = Joining(legs=2, rate_hz=RATE_HZ)
    joining.put(0, pcm(1, 160))
    assert legs_of(joining.leave(1)).tolist() == [[1] * 160, [0] * 160]
    assert legs_of(joining.put(0, pcm(1, 160))).tolist() == [[1] * 160, [0] * 160]


def test_one_leg_alone_passes_through() -> None:
    joining = Joining(legs=1, rate_hz=RATE_HZ)
    assert joining.put(0, pcm(7, 160)) == pcm(7, 160)
    assert joining.leave(0) == joining.flush() == b""


def test_sound_of_another_rate_is_brought_to_that_of_the_call() -> None:
    tone = (9_000 * np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)).astype("<i2")
    to_8k = Resampled(8_000)
    out = b"".join(to_8k.take(16_000, tone[at : at + 320].tobytes()) for at in range(0, 16_000, 320))
    samples = np.frombuffer(out + to_8k.flush(), "<i2")
    assert len(samples) == 8_000
    expected = 9_000 * np.sin(np.arange(8_000) * 2 * np.pi * 440 / 8_000)
    assert np.abs(samples[500:-500] - expected[500:-500]).max() < 100
    assert to_8k.take(8_000, b"\x01\x02") == b"\x01\x02"


def test_announcements_are_found_until_they_are_too_old() -> None:
    kept, line = Announcements(), str(uuid4())
    kept.make(line, Announcement(key="a"), NOW)
    kept.make(line, Announcement(key="b"), NOW)
    found = kept.find(line, NOW + HOLDS_FOR - timedelta(seconds=1))
    assert found is not None
    assert found.key == "b"
    assert kept.find(line, NOW + HOLDS_FOR + timedelta(hours=1)) is not None, "using it makes it hold on"
    assert kept.find(line, NOW + 4 * HOLDS_FOR) is None


def test_announcements_are_bounded() -> None:
    kept = Announcements()
    for number in range(MAX_KEPT + 1):
        kept.make(str(UUID(int=number)), Announcement(key=str(number)), NOW)
    assert kept.find(str(UUID(int=0)), NOW) is None
    assert kept.find(str(UUID(int=MAX_KEPT)), NOW) is not None
