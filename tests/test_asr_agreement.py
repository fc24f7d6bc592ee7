"""What was agreed on stays; what was not may change; punctuation never decides."""

from hypothesis import given
from hypothesis import strategies as st

from asr.agreement import Agreement


def shown(*texts: str) -> list[str]:
    agreement = Agreement()
    return [agreement.show(text, is_whole=True) for text in texts]


def test_what_two_partials_agree_on_stays_even_when_a_third_reads_it_differently() -> None:
    assert shown("我要偷", "我要投诉一", "我腰投诉一个") == ["我要偷", "我要投诉一", "我要投诉一个"]


def test_what_only_one_partial_said_may_change() -> None:
    assert shown("我要偷", "你要投诉") == ["我要偷", "你要投诉"]


def test_punctuation_and_width_do_not_hinder_agreement() -> None:
    agreement = Agreement()
    agreement.show("喂，你好我要", is_whole=True)
    agreement.show("喂你好，我要投", is_whole=True)
    assert agreement.confirmed == "喂你好，我要"
    agreement.show("ＡＢ12", is_whole=True)
    agreement = Agreement()
    agreement.show("ＡＢ12", is_whole=True)
    agreement.show("ab12路", is_whole=True)
    assert agreement.confirmed == "ab12"


def test_a_shorter_partial_takes_nothing_back() -> None:
    assert shown("我要投诉一个", "我要投诉一个出", "我要") == [
        "我要投诉一个",
        "我要投诉一个出",
        "我要投诉一个",
    ]


def test_where_a_character_was_left_out_the_rest_goes_on_behind_the_same_place() -> None:
    texts = ["昨天晚上我从机场", "昨天晚上我从机场出来", "昨晚上我从机场出来坐车"]
    assert shown(*texts)[-1] == "昨天晚上我从机场出来坐车"


def test_the_last_characters_are_kept_back_where_the_sound_was_cut_off() -> None:
    agreement = Agreement()
    assert agreement.show("我要投") == "我要投"
    assert agreement.show("我要投诉一个出") == "我要投诉一"
    assert agreement.show("我要投诉一个出租", is_whole=True) == "我要投诉一个出租"


@given(st.lists(st.text(alphabet="我要投诉一个，。 12", max_size=12), max_size=8))
def test_what_is_confirmed_is_always_the_beginning_of_what_is_shown(texts: list[str]) -> None:
    agreement, before = Agreement(), ""
    for text in texts:
        now = agreement.show(text)
        assert now.startswith(before)
        assert agreement.confirmed.startswith(before)
        before = agreement.confirmed
