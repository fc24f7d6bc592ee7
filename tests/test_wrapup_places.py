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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("白玄科媒路25号", "白泉镇"),
        ("选家门街道东海中路8号", "沈家门街道"),
        ("高停镇长河路9号", "高亭镇"),
    ],
)
def test_an_address_may_begin_with_a_town_that_sounds_nearly_so(text: str, expected: str) -> None:
    assert place(ASKED, f"市民:{text}。")[1].startswith(expected)


@pytest.mark.parametrize(
    ("text", "district"),
    [
        ("我在展盲这边厂里上班", "普陀区"),
        ("下个月想去猪家尽玩几天", "普陀山-朱家尖管委会"),
        ("我叫王小明，延昌的，电话就是这个", "定海区"),
    ],
)
def test_unasked_a_misheard_town_is_known_by_where_it_stands(text: str, district: str) -> None:
    assert place(f"市民:{text}。")[0] == district


@pytest.mark.parametrize(
    "turns",
    [
        ("市民:我们打算先去领证。",),  # 临城
        ("市民:先煎还是先蒸？",),  # 新城
        ("坐席:是哪里的？", "市民:能不能换一家？"),  # 登步
        ("坐席:在哪里？", "市民:您留好证据。"),  # 六横镇
        ("坐席:在哪里？", "坐席:您反映的是停车收费，对吗？"),  # 莲花洋
    ],
)
def test_words_that_sound_like_a_name_are_no_place(turns: tuple[str, ...]) -> None:
    assert place(*turns) == ("", "")


def test_the_town_where_somebody_is_goes_before_the_one_they_would_have_to_go_to() -> None:
    assert place("市民:我妈在六横，一定要到沈家门的医院来吗？")[1].startswith("六横镇")


def test_who_is_from_a_place_is_from_the_town() -> None:
    assert place("市民:我是东沙的，在船上干活。") == ("岱山县", "东沙镇")


def test_a_landing_is_meant_where_somebody_takes_a_ship() -> None:
    assert place("市民:我想坐船，走三江那边。") == ("定海区", "三江码头")
    assert place("市民:我们马岙三江这一带没有公交。") == ("定海区", "马岙街道三江")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("人民北路翠湖新村四城102", "4幢102室"),
        ("环城南路120厚", "120号"),
        ("小沙街道，工业员里面", "小沙街道工业园区"),
    ],
)
def test_what_addresses_are_made_of_is_put_right(text: str, expected: str) -> None:
    assert expected in place(ASKED, f"市民:{text}。")[1]


@pytest.mark.parametrize("text", ["上个月21号摔的", "前面才19号"])
def test_a_date_or_a_place_in_a_queue_is_no_house_number(text: str) -> None:
    assert place(ASKED, f"市民:在定海环城南路，{text}。")[1] == "环城南路"


def test_the_house_number_that_was_put_right_counts() -> None:
    found = place(ASKED, "市民:定海环城南路86号，不对，88号。")[1]
    assert "88号" in found
    assert "86号" not in found
