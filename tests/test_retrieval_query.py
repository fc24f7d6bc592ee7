"""From dialogue to query: what searches, what never does, how far back it looks."""

import pytest

from asr.types import Party
from retrieval.query import Dialogue, DialogueOptions, hear
from retrieval.speech import is_restatement, need, speech_act, split_at_new_matter
from retrieval.types import Query, SpeechAct
from tests.retrieval_parts import segment


@pytest.mark.parametrize(
    "text",
    [
        "喂，你好。",
        "喂喂，听得到吗？",
        "嗯，对，是的。",
        "好的好的，谢谢你啊，麻烦了。",
        "没有了，再见。",
        "那就这样，拜拜。",
        "我姓欧阳，欧洲的欧，太阳的阳。",
        "免贵姓李。",
        "我叫王小明。",
        "幺三九，二二三四五六七八。",
        "13900001111",
        "电话就是这个。",
        "我姓高，高天赐。",
        "海天路一百二十号三单元五零二室。",
        "翠湖小区，8幢。",
        "请稍等。",
        "嗯嗯，不客气。",
    ],
)
def test_courtesy_and_dictation_describe_no_matter(text: str) -> None:
    assert need(text) == ""


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("你好，我家水管爆了。", "我家水管爆了"),
        ("嗯，那个，路灯坏了好几天，翠湖路五十号。", "路灯坏了好几天"),
        ("我叫王小明，想问一下退休年龄。", "想问一下退休年龄"),
        ("停水了！", "停水了"),
        ("你好，我想问一下，高温补贴有没有？", "高温补贴有没有"),
        ("怎么办理护照？", "怎么办理护照"),
        ("叫人来修一下下水道吧", "叫人来修一下下水道吧"),
    ],
)
def test_what_is_left_is_the_matter(text: str, left: str) -> None:
    assert need(text) == left


def test_what_is_short_beside_dictation_that_was_asked_for_belongs_to_it() -> None:
    assert need("滨海路三十号，边上是个药店。", asked="请说一下地址。") == ""
    assert need("滨海路三十号，边上是个药店。", asked="药店怎么了？") != ""
    assert need("滨海路三十号，下水道堵了，脏水都流到马路上。", asked="请说一下地址。") != ""


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("您说的是小区停车收费太贵，对吧？", True),
        ("您反映的是楼上漏水是吗？", True),
        ("请问您贵姓？", False),
        ("您的地址是海天路五号，对吗？", False),
        ("好的，我帮您登记。", False),
    ],
)
def test_restatements(text: str, yes: bool) -> None:
    assert is_restatement(text) is yes


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("行，知道了。还有个事，我家停电了。", "还有个事，我家停电了。"),
        ("谢谢。另外，社保卡丢了怎么补？", "另外，社保卡丢了怎么补？"),
        ("顺便再问一下公交几点收班。", "顺便再问一下公交几点收班。"),
        ("车上还有一个老人。", ""),
        ("另外一条路也堵了。", ""),
    ],
)
def test_words_that_open_another_matter(text: str, matter: str) -> None:
    assert split_at_new_matter(text)[1] == matter


def listen(*said: tuple[Party, str], pause_s: float = 5.0) -> tuple[Dialogue, list[Query | None]]:
    dialogue, queries, at = Dialogue(call_id="c-1"), [], 0.0
    for number, (party, text) in enumerate(said, start=1):
        dialogue, query = hear(dialogue, segment(text, number, party=party, start_s=at, end_s=at + 3))
        queries.append(query)
        at += 3 + pause_s
    return dialogue, queries


CITIZEN, OPERATOR, MIXED = Party.CITIZEN, Party.OPERATOR, Party.MIXED


