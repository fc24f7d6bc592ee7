"""Addresses, told at one go, in pieces, misheard, or not at all."""

import pytest

from calls.wrapup.places import find_place
from tests.wrapup_parts import GAZETTEER, pieces, said, words_of

ASKED = "坐席:请问具体地址在哪里？"


def place(*turns: str) -> tuple[str, str]:
    district, found = find_place(pieces(*turns), GAZETTEER)
    return district.value, found.value


def test_district_street_number_and_landmark() -> None:
    district, found = place(ASKED, "市民:定海区环城南路120号，菜场门口。")
    assert district == "定海区"
    assert "环城南路" in found
    assert "120号" in found
    assert "菜场门口" in found


def test_a_town_is_written_in_full() -> None:
    assert place(ASKED, "市民:沈家门滨港路88号。") == ("普陀区", "沈家门街道滨港路88号")


def test_an_island_that_is_a_town() -> None:
    district, found = place(ASKED, "市民:在六横，龙山那边。")
    assert district == "普陀区"
    assert found.startswith("六横镇")


@pytest.mark.parametrize(
    ("text", "district"),
    [
        ("临城海天大道5号", "新城管委会"),
        ("朱家尖南沙门口", "普陀山-朱家尖管委会"),
        ("高亭镇长河路9号", "岱山县"),
        ("菜园镇沙河路3号", "嵊泗县"),
    ],
)
def test_districts_follow_from_towns_and_streets(text: str, district: str) -> None:
    assert place(ASKED, f"市民:{text}。")[0] == district


def test_a_beach_and_a_town_of_one_name_are_told_apart_by_what_else_is_said() -> None:
    assert place(ASKED, "市民:岱山东沙，就在镇上。") == ("岱山县", "东沙镇")
    assert place(ASKED, "市民:东沙。")[0] == ""


def test_an_address_in_pieces_comes_together() -> None:
    _, found = place(
        "市民:我们住在东港。", "坐席:东港哪条路？", "市民:海莲路。", "坐席:几号？", "市民:36号。"
    )
    assert found == "东港街道海莲路36号"


def test_where_an_address_was_asked_for_a_name_is_known_by_its_sound() -> None:
    assert place(ASKED, "市民:顶海区还城南路120号。") == ("定海区", "环城南路120号")
    assert place("市民:我听说顶海要修路。") == ("", "")


def test_where_somebody_is_going_says_less_than_where_they_are() -> None:
    assert place("市民:我在定海三江码头，要到岱山。")[0] == "定海区"


@pytest.mark.parametrize(
    "turns",
    [
        ("市民:我想问一下退休金怎么算。",),
        ("市民:去哪里办？", "坐席:您可以到市民服务中心一楼。"),
        (),
    ],
)
def test_what_was_not_said_stays_empty(turns: tuple[str, ...]) -> None:
    assert place(*turns) == ("", "")


def test_a_place_points_at_its_words() -> None:
    turns = (ASKED, "市民:在定海区环城南路120号。")
    _, found = find_place(pieces(*turns), GAZETTEER)
    assert words_of(found, said(*turns))[0].startswith("环城南路")
