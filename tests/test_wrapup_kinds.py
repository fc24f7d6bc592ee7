"""What the citizen wants, and how soon."""

import pytest

from calls.wrapup.examples import Alarm, Examples
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


def test_what_the_operator_says_of_somebody_else_is_not_what_the_citizen_wants() -> None:
    text = "市民:路灯坏了，麻烦派人来修一下。"
    assert kind(text, "坐席:不修的话您可以去投诉物业。") == "求助"


def test_who_has_the_wrong_number_is_filed_as_asking() -> None:
    some = pieces("市民:我的包裹你们放在哪里了，怎么办呢？")
    assert find_kind(some, (), CUES, {}).value == "咨询"
    assert find_kind(some, [("快递丢失如何求助", 0.5)], CUES, {}).value == "求助"


def test_the_operator_may_say_how_urgent_it_is() -> None:
    some = pieces("市民:楼上一直在敲墙。", "坐席:我按紧急件转过去。")
    assert find_urgency(some, "投诉", CUES).value == "紧急"
    some = pieces("市民:楼上一直在敲墙。", "坐席:这个不属于紧急件。")
    assert find_urgency(some, "投诉", CUES).value == "普通"


def test_words_like_those_of_urgent_examples_count_without_a_cue() -> None:
    some = pieces("市民:路口那边有点吵。")
    loud = Alarm(strength=0.9, spans=(some[0].span,))
    found = find_urgency(some, "投诉", CUES, loud)
    assert (found.value, found.spans) == ("紧急", (some[0].span,))
    assert find_urgency(some, "投诉", CUES, Alarm(strength=0.5)).value == "普通"


def test_an_example_is_most_like_itself() -> None:
    urgent = EXAMPLES.alarm(pieces("市民:一条大狗在小区里追着人咬，已经咬了一个了，快来抓。"), embed)
    calm = EXAMPLES.alarm(pieces("市民:护照过期了，现在办要几天，能不能寄到家里。"), embed)
    assert urgent.strength > 0.5 > calm.strength
    assert urgent.spans
    shares = EXAMPLES.shares(pieces("市民:路口车子太多，能不能装个红绿灯。"), embed)
    assert max(shares, key=lambda each: shares[each]) == "建议"
    assert sum(shares.values()) == pytest.approx(1.0)


def test_where_nobody_spoke_no_type_has_a_share() -> None:
    assert set(EXAMPLES.shares((), embed).values()) == {0.0}
    assert EXAMPLES.alarm((), embed).strength == 0.0


def test_examples_with_an_unknown_value_are_refused() -> None:
    with pytest.raises(ValueError, match="表扬"):
        Examples(["kind,urgency,text", "表扬,普通,谢谢"], embed)
