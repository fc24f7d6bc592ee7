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
from dataclasses import dataclass, replace

from asr.numbers import with_digits
from calls.wrapup.gazetteer import Gazetteer, NamedPlace, likeliest_district
from calls.wrapup.pieces import Piece
from calls.wrapup.place_words import put_place_words_right
from calls.wrapup.types import UNKNOWN, Field, Span

_CLAUSE = re.compile(r"[^，,、。！？!?；;]+")
_HAN = "[\u4e00-\u9fff]"
_STREET = re.compile(
    rf"{_HAN}{{1,4}}?(?:大道|公路|(?<![修马走条问带让铁网思出线道门半铺公认迷])路|大街|街(?!道)|巷|弄堂)(?!上|口|边|面|灯|人|过|程|线|费|由|段|况)"
)
_SITE = re.compile(
    rf"{_HAN}{{2,6}}?(?:新村|小区|社区|花园|花苑|名苑|家园|公寓|山庄|小镇|大厦|广场|菜场|菜市场|市场|小学|中学|幼儿园"
    r"|医院|卫生院|公园|酒店|宾馆|超市|商场|商城|工业园区?|产业园|船厂|工厂|工地|码头|车站|公交站|大桥|水库|渔港|沙滩|景区"
    r"|村(?!民|里|上|干|委))"
)
_PLAIN_SITE = re.compile("工业园区?|产业园|开发区")
"""Of which a town has one: said without a name."""
_NUMBER = re.compile(
    r"(?:[0-9]+(?:[-—杠][0-9]+)?(?:号楼|号(?!线|码|称|前|左)|弄|幢|栋|单元|室|楼|层)"
    "|[零一二两三四五六七八九十]+(?:号楼|幢|栋|弄|单元|楼))"
    r"(?:[0-9]{1,4}(?:号|室)?(?![0-9年月日点元块]))?"
)
_NO_HOUSE = re.compile("[月第才等排每了过]|前面|[上下这]个|年$")
"""Before a number that tells no house: a date, a place in a queue."""
_LANDMARK = re.compile(
    rf"(?:{_HAN}|[0-9A-Za-z]){{1,10}}?(?:门口|斜?对面|旁边|边上|隔壁|附近|楼下|十字路口|路口|交叉口|转角|拐角|门前"
    "|桥下|桥头|入口|出口|后面|前面)"
)
_LEAD = re.compile(
    "^(?:嗯|呃|啊|哦|对|是|就是|那个|这个|我们|咱们|你们|我|您|住|住在|家|在|这边|那边|位置|地址|具体|地点|呢|就|到|从|去|的|说"
    "|反映|里|上|靠近|靠|大概|应该|好像|离|叫|它|他|她|还有|那|有|一个|个|和|跟|往|走|过)+"
)
_TAIL = re.compile("(?:这里|这边|那里|那边|这块|那块|一带|的|吧|啊|呀|呢|吗|嘛|哦|了)+$")
_ASKS = re.compile(
    "地址|位置|(?:在哪(?!家)|哪家|哪一?个)(?!平台|网站|公司|单位|部门|窗口|人)|哪一?[里儿边条栋幢座层户村]"
    "|什么地方|门牌|几号|几幢|几栋|住址|名称"
)
_TELLS = re.compile("住在|我们这|我家|家在|地址|位置|小区|这里|这边")
_SAYS_BACK = re.compile("对吧|对吗|是吧|是吗|对不对|没错|您说的|您是说|您反映|核对|确认|登记|记录|记下")
_OPEN = re.compile("[哪几]|什么|[这那][个边里]|别的|其他|能不能|可以")
_GOES_TO = re.compile("(?:到|去|往|开往|飞|回|坐到|至)$")
_DICTATES = re.compile("地址|住址|我住|家住|家在|位置")
_GOES_ON = re.compile(
    f"$|[的0-9]|街道|镇|乡|岛|这边|那边|这里|{_HAN}{{0,4}}?(?:路|街|巷|村|小区|花园|家园|公寓|大厦)"
)
"""What follows a town in an address."""
_LIVES = re.compile("(?:在|住|我是|我们|咱们|家)$")
_MOVES = re.compile("(?:到|去|从|走|往)$")
_FROM_THERE = re.compile("的(?:$|[人在电手]|这)|人$|人(?=在)|这边|那边|这里|这一带")
_FERRY = re.compile("轮渡|渡船|车渡|客轮|客船|码头|坐船|船票|开船")
_VERB = re.compile("(?:做|上班|打工|干活|工作|买|掉|坐|等|看|开店).*$")
_SPOKEN_HOUSE = re.compile("[零一二两三四五六七八九十百]+(?:幢|栋|号楼|弄|单元)")
_ROOM = re.compile("(?<=[幢栋楼元])[0-9]{3,4}(?![0-9室号])")
_PARK = re.compile("工业园(?!区)")
_TOWN = "街道乡镇"
_LANDING = "码头"
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
_NEAR = 4
"""Clauses between parts of one address."""
_DICTATED = 2.0
_AT_HOME = 1.5
"""Times what a town counts where somebody says that they are there or from there."""
_PASSING = 0.3
"""Times what a place counts where somebody is going."""
_FAR_OFF = 0.25
"""How far off a town may sound where no address was asked for."""


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
    evidence: float = 0.0

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
        value=_as_written("".join(part.text for part in parts)),
        confidence=min(0.95, 0.25 + 0.1 * len(parts) + 0.1 * best),
        spans=tuple(dict.fromkeys(part.span for part in parts)),
    )
    return where, place


