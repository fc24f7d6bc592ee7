"""The detector keeps its memory between windows, and one model serves many legs."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from asr.recordings import decode_file
from asr.types import Party, Samples
from asr.vad import WINDOW, SileroDetector
from tests.asr_parts import SPEECH, quiet


@pytest.fixture(scope="module")
def detector() -> SileroDetector:
    return SileroDetector()


@pytest.fixture(scope="module")
def speech() -> Samples:
    citizen = decode_file(SPEECH)[Party.CITIZEN]
    return citizen[: len(citizen) // WINDOW * WINDOW]


def test_windows_in_any_grouping_are_judged_alike(detector: SileroDetector, speech: Samples) -> None:
    at_once = detector.new_leg().detect(speech)
    leg, pieces, at = detector.new_leg(), [], 0
    for windows in [1, 1, 7, 0, 30, 2, 1000]:
        pieces.append(leg.detect(speech[at : at + windows * WINDOW]))
        at += windows * WINDOW
    np.testing.assert_allclose(np.concatenate(pieces), at_once, atol=1e-5)


def test_it_tells_speech_from_the_pause_after_it(detector: SileroDetector, speech: Samples) -> None:
    heard = detector.new_leg().detect(speech)
    talking, waiting = heard[: round(7.5 / 0.032)], heard[round(8.4 / 0.032) :]
    assert np.mean(talking > 0.5) > 0.85
    assert np.mean(waiting > 0.5) < 0.05


def test_legs_on_several_threads_do_not_disturb_each_other(detector: SileroDetector, speech: Samples) -> None:
    alone = detector.new_leg().detect(speech)

    def listen() -> np.ndarray:
        leg = detector.new_leg()
        return np.concatenate([leg.detect(block) for block in np.split(speech, len(speech) // WINDOW)])

    with ThreadPoolExecutor(4) as threads:
        for heard in threads.map(lambda _: listen(), range(4)):
            np.testing.assert_allclose(heard, alone, atol=1e-5)


def test_reset_forgets(detector: SileroDetector, speech: Samples) -> None:
    leg = detector.new_leg()
    first = leg.detect(speech[: 20 * WINDOW])
    leg.reset()
    np.testing.assert_array_equal(leg.detect(speech[: 20 * WINDOW]), first)


def test_half_a_window_is_refused(detector: SileroDetector) -> None:
    with pytest.raises(ValueError, match="whole windows"):
        detector.new_leg().detect(quiet(0.05))
