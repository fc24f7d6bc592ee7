"""Scores of what was heard, and hearing itself: the real model on a short piece of a call."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from asr.recordings import file_to_pcm
from asr.transcriber import WhisperOptions
from asr.types import AsrError, Party, Segment
from models.cache import resolve
from scripts.call_data import ReferenceCall, Turn
from scripts.evaluate_asr import report, score_call, table
from scripts.transcripts import EarSettings, TranscriptCache, transcribe_calls
from tests.asr_parts import SPEECH, SPEECH_TEXT
from tests.call_parts import segment

ROOT = Path(__file__).parents[1]
CITIZEN, OPERATOR, MIXED = Party.CITIZEN, Party.OPERATOR, Party.MIXED


def call(*said: tuple[Party, str], parties: tuple[Party, ...] = (CITIZEN, OPERATOR)) -> ReferenceCall:
    turns = tuple(
        Turn(party=party, start_s=2.0 * number, end_s=2.0 * number + 1.5, text=text)
        for number, (party, text) in enumerate(said)
    )
    return ReferenceCall(call_id="c-1", parties=parties, seconds=60.0, turns=turns, recording=None)


def heard(*texts: tuple[Party, str]) -> list[Segment]:
    return [
        segment(number, text, party=party, start_s=2.0 * number, end_s=2.0 * number + 1.5)
        for number, (party, text) in enumerate(texts)
    ]


EXAMPLE = call((OPERATOR, "您好，请讲。"), (CITIZEN, "环城南路两百一十六号，"), (CITIZEN, "路灯坏了。"))


def test_legs_are_scored_apart_and_pooled_by_characters() -> None:
    score = score_call(
        EXAMPLE, heard((OPERATOR, "你好请讲"), (CITIZEN, "环城南路216号"), (CITIZEN, "路灯坏了"))
    )
    assert (score.by_party[OPERATOR].edits, score.by_party[OPERATOR].characters) == (1, 4)
    assert (score.by_party[CITIZEN].edits, score.by_party[CITIZEN].characters) == (0, 12)
    assert score.total.rate == pytest.approx(1 / 16)


def test_where_an_utterance_was_cut_does_not_matter_even_within_a_number() -> None:
    whole = heard((OPERATOR, "您好请讲"), (CITIZEN, "环城南路两百一十六号路灯坏了"))
    cut = heard(
        (OPERATOR, "您好"), (OPERATOR, "请讲"), (CITIZEN, "环城南路两百"), (CITIZEN, "一十六号路灯坏了")
    )
    shuffled = list(reversed(cut))
    for segments in (whole, cut, shuffled):
        assert score_call(EXAMPLE, segments).total.edits == 0


def test_the_right_words_on_the_wrong_leg_are_wrong() -> None:
    score = score_call(EXAMPLE, heard((OPERATOR, "您好请讲路灯坏了"), (CITIZEN, "环城南路216号")))
    assert score.by_party[OPERATOR].insertions == 4
    assert score.by_party[CITIZEN].deletions == 4


def test_a_mixed_leg_is_held_against_what_everybody_said() -> None:
    mixed = replace(EXAMPLE, parties=(MIXED,))
    score = score_call(mixed, heard((MIXED, "您好请讲环城南路216号"), (MIXED, "路灯坏了")))
    assert score.total.edits == 0
    assert list(score.by_party) == [MIXED]


def test_nothing_heard_is_all_lost() -> None:
    assert score_call(EXAMPLE, []).total.rate == 1.0


def test_the_report_pools_calls_and_can_be_written_as_json() -> None:
    right = score_call(EXAMPLE, heard((OPERATOR, "您好请讲"), (CITIZEN, "环城南路216号路灯坏了")))
    deaf = score_call(replace(EXAMPLE, call_id="c-2"), heard((OPERATOR, "您好请讲")))
    told = json.loads(json.dumps(report([right, deaf], x_realtime=None, settings={"model": "m"})))
    assert told["cer"] == pytest.approx(12 / 32)
    assert told["cer_by_party"] == {"citizen": pytest.approx(12 / 24), "operator": 0.0}
    assert [row["call_id"] for row in told["calls"]] == ["c-1", "c-2"]
    assert told["calls"][1]["cer"] == pytest.approx(12 / 16)
    assert (told["characters"], told["deletions"], told["seconds"]) == (32, 12, 120.0)
    assert (told["x_realtime"], told["settings"]) == (None, {"model": "m"})


def test_the_table_shows_each_call_and_the_total() -> None:
    out = StringIO()
    Console(width=80, file=out).print(table([score_call(EXAMPLE, heard((OPERATOR, "您好请讲")))]))
    text = out.getvalue()
    assert "c-1" in text
    assert "0.7500" in text
    assert "all 1" in text


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"one")
    return folder


def test_what_is_remembered_depends_on_all_that_decides_it(tmp_path: Path, weights: Path) -> None:
    recording = tmp_path / "c-1.wav"
    recording.write_bytes(b"sound")
    settings = EarSettings(model="m", folder=weights)

    def place(settings: EarSettings = settings, call: ReferenceCall = EXAMPLE) -> Path:
        return TranscriptCache(tmp_path / "cache", settings).place(call, recording)

    first = place()
    assert place() == first
    others = [
        place(settings=replace(settings, beam_size=1)),
        place(settings=replace(settings, whisper=WhisperOptions(pad_s=3.0))),
        place(call=replace(EXAMPLE, parties=(MIXED,))),
    ]
    (weights / "model.bin").write_bytes(b"two")
    others.append(place())
    recording.write_bytes(b"other sound")
    others.append(place())
    assert len({first, *others}) == 6


def test_segments_come_back_as_they_were_and_a_broken_file_is_none(tmp_path: Path, weights: Path) -> None:
    cache = TranscriptCache(tmp_path / "cache", EarSettings(model="m", folder=weights))
    place = tmp_path / "cache" / "one.json"
    segments = tuple(heard((CITIZEN, "路灯坏了"), (OPERATOR, "请讲")))
    assert cache.read(place) is None
    cache.write(place, segments)
    assert cache.read(place) == segments
    place.write_bytes(place.read_bytes()[:-20])
    assert cache.read(place) is None


@pytest.fixture(scope="module")
def ears() -> EarSettings:
    folder = resolve("whisper-base", cache_dir=ROOT / "var" / "models", allow_hub=False)
    return EarSettings(
        model="whisper-base", folder=folder, whisper=WhisperOptions(device="cpu", workers=2, threads=1)
    )


def spoken_call(call_id: str, recording: Path) -> ReferenceCall:
    said = call(*SPEECH_TEXT.items())
    return replace(said, call_id=call_id, recording=recording, seconds=file_to_pcm(SPEECH).seconds)


@pytest.mark.weights
async def test_the_real_ears_hear_a_call_and_remember_it(ears: EarSettings, tmp_path: Path) -> None:
    calls = [spoken_call("c-1", SPEECH), spoken_call("c-2", SPEECH)]
    told: list[str] = []
    first = await transcribe_calls(calls, ears, tmp_path, on_done=told.append)
    assert sorted(told) == ["c-1", "c-2"]
    assert first.heard_calls == 2
    assert first.x_realtime is not None
    texts = [[each.text for each in first.segments[name]] for name in ("c-1", "c-2")]
    assert texts[0] == texts[1]  # what is heard beside it changes nothing
    total = score_call(calls[0], first.segments["c-1"]).total
    assert total.rate is not None
    assert total.rate < 0.35
    ends = [each.end_s for each in first.segments["c-1"]]
    assert ends == sorted(ends)

    again = await transcribe_calls(calls, ears, tmp_path)
    assert again.segments == first.segments
    assert (again.heard_calls, again.x_realtime) == (0, None)


@pytest.mark.weights
async def test_a_recording_that_cannot_be_heard_fails_the_whole(ears: EarSettings, tmp_path: Path) -> None:
    broken = tmp_path / "c-2.wav"
    broken.write_bytes(b"no sound at all")
    calls = [spoken_call("c-1", SPEECH), spoken_call("c-2", broken)]
    with pytest.raises(AsrError, match=r"c-2\.wav"):
        await transcribe_calls(calls, ears, tmp_path / "cache")
