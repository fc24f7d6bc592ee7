"""Guesses which of two speakers is the operator, by what they say.

In: who of the two said what, in order. Out: the operator's number, or none where it is not clear.
Not known here: voices, sound, whether the speakers were told apart rightly.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SURE = 2.0
"""Whose points are ahead by so much is the operator."""
_FIRST = 1.0
"""Points for speaking first: an operator answers the call. Not enough alone: recordings may begin later."""

_OPERATOR: tuple[tuple[float, re.Pattern[str]], ...] = (
    (3.0, re.compile(r"工号")),
    (
        3.0,
        re.compile(r"(?:为|帮|替)(?:到|助)?您(?:服务|解答|效劳)|可以帮(?:到|助)?您|需要(?:什么)?帮(?:忙|助)"),
    ),
    (3.0, re.compile(r"(?:您好|你好).{0,8}(?:热线|12345|一二三四五|服务中心)|感谢您?的?(?:来电|致电|拨打)")),
    (1.0, re.compile(r"(?:给|帮|为|替|跟)您(?:登记|记录|记|查|转|反映|核实|联系|催|派|回)")),
    (1.0, re.compile(r"您贵姓|怎么称呼|您的?(?:姓名|名字|电话|手机|联系方式|地址)")),
    (
        1.0,
        re.compile(r"请(?:您)?(?:稍等|稍候|别挂|讲|说|放心)|您(?:先)?别(?:急|着急|慌)|您(?:慢慢)?(?:说|讲)"),
    ),
    (
        1.0,
        re.compile(
            r"(?:登记|记录)(?:好|下来|一下)|派单|工单|转(?:给|交|派|到).{0,12}(?:部门|单位|街道|社区|局|办)"
        ),
    ),
    (1.0, re.compile(r"还有(?:其他|其它|别的|什么).{0,6}(?:需要|问题|帮)|(?:回复|答复|联系|回访|回电)您")),
)
_CITIZEN: tuple[tuple[float, re.Pattern[str]], ...] = (
    (1.0, re.compile(r"我们?(?:就是)?(?:想|要|来)(?:要|来)?(?:问|咨询|反映|投诉|举报|建议|了解|求助|打听)")),
    (
        1.0,
        re.compile(r"我们?(?:这个|这边)?(?:家|小区|楼|村|店|孩子|儿子|女儿|爸|妈|老公|老婆|老伴|公公|婆婆)"),
    ),
    (1.0, re.compile(r"你们(?:那边|那里|这边|这里|到底|能不能|管不管|热线|这个)|麻烦你|谢谢你(?!的)")),
    (1.0, re.compile(r"我(?:姓|叫)|免贵")),
)
_POLITE_SHARE, _POLITE_LEAST, _POLITE = 0.75, 3, 1.0
"""Whoever says 您 so much more often than the other is likely to be the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one of the two said at one go."""

    speaker: int
    """1 or 2."""
    text: str


def operator_of(said: Sequence[Said]) -> int | None:
    """The operator's number; None where neither is clearly ahead."""
    if not said:
        return None
    texts = {speaker: [one.text for one in said if one.speaker == speaker] for speaker in (1, 2)}
    points = {speaker: _points(texts[speaker]) for speaker in (1, 2)}
    points[said[0].speaker] += _FIRST
    polite = {speaker: sum(text.count("您") for text in texts[speaker]) for speaker in (1, 2)}
    most = max(polite, key=lambda speaker: polite[speaker])
    if polite[most] >= max(_POLITE_LEAST, _POLITE_SHARE * sum(polite.values())):
        points[most] += _POLITE
    first, second = points[1], points[2]
    if abs(first - second) < _SURE:
        return None
    return 1 if first > second else 2


def _points(texts: Sequence[str]) -> float:
    """For speaking like an operator, less those for speaking like a citizen; each sign counts once."""
    return sum(
        sign * points
        for sign, signs in ((1.0, _OPERATOR), (-1.0, _CITIZEN))
        for points, pattern in signs
        if any(pattern.search(text) for text in texts)
    )
