"""Lines and questions are taken apart so that any stretch of a line is found, by text or by sound."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.search.types import BadWish, By, Voice
from calls.search.words import (
    MAX_CHARACTERS,
    Word,
    merged,
    phrase_of,
    places_of,
    tokens_of,
    units_of,
    words_of,
)

SPOKEN = st.text(alphabet="公积金攻击尽路灯坏了的一二abcZ0159，。 .、３Ａ㎡①", max_size=30)
ANYTHING = st.text(max_size=40)


def has(line: str, question: str, by: By = By.TEXT) -> bool:
    return all(places_of(line, words_of(question, by)))


@pytest.mark.parametrize(
    ("line", "question"),
    [
        ("我想问一下公积金。", "公积金"),
        ("我想问一下公积金。", "积金"),
        ("我想问一下公积金。", "金"),
        ("你好，我想问", "你好我想"),  # where the ears heard a comma, nobody types one
        ("电话是13900000152", "0000152"),
        ("办ETC卡", "etc"),
        ("办ＥＴＣ卡", "ETC"),
        ("一共3.5吨", "3.5"),
        ("公积金怎么提取", "提取 公积金"),
        ("公积金怎么提取", "提取　公积金"),
        ("坐 bus 去", '"bus 去"'),
        ("约80㎡", "80m2"),
    ],
)
def test_what_people_type_is_found(line: str, question: str) -> None:
    assert has(line, question)


@pytest.mark.parametrize(
    ("line", "question"),
    [("一共35吨", "3.5"), ("公积金", "公金"), ("公积", "公积金"), ("路灯坏了", "公积金 路灯")],
)
def test_what_is_not_there_is_not_found(line: str, question: str) -> None:
    assert not has(line, question)


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("公积金", "攻击尽"),
        ("攻击尽", "公积金"),
        ("湖里区", "福利区"),  # f and hu, n and l
        ("四川", "市传"),
        ("12345", "一二三四五"),
        ("3.5吨", "三点五蹲"),
    ],
)
def test_words_that_sound_alike_meet_by_sound_alone(said: str, typed: str) -> None:
    assert has(said, typed, By.SOUND)
    assert not has(said, typed, By.TEXT)


def test_what_stands_in_quotes_is_compared_by_its_text() -> None:
    question = "攻击尽 “提取”"
    assert has("公积金怎么提取", question, By.SOUND)
    assert not has("公积金怎么提曲", question, By.SOUND)


@pytest.mark.parametrize("question", ["", "  ", "，。！", '""', "“”"])
def test_a_question_without_words_is_refused(question: str) -> None:
    with pytest.raises(BadWish) as refused:
        words_of(question, By.TEXT)
    assert refused.value.code == "search.empty"


@pytest.mark.parametrize("question", ["长" * (MAX_CHARACTERS + 1), "一 二 三 四 五 六 七 八 九"])
def test_a_question_that_is_too_long_is_refused(question: str) -> None:
    with pytest.raises(BadWish) as refused:
        words_of(question, By.TEXT)
    assert refused.value.code == "search.too_long"


def test_phrases_are_quoted_and_bound_to_a_voice() -> None:
    assert phrase_of(Word(("公", "积", "金"), By.TEXT)) == '"公积 积金"'
    assert phrase_of(Word(("金",), By.TEXT), Voice.NOTE) == 'note : "金" *'
    assert phrase_of(Word(("jin",), By.SOUND)) == '"jin_" *'


@given(line=SPOKEN, by=st.sampled_from(By), data=st.data())
def test_every_stretch_of_a_line_is_found_where_it_stands(line: str, by: By, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    # A point is part of a number only between digits: one at the edge of a stretch is not.
    stretch = line[start:end]
    if not units_of(stretch, by):
        return
    word = Word(tuple(unit.value for unit in units_of(stretch, by)), by)
    places = places_of(line, [word])[0]
    assert any(start <= place[0] and place[1] <= end for place in places)


@given(text=ANYTHING, by=st.sampled_from(By))
def test_whatever_is_said_gives_a_token_for_each_unit(text: str, by: By) -> None:
    units = units_of(text, by)
    tokens = tokens_of(text, by).split(" ")
    assert len(tokens) == max(1, len(units))
    assert all(0 <= unit.start < unit.end <= len(text) for unit in units)
    for token, unit in zip(tokens, units, strict=False):
        assert token.startswith(unit.value)


@given(places=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)).map(lambda p: (p[0], p[0] + p[1]))))
def test_merged_places_cover_the_same_and_do_not_touch(places: list[tuple[int, int]]) -> None:
    def covered(stretches: list[tuple[int, int]]) -> set[int]:
        return {at for start, end in stretches for at in range(start, end)}

    found = list(merged(places))
    assert covered(found) == covered(places)
    assert all(a[1] < b[0] for a, b in pairwise(found))
