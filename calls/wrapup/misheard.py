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
_MARK = re.compile(r"[，,、。.？?！!\s\-—]")
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
    left_out: float = 0.9
    """For a word that is no digit."""
    mark: float = 0.05
    """For a comma or a space."""
    no_one: float = 0.8
    """For the 1 that every number begins with, where it was not heard."""
    further_digit: float = 0.8
    """Where more digits follow or go before."""
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


def guess_number(text: str, doubts: Doubts = Doubts()) -> Guess | None:
    """The mobile number that takes the least belief; None where none is likely enough."""
    best: Guess | None = None
    for start in range(len(text)):
        for guess in _from(text, start, doubts):
            if guess.doubt <= doubts.most and (best is None or guess.doubt <= best.doubt):
                best = guess
    return best


def _from(text: str, start: int, doubts: Doubts) -> Iterator[Guess]:
    """Numbers whose first digit stands at `start`."""
    paths: list[_Path | None] = [_Path(_before(text, start, doubts), "", 0)] + [None] * _WHOLE
    if DIGITS.get(text[start], text[start]) in "3456789" and not _is_digit(text, start - 1):
        paths[1] = _Path(doubts.no_one + _before(text, start, doubts), "1", 0)
    for at in range(start, len(text)):
        following: list[_Path | None] = [None] * (_WHOLE + 1)
        for path in paths:
            if path is None or len(path.number) == _WHOLE:
                continue
            taken = _readings(text[at], doubts)
            options = [
                _Path(path.doubt + cost, path.number + digit, path.written + (cost == 0.0))
                for digit, cost in taken
            ]
            if path.number and at > start:
                cost = doubts.mark if _MARK.match(text[at]) else doubts.left_out
                if not (taken and taken[0][1] == 0.0):
                    options.append(_Path(path.doubt + cost, path.number, path.written))
            for option in options:
                kept = following[len(option.number)]
                if option.doubt <= doubts.most and (kept is None or option.doubt < kept.doubt):
                    following[len(option.number)] = option
        paths = following
        whole = paths[_WHOLE]
        if whole and whole.written >= doubts.least_written and _MOBILE.fullmatch(whole.number):
            after = doubts.further_digit if _is_digit(text, at + 1) else 0.0
            yield Guess(number=whole.number, doubt=whole.doubt + after, start=start, end=at + 1)
        if not any(paths):
            return


def _before(text: str, start: int, doubts: Doubts) -> float:
    return doubts.further_digit if _is_digit(text, start - 1) else 0.0


def _is_digit(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at] in DIGITS or text[at] in "0123456789")


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