def _clauses(pieces: Sequence[Piece], gazetteer: Gazetteer) -> Iterator[_Clause]:
    asked, order = 0.0, 0
    takes_ferry = any(_FERRY.search(piece.text) for piece in pieces if piece.is_citizens)
    for piece in pieces:
        if not piece.is_citizens:
            asked = _ASKED if _ASKS.search(piece.text) else asked * 0.4
        says_back = bool(_SAYS_BACK.search(piece.text)) or (_ASKED > asked > _FORGOTTEN)
        for found in _CLAUSE.finditer(piece.text):
            text = found[0]
            if piece.is_citizens:
                weight = 1.0 + asked + (_TOLD if _TELLS.search(text) else 0.0)
            else:
                weight = _SAID_BACK if says_back else _UNASKED
            is_expected = piece.is_citizens and (weight >= _DICTATED or bool(_DICTATES.search(piece.text)))
            if is_expected:
                text = put_place_words_right(text)
            start = piece.span.start + found.start()
            names: list[NamedPlace] = []
            for name in gazetteer.named(text, by_sound=piece.is_citizens or says_back):
                if _is_meant(name, text, names[-1].end if names else 0, is_expected=is_expected):
                    names.append(_settled(name, text, takes_ferry=takes_ferry))
            order += 1
            yield _Clause(
                text=text,
                span=Span(segment_id=piece.span.segment_id, start=start, end=start + len(text)),
                weight=weight,
                names=tuple(names),
                order=order,
            )


def _is_meant(name: NamedPlace, text: str, last_end: int, *, is_expected: bool) -> bool:
    """Whether what sounds like a name is one: by where it stands, the shorter it is the more."""
    if not name.is_heard:
        return True
    before, after = text[: name.start], text[name.end :]
    is_short = name.end - name.start <= 2
    follows_name = last_end > 0 and last_end == name.start
    if is_expected:
        is_first = not before[last_end:] or bool(_LEAD.fullmatch(before[last_end:]))
        return is_first and (not is_short or bool(_GOES_ON.match(after)))
    if follows_name:
        return not name.doubt
    if is_short and (not name.is_area or name.doubt > _FAR_OFF):
        return False
    if _LIVES.search(before) or _MOVES.search(before):
        return True
    return not name.doubt and bool(_FROM_THERE.match(after)) and (not before or not is_short)


def _settled(name: NamedPlace, text: str, *, takes_ferry: bool) -> NamedPlace:
    """The town where somebody is from there; the landing only where somebody takes a ship."""
    before, after = text[: name.start], text[name.end :]
    if name.town and (_LIVES.search(before) or _FROM_THERE.match(after)):
        return replace(
            name,
            name=name.town,
            kind=_TOWN,
            districts=name.town_districts,
            town="",
            town_districts=frozenset(),
        )
    if name.kind == _LANDING and _LANDING not in text and not takes_ferry:
        return replace(name, name=name.name.removesuffix(_LANDING))
    return name


def _district_weight(name: NamedPlace, clause: _Clause) -> float:
    """Districts and towns say more than streets; where somebody is going says little of the matter."""
    kind = 2.0 if name.is_district else 1.5 if name.kind == _TOWN else 1.0
    return kind * _evidence(name, clause)


