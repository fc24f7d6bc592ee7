"""Tells what happens now from what is denied, feared, asked about, told of elsewhere, long past or over.

In: a text and the place of dangerous words in it. Out: yes or no.
Not known here: which words are dangerous, calls.

In doubt it is happening: an alarm too many costs a look, one too few may cost a life.
"""

import re
from collections.abc import Sequence

from calls.safety.kinds import AlarmKind
from calls.safety.sounding import Place, Sounding

_DENIED = re.compile(
    "(?<![是有要会])(?:并没有?|没有?|并不是|不是|不会|不可能|未|排除)"
    "(?:人|再|发生|出现|什么|任何|有|是|真的|真|闻到|看到|造成|引起){0,2}$"
)
_NOW = "现在|正在|刚才|刚刚|今天|今早|这会|又|快来|快点|赶快|赶紧|救命|救人|还在|一直在"
_PAST = re.compile(
    "去年|前年|以前|上次|上回|上个月|上周|上星期|上个星期|上礼拜|前几年|前两年|小时候|曾经|当年|那年|早年|年前|月前"
    f"|之前(?!(?:{_NOW}))"
)
_SUPPOSED = re.compile(
    "如果|要是|假如|假设|万一|倘若|容易|以免|免得|防止|避免|预防|迟早|早晚|哪天|到时候|可能会"
)
_ASKED = re.compile("会不会")
_FEARED = re.compile("(?:怕|担心|害怕|恐怕)[^，,]{0,3}$")
_RULES = re.compile(
    "怎么(?:申请|办理|报销|赔|收费)|能不能(?:申请|报销|赔)|赔偿|补偿|理赔|补贴|补助|报销|开户|缴费|多少钱|"
    "(?:什么|哪些|申请|办理)(?:条件|资格|流程|标准)|(?:规定|政策|标准|流程|条件)(?:是什么|是怎)|"
    "年检|认定|鉴定|残疾证|保险|科普|讲座"
)
_TOLD = re.compile("新闻|电视|电影|小说|网上|视频里|听说(?:别|外|其他|有的)|别的城市|外地")
_OVER = re.compile("救出来|救上来|修好了|(?<![没不有人])处理[完好]?了|解决了|虚惊一场|误报")
_OVER_BY_KIND = {
    AlarmKind.FIRE: re.compile("(?:火|烟|已经|都)[^没不]{0,3}灭了|扑灭"),
    AlarmKind.MISSING: re.compile("找到了|找着了|回来了"),
}
_IS_NOW = re.compile(_NOW)

_TOLD_IN_FEAR = (AlarmKind.SUICIDE, AlarmKind.MISSING, AlarmKind.VIOLENCE)
"""Who fears these for somebody has reason to."""
_THREATENED = (AlarmKind.SUICIDE,)
"""Said with if and when, it is a threat."""
_SUSPECTED = (*_TOLD_IN_FEAR, AlarmKind.GAS, AlarmKind.POISONING)
"""Where asking whether it may be so is the call for help."""


def is_meant_now(sounding: Sounding, places: Sequence[Place], kind: AlarmKind) -> bool:
    """Whether the words at these places say that it is so, here and now."""
    text = sounding.characters
    whole = sounding.sentence(Place(places[0].start, places[-1].end))
    before, until = text[whole.start : places[0].start], text[whole.start : places[-1].end]
    is_elsewhere = _precedes(_DENIED, sounding, places) or _holds(_TOLD, before) or _holds(_PAST, until)
    if is_elsewhere or kind in _THREATENED:
        return not is_elsewhere
    sentence = text[whole.start : whole.end]
    return not (
        _holds(_SUPPOSED, before)
        or (kind not in _SUSPECTED and _ASKED.search(until) is not None)
        or (kind not in _TOLD_IN_FEAR and _precedes(_FEARED, sounding, places))
        or (_RULES.search(sentence) is not None and _IS_NOW.search(sentence) is None)
        or any(over.search(sentence) for over in (_OVER, _OVER_BY_KIND.get(kind, _OVER)))
    )


def _precedes(cue: re.Pattern[str], sounding: Sounding, places: Sequence[Place]) -> bool:
    """Whether the cue stands right before one of the places."""
    return any(cue.search(sounding.text[: sounding.span(place)[0]]) for place in places)


def _holds(cue: re.Pattern[str], before: str) -> bool:
    """Whether the cue holds to the end: not after 现在 or 又, with which the talk comes back to what is."""
    found = list(cue.finditer(before))
    return bool(found) and not _IS_NOW.search(before, found[-1].end())
