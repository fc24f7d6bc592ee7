"""Guesses which of two speakers is the operator, by what they say.

In: who of the two said what, in order. Out: the operator's number, or none where it is not clear.
Not known here: voices, sound, whether the speakers were told apart rightly.

Phrases are looked for by their sound, so that 功号 counts as 工号: greetings are said fast and heard badly.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from asr.sounds import sounds_of

_SURE = 2.0
"""Whose points are ahead by so much is the operator."""
_FIRST = 1.0
"""Points for speaking first: an operator answers the call. Not enough alone: recordings may begin later."""

_GREETING = 3.0
_GREETINGS: tuple[tuple[str, ...], ...] = (
    ("工号",),
    ("什么可以帮", "可以帮您", "可以帮到您", "需要帮助", "需要什么帮助", "为您服务", "为您解答"),
    ("市民热线", "政务热线", "服务热线", "感谢您的来电", "感谢您的致电", "感谢来电", "感谢致电"),
)
"""What hardly anybody but an operator says; any of a row counts, once."""
_TURNS_OF_PHRASE: tuple[tuple[str, ...], ...] = (
    (
        "帮您登记",
        "帮您查",
        "帮您转",
        "帮您记",
        "帮您反映",
        "帮您联系",
        "为您登记",
        "为您查",
        "给您登记",
        "给您查",
    ),
    ("您贵姓", "怎么称呼", "您的姓名", "您的名字", "您的电话", "您的手机", "您的联系方式", "您的地址"),
    ("请稍等", "请稍候", "请您讲", "请您说", "您请说", "您请讲", "您先别", "您别着急", "您慢慢说", "理解您"),
    ("我登记", "登记好", "登记一下", "派单", "工单", "这边登记"),
    ("还有其他", "还有别的", "别的需要", "回复您", "答复您", "联系您", "回访"),
)
"""Ways of an operator, a point for each row."""
_CITIZENS: tuple[tuple[str, ...], ...] = (
    (
        "我想问",
        "我想咨询",
        "我想反映",
        "我想投诉",
        "我想了解",
        "我要投诉",
        "我要反映",
        "我要举报",
        "我来反映",
    ),
    (
        "我家",
        "我们家",
        "我们小区",
        "我们楼",
        "我们村",
        "我妈",
        "我爸",
        "我老公",
        "我老婆",
        "我儿子",
        "我女儿",
    ),
    ("你们那边", "你们这边", "你们能不能", "你们到底", "麻烦你", "谢谢你"),
    ("我姓", "我叫", "免贵"),
)
"""Ways of a citizen, a point less for each row."""

_NUMBER = "12345"
"""The hotline's own, worth a point."""
_HAN = re.compile("[\u4e00-\u9fff]+")
_POLITE_SHARE, _POLITE_LEAST = 0.75, 3
"""Whoever says 您 so much more often than the other gets a point."""


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
        points[most] += 1.0
    ahead = points[1] - points[2]
    if abs(ahead) < _SURE:
        return None
    return 1 if ahead > 0 else 2


def _points(texts: Sequence[str]) -> float:
    """For speaking like an operator, less those for speaking like a citizen."""
    heard = "".join(map(_sounding, texts))
    greetings, ways, citizens = (
        sum(any(_phrase(phrase) in heard for phrase in row) for row in rows)
        for rows in (_GREETINGS, _TURNS_OF_PHRASE, _CITIZENS)
    )
    return _GREETING * greetings + ways + any(_NUMBER in text for text in texts) - citizens


def _sounding(text: str) -> str:
    """How a text sounds, each syllable between spaces; a mark or a number is a break."""
    runs = (" ".join(sound.key for sound in sounds_of(run)) for run in _HAN.findall(text))
    return f" {' | '.join(runs)} "


@cache
def _phrase(text: str) -> str:
    return _sounding(text)
