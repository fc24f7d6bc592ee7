"""Spoken numbers are written as a clerk writes them, and words that only look like numbers stay."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.numbers import with_digits

NUMERALS = "零〇一二两三四五六七八九幺十百千万亿0123456789"
AROUND = "点分月日号年份第个块楼幢米，。、 半百分之到几多来早上元"


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("一三八零五八零二三一六", "13805802316"),
        ("幺三八零五八零二三幺六", "13805802316"),
        ("138零五八零2316", "13805802316"),
        ("电话一三八，零五八零，二三一六。", "电话13805802316。"),
        ("尾号六二一五", "尾号6215"),
        ("一二三四五热线，工号零二七", "12345热线，工号027"),
        ("打一二零，再打一一零", "打120，再打110"),
        ("身份证三三零九零二", "身份证330902"),
    ],
)
def test_digit_by_digit(heard: str, written: str) -> None:
    assert with_digits(heard) == written


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("二零二六年三月五号", "2026年3月5日"),
        ("2月14号下午三点", "2月14日下午3点"),
        ("九八年十二月", "98年12月"),
        ("六月、七月、八月", "6月、7月、8月"),
        ("三月份", "3月份"),
        ("上午九点半", "上午9点半"),
        ("九点三十分", "9点30分"),
        ("晚上十点十五", "晚上10点15"),
        ("三点零五分", "3点05分"),
        ("七点到九点最堵", "7点到9点最堵"),
        ("十二点差五分", "12点差五分"),
    ],
)
def test_dates_and_times(heard: str, written: str) -> None:
    assert with_digits(heard) == written


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("两百一十六号", "216号"),
        ("2百16号", "216号"),
        ("七幢一九零二室", "7幢1902室"),
        ("三单元五零一", "3单元501"),
        ("二号楼", "2号楼"),
        ("百分之三", "3%"),
        ("百分之三点五", "3.5%"),
        ("百分之百", "100%"),
        ("三千五百块", "3500块"),
        ("一千八，一百二，三百零五", "1800，120，305"),
        ("一万二千六", "12600"),
        ("1千2百块", "1200块"),
        ("三十万、两万块", "30万、2万块"),
        ("一亿两千万", "1亿2000万"),
        ("三点零五米", "3.05米"),
        ("一点五亿", "1.5亿"),
        ("十分钟，二十多个，第二十六天", "10分钟，20多个，第26天"),
        ("四十到六十分钟", "40到60分钟"),
    ],
)
def test_amounts_and_addresses(heard: str, written: str) -> None:
    assert with_digits(heard) == written


@pytest.mark.parametrize(
    "text",
    [
        "一下，一些，一起，一样，一般，一直，一定",
        "三番五次，乱七八糟，五花八门，四面八方",
        "万一不行呢，千万不要靠近，千千万万",
        "十分满意，十全十美，百分百",
        "三个人，两天，五公里，一楼",
        "两三天，五六十块，十六七个，十来个，十几分钟，几百块，几十年，数十个，上百个",
        "三分之一，一比一",
        "有一点慢，早一点来，三点意见",
        "千岛街道，三江码头，六横，五金店，十字路口，百步沙",
        "七八年，国庆十一，星期三，周一",
        "最后两位是三七",
        "3.5，10:30，1,200，9点30分，2026年3月5日",
    ],
)
def test_words_and_small_counts_stay(text: str) -> None:
    assert with_digits(text) == text


def test_a_number_of_many_pieces_is_joined_only_where_it_is_a_telephone_number() -> None:
    assert with_digits("138 0580 2316") == "13805802316"
    assert with_digits("138，0580，23") == "138，0580，23"


@given(st.text(alphabet=NUMERALS + AROUND, max_size=24))
def test_twice_is_once(text: str) -> None:
    once = with_digits(text)
    assert with_digits(once) == once


@given(st.integers(min_value=20, max_value=99_999_999))
def test_cardinals_come_back(value: int) -> None:
    written = with_digits(spoken(value) + "元")
    number = written.removesuffix("元")
    assert number == (f"{value // 10_000}万" if value % 10_000 == 0 else str(value))


def spoken(value: int) -> str:
    """The cardinal as Chinese characters, 零 where zeros stand between."""
    if value >= 10_000:
        high, low = divmod(value, 10_000)
        rest = ("零" if 0 < low < 1_000 else "") + spoken(low) if low else ""
        return f"{spoken(high)}万{rest}"
    said, is_open = "", False
    for unit, sign in ((1_000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            said += ("零" if is_open and said else "") + "零一二三四五六七八九"[digit] + sign
        is_open = not digit
    return said


def test_an_independent_set_of_rules_agrees_on_cardinals() -> None:
    wetext = pytest.importorskip("wetext")
    rules = wetext.Normalizer(lang="zh", operator="itn")
    chance = random.Random(3)
    for value in [chance.randrange(100, 9_999) for _ in range(60)]:
        said = spoken(value)
        assert rules.normalize(said) == with_digits(said), said
