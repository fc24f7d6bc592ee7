"""Nonsense is kept out: no text from lines on which nobody speaks, no text that no voice could have said."""

from dataclasses import replace

import numpy as np
import pytest

from asr.guard import is_invented, is_unclear
from asr.leg import Leg
from asr.segmenter import SegmenterOptions
from asr.types import AudioFrame, Hypothesis, Party
from asr.vad import SileroDetector
from scripts.line_sounds import SOUNDS, make_sound
from tests.asr_parts import utterance


def heard(text: str, *, logprob: float = -0.3, no_speech: float = 0.1) -> Hypothesis:
    return Hypothesis(text=text, avg_logprob=logprob, no_speech_prob=no_speech)


@pytest.mark.parametrize("gain", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("name", SOUNDS)
def test_nothing_on_the_line_is_taken_for_speech(name: str, gain: float) -> None:
    leg = Leg(
        call_id="C1", party=Party.MIXED, detector=SileroDetector().new_leg(), options=SegmenterOptions()
    )
    sound = np.clip(gain * make_sound(name, 20.0, seed=3), -1.0, 1.0).astype(np.float32)
    frame = AudioFrame(call_id="C1", party=Party.MIXED, start_s=0.0, samples=sound)
    assert leg.listen([frame]) + leg.finish() == []


def test_more_characters_than_can_be_spoken_are_invented() -> None:
    short = replace(utterance(0.7), voiced_s=0.1)
    assert is_invented(heard("不 不 不 不 不"), short)
    assert not is_invented(heard("喂"), short)
    assert not is_invented(heard("好的好的没问题"), replace(short, voiced_s=0.7))


def test_a_short_noise_that_the_model_takes_for_silence_is_invented() -> None:
    short, long = replace(utterance(0.8), voiced_s=0.3), replace(utterance(3.0), voiced_s=2.5)
    assert is_invented(heard("嗯", no_speech=0.7), short)
    assert not is_invented(heard("嗯", no_speech=0.5), short)
    assert not is_invented(heard("他说要等几天", no_speech=0.7), long)
    assert is_invented(heard("他说要等几天", no_speech=0.9), long)


def test_a_poor_guess_is_unclear_and_nothing_is_not() -> None:
    assert is_unclear(heard("出示体验", logprob=-0.8))
    assert not is_unclear(heard("公积金", logprob=-0.4))
    assert not is_unclear(heard("", logprob=-2.0))
