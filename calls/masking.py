"""Hides telephone, ID-card and bank-card numbers, and names, so that a record can be shown without them.

In: fields and texts, a word of any language standing around the numbers; names and numbers that are known.
Out: the same texts, signs replaced by `*` one for one, so that every place in a text stays where it was.
Not known here: who may see what, calls, HTTP.

A number is found however it was said: in digits, full-width digits or Chinese numerals, in one go or in
groups with pauses between, over several lines. Once is not always enough, since what is left of one number
may stand beside the digits of the next: it is done until nothing changes, so that twice is the same as once.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

STAR = "*"
_SIGNS: Mapping[str, str] = {
    **{str(value): str(value) for value in range(10)},
    **{chr(0xFF10 + value): str(value) for value in range(10)},
    **{sign: str(value) for value, sign in enumerate("零一二三四五六七八九")},
    **{sign: str(value) for value, sign in enumerate("壹贰叁肆伍陆柒捌玖", 1)},
    **{"〇": "0", "○": "0", "幺": "1", "两": "2", "洞": "0", "拐": "7"},
}
_SIGN = "".join(_SIGNS)
_X = "xXｘＸ×叉"
_PAUSE = (
    r"(?:[\s\-－—–_/／,，、。;；·•]|\.(?![0-9]{1,2}(?![0-9]))"  # a point in an amount belongs to that
    "|[呃嗯啊额哦噢唔]|然后|那个|再来|对|是的|好的?|杠)"
)
_RUN = re.compile(rf"[{_SIGN}](?:{_PAUSE}{{0,8}}[{_SIGN}])*(?:{_PAUSE}{{0,2}}[{_X}](?![A-Za-z]))?")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?=[元块人户亩吨平万亿千])")

_DATE = "(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_ID = re.compile(rf"[1-9][0-9]{{5}}{_DATE}[0-9]{{3}}[0-9X]")
_MOBILE = re.compile("1[3-9][0-9]{9}")
_FIXED = re.compile("0(?:10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}")
_CARD_DIGITS = range(13, 20)
_TOO_LONG = 15
"""Digits in one go that are no everyday number any more."""
_SPEAKS_OF_IDENTITY = re.compile("身份证|证件|卡号|银行卡|账号|帐号|社保")
_SPEAKS_OF_PHONE = re.compile("电话|手机|号码|联系方式|座机|固话|打给|拨打|致电")
_MEASURES = "元块万号楼年月"
_WITHIN = 16
"""Characters before a number within which it may be said what it is."""
_AFTER_IDENTITY, _AFTER_PHONE = range(8, 40), range(7, 13)

_COMPOUND = "欧阳|上官|司徒|诸葛|司马|夏侯|皇甫|尉迟|公孙|令狐|东方|慕容|长孙|宇文|端木"
_SURNAME = re.compile(f"{_COMPOUND}|.")
_FORM_OF_ADDRESS = re.compile("先生|女士|小姐|大爷|大妈|大姐|大哥|阿姨|叔叔|师傅|老师|同志|同学|某某?")
_NOBODY = ("匿名", "不详", "未提供", "无名")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a call's citizen, and so is hidden also where it could be anything else."""

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


NOTHING_KNOWN = Known()


def masked_phone(number: str) -> str:
    """13812342316 as 138****2316, 0580-2260512 as 0580-****512, 2260512 as 22***12.

    A public number of five digits or fewer stays.
    """
    places = [at for at, sign in enumerate(number) if sign in _SIGNS]
    digits = _digits(number, places)
    if len(digits) <= 5 or STAR in number:
        return masked_text(number)
    return _starred(number, [places[at] for at in _hidden_of_phone(digits)])


def masked_id(number: str) -> str:
    """330902199001011234 as 330***********1234, of whatever length."""
    places = [at for at, sign in enumerate(number) if sign in _SIGNS or sign in _X]
    return _starred(number, places[3:-4] if len(places) > 7 else places)


def masked_name(name: str) -> str:
    """王小明 as 王**; 王女士 and 匿名 name nobody and stay."""
    name = name.strip()
    surname = _SURNAME.match(name)
    if surname is None or name in _NOBODY or _FORM_OF_ADDRESS.fullmatch(name[surname.end() :]):
        return name
    return _starred(name, range(surname.end() if len(name) > surname.end() else 0, len(name)))


def masked_text(text: str, known: Known = NOTHING_KNOWN) -> str:
    """A text without numbers that lead to a person, and without known names."""
    while (masked := _starred(text, set(_places(text, known)))) != text:
        text = masked
    return text


def masked_lines(lines: Sequence[str], known: Known = NOTHING_KNOWN, *, joint: str = "\n") -> list[str]:
    """The same for lines said one after the other: a number may begin in one and go on in the next.

    With an empty `joint` they are pieces of one line.
    """
    masked = masked_text(joint.join(lines), known)
    cut, at = [], 0
    for line in lines:
        cut.append(masked[at : at + len(line)])
        at += len(line) + len(joint)
    return cut


