"""Settings that change while calls run: their ranges, their file, who sees which state of it."""

import json
import logging
import threading
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_ui.settings import Settings
from agent_ui.tuning import KNOBS, BadSetting, Tuning, checked, defaults_of, differences
from agent_ui.tuning_file import FILE_NAME, SettingsChanged, TuningFile, fault_of
from calls.keeping.types import Policy, Term

AT = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)


def settings(**changes: object) -> Settings:
    return Settings(_env_file=None, max_calls=16, **changes)  # type: ignore[call-arg, arg-type]


DEFAULTS = defaults_of(settings())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


def test_every_setting_is_described_once() -> None:
    assert sorted(knob.name for knob in KNOBS) == sorted(field.name for field in fields(Tuning))
    for knob in KNOBS:
        kind = type(getattr(DEFAULTS, knob.name))
        assert kind is {"number": float, "whole": int, "switch": bool, "terms": str}[knob.kind], knob.name
        if knob.kind in ("number", "whole"):
            assert knob.least is not None
            assert knob.most is not None
            for value in (knob.least, knob.most):
                assert checked(knob.name, value, DEFAULTS) == value


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("enter_score", 0.95, "「推荐卡片的把握」须是 0.1 到 0.9 之间的数。"),
        ("max_calls", 0, "「同时通话的上限」须是 1 到 500 路之间的整数。"),
        ("max_calls", 2.5, "整数"),
        ("max_calls", True, "整数"),
        ("max_calls", "16", "整数"),
        ("least_s", float("nan"), "0 到 60 秒"),
        ("lost_after_s", float("inf"), "0 到 600 秒"),
        ("beam_size", [5], "识别的细致程度"),
        ("kb_review", 1, "「知识须由他人审核」只能是开或关。"),
        ("keep_fillers", "yes", "只能是开或关"),
        ("token", "x", "没有名为「token」的设置。"),
        ("of_cards", 1, "没有名为"),
        ("audio_days", -1, "「录音保存的天数」须是 0 到 36500 天之间的整数。"),
        ("days_by_kind", 30, "填得不对"),
        ("days_by_kind", "举报", "“举报”读不懂"),
        ("days_by_kind", "举报 1/2；举报 3/4", "“举报 3/4”读不懂，或与另一处重复"),
        ("days_by_kind", "举报 1825/3650，咨询 30/90", "读不懂"),
        ("days_by_kind", "举报 1/36501", "读不懂"),
        ("days_by_kind", "举" * 3000, "填得不对"),
    ],
)
def test_what_cannot_be_set_is_told_in_a_sentence(name: str, value: object, says: str) -> None:
    with pytest.raises(BadSetting) as refused:
        checked(name, value, DEFAULTS)
    assert says in refused.value.message


def test_the_range_reaches_to_what_the_environment_says() -> None:
    wide = defaults_of(settings(lost_after_s=3600.0))
    assert checked("lost_after_s", 3600, wide) == 3600.0
    with pytest.raises(BadSetting):
        checked("lost_after_s", 3601, wide)
    with pytest.raises(BadSetting):
        checked("lost_after_s", 3600, DEFAULTS)


def test_those_who_go_by_it_get_their_options() -> None:
    tuning = replace(DEFAULTS, enter_score=0.6, max_calls=2, beam_size=1, min_free_mb=5)
    assert (tuning.of_cards.enter_score, tuning.of_cards.beside_score) == (0.6, 0.6)
    assert (tuning.of_ears.max_calls, tuning.of_ears.final_beam) == (2, 1)
    calls = tuning.of_calls(settings(resumable_s=7.0))
    assert (calls.max_calls, calls.min_free_bytes, calls.resumable_s) == (2, 5_000_000, 7.0)


def test_days_are_kept_by_kind_as_a_person_types_them(path: Path) -> None:
    environment = settings(days_by_kind={"举报": {"audio_days": 1825, "transcript_days": 3650}})
    defaults = defaults_of(environment)
    assert defaults.days_by_kind == "举报 1825/3650"
    assert defaults.of_keeping == environment.retention()
    file = TuningFile(path, defaults)
    wished = {"days_by_kind": "非警情 求助 ３０／0；咨询 30 / 90;\n", "audio_days": 180}
    before, kept = file.change(wished, by="chief", at=AT)
    assert differences(before, kept.now) == (
        "audio_days 0→180，days_by_kind “举报 1825/3650”→“咨询 30/90；非警情 求助 30/0”"
    )
    policy = TuningFile(path, defaults).now.of_keeping
    assert policy == Policy(
        usual=Term(audio_days=180),
        by_kind={
            "咨询": Term(audio_days=30, transcript_days=90),
            "非警情 求助": Term(audio_days=30),
        },
    )
    file.change({"days_by_kind": ""}, by="chief", at=AT)
    assert TuningFile(path, defaults).now.of_keeping.by_kind == {}
    with pytest.raises(ValueError, match="no name of a kind"):
        settings(days_by_kind={"举报；": {}})


