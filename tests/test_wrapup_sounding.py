"""How far apart sounds are, and words of addresses by their sound."""

import pytest

from calls.wrapup.place_words import put_place_words_right
from calls.wrapup.sounding import distance, syllable_of


@pytest.mark.parametrize(
    ("one", "other"), [("shan", "san"), ("ling", "lin"), ("nan", "lan"), ("feng", "hong")]
)
def test_what_the_accents_of_the_south_do_not_tell_apart_is_the_same(one: str, other: str) -> None:
    assert distance(one, other) == 0.0


@pytest.mark.parametrize(
    ("near", "far"),
    [(("liao", "liu"), ("liao", "ling")), (("xuan", "quan"), ("xuan", "gan")), (("qu", "qi"), ("qu", "gu"))],
)
def test_what_is_often_misheard_is_nearer(near: tuple[str, str], far: tuple[str, str]) -> None:
    assert 0.0 < distance(*near) < distance(*far) <= 1.0


def test_it_is_the_same_both_ways() -> None:
    assert distance("mang", "mao") == distance("mao", "mang")
    assert distance("er", "san") == distance("san", "er")


def test_signs_that_are_not_chinese_sound_like_themselves() -> None:
    assert syllable_of("7") == "7"


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("八成301", "八幢301"),
        ("四床楼前面", "四床楼前面"),
        ("工业员里面", "工业园里面"),
        ("锦绣花员对面", "锦绣花园对面"),
        ("25号门口", "25号门口"),
        ("我在上班", "我在上班"),
    ],
)
def test_words_of_addresses(heard: str, written: str) -> None:
    assert put_place_words_right(heard) == written
    assert len(heard) == len(written)
