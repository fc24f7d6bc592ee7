"""The telephone number that the citizen dictates, in one breath or in pieces.

In: the pieces of a call in order, the number of the line.
Out: a field with the number and every span that holds a piece of it.
Not known here: what the caller's own number is where nobody dictates one.

Where no number stands there as such, the likeliest one is guessed (calls/wrapup/misheard.py), and what the
operator says back or the line itself tells stands in for it where it is nearly the same: nobody dictates a
number that differs from that of the line by a digit.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from calls.wrapup.misheard import DIGITS, Guess, guess_number
from calls.wrapup.pieces import Piece
from calls.wrapup.types import UNKNOWN, Field, Span

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
"""At most, of a number that is guessed; the less, the more had to be believed."""
_ALIKE = 2
"""Digits in which a number that is heard may differ from the one that is meant."""
_SAID_BACK = 0.7
_LINES = 0.9
_PATIENCE = 3
"""Pieces without a digit after which the number is no longer being dictated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    digits: str
    span: Span


def find_phone(pieces: Sequence[Piece], caller: str = "") -> Field:
    """Find the number that was said last as a whole; an operator's repetition makes it surer."""
    found = _found(pieces) or _guessed(pieces)
    if found and _differing(found.value, caller) <= _ALIKE:
        return Field(value=caller, confidence=max(_LINES, found.confidence), spans=found.spans)
    return found or UNKNOWN


def _found(pieces: Sequence[Piece]) -> Field | None:
    """What stands there as a number."""
    found = None
    pending: list[_Run] = []
    repeated = {run.digits for piece in pieces if not piece.is_citizens for run in _runs(piece)}
    for piece, is_asked, begins in _dictations(pieces):
        if begins or _TAKES_BACK.search(piece.text):
            pending = []
        for run in _runs(piece):
            pending = [*pending, run]
            whole = _whole(pending)
            if whole and (is_asked or max(len(each.digits) for each in whole) >= _LONG):
                number = "".join(each.digits for each in whole)
                sure = 0.95 if number in repeated else 0.85 if is_asked else 0.7
                found = Field(value=number, confidence=sure, spans=tuple(each.span for each in whole))
                pending = []
    return found


def _guessed(pieces: Sequence[Piece]) -> Field | None:
    """The least doubtful number of what was dictated; what the operator says back is surer than a guess."""
    best: tuple[Guess, tuple[Span, ...]] | None = None
    said: list[Piece] = []
    for piece, is_asked, begins in _dictations(pieces):
        said = [] if begins or _TAKES_BACK.search(piece.text) else said[-_PATIENCE:]
        said.append(piece)
        if not is_asked and max((len(run.digits) for run in _runs(piece)), default=0) < _LONG:
            continue
        for first in range(len(said)):
            guess = guess_number("".join(each.text for each in said[first:]))
            if guess and (best is None or guess.doubt <= best[0].doubt):
                best = guess, tuple(_spans(said[first:], guess))
    if best is None:
        return None
    guess, spans = best
    for piece in pieces:
        for run in () if piece.is_citizens else _runs(piece):
            if _MOBILE.fullmatch(run.digits) and _differing(run.digits, guess.number) <= _ALIKE:
                return Field(value=run.digits, confidence=_SAID_BACK, spans=(*spans, run.span))
    return Field(value=guess.number, confidence=_MISHEARD / (1.0 + guess.doubt / 2), spans=spans)


def _dictations(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, bool, bool]]:
    """The citizen's pieces: each with whether a number is expected there, and whether a new one may begin."""
    is_asked, begins, silent = False, False, 0
    for piece in pieces:
        if _SPEAKS_OF_OTHER.search(piece.text):
            is_asked, begins = False, True
        if _SPEAKS_OF_PHONE.search(piece.text):
            is_asked, silent = True, 0
            begins = begins or not piece.is_citizens
        if not piece.is_citizens:
            continue
        silent = 0 if any(_runs(piece)) else silent + 1
        if silent > (_PATIENCE if is_asked else 0):
            is_asked, begins = False, True
        yield piece, is_asked, begins
        begins = False


def _spans(pieces: Sequence[Piece], guess: Guess) -> Iterator[Span]:
    """Where the guess stands in each of the pieces, which were read as one text."""
    at = 0
    for piece in pieces:
        start, end = max(guess.start - at, 0), min(guess.end - at, len(piece.text))
        if start < end:
            begin = piece.span.start
            yield Span(segment_id=piece.span.segment_id, start=begin + start, end=begin + end)
        at += len(piece.text)


def _differing(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True)) if len(one) == len(other) else _WHOLE


def digits_of(text: str) -> str:
    """All digits of a text, spoken ones as well, and nothing else."""
    return "".join(DIGITS.get(sign, sign) for sign in text if sign in DIGITS or sign in "0123456789")


_SIGNS = "0-9" + "".join(DIGITS)
_RUN = re.compile(rf"[{_SIGNS}](?:[{_SIGNS}]|(?:[，,、\s\-—.。呃嗯啊额]|然后|再)+(?=[{_SIGNS}]))*")


def _runs(piece: Piece) -> Iterator[_Run]:
    """Runs of digits that may be part of a number; a lone digit only where the piece begins or ends."""
    for found in _RUN.finditer(piece.text):
        digits = digits_of(found[0])
        follows = piece.text[found.end() : found.end() + 1]
        around = piece.text[: found.start()], piece.text[found.end() :]
        is_edge = not all(text.strip("，,。 ") for text in around)
        if (len(digits) >= 2 or is_edge) and not (len(digits) < 5 and _NO_DIGITS.match(follows)):
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
