"""The real model on real sound: what it hears, alone and in batches, and what it does with nonsense."""

from pathlib import Path

import numpy as np
import pytest

from asr.guard import is_loop
from asr.pool_options import PoolOptions
from asr.recordings import decode_file, read_file
from asr.stream import recognise_call
from asr.text import readable
from asr.transcriber import WhisperOptions, WhisperTranscriber, chosen_threads
from asr.types import SAMPLE_RATE_HZ, Party, Samples
from asr.vad import SileroDetector
from asr.worker import RecognitionPool
from models.cache import resolve
from tests.asr_parts import SPEECH, SPEECH_TEXT, quiet

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def whisper() -> WhisperTranscriber:
    folder = resolve("whisper-base", cache_dir=ROOT / "var" / "models", allow_hub=False)
    return WhisperTranscriber(folder, WhisperOptions(device="cpu", workers=2, threads=1))


@pytest.fixture(scope="module")
def clips() -> dict[Party, Samples]:
    legs = decode_file(SPEECH)
    return {
        Party.CITIZEN: legs[Party.CITIZEN][: 8 * SAMPLE_RATE_HZ],
        Party.OPERATOR: legs[Party.OPERATOR][round(8.3 * SAMPLE_RATE_HZ) : round(12.2 * SAMPLE_RATE_HZ)],
    }


def bare(text: str) -> str:
    return "".join(character for character in readable(text, is_final=False) if character.isalnum())


def error_rate(reference: str, heard: str) -> float:
    """Characters to change, per character of the reference (Levenshtein)."""
    wanted, got = bare(reference), bare(heard)
    row = list(range(len(got) + 1))
    for i, w in enumerate(wanted, 1):
        last, row[0] = row[0], i
        for j, g in enumerate(got, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (w != g))
    return row[-1] / len(wanted)


def test_it_hears_real_speech_in_a_batch_as_well_as_alone(
    whisper: WhisperTranscriber, clips: dict[Party, Samples]
) -> None:
    together = whisper.transcribe(list(clips.values()), beam_size=5)
    for (party, clip), hypothesis in zip(clips.items(), together, strict=True):
        alone = whisper.transcribe([clip], beam_size=5)[0]
        for heard in (hypothesis, alone):
            assert error_rate(SPEECH_TEXT[party], heard.text) < 0.3
            assert -1.0 < heard.avg_logprob < 0.0
            assert heard.no_speech_prob < 0.5
            assert not heard.is_rejected


def test_words_have_their_time_within_the_clip(
    whisper: WhisperTranscriber, clips: dict[Party, Samples]
) -> None:
    clip = clips[Party.CITIZEN]
    hypothesis = whisper.transcribe([clip], word_times=True)[0]
    assert "".join(word.text for word in hypothesis.words).strip() == hypothesis.text
    starts = [word.start_s for word in hypothesis.words]
    assert starts == sorted(starts)
    assert all(0.0 <= word.start_s <= word.end_s <= 8.0 for word in hypothesis.words)
    assert max(starts) > 6.5


@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "nothing"])
def test_sound_without_speech_gives_no_loop_and_no_credits(whisper: WhisperTranscriber, kind: str) -> None:
    seconds = np.arange(4 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    sound = {
        "silence": quiet(4.0),
        "noise": np.random.default_rng(1).normal(0, 0.05, len(seconds)).astype(np.float32),
        "hum": (0.2 * np.sin(2 * np.pi * 450 * seconds)).astype(np.float32),
        "nothing": quiet(0.0),
    }[kind]
    assert len(whisper.transcribe([sound], beam_size=1, retry=False)[0].text) <= 12
    hypothesis = whisper.transcribe([sound], beam_size=1)[0]  # may have been drawn by lot
    assert not is_loop(hypothesis.text, len(sound) / SAMPLE_RATE_HZ)
    assert "字幕" not in hypothesis.text


def test_a_clip_longer_than_the_window_is_refused(whisper: WhisperTranscriber) -> None:
    with pytest.raises(ValueError, match=r"30\.5 s"):
        whisper.transcribe([quiet(30.5)])


async def test_a_recording_becomes_a_transcript(whisper: WhisperTranscriber) -> None:
    async def frames():  # type: ignore[no-untyped-def]
        for frame in read_file(SPEECH, call_id="C1"):
            yield frame

    async with RecognitionPool(whisper, PoolOptions(workers=2)) as pool:
        segments = [
            segment
            async for segment in recognise_call(frames(), pool=pool, detector=SileroDetector())
            if segment.is_final
        ]
    for party, reference in SPEECH_TEXT.items():
        heard = "".join(segment.text for segment in segments if segment.party is party)
        assert error_rate(reference, heard) < 0.3
        assert heard[-1] in "。？！"


def test_threads_are_chosen_by_the_machine() -> None:
    assert chosen_threads(1) == (1, 1)
    assert chosen_threads(2) == (2, 1)
    assert chosen_threads(16) == (8, 2)
    assert chosen_threads(64) == (8, 2)
