"""Words of a prompt are recognised by their sound, and nothing else is changed by it."""

from asr.prompt import lexicon_of


def test_names_of_a_prompt_are_written_as_they_stand_there() -> None:
    lexicon = lexicon_of("来电人：虞桂芳，住在芙蓉洲路", ["岱东镇"])
    assert lexicon is not None
    assert lexicon.correct("我叫于贵方。")[0] == "我叫虞桂芳。"
    assert lexicon.correct("在戴东镇那里。")[0] == "在岱东镇那里。"
    assert lexicon.correct("昨天晚上我坐车回家。") == ("昨天晚上我坐车回家。", ())


def test_a_prompt_without_names_changes_nothing() -> None:
    assert lexicon_of("") is None
    assert lexicon_of("Hello, world. 你好，谢谢！") is None
