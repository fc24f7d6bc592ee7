"""One leg repeats the other, later and quieter: that is no speech. Two who speak at once are."""

import numpy as np
import pytest

from asr.crosstalk import LeakOptions, Trace, without_leaks
from asr.leg import Heard, Leg, listen_together
from asr.recordings import decode_file
from asr.segmenter import SegmenterOptions
from asr.types import SAMPLE_RATE_HZ, Party, Samples, Utterance
from asr.vad import WINDOW, SileroDetector
from scripts.line_sounds import make_sound
from tests.asr_parts import SPEECH, cut_into_frames


def voice(seconds: float, seed: int) -> Samples:
    """Something as changeable as a voice."""
    rng = np.random.default_rng(seed)
    pieces = [
        rng.uniform(0.02, 0.2) * rng.standard_normal(800)
        for _ in range(round(seconds * SAMPLE_RATE_HZ / 800))
    ]
    return np.concatenate(pieces).astype(np.float32)


def cleared(own: Samples, other: Samples) -> float:
    """Which share of the windows is taken for a leak, heard in blocks of three."""
    mine, theirs, gone = Trace(), Trace(), 0
    step = 3 * WINDOW
    blocks = len(own) // step
    for start in range(0, blocks * step, step):
        mine.add(start, own[start : start + step])
        theirs.add(start, other[start : start + step])
        chances = np.full(3, 0.9, dtype=np.float32)
        gone += int(np.sum(without_leaks(mine, [theirs], start, chances, LeakOptions()) == 0))
    return gone / (3 * blocks)


@pytest.mark.parametrize("loss_db", [20, 25, 30])
@pytest.mark.parametrize("delay_s", [0.0, 0.045, 0.2])
def test_a_quiet_late_copy_is_a_leak(loss_db: float, delay_s: float) -> None:
    source = voice(4.0, seed=1)
    delay = round(delay_s * SAMPLE_RATE_HZ)
    copy = 10 ** (-loss_db / 20) * np.concatenate([np.zeros(delay, dtype=np.float32), source])
    noise = 0.0005 * np.random.default_rng(2).standard_normal(len(source))
    assert cleared((copy[: len(source)] + noise).astype(np.float32), source) > 0.9


def test_somebody_else_however_soft_is_not() -> None:
    assert cleared(0.03 * voice(4.0, seed=3), voice(4.0, seed=4)) < 0.02


def test_a_copy_as_loud_as_its_source_is_left_alone() -> None:
    source = voice(2.0, seed=5)
    assert cleared(0.8 * source, source) == 0.0


def test_silence_on_either_leg_is_no_leak() -> None:
    quiet = np.zeros(32 * WINDOW, dtype=np.float32)
    assert cleared(quiet, voice(1.0, seed=6)) == 0.0
    assert cleared(voice(1.0, seed=6), quiet) == 0.0


def test_time_that_was_left_out_is_silence() -> None:
    trace = Trace()
    trace.add(0, np.ones(WINDOW, dtype=np.float32))
    trace.add(2 * WINDOW, np.full(WINDOW, 2.0, dtype=np.float32))
    assert trace.end == 3 * WINDOW
    assert [float(trace.before(end * WINDOW, WINDOW)[0]) for end in (1, 2, 3, 4)] == [1.0, 0.0, 2.0, 0.0]


def listened(legs: dict[Party, Samples], detector: SileroDetector) -> dict[Party, list[Utterance]]:
    ears = {
        party: Leg(call_id="C1", party=party, detector=detector.new_leg(), options=SegmenterOptions())
        for party in legs
    }
    found: dict[Party, list[Utterance]] = {party: [] for party in legs}
    frames = {party: cut_into_frames(samples, party=party) for party, samples in legs.items()}
    for block in zip(*frames.values(), strict=True):
        given = listen_together([Heard(leg=ears[frame.party], frames=[frame]) for frame in block])
        for frame, utterances in zip(block, given, strict=True):
            found[frame.party] += [one for one in utterances if one.is_closed]
    for party, ear in ears.items():
        found[party] += ear.finish([other.trace for other in ears.values() if other is not ear])
    return found


@pytest.mark.parametrize("loss_db", [25, 30, 35])
def test_a_leaking_call_has_the_utterances_of_a_clean_one(loss_db: float) -> None:
    detector = SileroDetector()
    clean = decode_file(SPEECH)
    length = min(map(len, clean.values()))
    clean = {party: samples[:length] for party, samples in clean.items()}
    gain = 10 ** (-loss_db / 20)
    delayed = round(0.06 * SAMPLE_RATE_HZ)
    legs = {}
    for party, other in ((Party.CITIZEN, Party.OPERATOR), (Party.OPERATOR, Party.CITIZEN)):
        leak = np.concatenate([np.zeros(delayed, dtype=np.float32), clean[other]])[:length]
        hiss = make_sound("silence", length / SAMPLE_RATE_HZ, seed=len(party))
        legs[party] = (clean[party] + gain * leak + np.resize(hiss, length)).astype(np.float32)
    expected, found = listened(clean, detector), listened(legs, detector)
    for party in clean:
        assert len(found[party]) == len(expected[party])
        for one, other_one in zip(found[party], expected[party], strict=True):
            assert one.start_s == pytest.approx(other_one.start_s, abs=0.2)
            assert one.end_s == pytest.approx(other_one.end_s, abs=0.2)
