"""The real encoder of voices, on calls whose legs are laid together and heard by the process that reads."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asr.batch.fingerprint import fingerprint
from asr.batch.reader import Reader
from asr.batch.speakers import middle_of
from asr.batch.types import FileFacts, ListeningOptions
from asr.recordings import file_to_pcm
from asr.transcriber import WhisperOptions
from asr.types import SAMPLE_RATE_HZ, Party, Utterance
from models.cache import resolve
from models.errors import MissingWeights
from scripts.call_data import read_calls
from scripts.turn_scores import Stretch, right_speakers
from tests.asr_parts import SPEECH
from tests.batch_files import wav
from tests.test_asr_whisper import ROOT

pytestmark = pytest.mark.weights
CALLS = ROOT / "scripts" / "demo"


@pytest.fixture(scope="module")
def voices() -> Path:
    try:
        return resolve("voices", cache_dir=ROOT / "var" / "models", allow_hub=False)
    except MissingWeights as problem:
        pytest.skip(problem.message)


@pytest.fixture
def reader(voices: Path) -> Iterator[Reader]:
    reader = Reader(ListeningOptions(channels="mono", voices=voices))
    yield reader
    reader.close()


def read(reader: Reader, path: Path) -> tuple[list[Utterance], FileFacts]:
    found: list[Utterance] = []
    utterances = reader.read(path, digest="d")
    while True:
        try:
            found.append(next(utterances))
        except StopIteration as end:
            return found, end.value


def test_prints_of_one_voice_are_alike_and_repeat(voices: Path) -> None:
    from asr.batch.voices import Voices

    legs = Reader(ListeningOptions())
    try:
        found, _ = read(legs, CALLS / "C064.ogg")
    finally:
        legs.close()
    encoder = Voices(voices)
    prints = {
        party: [
            encoder.prints(one.samples) for one in found if one.party is party and one.end_s - one.start_s > 2
        ]
        for party in (Party.CITIZEN, Party.OPERATOR)
    }
    citizens, operators = (np.stack([middle_of(one) for one in some]) for some in prints.values())
    assert float((citizens @ citizens.T).min()) > float((citizens @ operators.T).max())
    longest = max(found, key=lambda one: len(one.samples)).samples
    first = encoder.prints(longest)
    assert first.shape == (1 + (len(longest) // 160 + 1 - 160) // 40, 256)
    assert np.allclose(np.linalg.norm(first, axis=1), 1.0, atol=1e-5)
    assert np.array_equal(first, encoder.prints(longest))
    assert encoder.prints(longest[: SAMPLE_RATE_HZ // 3]).shape == (1, 256)


def test_two_who_take_over_from_each_other_are_told_apart(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    call = next(call for call in read_calls(CALLS) if call.call_id == "C055")
    assert call.recording is not None
    pcm = file_to_pcm(call.recording)
    mixed = pcm.samples.astype(np.int32).sum(axis=1, keepdims=True) // 2
    path.write_bytes(wav(mixed.astype(np.int16), pcm.sample_rate_hz))
    found, facts = read(reader, path)
    assert facts.utterances == len(found) == len(facts.speakers)
    stretches = [
        Stretch(one.start_s, one.end_s, speaker) for one, speaker in zip(found, facts.speakers, strict=True)
    ]
    share = right_speakers(call.turns, stretches)
    assert share.speech_s > 0.9 * sum(turn.end_s - turn.start_s for turn in call.turns)
    assert share.rate > 0.97
    whole, _ = read(Reader(ListeningOptions(channels="mono")), path)
    assert len(found) > len(whole)  # some were cut
    assert sum(len(one.samples) for one in found) == sum(len(one.samples) for one in whole)


@pytest.mark.parametrize("channel", [0, 1])
def test_one_who_speaks_alone_is_one(reader: Reader, tmp_path: Path, channel: int) -> None:
    path = tmp_path / "alone.wav"
    pcm = file_to_pcm(CALLS / "C064.ogg")
    path.write_bytes(wav(pcm.samples[:, channel : channel + 1], pcm.sample_rate_hz))
    _, facts = read(reader, path)
    assert len(facts.speakers) > 3
    assert set(facts.speakers) == {1}


def test_another_setting_is_another_fingerprint_and_another_place_is_not(
    voices: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    copied = tmp_path / "voices"
    copied.mkdir()
    for file in voices.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())

    def named(listening: ListeningOptions) -> str:
        return fingerprint(
            model, whisper=WhisperOptions(), listening=listening, beam_size=5, word_times=False
        )

    without, asked = ListeningOptions(), ListeningOptions(voices=voices)
    assert named(without) != named(asked) == named(replace(asked, voices=copied))
    (copied / "more").write_bytes(b"other weights")
    assert named(asked) != named(replace(asked, voices=copied))


def test_two_channels_keep_their_parties(voices: Path) -> None:
    reader = Reader(ListeningOptions(voices=voices))
    try:
        found, facts = read(reader, SPEECH)
    finally:
        reader.close()
    assert facts.speakers == ()
    assert len({utterance.party for utterance in found}) == 2
