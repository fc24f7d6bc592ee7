"""Words of danger: what raises an alarm, what does not, and how a call is listened to."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from asr.types import Party
from calls.safety.finding import find_danger
from calls.safety.kinds import AlarmKind, Severity
from calls.safety.rules import COLUMNS, NAMES, read_rules
from calls.safety.types import BadAlarmWords
from calls.safety.watch import CallWatch
from calls.safety.word_files import WordFiles, shipped_rules
from tests.call_parts import segment

RULES = shipped_rules()
HEAD = ",".join(COLUMNS)


def kinds(text: str) -> set[AlarmKind]:
    return {found.kind for found in find_danger(text, RULES)}


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES.rules if rule.example], ids=lambda rule: rule.example
)
def test_every_example_of_the_list_raises_its_alarm(rule) -> None:  # type: ignore[no-untyped-def]
    assert rule.kind in kinds(rule.example)


def test_every_kind_is_in_the_list() -> None:
    assert {rule.kind for rule in RULES.rules} == set(AlarmKind) == set(NAMES.values())


@pytest.mark.parametrize(
    "text",
    [
        "没有人受伤",
        "不是煤气漏了",
        "煤气没有漏，就是费用不对",
        "煤气怎么开户",
        "去年我家着火了",
        "如果着火了怎么办",
        "怕着火",
        "火已经扑灭了",
        "新闻上说有人跳楼",
        "老人走失以后怎么办理补贴",
        "",
        "。。。",
    ],
)
def test_what_is_denied_past_supposed_or_over_raises_none(text: str) -> None:
    assert kinds(text) == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("是不是煤气漏了", AlarmKind.GAS),
        ("上次修过，现在煤气又漏了", AlarmKind.GAS),
        ("厨房里没人，煤气在漏", AlarmKind.GAS),
        ("没有人管，楼上着火了", AlarmKind.FIRE),
        ("你们不给赔偿我就跳楼", AlarmKind.SUICIDE),
        ("我担心他想不开", AlarmKind.SUICIDE),
        ("我们关在电梯里了，灯也灭了", AlarmKind.TRAPPED),
        ("这边着火了，我们村里条件差没有灭火器", AlarmKind.FIRE),
    ],
)
def test_what_only_looks_denied_raises_one(text: str, kind: AlarmKind) -> None:
    assert kind in kinds(text)


def test_words_are_found_as_they_sound_but_not_whatever_sounds_a_little_like_them() -> None:
    assert AlarmKind.GAS in kinds("我家的煤器漏器了")
    assert AlarmKind.GAS not in kinds("煤气表在楼道里")
    assert AlarmKind.FIRE not in kinds("我是来找活干的")


def test_the_words_are_pointed_out() -> None:
    text = "你好，我家有煤气的味道！"
    (found,) = find_danger(text, RULES)
    assert (text[found.start : found.end], found.severity) == ("煤气的味道", Severity.CRITICAL)


def test_a_long_text_of_nothing_but_such_words_is_read_in_no_time() -> None:
    assert AlarmKind.FALL in kinds("人从楼上他从" * 2_000 + "摔下来")


def test_one_alarm_of_a_kind_in_a_call() -> None:
    watch = CallWatch()
    (danger,) = watch.hear(segment(1, "楼上着火了"), RULES)
    assert (danger.kind, danger.segment_id, danger.said[danger.start : danger.end]) == (
        AlarmKind.FIRE,
        "citizen-1",
        "着火",
    )
    assert watch.hear(segment(2, "真的着火了"), RULES) == []
    assert [danger.kind for danger in watch.hear(segment(3, "有人被困在电梯"), RULES)] == [AlarmKind.TRAPPED]
    assert CallWatch(frozenset({AlarmKind.FIRE})).hear(segment(1, "着火了"), RULES) == []


def test_what_the_operator_says_raises_none() -> None:
    assert CallWatch().hear(segment(1, "是着火了吗", party=Party.OPERATOR), RULES) == []
    assert CallWatch().hear(segment(1, "着火了", party=Party.MIXED), RULES) != []


def test_a_sentence_with_a_pause_in_it_is_read_as_one() -> None:
    watch = CallWatch()
    assert watch.hear(segment(1, "我们家厨房的煤气。", start_s=0.0, end_s=2.0), RULES) == []
    (danger,) = watch.hear(segment(2, "好像漏了", start_s=3.0, end_s=4.0), RULES)
    assert danger.segment_id == "citizen-2"
    assert danger.said[danger.start : danger.end] == "煤气，好像漏了"
    later = CallWatch()
    later.hear(segment(1, "我们家厨房的煤气。", start_s=0.0, end_s=2.0), RULES)
    assert later.hear(segment(2, "好像漏了", start_s=9.0, end_s=10.0), RULES) == []


def test_partials_raise_an_alarm_once_the_words_stand() -> None:
    watch = CallWatch()
    first = segment(1, "楼上着火", is_final=False)
    assert watch.hear(first, RULES) == []
    assert watch.hear(replace(first, text="楼上找活"), RULES) == []
    assert watch.hear(first, RULES) == []
    assert [danger.kind for danger in watch.hear(replace(first, text="楼上着火了"), RULES)] == [
        AlarmKind.FIRE
    ]
    assert watch.hear(replace(first, text="楼上着火了", is_final=True), RULES) == []
    at_once = CallWatch().hear(replace(first, text="楼上着火了你们快来"), RULES)
    assert [danger.kind for danger in at_once] == [AlarmKind.FIRE]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("火灾,特急,着火,否,", "类别"),
        ("火情,很急,着火,否,", "程度"),
        ("火情,特急,,否,", "缺少词"),
        ("火情,特急,着火…,否,", "缺少词"),
        ("火情,特急,着火,对,", "近音"),
    ],
)
def test_a_bad_line_is_named(line: str, why: str) -> None:
    with pytest.raises(BadAlarmWords, match=f"第 3 行.*{why}"):
        read_rules([HEAD, "火情,特急,着火,否,", line])


def test_an_admins_list_is_added_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "alarm_words.csv"
    words = WordFiles(path)
    assert len(words.rules().rules) == len(RULES.rules)
    path.write_text(f"{HEAD}\n溺水,特急,东湖…捞人,否,东湖那边在捞人\n", encoding="utf-8-sig")
    assert {found.kind for found in find_danger("东湖那边在捞人", words.rules())} == {AlarmKind.DROWNING}
    path.write_text("什么也不是\n", encoding="utf-8")
    assert {found.kind for found in find_danger("东湖那边在捞人", words.rules())} == {AlarmKind.DROWNING}
    path.unlink()
    assert len(words.rules().rules) == len(RULES.rules)


def test_the_written_sentences_are_told_apart_as_the_manual_says() -> None:
    path = Path(__file__).parent.parent / "scripts" / "data" / "alarms.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 120
    right = sum(row["kind"] in kinds(row["text"]) for row in rows if row["kind"])
    false = sum(bool(kinds(row["text"])) for row in rows if not row["kind"])
    assert right / sum(bool(row["kind"]) for row in rows) >= 0.95
    assert false / sum(not row["kind"] for row in rows) <= 0.03
