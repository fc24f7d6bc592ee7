"""Where it is: district, town or street, number, landmark, as far as they were said.

In: the pieces of a call in order, the gazetteer.
Out: two fields, the district and the place.
Not known here: the matter.

Clauses that hold a part of an address are weighed: what answers the question for an address weighs most, what
the operator says weighs only where it is said back. Each part (town, street, site, number, landmark)
is taken from the weightiest clause that has it, so that an address told in pieces comes together.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from calls.wrapup.gazetteer import Gazetteer, NamedPlace, likeliest_district
from calls.wrapup.pieces import Piece
from calls.wrapup.types import UNKNOWN, Field, Span

_CLAUSE = re.compile(r"[^，,、。！？!?；;]+")
_HAN = "[\u4e00-\u9fff]"
_STREET = re.compile(
    rf"{_HAN}{{1,4}}?(?:大道|公路|(?<![修马走条问带让铁网思出线道门半铺公认迷])路|大街|街(?!道)|巷|弄堂)(?!上|口|边|面|灯|人|过|程|线|费|由|段|况)"
)
_SITE = re.compile(
    rf"{_HAN}{{2,6}}?(?:新村|小区|社区|花园|花苑|名苑|家园|公寓|山庄|小镇|大厦|广场|菜场|菜市场|市场|小学|中学|幼儿园"
    r"|医院|卫生院|公园|酒店|宾馆|超市|商场|商城|工业园区?|产业园|工地|码头|车站|公交站|大桥|水库|渔港|沙滩|景区"
    r"|村(?!民|里|上|干|委))"
)
_NUMBER = re.compile(
    r"[0-9]+(?:[-—杠][0-9]+)?(?:号楼|号(?!线|码|称|前|左)|弄|幢|栋|单元|室|楼|层)"
    r"(?:[0-9]{1,4}(?:号|室)?(?![0-9年月日点元块]))?"
)
_LANDMARK = re.compile(
    rf"(?:{_HAN}|[0-9A-Za-z]){{1,10}}?(?:门口|斜?对面|旁边|边上|隔壁|附近|楼下|十字路口|路口|交叉口|转角|拐角|门前"
    "|桥下|桥头|入口|出口|后面|前面)"
)
_LEAD = re.compile(
    "^(?:嗯|呃|啊|哦|对|是|就是|那个|这个|我|我们|咱们|你们|您|住|住在|家|在|这边|那边|位置|地址|具体|地点|呢|就|到|从|去|的|说"
    "|反映|里|上|靠近|靠|大概|应该|好像|离|叫|它|他|她|还有|那|有|一个|个|和|跟|往|走|过)+"
)
_TAIL = re.compile("(?:这里|这边|那里|那边|这块|那块|一带|的|吧|啊|呀|呢|吗|嘛|哦|了)+$")
_ASKS = re.compile("地址|位置|在哪|哪里|哪个|什么地方|门牌|几号|几幢|几栋|哪条|哪一|住址|哪儿")
_TELLS = re.compile("住在|我们这|我家|家在|地址|位置|小区|这里|这边")
_SAYS_BACK = re.compile("对吧|对吗|是吧|是吗|对不对|没错|您说的|您是说|您反映|核对|确认|登记|记录|记下")
_OPEN = re.compile("[哪几]|什么|这个|那个|别的|其他")
_GOES_TO = re.compile("(?:到|去|往|开往|飞|回|坐到|至)$")
_KINDS_OF_SITE = ("地点", "码头", "医院", "岛屿", "桥梁")
_ASKED = 1.5
_FORGOTTEN = 0.5
"""In the operator's next turn after the question the answer is mostly said back."""
_TOLD = 0.5
_SAID_BACK = 0.8
_UNASKED = 0.2
"""What the operator says of places without saying it back: where to go, whom to ask."""
_LEAST = 0.7
_LEAST_NAME = 3
_UNDECIDED = 0.5
_DICTATED = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    text: str
    span: Span
    weight: float
    names: tuple[NamedPlace, ...]
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    text: str
    clause: _Clause
    start: int
    end: int

    @property
    def span(self) -> Span:
        at = self.clause.span.start
        return Span(segment_id=self.clause.span.segment_id, start=at + self.start, end=at + self.end)


def find_place(pieces: Sequence[Piece], gazetteer: Gazetteer) -> tuple[Field, Field]:
    """Find district and place; both empty where nobody named one."""
    clauses = [clause for clause in _clauses(pieces, gazetteer) if clause.weight >= _LEAST]
    named = [(name, clause) for clause in clauses for name in clause.names]
    district, share = likeliest_district((name, _district_weight(name, clause)) for name, clause in named)
    if share <= _UNDECIDED:
        where, district = UNKNOWN, ""
    else:
        spans = [
            _Part(text="", clause=c, start=n.start, end=n.end).span
            for n, c in named
            if district in n.districts
        ]
        where = Field(value=district, confidence=0.9 * share, spans=tuple(spans))
    parts = _address(clauses, district)
    if not parts:
        return where, UNKNOWN
    best = max(part.clause.weight for part in parts)
    place = Field(
        value="".join(part.text for part in parts),
        confidence=min(0.95, 0.25 + 0.1 * len(parts) + 0.1 * best),
        spans=tuple(dict.fromkeys(part.span for part in parts)),
    )
    return where, place