def _evidence(name: NamedPlace, clause: _Clause) -> float:
    """How much a name counts for being the place that the call is about."""
    if _GOES_TO.search(clause.text, 0, name.start):
        share = _PASSING
    else:
        share = _AT_HOME if _LIVES.search(clause.text, 0, name.start) else 1.0
    return clause.weight * (1.0 - name.doubt) * share


def _as_written(text: str) -> str:
    """As it is written in a work order: 四幢102 is 4幢102室."""
    text = _SPOKEN_HOUSE.sub(lambda spoken: with_digits(spoken[0]), text)
    return _PARK.sub("工业园区", _ROOM.sub(r"\g<0>室", text))


def _address(clauses: Sequence[_Clause], district: str) -> list[_Part]:
    """The parts of the address from large to small; what was dictated stays together."""
    town = _likeliest(_named(clauses, (_TOWN,), district))
    street = _best([*_named(clauses, ("道路",), district), *_unlisted(clauses, _STREET)])
    sites = [*_named(clauses, _KINDS_OF_SITE, district), *_unlisted(clauses, _SITE)]
    site = _best(sites) or (_best(_matched(clauses, _PLAIN_SITE)) if town else None)
    anchors = [part for part in (street, site, town) if part]
    if not anchors:
        return []
    number = _best(
        [
            part
            for part in _matched(clauses, _NUMBER)
            if (_is_near(part, anchors) or part.clause.weight >= _DICTATED) and _tells_house(part, anchors)
        ]
    )
    landmark = _best([part for part in _matched(clauses, _LANDMARK) if _is_near(part, anchors)])
    parts: list[_Part] = []
    for part in (town, street, site, number, landmark):
        if part:
            whole = part if part is town else _dictated(part, number)
            if not any(whole.text in kept.text for kept in parts):
                parts = [kept for kept in parts if kept.text not in whole.text]
                parts.append(whole)
    return parts


def _dictated(part: _Part, number: _Part | None) -> _Part:
    """In the answer to the question for the address, everything from this part to the clause's end."""
    clause = part.clause
    if clause.weight < _DICTATED:
        return part
    last = max((name.end for name in clause.names if name.is_district), default=0)
    lead = _LEAD.match(clause.text[last:])
    start = min(part.start, last + (lead.end() if lead else 0))
    tail = _TAIL.search(clause.text)
    end = tail.start() if tail else len(clause.text)
    stop = _VERB.search(clause.text, part.end)
    if number and number.clause is not clause:
        other = _NUMBER.search(clause.text, part.end)
        if other and other[0][-1] == number.text[-1]:
            stop = stop or other  # it was put right later on
    end = max(part.end, min(end, stop.start()) if stop else end)
    text = clause.text[start:end]
    for name in clause.names:
        if name.start >= start and not name.is_district:
            text = text.replace(clause.text[name.start : name.end], name.name, 1)
    return _Part(text=text, clause=clause, start=start, end=end)


def _tells_house(part: _Part, anchors: Sequence[_Part]) -> bool:
    """Whether nothing before the number, after the street or site, says that it counts something else."""
    ends = [each.end for each in anchors if each.clause is part.clause and each.end <= part.start]
    return not _NO_HOUSE.search(part.clause.text, max(ends, default=0), part.start)


def _named(clauses: Sequence[_Clause], kinds: Sequence[str], district: str) -> list[_Part]:
    parts = []
    for clause in clauses:
        for name in clause.names:
            is_town = district in name.town_districts
            kind = _TOWN if is_town else name.kind
            if kind in kinds and (not district or not name.districts or district in name.districts):
                text = name.town if is_town else name.name
                evidence = _evidence(name, clause)
                parts.append(
                    _Part(text=text, clause=clause, start=name.start, end=name.end, evidence=evidence)
                )
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


def _likeliest(parts: Sequence[_Part]) -> _Part | None:
    """The part that most speaks for, however often it was said."""
    sums: dict[str, float] = {}
    for part in parts:
        sums[part.text] = sums.get(part.text, 0.0) + part.evidence
    if not sums:
        return None
    text = max(sums, key=lambda each: sums[each])
    return _best([part for part in parts if part.text == text])


def _is_near(part: _Part, anchors: Sequence[_Part]) -> bool:
    return any(abs(part.clause.order - anchor.clause.order) <= _NEAR for anchor in anchors)
