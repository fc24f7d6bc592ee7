"""What the citizen wants, and how soon."""

import pytest

from calls.wrapup.files import read_cues, read_examples
from calls.wrapup.kinds import Cues, find_kind, find_urgency
from tests.wrapup_parts import embed, pieces

CUES = read_cues()
EXAMPLES = read_examples(embed)


def kind(*turns: str) -> str:
    some = pieces(*turns)
    return find_kind(some, (), CUES, EXAMPLES.shares(some, embed)).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我想咨询一下居住证怎么办理，需要什么材料。", "咨询"),
        ("我要投诉一家健身房，卡里的钱不退给我。", "投诉"),
        ("我建议在学校门口加装一个红绿灯。", "建议"),
        ("我要举报有人在禁渔期偷捕。", "举报"),
        ("我家门口路灯坏了，麻烦派人来修一下。", "求助"),
    ],
)
def test_types(text: str, expected: str) -> None:
    assert kind(f"市民:{text}") == expected


def test_a_greeting_is_of_no_type() -> None:
    assert kind("坐席:您好。", "市民:喂，你好，听得到吗？") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我家厨房有很重的煤气味，阀门关了还是漏。", "特急"),
        ("电梯里有人被困住了。", "特急"),
        ("路口那个井盖不见了，晚上看不见。", "紧急"),
        ("我想问一下医保卡怎么补办。", "普通"),
        ("要是煤气漏了应该打哪个电话？", "普通"),
        ("楼道里没有着火，就是灯不亮。", "普通"),
    ],
)
def test_urgency_is_about_what_is_happening_now(text: str, expected: str) -> None:
    assert find_urgency(pieces(f"市民:{text}"), "求助", CUES).value == expected


def test_before_the_citizen_speaks_nothing_is_known() -> None:
    assert find_urgency(pieces("坐席:您好，请讲。"), "", CUES).value == ""


def test_a_list_with_an_unknown_value_is_refused() -> None:
    with pytest.raises(ValueError, match="表扬"):
        Cues.read(["field,value,weight,pattern", "kind,表扬,1,谢谢"])
