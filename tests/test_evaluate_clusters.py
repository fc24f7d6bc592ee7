"""The back-test over messages: what it reads, what it counts, what it refuses."""

import json
from pathlib import Path

import pytest

from scripts.call_data import BadData
from scripts.evaluate_clusters import Known, read_known, read_messages, report, run_trial, tables
from tests.cluster_parts import CRACKED, USUAL, ZONE, background, in_order, spread
from tests.test_clusters import embed


def test_known_matters_are_judged_by_their_groups_and_dates(tmp_path: Path) -> None:
    cracks = spread("cracks", CRACKED, 20, 6)
    messages = in_order(background(30), cracks)
    file = tmp_path / "timed.jsonl"
    rows = [
        {"id": one.report_id, "user": one.caller, "title": one.text, "time": f"{one.at:%Y-%m-%d %H:%M:%S}"}
        for one in reversed(messages)
    ]
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    ids = [one.report_id for one in cracks]
    issues = [{"issue": "墙体开裂", "ids": [*ids, "o3-1"]}, {"issue": "无", "ids": ["o1-1", "o9-2"]}]
    (tmp_path / "known_issues.json").write_text(json.dumps(issues), encoding="utf-8")
    read = read_messages(file, ZONE)
    assert [one.report_id for one in read] == [one.report_id for one in messages]
    heard: list[str] = []
    told = report(run_trial(read, embed, USUAL, heard.append), read_known(file))
    assert len(heard) == told["messages"] == len(messages)
    found, none = told["known"]
    assert found["recall"] == pytest.approx(18 / 19, abs=1e-3)
    assert (found["precision"], found["found"], found["group_size"]) == (1.0, 18, 18)
    assert found["heard"] <= 8
    assert found["raised_at"] <= found["eighth_at"]
    assert (none["raised_at"], none["heard"], none["eighth_at"], none["recall"]) == (None, None, None, 0.5)
    assert [one["issue"] for one in told["warnings"]] == ["墙体开裂"]
    assert [table.row_count for table in tables(told)] == [2, 1]


def test_files_that_are_something_else_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "timed.jsonl"
    for content in (b"\xff\xfe", b'{"id": "1"}', b"[]"):
        file.write_bytes(content)
        with pytest.raises(BadData, match="id, title, time and user"):
            read_messages(file, ZONE)
    row = '{"id": "1", "title": "a", "time": "2025-01-01 10:00:00", "user": null}\n'
    file.write_text(row * 2, encoding="utf-8")
    with pytest.raises(BadData, match="same id"):
        read_messages(file, ZONE)
    file.write_text("", encoding="utf-8")
    with pytest.raises(BadData, match="no message"):
        read_messages(file, ZONE)
    assert read_known(file) == []
    (tmp_path / "known_issues.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadData, match="list of issues"):
        read_known(file)
    file.write_text(row, encoding="utf-8")
    trial = run_trial(read_messages(file, ZONE), embed, USUAL, print)
    with pytest.raises(BadData, match="none of its messages"):
        report(trial, [Known(issue="x", ids=["2"])])