def _places(text: str, known: Known) -> Iterator[int]:
    for name in known.names:
        if name and masked_name(name) != name:
            shown = len(masked_name(name).rstrip(STAR))
            for found in re.finditer(re.escape(name), text):
                yield from range(found.start() + shown, found.end())
    ordinary = [found.span() for found in _THOUSANDS.finditer(text)]
    for run in _RUN.finditer(text):
        if not any(start <= run.start() and run.end() <= end for start, end in ordinary):
            yield from _places_in(text, run, known)


def _places_in(text: str, run: re.Match[str], known: Known) -> Iterator[int]:
    """Places of one run of digits, with pauses, that are to be hidden."""
    places = [at for at in range(*run.span()) if text[at] in _SIGNS]
    if text[run.end() - 1] in _X:
        places.append(run.end() - 1)
    digits = _digits(text, places)
    before = text[max(0, run.start() - _WITHIN) : run.start()]
    after = text[run.end() : run.end() + 1]
    for start, end in _found(digits, places, before=before, after=after):
        is_identity = bool(_SPEAKS_OF_IDENTITY.search(before))
        yield from (places[start + at] for at in _hidden_of(digits[start:end], is_identity=is_identity))
    for number in known.numbers:
        yield from _pieces_of(number, digits, places)


def _found(digits: str, places: Sequence[int], *, before: str, after: str) -> Iterator[tuple[int, int]]:
    """Stretches of the digits that are somebody's number, from and to, of the first kind that is found."""
    plain = digits.replace("X", "")
    is_whole = places[-1] - places[0] == len(places) - 1
    if (
        (is_whole and len(digits) >= _TOO_LONG)
        or (
            len(plain) in _CARD_DIGITS
            and plain == digits
            and _is_card(digits)
            and not _is_list(digits, places)
        )
        or (len(digits) in _AFTER_IDENTITY and _SPEAKS_OF_IDENTITY.search(before))
    ):
        yield 0, len(digits)
        return
    for kind in (_ID, _MOBILE, _FIXED):
        for found in kind.finditer(digits):
            if not _is_list(digits, places, *found.span()):
                yield found.span()
        if kind.search(digits):
            return
    if (
        len(plain) in _AFTER_PHONE
        and _SPEAKS_OF_PHONE.search(before)
        and after not in tuple(_MEASURES)
        and (digits[0] not in "01" or len(digits) >= 10)
    ):
        yield 0, len(digits)


def _is_list(digits: str, places: Sequence[int], start: int = 0, end: int | None = None) -> bool:
    """Whether digits are a list of small numbers, 13、14、15, and no number that was said in groups."""
    end = len(digits) if end is None else end
    edges = _edges(places)
    groups = [b - a for a, b in pairwise(edges)]
    is_aligned = start in edges and end in edges
    return (
        len(groups) > 2
        and max(groups) == 2
        and min(groups[1:-1]) == 2
        and not (is_aligned and end - start == 11)
    )


def _hidden_of(digits: str, *, is_identity: bool) -> range:
    if _MOBILE.fullmatch(digits) or _FIXED.fullmatch(digits) or (len(digits) < 13 and not is_identity):
        return _hidden_of_phone(digits)
    is_card = len(digits) in _CARD_DIGITS and not _ID.fullmatch(digits)
    return range(4 if is_card else 3, len(digits) - 4)


def _hidden_of_phone(digits: str) -> range:
    if fixed := _FIXED.fullmatch(digits):
        area = 3 if re.match("0(?:10|2)", digits) else 4
        return range(area, fixed.end() - 3)
    if len(digits) >= 11:
        return range(len(digits) - 8, len(digits) - 4)
    return range(2, max(2, len(digits) - 2))


def _pieces_of(number: str, digits: str, places: Sequence[int]) -> Iterator[int]:
    """Pieces of a known number, as they are dictated: groups of four digits or more that stand in it."""
    whole = _digits(number, [at for at, sign in enumerate(number) if sign in _SIGNS])
    if len(whole) < 7:
        return
    hidden = _hidden_of_phone(whole)
    for start, end in pairwise(_edges(places)):
        at = whole.find(digits[start:end]) if end - start >= 4 else -1
        if at >= 0:
            yield from (places[start + i - at] for i in hidden if at <= i < at + end - start)


def _edges(places: Sequence[int]) -> list[int]:
    """Where groups begin and end, as numbers of digits."""
    return [0, *(at for at in range(1, len(places)) if places[at] != places[at - 1] + 1), len(places)]


def _is_card(digits: str) -> bool:
    """Whether the check digit fits (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        value = int(sign) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and digits.strip("0") != ""


def _digits(text: str, places: Sequence[int]) -> str:
    return "".join(_SIGNS.get(text[at], "X") for at in places)


def _starred(text: str, places: Sequence[int] | set[int] | range) -> str:
    if not places:
        return text
    signs = list(text)
    for at in places:
        signs[at] = STAR
    return "".join(signs)
