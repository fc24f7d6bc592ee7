"""Bytes become samples at the right time, whatever the encoding, the rate and the size of messages."""

import wave
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.decode import Encoding, FrameDecoder
from asr.recordings import decode_file, file_to_pcm, parties_of, read_file
from asr.types import SAMPLE_RATE_HZ, AudioFrame, BadAudio, Party
from tests.asr_parts import SPEECH

BOTH = (Party.CITIZEN, Party.OPERATOR)


def decoder(rate: int = 8000, *, parties: tuple[Party, ...] = BOTH, start_s: float = 0.0) -> FrameDecoder:
    return FrameDecoder(
        call_id="C1", encoding=Encoding.PCM_S16LE, sample_rate_hz=rate, parties=parties, start_s=start_s
    )


def joined(frames: list[AudioFrame], party: Party) -> np.ndarray:
    """Join one leg's frames, and check that each begins where the last one ended."""
    mine = [frame for frame in frames if frame.party is party]
    for earlier, later in pairwise(mine):
        assert later.start_s == pytest.approx(earlier.end_s, abs=1e-9)
    return np.concatenate([frame.samples for frame in mine])


@pytest.mark.parametrize(("encoding", "codec"), [("mulaw", "pcm_mulaw"), ("alaw", "pcm_alaw")])
def test_every_telephone_code_expands_as_ffmpeg_expands_it(encoding: str, codec: str) -> None:
    codes = bytes(range(256))
    context = av.CodecContext.create(codec, "r")
    context.sample_rate, context.layout = 8000, "mono"
    packet = av.Packet(codes)
    packet.time_base = Fraction(1, 8000)
    expected = np.concatenate([frame.to_ndarray().reshape(-1) for frame in context.decode(packet)])
    ours = FrameDecoder(call_id="C1", encoding=encoding, sample_rate_hz=8000, parties=(Party.MIXED,))
    np.testing.assert_array_equal(ours._expand(codes)[:, 0] * 32768, expected)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_media_time_is_exact_and_a_click_stays_where_it_was(rate: int) -> None:
    sound = np.zeros((rate * 3 + 7, 2), dtype="<i2")
    sound[int(rate * 1.5), 0] = 32000
    ours = decoder(rate, start_s=4.0)
    data, frames = sound.tobytes(), []
    step = rate // 50 * 4
    for at in range(0, len(data), step):
        frames += ours.decode(data[at : at + step])
    assert ours.received_s == pytest.approx(4.0 + len(sound) / rate)
    frames += ours.flush()
    citizen, operator = joined(frames, Party.CITIZEN), joined(frames, Party.OPERATOR)
    assert frames[0].start_s == 4.0
    assert len(citizen) == len(operator) == round(len(sound) * SAMPLE_RATE_HZ / rate)
    assert abs(int(np.argmax(np.abs(citizen))) - 1.5 * SAMPLE_RATE_HZ) <= 1
    assert np.abs(operator).max() == 0.0


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 4000), max_size=12).map(sorted),
    rate=st.sampled_from([8000, 16000, 44100]),
)
def test_the_size_of_messages_changes_nothing(cuts: list[int], rate: int) -> None:
    sound = np.random.default_rng(0).integers(-9000, 9000, size=(4000, 2)).astype("<i2")
    whole, pieces = decoder(rate), decoder(rate)
    at_once = whole.decode(sound.tobytes()) + whole.flush()
    bit_by_bit: list[AudioFrame] = []
    for begin, end in zip([0, *cuts], [*cuts, 4000], strict=True):
        bit_by_bit += pieces.decode(sound[begin:end].tobytes())
    bit_by_bit += pieces.flush()
    for party in BOTH:
        np.testing.assert_allclose(joined(bit_by_bit, party), joined(at_once, party), atol=1e-6)


