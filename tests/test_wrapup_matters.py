"""Articles vote for category and department, and the operator's word counts beside them."""

import numpy as np
import pytest

from calls.wrapup.matters import Directory, MatterOptions, find_matter
from calls.wrapup.topics import Topics
from knowledge_base.types import Article
from tests.wrapup_parts import embed, pieces, said, words_of

ARTICLES = tuple(
    Article(article_id=name, title=title, body="", category=category, department=department)
    for name, title, category, department in (
        ("A1", "马路上的路灯不亮如何报修", "市容", "市住房和城乡建设局"),
        ("A2", "楼道里的灯坏了找谁修", "市容", "市综合行政执法局"),
        ("A3", "公积金提取付房租要什么材料", "住房", "市住房公积金管理中心"),
        ("A4", "医保卡丢了怎么补办", "医保", "市医疗保障局"),
        ("A5", "居住证到期怎么续签", "户籍", "市公安局"),
    )
)
TOPICS = Topics(ARTICLES, np.array([embed(each.title) for each in ARTICLES]), range(len(ARTICLES)))
DIRECTORY = Directory(["department,alias", "市综合行政执法局,执法局|城管", "市公安局,公安局|派出所"])
OPTIONS = MatterOptions(least_score=0.3)
LAMPS = "市民:马路上的路灯不亮了，要报修。"


def departments(*turns: str) -> list[str]:
    some = pieces(*turns)
    found = find_matter(TOPICS.vote(some, embed), some, TOPICS, DIRECTORY, OPTIONS)
    return [field.value for field in found.departments]


def test_the_nearest_article_decides() -> None:
    some = pieces(LAMPS)
    found = find_matter(TOPICS.vote(some, embed), some, TOPICS, DIRECTORY, OPTIONS)
    assert found.departments[0].value == "市住房和城乡建设局"
    assert found.category.value == "市容"
    assert found.knowledge[0].article_id == "A1"
    assert words_of(found.category, said(LAMPS)) == ["马路上的路灯不亮了，要报修。"]


def test_whom_the_operator_hands_it_to_counts_and_is_pointed_at() -> None:
    turns = (LAMPS, "坐席:这个我帮您转给城管处理。")
    some = pieces(*turns)
    found = find_matter(
        TOPICS.vote(some, embed), some, TOPICS, DIRECTORY, MatterOptions(least_score=0.3, named_share=0.9)
    )
    assert found.departments[0].value == "市综合行政执法局"
    assert words_of(found.departments[0], said(*turns)) == ["城管"]
    assert "市住房和城乡建设局" in [field.value for field in found.departments]


def test_a_department_that_the_citizen_names_is_no_hand_over() -> None:
    assert departments(LAMPS, "市民:我找过派出所，他们说不归公安局管。")[0] == "市住房和城乡建设局"


def test_the_second_matter_weighs_less() -> None:
    second = "市民:另外还想问一下公积金提取付房租要什么材料。"
    assert departments(LAMPS, second)[0] == "市住房和城乡建设局"


def test_what_no_article_knows_has_no_department() -> None:
    some = pieces("市民:喂喂喂，听得见我说话吗？")
    found = find_matter(TOPICS.vote(some, embed), some, TOPICS, DIRECTORY, MatterOptions(least_score=50.0))
    assert found.departments == ()
    assert found.category.value == ""
    assert found.knowledge == ()


def test_every_article_needs_a_vector() -> None:
    with pytest.raises(ValueError, match="every article a vector"):
        Topics(ARTICLES, np.zeros((1, 4), np.float32), [0])
