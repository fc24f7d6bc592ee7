"""What a turn of a hotline call says, once the courtesies and the dictation are taken off.

In: the text of one turn, and what the other side asked just before.
Out: the clauses that describe a matter; an empty text where there is none.
Not known here: earlier turns, the knowledge base.

The rules know how people talk on any service telephone, not what they call about.
"""

import re

from retrieval.types import SpeechAct

MIN_CHARS = 3
"""Fewer Chinese characters than this describe no matter."""
MIN_CHARS_BESIDE_DICTATION = 5
"""The same for what is said around a name, number or place: often a name once more."""
MIN_CHARS_IN_ANSWER = 12
"""The same where that name, number or place was asked for."""

_CLAUSE = re.compile(r"[^，。！？；、,.!?;\s]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_DIGIT = "[0-9零〇一二两三四五六七八九十百千幺]"
_NAME = "[\u4e00-\u9fff]"

# Words that fill, greet, thank, agree, part or keep the line; a clause of nothing else says nothing.
_COURTESY = re.compile(
    r"(?:喂|哎呀|哎哟|哎|诶|唉|欸|嗯|呃|额|啊|哦|噢|喔|哈|呀|嘛|呢|吧|吗|了|的|呜|哟|"
    r"你好|您好|早上好|上午好|中午好|下午好|晚上好|大家好|新年好|"
    r"谢谢|多谢|感谢|辛苦|麻烦|拜托|打扰|抱歉|对不起|不好意思|没关系|不客气|不要紧|不着急|不急|"
    r"再见|拜拜|再会|挂了|祝您|祝你|生活愉快|"
    r"好嘞|好|行|中|成|对|是|嗯嗯|没错|可以|没问题|明白|知道|晓得|清楚|懂|记住|记下来|记好|收到|"
    r"没有|没|不用|不|有|就这样|先这样|就这些|就这个|"
    r"这里|这边|这样|那样|这个|那个|就是|然后|那|这|就|先|还|都|也|再|真|很|太|非常|"
    r"先生|女士|师傅|同志|小姐|小姑娘|小伙子|姑娘|大姐|大哥|阿姨|大爷|大妈|美女|帅哥|"
    r"听得到|听得见|听得清|听不到|听不见|听不清|听到|听见|能听到|能听见|信号|在不在|在吗|在听|"
    r"请稍等|稍等|等一下|等下|等等|等会儿|等会|等一会儿|别挂|不要挂|马上|快一点|快点|慢慢|"
    r"查一下|看一下|看看|找一下|找找|想一下|想想|试试|试一下|记一下|核对一下|核实一下|"
    r"请讲|请说|请问|您说|你说|您讲|你讲|说说看|"
    r"想问一下|想问下|想问|想咨询一下|想咨询|问一下|问一句|打听一下|打听|反映一下|说一下|"
    r"个事儿|个事|件事|个事情|个问题|一个|一件|"
    r"能|会|帮|给|为|你们|我们|您|你|我|他们|他|她|咱|俺|一下)+"
)
# A number said digit by digit: telephone, identity card, code.
_SPELLED_NUMBER = re.compile(
    r"(?:[0-9零〇一二两三四五六七八九幺]|杠){5,}|^[0-9零〇一二两三四五六七八九幺]{2,}$"
)
_IDENTITY = re.compile(
    rf"(?:我|他|她|免贵|名字)?(?:免贵)?(?:姓|叫|名叫|名字叫|名字是){_NAME}{{1,4}}|"
    rf"{_NAME}{{1,4}}的(?:那个)?{_NAME}|{_NAME}字旁的?{_NAME}|{_NAME}(?:先生|女士|老师)|"
    r"(?:我的|联系)?(?:电话|号码|手机|手机号)+(?:号)?(?:码)?(?:就)?(?:是)?(?:现在|来电)?(?:打的)?(?:这个|这只|你有的?|您有的?)?|"
    r".{0,6}尾号.*|(?:不想|不愿意?)留?(?:名字|姓名|留名)|匿名"
)
_PLACE = re.compile(
    rf".{{0,12}}(?:街道|新村|社区|小区|花园|家园|公寓|大厦|广场|大道|工业园区?|镇|乡|村|路|街|巷|弄|里|苑|府|城)"
    rf"(?:里面|旁边|对面|附近|门口|这边|那边|交叉口)?"
    rf"|.{{0,14}}?{_DIGIT}+(?:号楼|号|幢|栋|弄|单元|室|楼|层|座)(?:{_DIGIT}+)?(?:号|室|楼)?(?:门口|门前|旁边|对面|{_NAME}{{0,6}}店)?"
)
# What an operator says before the citizen spells out a name, a number or a place.
_ASKS_DICTATION = re.compile(
    r"贵姓|称呼|姓名|什么名字|叫什么|名字和|名字跟|联系方式|联系电话|电话号码|手机号|身份证号|"
    r"地址|位置|门牌|哪个小区|小区名|哪一户|哪栋|哪幢|几栋|几幢|几号|在哪里|在哪儿|什么地方|哪个地方|哪个路"
)
_RESTATES = re.compile(
    r"(?:您|你)(?:说|讲|反映|问|咨询|投诉|要问|想问|指)的?(?:就)?是|(?:您|你)的意思|也就是说|"
    r"(?:对吧|对吗|对不对|是吧|是吗|是不是|是这样吗|没错吧|对么)$"
)
_TURNS_TO_ANOTHER = re.compile(
    r"(?:还有|另外|顺便|顺带|再).{0,3}?(?:个事|件事|个问题|问个|问一|问下|想问|咨询|打听|反映|说一个|说个)|"
    r"(?:^|(?<=[，。！？]))(?:另外|还有|还有就是|还有(?:一)?个|对了|顺便|第[二三四](?:个|件)?)(?=[，,])"
)

_ASKS = re.compile(
    r"[？?]|[吗么呢]$|[吗么呢][，。]|怎么|咋|多少|多久|(?<!好)几|什么|哪|谁|能不能|可不可以|可以吗|"
    r"是不是|要不要|有没有|行不行|算不算|会不会|想问|咨询|请问|打听"
)
_COMPLAINS = re.compile(
    r"投诉|举报|反映|告[他她它状]|没人管|不管|不理|骗|欠|拖|太[^，。]{1,4}了|吵|臭|坏了|堵|漏|没人|"
    r"一直|天天|受不了|态度"
)
_REQUESTS = re.compile(r"帮[我忙]|派人|来[看修弄处]|快点|赶紧|赶快|尽快|马上|希望|建议|处理一下|管管")


def need(text: str, *, asked: str = "") -> str:
    """Return the clauses that describe a matter, joined by commas; empty where there are none.

    `asked` is the other side's turn just before: right after the request for a name, number or
    place, what is short beside the dictation belongs to it.
    """
    clauses = _CLAUSE.findall(text)
    kept = [clause for clause in clauses if not _is_empty(clause) and not _is_dictation(clause)]
    least = MIN_CHARS
    if any(_is_dictation(clause) for clause in clauses):
        least = MIN_CHARS_IN_ANSWER if asks_dictation(asked) else MIN_CHARS_BESIDE_DICTATION
    chars = sum(len(_CHINESE.findall(clause)) for clause in kept)
    return "，".join(kept) if chars >= least else ""


def asks_dictation(text: str) -> bool:
    """Whether a turn asks for a name, a number or a place."""
    return bool(_ASKS_DICTATION.search(text))


def speech_act(text: str, *, asked: str = "") -> SpeechAct:
    """What a citizen's turn does; `asked` is the operator's turn just before.

    A question counts before a complaint, a complaint before a request.
    """
    if _ASKS.search(text):
        return SpeechAct.ASKS
    if _COMPLAINS.search(text):
        return SpeechAct.COMPLAINS
    if _REQUESTS.search(text):
        return SpeechAct.REQUESTS
    return SpeechAct.ANSWERS if _ASKS.search(asked) else SpeechAct.TELLS


def is_restatement(text: str) -> bool:
    """Whether an operator's turn says again what the citizen wants, to have it confirmed."""
    return bool(_RESTATES.search(text.rstrip("？?。！!，, "))) and not asks_dictation(text)


def split_at_new_matter(text: str) -> tuple[str, str]:
    """Divide a turn before the words that open another matter: (what came before, the new matter).

    The second text is empty where no other matter is opened.
    """
    found = _TURNS_TO_ANOTHER.search(text)
    return (text[: found.start()], text[found.start() :]) if found else (text, "")


def _is_empty(clause: str) -> bool:
    return bool(_COURTESY.fullmatch(clause))


def _is_dictation(clause: str) -> bool:
    if _SPELLED_NUMBER.search(clause):
        return True
    bare = re.sub(r"^(?:嗯|呃|啊|哦|就是|那个|对|是|在|我住在?|住在?|叫)+", "", clause)
    return bool(_IDENTITY.fullmatch(clause) or _PLACE.fullmatch(bare))
