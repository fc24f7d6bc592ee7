"""What the words so far say about whether the speaker has finished.

In: the text of an utterance that is still open.
Out: an `Ending`, by which the segmenter chooses how long a pause it waits for.
Not known here: sound, probabilities, clocks.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """How the text of an open utterance ends."""

    UNKNOWN = "unknown"
    FINISHED = "finished"
    """A sentence that is complete: answer soon."""
    DICTATION = "dictation"
    """In the middle of a number or an address: pauses belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What is known of the open utterance `number` from its text up to `until_s` of media time."""

    number: int
    until_s: float
    ending: Ending


_NUMERAL = "0-9零〇一二三四五六七八九十百千两幺"
_DICTATION = re.compile(
    rf"[{_NUMERAL}]{{3,}}[，,、 ]*$"  # a number that may go on
    r"|(?:号码|电话|手机|身份证|地址|卡号|编号|单号)(?:号|是|为|就是)*[，,：: ]*$"
    r"|(?:路|街|巷|弄|号|幢|栋|单元|村|镇|区|楼)[，,、]?$"
)
_COMPLETE_NUMBER = re.compile(r"(?:^|[^0-9])1[0-9]{10}$")
_FINISHED = re.compile(
    r"(?:[吗吧呢呀嘛]|谢谢|再见|可以的|好的|对的|没有了|不用了|知道了|明白了|怎么办|多少钱|为什么|在哪里)[。？?！!]?$"
    r"|[？?]$"
)


def ending_of(text: str) -> Ending:
    """Judge the end of a text in simplified script."""
    said = text.strip().rstrip("。")
    if _COMPLETE_NUMBER.search(re.sub(r"[ ，,-]", "", said)):
        return Ending.FINISHED
    if _DICTATION.search(said):
        return Ending.DICTATION
    if _FINISHED.search(said):
        return Ending.FINISHED
    return Ending.UNKNOWN
