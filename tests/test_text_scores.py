import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.text_scores import TextErrors, canonical, compare

_SIGNS = "零一二三四五六七八九"
_SPOKEN = st.text(
    alphabet="零〇一二两三五九幺十百千万亿点半号月分之路好的一下0123456789.,:%，。 ", max_size=24
)


def spoken(number: int) -> str:
    """A number below 10**12 as it is said in full: 305 is 三百零五."""
    if number == 0:
        return "零"
    words = ""
    for unit, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        part = number // unit % 10_000
        if part:
            words += ("零" if words and part < 1000 else "") + _thousands(part) + name
    return words


def _thousands(number: int) -> str:
    words = ""
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            gap = words and number // (unit * 10) % 10 == 0
            words += ("零" if gap else "") + _SIGNS[digit] + name
    return words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("一三八零五八零二三一六", "13805802316"),
        ("一三八零五八零幺九四零", "138-0580-1940"),
        ("环城南路两百一十六号", "環城南路216號。"),
        ("百分之三点五", "3.5%"),
        ("三千五百块", "3,500块"),
        ("四千二，三个月", "4200 三个月"),
        ("一万二千六", "12600"),
        ("一万二", "12000"),
        ("两点五万", "2.5万"),
        ("二十万", "20万"),
        ("三千五百", "3千5百"),
        ("十五个", "15个"),
        ("十点五十二分", "10:52"),
        ("九点半", "9:30"),
        ("二零二六年三月五号", "2026年3月5日"),
        ("星期一", "星期1"),
        ("ＡＴＭ机", "atm 机"),
        ("干净", "乾淨"),
    ],
)
def test_two_ways_of_writing_the_same_are_the_same(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)
    assert compare(one, other).edits == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("两百一十六号", "两百一十七号"),
        ("三百五", "三百零五"),
        ("三点五", "三十五"),
        ("百分之三", "三"),
        ("一千零五十", "一千五"),
        ("嗯，好的", "好的"),
        ("六先生", "陆先生"),
        ("他", "她"),
    ],
)
def test_different_things_stay_different(one: str, other: str) -> None:
    assert compare(one, other).edits > 0


@pytest.mark.parametrize(
    "word", ["一下", "一些", "三番五次", "万一", "千万不要", "十分", "七八百米", "四五十个"]
)
def test_words_that_only_look_like_numbers_equal_themselves(word: str) -> None:
    assert compare(f"您{word}看看", f"您{word}看看").edits == 0
    assert compare(f"您{word}看看", "您看看").edits == len(canonical(word))


@given(st.integers(0, 10**12 - 1))
def test_a_number_said_in_full_equals_its_digits(number: int) -> None:
    assert canonical(spoken(number)) == str(number)


@given(st.integers(0, 99_999_999), st.sampled_from(["块钱", "路公交车", "户人家"]))
def test_a_number_in_a_sentence_equals_its_digits(number: int, noun: str) -> None:
    assert compare(f"大概是{spoken(number)}{noun}", f"大概是{number}{noun}").edits == 0


@given(_SPOKEN)
def test_chinese_and_arabic_digits_are_one(text: str) -> None:
    arabic = text.translate(str.maketrans("零〇一二两三五九幺", "001223591"))
    without_signs = text.translate(str.maketrans("", "", ".:%,"))
    assert canonical(without_signs) == canonical(arabic.translate(str.maketrans("", "", ".:%,")))


@given(_SPOKEN)
def test_punctuation_and_spaces_decide_nothing(text: str) -> None:
    bare = text.translate(str.maketrans("", "", ".:%"))
    assert canonical(bare) == canonical(bare.translate(str.maketrans("", "", ",，。 ")))


def test_edits_are_told_apart() -> None:
    errors = compare("雨水口完全堵塞了，快来", "鱼水口堵塞了，请快来")
    assert (errors.substitutions, errors.deletions, errors.insertions) == (1, 2, 1)
    assert errors.rate == pytest.approx(4 / 10)


def test_errors_add_up_before_they_are_divided() -> None:
    total = compare("好", "号") + compare("路面积水很深的", "路面积水很深的")
    assert total.rate == pytest.approx(1 / 8)
    assert sum([compare("好", "")], TextErrors()).rate == 1.0


def test_nothing_said_has_no_rate() -> None:
    errors = compare("……", "谢谢")
    assert errors.insertions == 2
    assert errors.rate is None
