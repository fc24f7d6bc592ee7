"""The second engine at its seam: what it makes of results, and what it says where it cannot be opened."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from asr.engines import open_engine
from asr.sherpa import SherpaOptions, SherpaTranscriber, is_sherpa_folder, open_sherpa
from asr.transcriber import WhisperOptions
from asr.types import AsrError, Hypothesis, Samples
from tests.asr_parts import loud


@dataclass
class FakeResult:
    text: str = ""
    tokens: Sequence[str] = ()
    timestamps: Sequence[float] = ()


@dataclass
class FakeStream:
    result: FakeResult = field(default_factory=FakeResult)
    heard: tuple[int, int] = (0, 0)

    def accept_waveform(self, sample_rate: int, waveform: Samples) -> None:
        self.heard = (sample_rate, len(waveform))


@dataclass
class FakeRecogniser:
    """Gives the results in the order in which the clips come."""

    results: list[FakeResult]
    batches: list[list[tuple[int, int]]] = field(default_factory=list)

    def create_stream(self) -> FakeStream:
        return FakeStream()

    def decode_streams(self, ss: list[FakeStream]) -> None:
        self.batches.append([stream.heard for stream in ss])
        for stream in ss:
            stream.result = self.results.pop(0)


def test_a_batch_goes_through_together_and_silence_not_at_all() -> None:
    recogniser = FakeRecogniser([FakeResult("我要投诉"), FakeResult(" 好的 ")])
    clips = [loud(1.0), np.zeros(0, dtype=np.float32), loud(0.5)]
    heard = SherpaTranscriber(recogniser).transcribe(clips, beam_size=5)
    assert [one.text for one in heard] == ["我要投诉", "", "好的"]
    assert recogniser.batches == [[(16_000, 16_000), (16_000, 8_000)]]
    assert heard[1].no_speech_prob == 1.0
    assert SherpaTranscriber(recogniser).transcribe([]) == []


@pytest.mark.parametrize("text", ["谢谢大家观看", "好" * 30])
def test_loops_and_credits_are_rejected(text: str) -> None:
    [heard] = SherpaTranscriber(FakeRecogniser([FakeResult(text)])).transcribe([loud(2.0)])
    assert heard == Hypothesis(text="", avg_logprob=0.0, no_speech_prob=0.0, is_rejected=True)


def test_tokens_become_words_where_their_times_are_told() -> None:
    timed = FakeResult("投诉", ["投", "诉"], [0.2, 0.5])
    untimed = FakeResult("投诉", ["投", "诉"], [])
    ears = SherpaTranscriber(FakeRecogniser([timed, untimed]))
    first, second = ears.transcribe([loud(1.0), loud(1.0)], word_times=True)
    assert [(w.text, w.start_s, w.end_s) for w in first.words] == [("投", 0.2, 0.5), ("诉", 0.5, 1.0)]
    assert second.words == ()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A package in the place of sherpa-onnx that notes how its models are opened."""
    calls: list[dict[str, Any]] = []

    class OfflineRecognizer:
        @classmethod
        def from_sense_voice(cls, **named: Any) -> FakeRecogniser:
            calls.append({"kind": "sense_voice", **named})
            return FakeRecogniser([FakeResult("喂")])

        @classmethod
        def from_paraformer(cls, **named: Any) -> FakeRecogniser:
            calls.append({"kind": "paraformer", **named})
            raise RuntimeError("Load model failed")

    package = ModuleType("sherpa_onnx")
    package.OfflineRecognizer = OfflineRecognizer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sherpa_onnx", package)
    return calls


def model_folder(parent: Path, name: str, *files: str) -> Path:
    folder = parent / name
    folder.mkdir()
    for file in files:
        (folder / file).touch()
    return folder


def test_a_folder_says_what_it_holds_and_how_it_is_opened(
    tmp_path: Path, opened: list[dict[str, Any]]
) -> None:
    folder = model_folder(
        tmp_path, "sherpa-onnx-sense-voice-zh", "tokens.txt", "model.onnx", "model.int8.onnx"
    )
    assert is_sherpa_folder(folder)
    ears = open_engine(folder, WhisperOptions(workers=3, threads=2))
    assert ears.workers == 3
    assert ears.transcribe([loud(0.5)])[0].text == "喂"
    assert opened == [
        {
            "kind": "sense_voice",
            "model": str(folder / "model.int8.onnx"),
            "tokens": str(folder / "tokens.txt"),
            "num_threads": 2,
            "provider": "cpu",
            "language": "zh",
            "use_itn": False,
        }
    ]


def test_what_cannot_be_opened_is_said_in_a_sentence(tmp_path: Path, opened: list[dict[str, Any]]) -> None:
    broken = model_folder(tmp_path, "paraformer-zh", "tokens.txt", "model.onnx")
    nameless = model_folder(tmp_path, "ears", "tokens.txt", "model.onnx")
    empty = model_folder(tmp_path, "paraformer-empty", "tokens.txt")
    tokenless = model_folder(tmp_path, "paraformer-mute", "model.onnx")
    for folder in (broken, nameless, empty, tokenless):
        with pytest.raises(AsrError) as caught:
            open_sherpa(folder, SherpaOptions())
        assert caught.value.code == "asr.bad_model"
    assert not is_sherpa_folder(empty)
    assert not is_sherpa_folder(tokenless)


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    folder = model_folder(tmp_path, "paraformer", "tokens.txt", "model.onnx")
    with pytest.raises(AsrError, match=r"pip install 'zhiting\[sherpa\]'") as caught:
        open_sherpa(folder)
    assert caught.value.code == "asr.engine_missing"
