"""The likeliest mobile number in a dictation of which some digits were written down as other words.

In: the text of a dictation. Out: eleven digits, what had to be believed for them, and where they stand.
Not known here: calls, who speaks, whether a number was asked for.

A number is a path through the text that takes eleven digits: a digit as it is written for nothing, a word
that sounds like one (以 for 一, 审 for 三) for how far off it sounds, a word left out for a fixed price.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from calls.wrapup.sounding import distance, syllable_of

DIGITS = {sign: str(value) for value, sign in enumerate("零一二三四五六七八九")} | {
    "〇": "0",
    "幺": "1",
    "两": "2",
    "洞": "0",
}
_SPOKEN = {
    "0": ("ling", "dong"),
    "1": ("yi", "yao"),
    "2": ("er", "e", "ai"),
    "3": ("san",),
    "4": ("si",),
    "5": ("wu",),
    "6": ("liu",),
    "7": ("qi",),
    "8": ("ba",),
    "9": ("jiu",),
}
_MARKS = r"[，,、。.？?！!\s\-—]"
_SIGNS = f"[0-9{''.join(DIGITS)}]"
_MARK = re.compile(_MARKS)
_ENDS_IN_DIGIT = re.compile(f"{_SIGNS}{_MARKS}*$")
_BEGINS_WITH_DIGIT = re.compile(f"{_MARKS}*{_SIGNS}")
_MOBILE = re.compile("1[3-9][0-9]{9}")
_WHOLE = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What is paid for what has to be believed."""

    word: float = 0.25
    """For taking a word for the digit that sounds the same."""
    most_off: float = 0.35
    """How far off a word may sound."""
    off: float = 1.0
    """Times how far off it sounds."""
    left_out: float = 1.5
    """For a word that is no digit."""
    mark: float = 0.05
    """For a comma or a space."""
    no_one: float = 0.8
    """For the 1 that every number begins with, where it was not heard."""
    most: float = 2.0
    """Above which no number is believed."""
    least_written: int = 7
    """Digits of the eleven that must stand there as such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """A number that may have been said."""

    number: str
    doubt: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Path:
    doubt: float
    number: str
    written: int
    is_taken: bool
    """Whether the sign before was taken as a digit."""


def guess_number(text: str, doubts: Doubts = Doubts()) -> Guess | None:
    """The mobile number that takes the least belief; None where none is likely enough."""
    best: Guess | None = None
    for start in range(len(text)):
        for guess in _from(text, start, doubts):
            if guess.doubt <= doubts.most and (best is None or guess.doubt <= best.doubt):
                best = guess
    return best


def _from(text: str, start: int, doubts: Doubts) -> Iterator[Guess]:
    """Numbers whose first digit stands at `start`; none that more digits follow or go before."""
    if _ENDS_IN_DIGIT.search(text, 0, start):
        return
    paths: list[_Path | None] = [_Path(0.0, "", 0, False)] + [None] * _WHOLE
    if DIGITS.get(text[start], text[start]) in "3456789":
        paths[1] = _Path(doubts.no_one, "1", 0, True)
    for at in range(start, len(text)):
        following: list[_Path | None] = [None] * (_WHOLE + 1)
        for path in paths:
            for option in _onward(path, text, at, doubts) if path else ():
                kept = following[len(option.number)]
                if option.doubt <= doubts.most and (kept is None or option.doubt < kept.doubt):
                    following[len(option.number)] = option
        paths = following
        whole = paths[_WHOLE]
        if (
            whole
            and whole.written >= doubts.least_written
            and _MOBILE.fullmatch(whole.number)
            and not _BEGINS_WITH_DIGIT.match(text, at + 1)
        ):
            yield Guess(number=whole.number, doubt=whole.doubt, start=start, end=at + 1)
        if not any(paths):
            return


def _onward(path: _Path, text: str, at: int, doubts: Doubts) -> Iterator[_Path]:
    """A path with the sign there taken as a digit, or left out."""
    readings = _readings(text[at], doubts)
    if len(path.number) < _WHOLE:
        for digit, cost in readings:
            if not cost or path.is_taken or not path.number:  # else it begins the next sentence
                yield _Path(path.doubt + cost, path.number + digit, path.written + (not cost), True)
    is_digit = bool(readings) and not readings[0][1]
    if 0 < len(path.number) < _WHOLE and not is_digit:
        cost = doubts.mark if _MARK.match(text[at]) else doubts.left_out
        yield _Path(path.doubt + cost, path.number, path.written, False)


@cache
def _readings(sign: str, doubts: Doubts) -> Sequence[tuple[str, float]]:
    """The digits that a sign may stand for, each with its doubt."""
    if sign in "0123456789":
        return ((sign, 0.0),)
    if sign in DIGITS:
        return ((DIGITS[sign], 0.0),)
    if not "\u4e00" <= sign <= "\u9fff":
        return ()
    heard = syllable_of(sign)
    found = []
    for digit, sounds in _SPOKEN.items():
        off = min((distance(heard, sound) for sound in sounds), default=math.inf)
        if off <= doubts.most_off:
            found.append((digit, doubts.word + doubts.off * off))
    return tuple(found)