def _clauses(pieces: Sequence[Piece], gazetteer: Gazetteer) -> Iterator[_Clause]:
    asked = 0.0
    for order, piece in enumerate(pieces):
        if not piece.is_citizens:
            asked = _ASKED if _ASKS.search(piece.text) else asked * 0.4
        says_back = bool(_SAYS_BACK.search(piece.text)) or (_ASKED > asked > _FORGOTTEN)
        for found in _CLAUSE.finditer(piece.text):
            text = found[0]
            if piece.is_citizens:
                weight = 1.0 + asked + (_TOLD if _TELLS.search(text) else 0.0)
            else:
                weight = _SAID_BACK if says_back else _UNASKED
            start = piece.span.start + found.start()
            yield _Clause(
                text=text,
                span=Span(segment_id=piece.span.segment_id, start=start, end=start + len(text)),
                weight=weight,
                names=tuple(gazetteer.named(text, by_sound=weight >= _DICTATED or says_back)),
                order=order,
            )


def _district_weight(name: NamedPlace, clause: _Clause) -> float:
    """Districts and towns say more than streets; where somebody is going says little of the matter."""
    goes = _GOES_TO.search(clause.text, 0, name.start)
    kind = 2.0 if name.is_district else 1.5 if name.kind == "街道乡镇" else 1.0
    return clause.weight * kind * (0.3 if goes else 1.0)


def _address(clauses: Sequence[_Clause], district: str) -> list[_Part]:
    """The parts of the address from large to small; what was dictated stays together."""
    town = _best(_named(clauses, ("街道乡镇",), district))
    street = _best([*_named(clauses, ("道路",), district), *_unlisted(clauses, _STREET)])
    site = _best([*_named(clauses, _KINDS_OF_SITE, district), *_unlisted(clauses, _SITE)])
    anchors = [part for part in (street, site, town) if part]
    if not anchors:
        return []
    number = _best(
        [
            part
            for part in _matched(clauses, _NUMBER)
            if _is_near(part, anchors) or part.clause.weight >= _DICTATED
        ]
    )
    landmark = _best([part for part in _matched(clauses, _LANDMARK) if _is_near(part, anchors)])
    parts: list[_Part] = []
    for part in (town, street, site, number, landmark):
        if part:
            whole = part if part is town else _dictated(part)
            if not any(whole.text in kept.text for kept in parts):
                parts = [kept for kept in parts if kept.text not in whole.text]
                parts.append(whole)
    return parts


def _dictated(part: _Part) -> _Part:
    """In the answer to the question for the address, everything from this part to the clause's end."""
    clause = part.clause
    if clause.weight < _DICTATED:
        return part
    last = max((name.end for name in clause.names if name.is_district), default=0)
    lead = _LEAD.match(clause.text[last:])
    start = min(part.start, last + (lead.end() if lead else 0))
    tail = _TAIL.search(clause.text)
    end = max(part.end, tail.start() if tail else len(clause.text))
    text = clause.text[start:end]
    for name in clause.names:
        if name.start >= start and not name.is_district:
            text = text.replace(clause.text[name.start : name.end], name.name, 1)
    return _Part(text=text, clause=clause, start=start, end=end)


def _named(clauses: Sequence[_Clause], kinds: Sequence[str], district: str) -> list[_Part]:
    parts = []
    for clause in clauses:
        for name in clause.names:
            is_town = district in name.town_districts
            kind = "街道乡镇" if is_town else name.kind
            if kind in kinds and (not district or not name.districts or district in name.districts):
                text = name.town if is_town else name.name
                parts.append(_Part(text=text, clause=clause, start=name.start, end=name.end))
    return parts


def _unlisted(clauses: Sequence[_Clause], pattern: re.Pattern[str]) -> list[_Part]:
    """Names that only look like one: believed where an address is expected, or with a number behind."""
    return [
        part
        for part in _matched(clauses, pattern)
        if len(part.text) >= _LEAST_NAME
        and (part.clause.weight > 1.0 or _NUMBER.match(part.clause.text, part.end))
    ]


def _matched(clauses: Sequence[_Clause], pattern: re.Pattern[str]) -> list[_Part]:
    """Parts that look like what is wanted, outside of known names; what leads to them is taken off."""
    parts = []
    for clause in clauses:
        bounds = [0, *(at for name in clause.names for at in (name.start, name.end)), len(clause.text)]
        for begin, end in zip(bounds[::2], bounds[1::2], strict=True):
            for found in pattern.finditer(clause.text, begin, end):
                lead = _LEAD.match(found[0])
                start = found.start() + (lead.end() if lead else 0)
                if found.end() - start >= 2 and not _OPEN.search(found[0]):
                    text = clause.text[start : found.end()]
                    parts.append(_Part(text=text, clause=clause, start=start, end=found.end()))
    return parts


def _best(parts: Sequence[_Part]) -> _Part | None:
    """The part of the weightiest clause, the later one of two."""
    return max(parts, key=lambda part: (part.clause.weight, part.clause.order), default=None)


def _is_near(part: _Part, anchors: Sequence[_Part]) -> bool:
    return any(abs(part.clause.order - anchor.clause.order) <= 1 for anchor in anchors)