def test_a_misaligned_message_is_dropped_whole_and_nothing_else() -> None:
    good = np.arange(1600, dtype="<i2").reshape(-1, 2)
    ours, undisturbed = decoder(), decoder()
    frames = ours.decode(good.tobytes())
    with pytest.raises(BadAudio) as caught:
        ours.decode(good.tobytes()[:-1])
    assert caught.value.code == "asr.misaligned"
    assert caught.value.recoverable
    frames += ours.decode(good.tobytes()) + ours.flush()
    expected = undisturbed.decode(good.tobytes() * 2) + undisturbed.flush()
    np.testing.assert_allclose(joined(frames, Party.CITIZEN), joined(expected, Party.CITIZEN), atol=1e-6)


def test_after_a_gap_the_next_frame_starts_where_it_was_told() -> None:
    second = np.full((8000, 1), 1000, dtype="<i2").tobytes()
    ours = decoder(parties=(Party.CITIZEN,))
    before = ours.decode(second) + ours.skip_to(5.0)
    after = ours.decode(second) + ours.flush()
    assert sum(len(frame.samples) for frame in before) == SAMPLE_RATE_HZ
    assert before[-1].end_s == pytest.approx(1.0)
    assert after[0].start_s == 5.0
    assert after[-1].end_s == pytest.approx(6.0)
    with pytest.raises(ValueError, match="cannot go back"):
        ours.skip_to(3.0)


@pytest.mark.parametrize(
    ("encoding", "rate", "code"),
    [
        ("opus", 8000, "asr.unknown_encoding"),
        ("mulaw", 16000, "asr.bad_sample_rate"),
        ("pcm_s16le", 4000, "asr.bad_sample_rate"),
        ("pcm_s16le", 96000, "asr.bad_sample_rate"),
    ],
)
def test_what_it_cannot_decode_is_refused_at_the_start(encoding: str, rate: int, code: str) -> None:
    with pytest.raises(BadAudio) as caught:
        FrameDecoder(call_id="C1", encoding=encoding, sample_rate_hz=rate, parties=BOTH)
    assert caught.value.code == code
    assert not caught.value.recoverable


def write_wav(path: Path, sound: np.ndarray, rate: int) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(sound.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(sound.astype("<i2").tobytes())
    return path


def test_a_stereo_file_is_citizen_left_operator_right(tmp_path: Path) -> None:
    sound = np.zeros((22050, 2), dtype="<i2")
    sound[:, 1] = 5000
    path = write_wav(tmp_path / "call.wav", sound, 22050)
    recording = file_to_pcm(path)
    np.testing.assert_array_equal(recording.samples, sound)
    assert recording.seconds == 1.0
    legs = decode_file(path)
    assert list(legs) == [Party.CITIZEN, Party.OPERATOR]
    assert np.abs(legs[Party.CITIZEN]).max() == 0.0
    assert legs[Party.OPERATOR][8000] == pytest.approx(5000 / 32768, abs=1e-3)
    assert len(legs[Party.OPERATOR]) == SAMPLE_RATE_HZ
    assert [*decode_file(path, (Party.MIXED,))] == [Party.MIXED]


def test_a_mono_file_is_mixed_and_has_no_second_leg(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "mono.wav", np.zeros((96000, 1)), 96000)
    assert parties_of(path) == (Party.MIXED,)
    assert len(decode_file(path)[Party.MIXED]) == SAMPLE_RATE_HZ
    with pytest.raises(BadAudio) as caught:
        list(read_file(path, call_id="C1", parties=BOTH))
    assert caught.value.code == "asr.channel_mismatch"


def test_a_compressed_file_streams_in_small_blocks() -> None:
    frames = list(read_file(SPEECH, call_id="C1"))
    assert max(len(frame.samples) for frame in frames) <= SAMPLE_RATE_HZ
    assert len(joined(frames, Party.CITIZEN)) == round(12.4 * SAMPLE_RATE_HZ)


@pytest.mark.parametrize("content", [b"", b"this is no sound at all, only words" * 100])
def test_a_file_that_is_no_audio_is_named_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.wav"
    path.write_bytes(content)
    for attempt in (file_to_pcm, decode_file, parties_of):
        with pytest.raises(BadAudio, match=r"letter\.wav cannot be read as audio") as caught:
            attempt(path)
        assert caught.value.code == "asr.file_unreadable"


def test_a_missing_file_is_named_too(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match="gone"):
        file_to_pcm(tmp_path / "gone.wav")