def test_a_query_holds_the_last_turns_newest_first_with_falling_weights() -> None:
    _, queries = listen(
        (CITIZEN, "我家门口路灯坏了"),
        (OPERATOR, "坏了几天了，请您说说看？"),
        (CITIZEN, "大概有一个星期不亮了"),
        (CITIZEN, "晚上走路都看不见"),
    )
    query = queries[-1]
    assert query is not None
    assert query.text == "晚上走路都看不见，大概有一个星期不亮了，我家门口路灯坏了"
    texts, weights = zip(*query.turns, strict=True)
    assert texts[0] == "晚上走路都看不见"
    of_citizen = [weight for text, weight in query.turns if text in query.text]
    assert of_citizen == sorted(of_citizen, reverse=True)
    assert weights[0] == 1.0
    assert min(weights) > 0
    assert query.segment_id == "citizen-4"


def test_only_the_last_four_turns_count() -> None:
    turns = [(CITIZEN, f"这是市民说的第{'一二三四五六'[i]}件重要事情") for i in range(6)]
    query = listen(*turns)[1][-1]
    assert query is not None
    assert len(query.turns) == 4
    assert "第二件" not in query.text


def test_operators_ask_by_restating_and_by_answering_but_not_by_asking_for_data() -> None:
    turns = (
        (CITIZEN, "楼上装修漏水到我家"),
        (OPERATOR, "这种情况一般由物业负责协调处理。"),
        (OPERATOR, "您说的是楼上装修造成漏水，对吧？"),
        (OPERATOR, "请问您的手机号码是多少？"),
        (OPERATOR, "请稍等，我查一下。"),
    )
    _, queries = listen(*turns)
    assert [query and query.act for query in queries] == [
        SpeechAct.COMPLAINS,
        SpeechAct.EXPLAINS,
        SpeechAct.RESTATES,
        None,
        None,
    ]
    restated = queries[2]
    assert restated is not None
    assert restated.text == "楼上装修漏水到我家"
    assert "您说的是楼上装修造成漏水" in {text for text, _ in restated.turns}


def test_an_operator_asks_nothing_before_the_citizen_has_told_a_matter() -> None:
    _, queries = listen((OPERATOR, "这种情况一般由物业负责协调处理。"))
    assert queries == [None]


@pytest.mark.parametrize(
    ("text", "asked", "act"),
    [
        ("这个补贴要怎么申请", "", SpeechAct.ASKS),
        ("楼下烧烤店天天吵到半夜", "", SpeechAct.COMPLAINS),
        ("你们派人来看看吧", "", SpeechAct.REQUESTS),
        ("在三楼靠窗那边", "在几楼", SpeechAct.ANSWERS),
        ("在三楼靠窗那边", "", SpeechAct.TELLS),
    ],
)
def test_what_a_citizens_turn_does(text: str, asked: str, act: SpeechAct) -> None:
    assert speech_act(text, asked=asked) is act


def test_a_mixed_recording_counts_as_the_citizen() -> None:
    query = listen((MIXED, "我想问一下老年公交卡怎么办"))[1][-1]
    assert query is not None
    assert "老年公交卡" in query.text


def test_partials_and_empty_finals_are_not_heard() -> None:
    before = Dialogue(call_id="c-1")
    for unheard in (segment("我家停电了", is_final=False), segment("  ")):
        assert hear(before, unheard) == (before, None)


def test_segments_without_a_pause_between_them_are_one_turn() -> None:
    parts = ((CITIZEN, "我家门口那个路灯"), (CITIZEN, "已经坏了一个星期"))
    assert len(listen(*parts, pause_s=0.5)[0].turns) == 1
    assert len(listen(*parts, pause_s=5.0)[0].turns) == 2


def test_another_matter_pushes_the_former_back() -> None:
    query = listen((CITIZEN, "公积金租房怎么提取"), (CITIZEN, "好，还有个事，我的居住证要到期了"))[1][-1]
    assert query is not None
    weights = dict(query.turns)
    assert weights["我的居住证要到期了"] == 1.0
    assert weights["公积金租房怎么提取"] < 0.3


def test_a_long_call_keeps_a_short_memory() -> None:
    turns = [
        (OPERATOR if i % 2 else CITIZEN, f"{'市民' if i % 2 == 0 else '坐席'}说了一件事情编号{i}")
        for i in range(200)
    ]
    assert len(listen(*turns)[0].turns) <= 8


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="decay"):
        DialogueOptions(decay=0)
