"""Folders of references: what is read, and what is refused with which sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from asr.types import Party
from scripts.call_data import BadData, read_calls, with_recordings
from scripts.demo_calls import demo_calls

TURN = {"speaker": "citizen", "text": "路灯坏了", "start": 1.0, "end": 2.5, "relevant_topics": ["A1"]}
CALL = {"call_id": "c-1", "channels": ["citizen", "operator"], "seconds": 10.0, "turns": [TURN]}


def write(folder: Path, name: str = "c-1", **changes: Any) -> None:
    (folder / f"{name}.json").write_text(json.dumps(CALL | changes), encoding="utf-8")


def test_the_bundled_calls_are_read_with_their_recordings() -> None:
    paths = [path for path, _ in demo_calls()]
    calls = read_calls(paths[0].parent)
    assert [recording for _, recording in with_recordings(calls)] == paths
    assert all(call.parties == (Party.CITIZEN, Party.OPERATOR) for call in calls)
    assert all(call.turns[-1].end_s <= call.seconds for call in calls)
    assert any(turn.relevant_topics for call in calls for turn in call.turns if turn.is_citizens)


def test_turns_come_in_order_and_work_orders_are_ignored(tmp_path: Path) -> None:
    later = TURN | {"speaker": "operator", "text": "请讲", "start": 0.0, "end": 0.8}
    write(tmp_path, turns=[TURN, later], work_order={"address": "……"})
    (call,) = read_calls(tmp_path)
    assert [turn.text for turn in call.turns] == ["请讲", "路灯坏了"]
    assert call.turns[1].relevant_topics == {"A1"}
    assert call.text_of(Party.CITIZEN) == "路灯坏了"
    assert call.text_of(Party.MIXED) == "请讲 路灯坏了"
    assert call.recording is None


def test_a_manifest_of_read_speech_is_one_mixed_turn_per_file(tmp_path: Path) -> None:
    (tmp_path / "one.flac").write_bytes(b"")
    rows = '{"file": "one.flac", "text": "经法院确认", "seconds": 5.01, "sample_rate": 16000}\n\n'
    (tmp_path / "manifest.jsonl").write_text(rows, encoding="utf-8")
    (call,) = read_calls(tmp_path)
    assert (call.call_id, call.parties, call.seconds) == ("one.flac", (Party.MIXED,), 5.01)
    assert call.turns[0].party is Party.MIXED
    assert call.recording == tmp_path / "one.flac"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"turns": []}, "c-1.json, turns: "),
        ({"call_id": ""}, "c-1.json, call_id: "),
        ({"channels": ["left"]}, "c-1.json, channels.0: "),
        ({"seconds": 0}, "c-1.json, seconds: "),
        ({"turns": [TURN | {"start": "soon"}]}, "c-1.json, turns.0.start: "),
        ({"turns": [TURN | {"end": 1.0}]}, "the turn at 1.0 s ends before it begins"),
        ({"channels": ["operator"]}, "a turn of the citizen has no channel"),
    ],
)
def test_a_bad_reference_is_named(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    write(tmp_path, **changes)
    with pytest.raises(BadData) as caught:
        read_calls(tmp_path)
    assert sentence in caught.value.message


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "half.json").write_text('{"call_id": "c-1", ', encoding="utf-8")
    with pytest.raises(BadData, match=r"^half\.json: Invalid JSON"):
        read_calls(tmp_path)


def test_the_same_call_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "one")
    write(tmp_path, "two")
    with pytest.raises(BadData, match="c-1 stands twice"):
        read_calls(tmp_path)


def test_no_folder_and_an_empty_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="is not a folder"):
        read_calls(tmp_path / "nowhere")
    with pytest.raises(BadData, match=r"holds neither NAME\.json references nor a manifest\.jsonl"):
        read_calls(tmp_path)


def test_no_call_is_left_out_for_want_of_a_recording(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(BadData, match="c-1 has no recording"):
        with_recordings(read_calls(tmp_path))


def test_a_manifest_names_the_line_and_the_missing_file(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text('{"file": "a.flac", "text": "", "seconds": 1}', encoding="utf-8")
    with pytest.raises(BadData, match=r"manifest\.jsonl, line 1: there is no file a\.flac"):
        read_calls(tmp_path)
