"""Telephone numbers and names, as they are told on the telephone."""

import pytest

from calls.wrapup.names import find_name
from calls.wrapup.phones import digits_of, find_phone
from tests.wrapup_parts import pieces, said, words_of


def phone(*turns: str) -> str:
    return find_phone(pieces(*turns)).value


def test_a_number_in_one_breath() -> None:
    assert phone("坐席:请留个电话。", "市民:13905801122。") == "13905801122"


def test_a_number_in_pieces_with_the_operators_echo_between() -> None:
    turns = ("坐席:联系电话是多少？", "市民:幺三九", "坐席:139", "市民:零五八零", "坐席:嗯", "市民:1122")
    found = find_phone(pieces(*turns))
    assert found.value == "13905801122"
    assert words_of(found, said(*turns)) == ["幺三九", "零五八零", "1122"]


def test_what_the_operator_says_back_is_surer() -> None:
    once = ("坐席:电话多少？", "市民:13905801122")
    assert (
        find_phone(pieces(*once, "坐席:13905801122，对吧？")).confidence
        > find_phone(pieces(*once)).confidence
    )


def test_the_number_that_was_put_right_counts() -> None:
    assert phone("坐席:电话？", "市民:13905801122。", "市民:不对，是13905801133。") == "13905801133"


def test_a_landline() -> None:
    assert phone("坐席:电话号码是多少？", "市民:零五八零，二零三一一二二") == "05802031122"


def test_a_digit_written_as_a_word_that_sounds_so_is_doubtful() -> None:
    found = find_phone(pieces("坐席:电话多少？", "市民:139流58011二二"))
    assert found.value == "13965801122"
    assert found.confidence <= 0.5


@pytest.mark.parametrize(
    "turns",
    [
        ("坐席:电话多少？", "市民:就我现在打的这个。"),
        ("坐席:身份证号多少？", "市民:330902199001011234。"),
        ("市民:我在解放东路216号。",),
        ("坐席:电话多少？", "市民:139058。"),
        ("市民:账号是6222021207001122333。",),
    ],
)
def test_what_is_no_number_or_half_of_one_stays_empty(turns: tuple[str, ...]) -> None:
    assert phone(*turns) == ""


def test_digits_are_read_however_they_are_written() -> None:
    assert digits_of("幺三9，零五") == "13905"


@pytest.mark.parametrize(
    ("turns", "name"),
    [
        (("坐席:您贵姓？", "市民:我姓严，严肃的严。"), "严"),
        (("坐席:怎么称呼？", "市民:免贵姓张，弓长张。"), "张"),
        (("坐席:您的姓名？", "市民:我叫周建平。"), "周建平"),
        (("坐席:您贵姓？", "市民:我姓王。", "坐席:好的，王女士。"), "王女士"),
        (("市民:我不想留名字，匿名吧。",), "匿名"),
        (("市民:我是想问一下公积金。",), ""),
    ],
)
def test_names(turns: tuple[str, ...], name: str) -> None:
    assert find_name(pieces(*turns)).value == name


def test_one_that_a_word_was_written_for_a_digit_of() -> None:
    """幺 comes out as 以, 三三 as 审审, 六 as 疗."""
    assert phone("坐席:您的电话？", "市民:电话以3922045178。") == "13922045178"
    assert phone("坐席:您的电话？", "市民:我姓高，136110470审审，别忘了。") == "13611047033"
    assert phone("坐席:您的电话？", "市民:1595820.1疗27") == "15958201627"


@pytest.mark.parametrize(
    "text",
    [
        "电话以39220451788。",  # a digit too many
        "136110470，不要忘了。",  # what follows a pause is of the next sentence
        "手机号是1361104，谢谢啊。",
    ],
)
def test_what_would_need_much_belief_is_not_guessed(text: str) -> None:
    assert phone("坐席:您的电话？", f"市民:{text}") == ""


def test_a_guess_that_the_operator_says_back_is_the_operators() -> None:
    turns = ("坐席:您的电话？", "市民:以3922945178。", "坐席:13922045178，对吗？", "市民:对。")
    found = find_phone(pieces(*turns))
    assert found.value == "13922045178"
    assert 0.5 < found.confidence < 0.85
    assert words_of(found, said(*turns)) == ["以3922945178", "13922045178"]


@pytest.mark.parametrize(
    ("said_number", "expected"),
    [("13922945178", "13922045178"), ("13922945278", "13922045178"), ("15811110000", "15811110000")],
)
def test_the_number_of_the_line_stands_for_one_that_is_nearly_the_same(
    said_number: str, expected: str
) -> None:
    some = pieces("坐席:您的电话？", f"市民:就是这个，{said_number}。")
    assert find_phone(some, "13922045178").value == expected


def test_a_guess_in_two_breaths_points_at_both() -> None:
    turns = ("坐席:您的电话？", "市民:以392，", "市民:2045178。")
    found = find_phone(pieces(*turns))
    assert found.value == "13922045178"
    assert words_of(found, said(*turns)) == ["以392，", "2045178"]
