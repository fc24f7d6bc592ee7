"""The telephone number that the citizen dictates, in one breath or in pieces.

In: the pieces of a call in order.
Out: a field with the number and every span that holds a piece of it.
Not known here: whose line it is; the caller's own number is the caller's business.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from calls.wrapup.pieces import Piece
from calls.wrapup.types import UNKNOWN, Field, Span

_DIGIT = {sign: str(value) for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": "0",
    "幺": "1",
    "两": "2",
    "洞": "0",
}
_SOUNDS_LIKE: Mapping[str, str] = {
    **dict.fromkeys("要腰妖邀吆衣依医", "1"),
    **dict.fromkeys("而儿耳尔", "2"),
    **dict.fromkeys("山伞散", "3"),
    **dict.fromkeys("是事似死市", "4"),
    **dict.fromkeys("午舞无武物吴", "5"),
    **dict.fromkeys("溜流留刘柳", "6"),
    **dict.fromkeys("期妻起齐气奇", "7"),
    **dict.fromkeys("吧把爸巴", "8"),
    **dict.fromkeys("就酒久旧", "9"),
    **dict.fromkeys("林令铃灵", "0"),
}
"""What a digit may have been written as by the ears; believed only between digits of a number that is short
of just these."""
_NO_DIGITS = re.compile("[号幢栋弄室楼层点月日年块元岁个平万千百十条天次位级路]")
_SPEAKS_OF_PHONE = re.compile("电话|手机|号码|联系方式|尾号|怎么联系|打给")
_SPEAKS_OF_OTHER = re.compile("身份证|卡号|账号|工号|车牌|单号|编号|门牌|户号")
_TAKES_BACK = re.compile("不对|不是|错了|说错|更正|重新说")
_MOBILE = re.compile("1[3-9][0-9]{9}")
_FIXED = re.compile("0580[28][0-9]{6}|[28][0-9]{6}")
_WHOLE = 11
_LONG = 8
"""Digits in one breath that are a telephone number even where nobody spoke of one."""
_MISHEARD = 0.5
_PATIENCE = 3
"""Pieces without a digit after which the number is no longer being dictated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    digits: str
    span: Span


def find_phone(pieces: Sequence[Piece]) -> Field:
    """Find the number that was said last as a whole; an operator's repetition makes it surer."""
    found = _found(pieces, _DIGIT)
    if found.value:
        return found
    misheard = _found(pieces, {**_DIGIT, **_SOUNDS_LIKE})
    return replace(misheard, confidence=_MISHEARD) if misheard.value else misheard


def _found(pieces: Sequence[Piece], signs: Mapping[str, str]) -> Field:
    found = UNKNOWN
    pending: list[_Run] = []
    is_asked, silent = False, 0
    repeated = {run.digits for piece in pieces if not piece.is_citizens for run in _runs(piece, _DIGIT)}
    for piece in pieces:
        if _SPEAKS_OF_OTHER.search(piece.text):
            is_asked, pending = False, []
        if _SPEAKS_OF_PHONE.search(piece.text):
            is_asked, silent = True, 0
            pending = pending if piece.is_citizens else []
        if not piece.is_citizens:
            continue
        if _TAKES_BACK.search(piece.text):
            pending = []
        runs = list(_runs(piece, signs))
        silent = 0 if runs else silent + 1
        if silent > (_PATIENCE if is_asked else 0):
            is_asked, pending = False, []
        for run in runs:
            pending = [*pending, run]
            whole = _whole(pending)
            if whole and (is_asked or max(len(each.digits) for each in whole) >= _LONG):
                number = "".join(each.digits for each in whole)
                sure = 0.95 if number in repeated else 0.85 if is_asked else 0.7
                found = Field(value=number, confidence=sure, spans=tuple(each.span for each in whole))
                pending = []
    return found


def digits_of(text: str) -> str:
    """All digits of a text, spoken ones as well, and nothing else."""
    return _digits(text, _DIGIT)


def _digits(text: str, signs: Mapping[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text if sign in signs or sign in "0123456789")


@cache
def _run_pattern(signs: str) -> re.Pattern[str]:
    return re.compile(rf"[0-9{signs}](?:[0-9{signs}]|(?:[，,、\s\-—.。呃嗯啊额]|然后|再)+(?=[0-9{signs}]))*")


def _runs(piece: Piece, signs: Mapping[str, str]) -> Iterator[_Run]:
    """Runs of digits that may be part of a number; a lone digit only where the piece begins or ends."""
    for found in _run_pattern("".join(signs)).finditer(piece.text):
        digits = _digits(found[0], signs)
        follows = piece.text[found.end() : found.end() + 1]
        around = piece.text[: found.start()], piece.text[found.end() :]
        is_edge = not all(text.strip("，,。 ") for text in around)
        is_spelled = sum(sign in _DIGIT or sign.isascii() for sign in found[0]) * 2 > len(found[0])
        if (
            is_spelled
            and (len(digits) >= 2 or is_edge)
            and not (len(digits) < 5 and _NO_DIGITS.match(follows))
        ):
            start = piece.span.start + found.start()
            yield _Run(
                digits=digits,
                span=Span(segment_id=piece.span.segment_id, start=start, end=piece.span.start + found.end()),
            )


def _whole(runs: Sequence[_Run]) -> Sequence[_Run]:
    """The last runs that make a number together; a piece said twice is taken once."""
    for first in range(len(runs)):
        some = list(runs[first:])
        for kept in (some, [run for i, run in enumerate(some) if not i or run.digits != some[i - 1].digits]):
            number = "".join(run.digits for run in kept)
            if len(number) <= _WHOLE and (
                _MOBILE.fullmatch(number) or (first == 0 and _FIXED.fullmatch(number))
            ):
                return kept
    return ()
