"""What the citizen is called.

In: the pieces of a call in order.
Out: a field: a full name, a surname with 先生 or 女士, a surname alone, or 匿名.
Not known here: anything else of the citizen.
"""

import re
from collections.abc import Iterator, Sequence

from calls.wrapup.pieces import Piece
from calls.wrapup.types import UNKNOWN, Field, Span

_SURNAMES = (
    "欧阳|上官|司徒|诸葛|司马|夏侯|皇甫|尉迟|公孙|"
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟"
    "谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤虞应缪翁庄乐俞励柴娄"
    "施柯季舒岑费鲍卓祝骆裘包倪洪蓝戚阮凌项童华葛管穆屠鲁]"
)
_ENDS = "(?=[，,。！？!?、；;的呀啊吧呢]|$)"
_FULL = re.compile(
    rf"(?:我叫|名字叫|名叫|姓名是|名字是|我是)(?P<name>(?:{_SURNAMES})[\u4e00-\u9fff]{{1,2}}?){_ENDS}"
)
_ADDRESSED = re.compile(rf"(?P<name>(?:{_SURNAMES})(?:先生|女士|小姐|大爷|阿姨|师傅|老师))")
_SURNAME = re.compile(rf"(?:免贵姓|我姓|姓|本人姓)(?P<name>{_SURNAMES}){_ENDS}")
_SPELLED = re.compile(rf"(?:[\u4e00-\u9fff]{{2,4}})的(?P<name>{_SURNAMES}){_ENDS}")
_BUILT = {
    "弓长": "张",
    "立早": "章",
    "木子": "李",
    "耳东": "陈",
    "草头": "黄",
    "双人": "徐",
    "双木": "林",
    "口天": "吴",
}
_BUILT_NAME = re.compile(f"({'|'.join(_BUILT)})[\u4e00-\u9fff]?")
_ANONYMOUS = re.compile("匿名|不(?:想|愿意?|方便|要)?(?:留|透露|说)(?:我的)?(?:名字|姓名|名|个人信息)")
_ASKS = re.compile("贵姓|称呼|姓名|名字|您姓|姓什么")


def find_name(pieces: Sequence[Piece]) -> Field:
    """Find the surest name; the citizen's own words go before the operator's form of address."""
    found: Field = UNKNOWN
    for name, sure, span in _names(pieces):
        if sure > found.confidence:
            found = Field(value=name, confidence=sure, spans=(span,))
        elif sure and found.value and name[0] == found.value[0] and len(name) > len(found.value):
            # The operator says 王女士 to who said 姓王: the form of address says more.
            found = Field(value=name, confidence=found.confidence, spans=(*found.spans, span))
    return found


def _names(pieces: Sequence[Piece]) -> Iterator[tuple[str, float, Span]]:
    is_asked = False
    for piece in pieces:
        if not piece.is_citizens:
            is_asked = bool(_ASKS.search(piece.text))
            yield from _all(_ADDRESSED, piece, 0.6)
            continue
        for found in _ANONYMOUS.finditer(piece.text):
            yield "匿名", 0.9, _span(piece, found.start(), found.end())
        yield from _all(_FULL, piece, 0.85 if is_asked else 0.7)
        spelled = _SPELLED.search(piece.text) if is_asked else None
        built = _BUILT_NAME.search(piece.text)
        if built:
            yield _BUILT[built[1]], 0.85, _span(piece, built.start(), built.end())
        elif spelled:
            yield spelled["name"], 0.85, _span(piece, spelled.start(), spelled.end())
        else:
            yield from _all(_SURNAME, piece, 0.8)


def _all(pattern: re.Pattern[str], piece: Piece, sure: float) -> Iterator[tuple[str, float, Span]]:
    for found in pattern.finditer(piece.text):
        yield found["name"], sure, _span(piece, found.start("name"), found.end("name"))


def _span(piece: Piece, start: int, end: int) -> Span:
    at = piece.span.start
    return Span(segment_id=piece.span.segment_id, start=at + start, end=at + end)
