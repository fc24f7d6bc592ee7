"""Words that addresses are made of, put right where the ears wrote others of the same sound.

In: a clause in which an address is expected. Out: the same clause, sign for sign, with such words rewritten.
Not known here: names of streets and towns, where the clause stands.

It keeps the length, so that what is found in the new text stands at the same place of the old one.
"""

import re

from asr.vocabulary import general_words
from calls.wrapup.sounding import distance, syllable_of

_WORDS = re.findall(
    "[^ ]+",
    "小区 新村 社区 花园 花苑 名苑 家园 公寓 大厦 广场 菜场 市场 超市 医院 学校 小学 中学 幼儿园 码头 "
    "车站 酒店 饭店 宾馆 "
    "银行 药店 书店 邮局 工业园 产业园 工地 船厂 街道 大道 门口 门前 对面 旁边 隔壁 附近 楼下 路口 村口 门诊 "
    "急诊 住院部 "
    "内科 外科 东边 西边 南边 北边 东面 西面 南面 北面 桥头 桥下",
)
_AS_SOUNDS = {word: tuple(map(syllable_of, word)) for word in _WORDS}
_DIGIT = "[0-9零一二两三四五六七八九十]"
_BUILDING = re.compile(
    rf"(?<={_DIGIT})[床城场长成传重撞装创庄状船常床窗](?=,?，?{_DIGIT}{{3,4}}(?!{_DIGIT}))"
)
_HOUSE = re.compile("(?<=[0-9十百])[厚浩耗毫后好豪](?=楼|门|$)")


def put_place_words_right(text: str) -> str:
    """Rewrite what sounds like a word of addresses and is no word itself; and 幢 and 号 after a number."""
    for word, sounds in _AS_SOUNDS.items():
        for at in range(len(text) - len(word) + 1):
            heard = text[at : at + len(word)]
            if heard[0] in "0123456789" or heard == word or heard in general_words():
                continue
            if all(not distance(syllable_of(sign), sound) for sign, sound in zip(heard, sounds, strict=True)):
                text = text[:at] + word + text[at + len(word) :]
    return _HOUSE.sub("号", _BUILDING.sub("幢", text))
