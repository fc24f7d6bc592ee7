"""RTP: packets, and streams whose clocks begin anywhere, drift and jump."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.ingest.messages import BadMessage
from calls.ingest.rtp import PCMA, PCMU, STATIC, CallClock, Codec, RtpPacket, RtpStream, read_packet, written

L16 = Codec(encoding="pcm_s16le", rate_hz=16_000)


def packet(
    number: int, timestamp: int, *, ssrc: int = 1, kind: int = 8, payload: bytes = b"\xd5" * 160
) -> RtpPacket:
    return RtpPacket(
        payload_type=kind,
        number=number & 0xFFFF,
        timestamp=timestamp & 0xFFFFFFFF,
        ssrc=ssrc,
        payload=payload,
    )


def stream(clock: CallClock | None = None, **changes: object) -> RtpStream:
    given_: dict[str, object] = {"track": "a", "codecs": {8: PCMA}, "encoding": "alaw"}
    return RtpStream(clock=clock or CallClock(), **(given_ | changes))  # type: ignore[arg-type]


@given(
    kind=st.integers(0, 127),
    number=st.integers(0, 65_535),
    timestamp=st.integers(0, 2**32 - 1),
    ssrc=st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=400),
)
def test_what_is_written_is_read(kind: int, number: int, timestamp: int, ssrc: int, payload: bytes) -> None:
    one = RtpPacket(payload_type=kind, number=number, timestamp=timestamp, ssrc=ssrc, payload=payload)
    assert read_packet(written(one)) == one
    assert read_packet(written(one, is_marked=True)) == one


def test_sources_extension_and_padding_are_no_sound() -> None:
    plain = written(packet(1, 2, payload=b"sound"))
    head, rest = bytearray(plain[:12]), plain[12:]
    head[0] |= 0x20 | 0x10 | 2
    datagram = bytes(head) + b"csrc" * 2 + b"\xbe\xde\x00\x01" + b"ext1" + rest + b"\0\0\x03"
    assert read_packet(datagram).payload == b"sound"


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x80" * 11,
        b"\x00" * 12,
        b"\x8f" + b"\0" * 11,
        b"\x90" + b"\0" * 14,
        b"\x90" + b"\0" * 13 + b"\xff\xff",
        b"\xa0" + b"\0" * 11,
        b"\xa0" + b"\0" * 11 + b"\xff",
    ],
)
def test_what_is_no_rtp_is_said(datagram: bytes) -> None:
    if datagram[:1] == b"\x8f":
        datagram = datagram[:12]
    with pytest.raises(BadMessage):
        read_packet(datagram)


@given(st.lists(st.tuples(st.binary(max_size=60), st.floats(0, 1e6)), max_size=30))
def test_no_datagram_breaks_a_stream(datagrams: list[tuple[bytes, float]]) -> None:
    one = stream(codecs=STATIC, other=L16, encoding="pcm_s16le")
    for data, arrived_s in datagrams:
        try:
            one.take(read_packet(b"\x80" + data), arrived_s)
        except BadMessage:
            continue


@given(number=st.integers(0, 65_535), timestamp=st.integers(0, 2**32 - 1), arrived_s=st.floats(0, 1e6))
def test_media_time_begins_with_the_first_packet_and_goes_round_the_circle(
    number: int, timestamp: int, arrived_s: float
) -> None:
    one = stream()
    places = []
    for n in range(400):
        sound = one.take(packet(number + n, timestamp + 160 * n), arrived_s + n * 0.02)
        assert sound is not None
        places.append((sound.at_s, sound.number))
    assert [at_s for at_s, _ in places] == pytest.approx([n * 0.02 for n in range(400)])
    assert {later[1] - earlier[1] for earlier, later in pairwise(places)} == {1}
    assert min(number for _, number in places) >= 0


@given(seed=st.integers(0, 10_000))
def test_packets_out_of_order_keep_their_places(seed: int) -> None:
    rng = random.Random(seed)
    order = sorted(range(1, 200), key=lambda n: n + rng.random() * 9)
    one = stream()
    one.take(packet(65_500, 2**32 - 900), 0.0)
    for n in order:
        sound = one.take(packet(65_500 + n, 2**32 - 900 + 160 * n), n * 0.02)
        assert sound is not None
        assert sound.at_s == pytest.approx(n * 0.02)


def test_two_legs_are_laid_beside_each_other_by_arrival() -> None:
    clock = CallClock()
    first, second = stream(clock), stream(clock, track="b")
    first.take(packet(1, 5_000), 10.0)
    later = second.take(packet(1, 77_000_000, ssrc=2), 13.0)
    assert later is not None
    assert later.at_s == pytest.approx(3.0)


def test_two_legs_of_one_clock_are_laid_by_their_timestamps() -> None:
    clock = CallClock()
    first, second = stream(clock), stream(clock, track="b")
    first.take(packet(1, 5_000), 10.0)
    later = second.take(packet(1, 5_000, ssrc=2), 10.04)
    assert later is not None
    assert later.at_s == 0.0


@pytest.mark.parametrize("drift", [-0.001, 0.001])
def test_a_clock_that_drifts_is_followed(drift: float) -> None:
    one = stream()
    for n in range(30_000):  # ten minutes
        arrived_s = 1.0 + n * 0.02 * (1 + drift)
        sound = one.take(packet(n, 160 * n), arrived_s + (n * 7919 % 13) / 1000)
        assert sound is not None
        assert abs(sound.at_s - (arrived_s - 1.0)) < 0.1
    assert 5 < one.counts.shifts < 15


def test_packets_that_were_all_held_up_keep_their_places() -> None:
    one = stream()
    for n in range(1_000):
        arrived_s = (
            max(n * 0.02, 5.0) if 100 <= n < 400 else n * 0.02
        )  # a process that was stopped for three seconds
        sound = one.take(packet(n, 160 * n), arrived_s)
        assert sound is not None
        assert sound.at_s == pytest.approx(n * 0.02)


def test_silence_that_was_left_out_is_as_long_as_the_clock_says() -> None:
    one = stream()
    for n in range(50):
        one.take(packet(n, 160 * n), n * 0.02)
    sound = one.take(packet(50, 8_000 * 31), 31.0)
    assert sound is not None
    assert sound.at_s == pytest.approx(31.0)


def test_a_jump_of_the_clock_is_believed_after_three_packets_and_one_stray_is_not() -> None:
    one = stream()
    for n in range(100):
        one.take(packet(n, 160 * n), n * 0.02)
    assert one.take(packet(5_000, 9_999_999), 2.0) is None
    assert one.take(packet(100, 16_000), 2.0) is not None
    found = [one.take(packet(101 + n, 5_000_000 + 160 * n), 2.02 + n * 0.02) for n in range(5)]
    assert found[:3] == [None] * 3
    assert found[3] is not None
    assert found[3].at_s == pytest.approx(2.08, abs=0.03)
    assert one.counts.stray == 4


def test_a_new_source_goes_on_where_time_is_and_the_old_one_is_silent() -> None:
    one = stream()
    for n in range(50):
        one.take(packet(n, 160 * n), n * 0.02)
    new = one.take(packet(7, 123_456, ssrc=9), 5.0)
    assert new is not None
    assert new.at_s == pytest.approx(5.0)
    assert one.take(packet(50, 8_000), 5.01) is None
    assert (one.counts.sources, one.counts.old) == (2, 1)


def test_what_comes_from_before_the_beginning_is_left_out() -> None:
    one = stream()
    assert one.take(packet(2, 320), 0.0) is not None
    assert one.take(packet(1, 160), 0.01) is None
    assert one.take(packet(3, 480), 0.02) is not None
    assert one.counts.early == 1


def test_a_hold_takes_no_time() -> None:
    clock = CallClock()
    one = stream(clock)
    for n in range(50):
        one.take(packet(n, 160 * n), n * 0.02)
    clock.skip(30.0)
    one.rebase()
    sound = one.take(packet(50, 160 * 50), 31.0)
    assert sound is not None
    assert sound.at_s == pytest.approx(1.0)


def test_what_is_not_of_the_agreed_codec_is_left_out() -> None:
    one = stream()
    assert one.take(packet(1, 0, kind=0), 0.0) is None
    assert one.take(packet(2, 160, kind=13, payload=b"x"), 0.02) is None
    assert one.take(packet(3, 320, kind=101, payload=b"\x01\x0a\x00\xa0"), 0.04) is None
    assert one.counts.foreign == 3
    any_kind = stream(codecs={}, other=L16, encoding="pcm_s16le")
    assert any_kind.take(packet(1, 0, kind=101, payload=b"\x01\x0a\x00\xa0"), 0.0) is None
    assert any_kind.take(packet(1, 0, kind=118, payload=b"\x01\x02\x03"), 0.0) is None


@pytest.mark.parametrize(
    ("is_big_endian", "expected"), [(True, b"\x02\x01\x04\x03\x06\x05"), (False, b"\x01\x02\x03\x04\x05\x06")]
)
def test_both_byte_orders_of_linear_sound_are_read(is_big_endian: bool, expected: bytes) -> None:
    codec = Codec(encoding="pcm_s16le", rate_hz=16_000, is_big_endian=is_big_endian)
    one = stream(codecs={}, other=codec, encoding="pcm_s16le")
    sound = one.take(packet(1, 0, kind=118, payload=b"\x01\x02\x03\x04\x05\x06"), 0.0)
    assert sound is not None
    assert sound.data == expected


def test_two_laws_in_one_call_become_linear() -> None:
    one = stream(codecs=STATIC, encoding="pcm_s16le")
    for kind in (0, 8):
        sound = one.take(packet(kind, 160 * kind, kind=kind, payload=bytes(range(160))), 0.02)
        assert sound is not None
        assert len(sound.data) == 320
    assert np.frombuffer(PCMU.decoded(b"\xff\x80", "pcm_s16le") or b"", "<i2").tolist() == [0, 32124]
