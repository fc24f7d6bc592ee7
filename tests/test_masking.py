"""What is hidden of numbers and names, and what stays."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.masking import Known, masked_id, masked_lines, masked_name, masked_phone, masked_text

DIGITS = "0123456789"
SIGNS = {
    **{d: d for d in DIGITS},
    **dict(zip("零一二三四五六七八九", DIGITS, strict=True)),
    "〇": "0",
    "幺": "1",
    "两": "2",
}
SIGNS |= {chr(0xFF10 + value): str(value) for value in range(10)}
HAN = "我的家在这里有人说门口水管坏了请您登记谢谢不能用"

around = st.text(alphabet=HAN, max_size=12)
groups_of_mobile = st.sampled_from(
    [(11,), (3, 4, 4), (4, 4, 3), (3, 8), (7, 4), (3, 3, 5), (1,) * 11, (3, 2, 2, 2, 2)]
)
groups_of_id = st.sampled_from([(18,), (6, 4, 4, 4), (6, 8, 4), (3, 3, 4, 4, 4), (1,) * 18, (4, 4, 4, 4, 2)])
pause = st.sampled_from([" ", "-", "，", "、", "，嗯，", " 然后 ", "\n", "\n嗯\n", "。"])
writing = st.sampled_from(
    ["0123456789", "零一二三四五六七八九", "〇幺二三四五六七八九", "０１２３４５６７８９"]
)


@st.composite
def mobiles(draw: st.DrawFn) -> str:
    return "1" + draw(st.sampled_from("3456789")) + draw(st.text(alphabet=DIGITS, min_size=9, max_size=9))


@st.composite
def identities(draw: st.DrawFn) -> str:
    area = draw(st.integers(110000, 829999))
    day = draw(st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 1, 1)))
    return f"{area}{day:%Y%m%d}{draw(st.integers(0, 999)):03}{draw(st.sampled_from(DIGITS + 'X'))}"


@st.composite
def cards(draw: st.DrawFn) -> str:
    body = draw(st.text(alphabet=DIGITS, min_size=12, max_size=18))
    body = "6" + body[1:]
    total = 0
    for place, sign in enumerate(reversed(body)):
        value = int(sign) * (2 - place % 2)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


@st.composite
def said(
    draw: st.DrawFn, numbers: st.SearchStrategy[str], groups: st.SearchStrategy[tuple[int, ...]]
) -> tuple[str, str]:
    """A number, and a text in which it was said in one of many ways."""
    number, written, between = draw(numbers), draw(writing), draw(pause)
    signs = [written[int(digit)] if digit.isdigit() else digit for digit in number]
    parts, at = [], 0
    for length in draw(groups):
        parts.append("".join(signs[at : at + length]))
        at += length
    return number, draw(around) + between.join(parts) + draw(around)


def digits_of(text: str) -> str:
    return "".join(SIGNS.get(sign, sign if sign in "*X" else "") for sign in text)


@given(said(mobiles(), groups_of_mobile))
def test_no_mobile_number_survives(case: tuple[str, str]) -> None:
    number, text = case
    masked = masked_text(text)
    assert number not in digits_of(masked)
    assert not re.search("1[3-9][0-9]{9}", digits_of(masked))
    assert len(masked) == len(text)
    kept = digits_of(masked)
    assert number[:3] + "****" + number[-4:] in kept, "enough stays to recognise it by"


@given(said(identities(), groups_of_id))
def test_no_identity_number_survives(case: tuple[str, str]) -> None:
    number, text = case
    masked = digits_of(masked_text(text))
    assert number not in masked
    assert number[6:14] not in masked, "the birthday is the secret part"


@given(around, cards(), around)
def test_no_bank_card_survives(before: str, card: str, after: str) -> None:
    masked = masked_text(before + card + after)
    assert card not in masked
    assert masked.count("*") >= len(card) - 8
    in_fours = " ".join(card[at : at + 4] for at in range(0, len(card), 4))
    assert digits_of(masked_text(before + in_fours + after)).count("*") >= 1


@given(st.text(alphabet=HAN + "0123456789零一二三四五六七八九X -，、。\n*年月日号楼", max_size=60))
def test_twice_is_once_and_nothing_moves(text: str) -> None:
    once = masked_text(text)
    assert masked_text(once) == once
    assert len(once) == len(text)
    assert all(new in (old, "*") for old, new in zip(text, once, strict=True))
    assert not re.search("1[3-9][0-9]{9}", once)


@given(st.lists(st.text(alphabet=HAN + "0123456789，", max_size=15), max_size=8))
def test_lines_keep_their_length(lines: list[str]) -> None:
    assert [len(line) for line in masked_lines(lines)] == [len(line) for line in lines]
    assert [len(line) for line in masked_lines(lines, joint="")] == [len(line) for line in lines]


@given(
    around,
    st.one_of(
        st.integers(0, 99_999_999).map(lambda yuan: f"{yuan}元"),
        st.integers(0, 10**12).map(lambda yuan: f"{yuan:,}元"),
        st.integers(1, 9999).map(lambda number: f"{number}号"),
        st.integers(1, 9999).map(lambda number: f"{number % 30}幢{number}室"),
        st.times().map(lambda time: f"{time:%H点%M分}"),
        st.times().map(lambda time: f"{time:%H:%M:%S}"),
        st.datetimes().map(lambda moment: f"{moment:%Y年%m月%d日}"),
        st.datetimes().map(lambda moment: f"{moment:%Y-%m-%d}"),
        st.lists(st.integers(10, 99), min_size=6, max_size=9).map(
            lambda many: "、".join(map(str, many)) + "号楼"
        ),
        st.decimals(0, 9999, places=2).map(lambda yuan: f"{yuan}元"),
        st.sampled_from(["12345", "110", "12315", "三百二十六号", "二十五万元", "一百三十八块五"]),
    ),
    around,
)
def test_everyday_numbers_stay(before: str, number: str, after: str) -> None:
    assert masked_text(before + number + after) == before + number + after


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("13812342316", "138****2316"),
        ("+8613812342316", "+86138****2316"),
        ("0580-2260512", "0580-****512"),
        ("010-62345678", "010-*****678"),
        ("2260512", "22***12"),
        ("12345", "12345"),
        ("138****2316", "138****2316"),
        ("", ""),
    ],
)
def test_a_telephone_number(given_: str, shown: str) -> None:
    assert masked_phone(given_) == shown
    assert masked_phone(shown) == shown


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("王小明", "王**"),
        ("欧阳娜娜", "欧阳**"),
        ("王女士", "王女士"),
        ("匿名", "匿名"),
        ("王", "*"),
        ("", ""),
    ],
)
def test_a_name(given_: str, shown: str) -> None:
    assert masked_name(given_) == shown


def test_an_identity_number_of_a_field() -> None:
    assert masked_id("330902199001011234") == "330***********1234"
    assert masked_id("33090219900101123X") == "330***********123X"
    assert masked_id("12") == "**"


def test_known_names_and_dictated_pieces_are_hidden() -> None:
    known = Known(names=("王小明", "李女士"), numbers=("13812342316",))
    assert masked_text("我叫王小明，王先生", known) == "我叫王**，王先生"
    assert masked_text("李女士您好", known) == "李女士您好"
    assert masked_text("中间是1234", known) == "中间是****"
    assert masked_text("尾号2316", known) == "尾号2316"
    assert masked_text("一共8193元", known) == "一共8193元"


def test_a_number_over_several_lines() -> None:
    lines = ["我电话138", "嗯", "1234", "好的", "2316"]
    assert masked_lines(lines) == ["我电话138", "嗯", "****", "好的", "2316"]


def test_what_was_said_of_it_tells_what_it_is() -> None:
    assert masked_text("家里电话2260512") == "家里电话22***12"
    assert masked_text("一共2260512元") == "一共2260512元"
    assert masked_text("身份证是3309021990") == "身份证是330***1990"