def test_what_was_set_survives_a_restart_and_goes_back_to_the_default(path: Path) -> None:
    file = TuningFile(path, DEFAULTS)
    untouched = file.kept.mark
    before, kept = file.change({"max_calls": 4, "kb_review": True, "enter_score": 0.4}, by="chief", at=AT)
    assert differences(before, kept.now) == "max_calls 16→4，kb_review 关→开"
    again = TuningFile(path, DEFAULTS)
    assert again.now == file.now == replace(DEFAULTS, max_calls=4, kb_review=True)
    assert again.kept.mark == kept.mark != untouched
    assert again.kept.changes["max_calls"].changed_by == "chief"
    assert again.kept.changes["max_calls"].changed_at == AT
    assert "enter_score" not in again.kept.changes  # it was the default already
    again.change({"max_calls": None, "kb_review": False}, by="li", at=AT)
    assert again.now == DEFAULTS
    assert again.kept.changes == {}
    assert again.kept.mark == untouched


def test_the_same_value_again_stays_its_first_authors(path: Path) -> None:
    file = TuningFile(path, DEFAULTS)
    file.change({"max_calls": 4}, by="chief", at=AT)
    mark = file.kept.mark
    file.change({"max_calls": 4}, by="li", at=AT)
    assert file.kept.changes["max_calls"].changed_by == "chief"
    assert file.kept.mark == mark


def test_one_bad_value_changes_nothing_at_all(path: Path) -> None:
    file = TuningFile(path, DEFAULTS)
    with pytest.raises(BadSetting):
        file.change({"max_calls": 4, "beam_size": 11}, by="chief", at=AT)
    assert file.now == DEFAULTS
    assert not path.exists()


def test_a_new_default_of_the_environment_holds_where_nobody_set_anything(path: Path) -> None:
    TuningFile(path, DEFAULTS).change({"max_calls": 4}, by="chief", at=AT)
    other = defaults_of(settings(lost_after_s=5.0, keep_fillers=False))
    assert TuningFile(path, other).now == replace(other, max_calls=4)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"changes": []}', b'{"changes": {"max_calls": 4}}']
)
def test_a_broken_file_is_reported_and_the_defaults_hold(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        file = TuningFile(path, DEFAULTS)
    assert file.now == DEFAULTS
    assert not file.is_readable
    assert "tuning.json cannot be read" in caplog.text
    file.change({"max_calls": 4}, by="chief", at=AT)
    assert file.is_readable
    assert TuningFile(path, DEFAULTS).now.max_calls == 4


def test_what_cannot_be_in_the_file_is_left_out_and_the_rest_holds(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    by = {"changed_by": "chief", "changed_at": AT.isoformat()}
    changes = {"max_calls": {"value": 4} | by, "beam_size": {"value": 99} | by, "gone": {"value": 1} | by}
    path.write_text(json.dumps({"changes": changes}), encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        file = TuningFile(path, DEFAULTS)
    assert file.now == replace(DEFAULTS, max_calls=4)
    assert not file.is_readable
    assert "beam_size" in caplog.text
    assert "gone" in caplog.text
    file.change({}, by="chief", at=AT)  # saving puts the file right
    assert TuningFile(path, DEFAULTS).is_readable


def test_a_file_that_changes_is_read_again_and_one_that_turned_bad_is_not(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = TuningFile(path, DEFAULTS)
    TuningFile(path, DEFAULTS).change({"max_calls": 4}, by="chief", at=AT)
    assert file.now == DEFAULTS
    file.look()
    assert file.now.max_calls == 4
    good = path.read_text(encoding="utf-8")
    assert fault_of(good, DEFAULTS) is None
    for bad in ("{", good.replace("4", "900"), good.replace("max_calls", "nobody_knows")):
        assert fault_of(bad, DEFAULTS) is not None
    path.write_text("{", encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        file.look()
        file.look()
    assert (file.now.max_calls, file.is_readable) == (4, False)
    assert len(caplog.records) == 1
    path.unlink()
    file.look()
    assert (file.now, file.is_readable) == (DEFAULTS, True)


def test_a_disk_that_takes_nothing_leaves_the_old_settings(tmp_path: Path) -> None:
    file = TuningFile(tmp_path / "gone" / FILE_NAME, DEFAULTS)
    with pytest.raises(FileNotFoundError):
        file.change({"max_calls": 4}, by="chief", at=AT)
    assert file.now == DEFAULTS


def test_of_two_admins_with_the_same_page_the_second_is_told(path: Path) -> None:
    file = TuningFile(path, DEFAULTS)
    seen = file.kept.mark
    told: list[str] = []

    def change(value: int) -> None:
        try:
            file.change({"max_calls": value}, by="x", at=AT, expected=seen)
            told.append("done")
        except SettingsChanged as refused:
            told.append(refused.code)

    threads = [threading.Thread(target=change, args=(value,)) for value in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["done"] + ["system.settings_changed"] * 7
    assert TuningFile(path, DEFAULTS).now == file.now
