"""A model with fewer words: what is kept, what stays the same, what is left alone."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from asr.recordings import decode_file
from asr.transcriber import WhisperOptions, WhisperTranscriber
from asr.trimming import Renumbered, trim_to_chinese
from asr.types import SAMPLE_RATE_HZ, Hypothesis, Party
from models.cache import resolve
from tests.asr_parts import SPEECH

ROOT = Path(__file__).parents[1]

CHINESE = [
    "你",
    "é",
    "ä½",
    "ł",
    "Ġapp",
    "12",
    "。".encode().decode("latin-1").replace("\x80", "Ģ").replace("\x82", "Ĥ"),
]
"""`ä½` begins a Chinese character; `é` and `ł` are single bytes."""
FOREIGN = ["Ġhello", "ê°Ģ", "Ð¿ÑĢÐ¸", "ãģ®"]
SPECIAL = ["<|endoftext|>", "<|startoftranscript|>", "<|zh|>"]
WORDS = [CHINESE[0].encode().decode("latin-1").replace("\xa0", "ł"), *CHINESE[1:], *FOREIGN, *SPECIAL]


def text(value: str) -> bytes:
    raw = value.encode() + b"\0"
    return struct.pack("<H", len(raw)) + raw


def variable(name: str, values: np.ndarray) -> bytes:  # type: ignore[type-arg]
    shape = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
    return text(name) + shape + struct.pack("<BI", 0, values.nbytes) + values.tobytes()


def write_model(folder: Path, binary_version: int = 6) -> None:
    table = np.arange(len(WORDS) * 2, dtype="<f4").reshape(-1, 2)
    other = np.arange(6, dtype="<f4").reshape(3, 2)
    (folder / "model.bin").write_bytes(
        struct.pack("<I", binary_version)
        + text("WhisperSpec")
        + struct.pack("<II", 3, 2)
        + variable("decoder/embeddings/weight", table)
        + variable("encoder/conv/weight", other)
        + struct.pack("<I", 1)
        + text("decoder/projection/weight")
        + text("decoder/embeddings/weight")
    )
    (folder / "vocabulary.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    ids = {
        "suppress_ids": [1, WORDS.index("Ġhello")],
        "lang_ids": [len(WORDS) - 1],
        "alignment_heads": [[0, 1]],
    }
    (folder / "config.json").write_text(json.dumps(ids), encoding="utf-8")


def test_words_of_other_scripts_go_and_everything_points_to_the_rest(tmp_path: Path) -> None:
    write_model(tmp_path)
    trimmed = trim_to_chinese(tmp_path)
    assert trimmed is not None
    kept = [word for word in WORDS if word not in FOREIGN]
    assert [WORDS[old] for old in trimmed.kept] == kept
    assert json.loads(trimmed.files["vocabulary.json"]) == kept
    config = json.loads(trimmed.files["config.json"])
    assert config == {"suppress_ids": [1], "lang_ids": [len(kept) - 1], "alignment_heads": [[0, 1]]}
    rows = np.arange(len(WORDS) * 2, dtype="<f4").reshape(-1, 2)[trimmed.kept]
    assert variable("decoder/embeddings/weight", rows) in trimmed.files["model.bin"]
    assert (
        variable("encoder/conv/weight", np.arange(6, dtype="<f4").reshape(3, 2)) in trimmed.files["model.bin"]
    )


def test_a_model_of_an_unknown_kind_is_left_as_it_is(tmp_path: Path) -> None:
    assert trim_to_chinese(tmp_path) is None
    write_model(tmp_path, binary_version=7)
    assert trim_to_chinese(tmp_path) is None


def test_the_old_numbers_go_in_and_come_out() -> None:
    class Model:
        device = "cpu"

        def generate(self, encoded, prompts, *, suppress_tokens, beam_size):  # type: ignore[no-untyped-def]
            assert (prompts, suppress_tokens, beam_size) == ([[2, 1]], [0], 5)
            return [type("Result", (), {"sequences_ids": [[0, 2]], "scores": [-0.5], "no_speech_prob": 0.1})]

        def align(self, encoded, start_sequence, text_tokens, num_frames, **options):  # type: ignore[no-untyped-def]
            return start_sequence, text_tokens, num_frames, options

    model = Renumbered(Model(), np.array([3, 5, 9]))
    decoded = model.generate(None, [[9, 5]], suppress_tokens=[3, 4], beam_size=5)[0]
    assert decoded.sequences_ids == [[3, 9]]
    assert (decoded.scores, decoded.no_speech_prob) == ([-0.5], 0.1)
    assert model.align(None, [9], [[3, 5]], 7, width=1) == ([2], [[0, 1]], 7, {"width": 1})
    assert 5 in model
    assert 4 not in model
    assert model.device == "cpu"


@pytest.mark.weights
def test_the_real_model_hears_the_same_with_fewer_words() -> None:
    folder = resolve("whisper-base", cache_dir=ROOT / "var" / "models", allow_hub=False)
    clip = decode_file(SPEECH)[Party.CITIZEN][: 8 * SAMPLE_RATE_HZ]
    heard = {
        vocabulary: WhisperTranscriber(
            folder, WhisperOptions(device="cpu", workers=1, threads=2, vocabulary=vocabulary)
        ).transcribe([clip], word_times=True)[0]
        for vocabulary in ("full", "chinese")
    }
    assert heard["full"].text == heard["chinese"].text
    assert len(heard["full"].text) > 20
    starts = [[word.start_s for word in each.words] for each in heard.values()]
    assert starts[0] == pytest.approx(starts[1], abs=0.05)


@pytest.mark.weights
def test_a_long_foreign_word_can_still_be_aligned() -> None:
    folder = resolve("whisper-base", cache_dir=ROOT / "var" / "models", allow_hub=False)
    whisper = WhisperTranscriber(folder, WhisperOptions(device="cpu", workers=1, threads=2))
    clip = decode_file(SPEECH)[Party.CITIZEN][: 8 * SAMPLE_RATE_HZ]
    text = "有information台"
    heard = Hypothesis(text=text, avg_logprob=-0.5, no_speech_prob=0.0)
    encoded = whisper._model.encode(np.stack([whisper._mel(clip, 10.0)]))
    aligned = whisper._with_words([heard], [clip], encoded)[0]
    assert "".join(word.text for word in aligned.words) == text
