"""Examples that are judged by the others."""

from scripts.evaluate_examples import judge_examples
from tests.wrapup_parts import embed


def test_examples_that_are_alike_find_each_other() -> None:
    rows = [
        {"kind": kind, "urgency": urgency, "text": f"{text}{number}"}
        for number in range(8)
        for kind, urgency, text in (
            ("咨询", "普通", "请问这个证怎么办理"),
            ("求助", "特急", "着火了快来救人啊"),
            ("无", "普通", "好的谢谢再见"),
        )
    ]
    found = judge_examples(rows, embed)
    assert (found.kinds_right, found.kinds) == (16, 16)
    assert (found.urgent_found, found.urgent) == (8, 8)
    assert (found.false_alarms, found.usual) == (0, 16)
