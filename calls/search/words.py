"""Takes lines and questions apart, so that any stretch of a line is found, by its text or by its sound.

In: text as it was heard or typed. Out: units with their places; tokens of a line; words of a question, as
phrases over those tokens; the places of a word in a line.
Not known here: tables, calls, ranking.

A unit is one letter, digit or Chinese character (by sound: its blurred syllable); whatever else stands in a
line, spaces and punctuation, is passed over, since the ears only guess it. A line of n units has n tokens:
each unit with its successor, and the last one by itself. A word of several units is a phrase of such pairs,
and one of a single unit the beginning of a token: no list of all places of a single character is read.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from asr.sounds import sound_of
from calls.search.types import BadWish, By, Voice

_RULES = 1
"""Counts up whenever this module takes lines apart differently."""
MAX_CHARACTERS = 100
MAX_WORDS = 8

_WORD = re.compile(r'["“”「『]([^"“”」』]*)["“”」』]|(\S+)')
_SPOKEN = dict(zip("0123456789.", "零一二三四五六七八九点", strict=True))
_POINTS = ".．"
_BETWEEN = "_"
"""Stands in no unit."""


class Unit(NamedTuple):
    """What is compared, and where in the text it stands."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a question."""

    units: tuple[str, ...]
    by: By


@lru_cache(maxsize=1)
def revision() -> int:
    """A number for how lines are taken apart, every character's sound included.

    What was put into an index by one revision can only be taken out by the same, so that an index of another
    is built anew. Takes a third of a second, once.
    """
    sounds = "".join(f"{_heard(chr(code))} " for code in range(0x4E00, 0xA000))
    return zlib.crc32(f"{_RULES} {sounds}".encode()) & 0x7FFF_FFFF  # any database's integer


def units_of(text: str, by: By) -> list[Unit]:
    """The units of a text in their order; upper and lower case, full and half width are the same."""
    return [Unit(value, at, at + 1) for at, value in _values_of(text, by)]


def words_of(question: str, by: By) -> tuple[Word, ...]:
    """The words of a question. Raises `BadWish` where there are none, or too many."""
    if len(question) > MAX_CHARACTERS:
        raise BadWish(f"查找的内容最多 {MAX_CHARACTERS} 个字，请缩短后再试。", code="search.too_long")
    words: dict[Word, None] = {}
    for quoted, plain in _WORD.findall(question):
        how = By.TEXT if quoted else by
        if units := units_of(quoted or plain, how):
            words[Word(tuple(unit.value for unit in units), how)] = None
    if not words:
        raise BadWish("请输入要查找的字词。", code="search.empty")
    if len(words) > MAX_WORDS:
        raise BadWish(f"一次最多查找 {MAX_WORDS} 个词，请减少后再试。", code="search.too_long")
    return tuple(words)


def tokens_of(text: str, by: By) -> str:
    """The tokens of a line, with spaces between."""
    units = [value for _, value in _values_of(text, by)]
    return " ".join((*_pairs(units, by), *(_alone(unit, by) for unit in units[-1:])))


def terms_of(word: Word) -> tuple[list[str], bool]:
    """The tokens that follow each other where the word stands, or the one token that begins like it."""
    if len(word.units) > 1:
        return list(_pairs(word.units, word.by)), False
    return [_alone(word.units[0], word.by)], True


def phrase_of(word: Word, voice: Voice | None = None) -> str:
    """A word in the query language of FTS5; with `voice` in the lines of that one alone."""
    terms, is_beginning = terms_of(word)
    phrase = f'"{" ".join(terms)}"{" *" if is_beginning else ""}'
    return f"{voice} : {phrase}" if voice else phrase


def places_of(text: str, words: Iterable[Word]) -> list[list[tuple[int, int]]]:
    """For each word where it stands in the text: from and to, in characters."""
    words = tuple(words)
    units = {by: units_of(text, by) for by in {word.by for word in words}}
    return [_places(units[word.by], word.units) for word in words]


def merged(places: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The same characters as stretches that do not touch."""
    stretches: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(end, stretches[-1][1]))
        else:
            stretches.append((start, end))
    return tuple(stretches)


def _places(units: Sequence[Unit], wanted: tuple[str, ...]) -> list[tuple[int, int]]:
    values = [unit.value for unit in units]
    first, length = wanted[0], len(wanted)
    return [
        (units[at].start, units[at + length - 1].end)
        for at, value in enumerate(values)
        if value == first and tuple(values[at : at + length]) == wanted
    ]


def _pairs(units: Sequence[str], by: By) -> Iterable[str]:
    between = _BETWEEN if by is By.SOUND else ""
    return (f"{a}{between}{b}" for a, b in pairwise(units))


def _alone(unit: str, by: By) -> str:
    return unit + _BETWEEN if by is By.SOUND else unit


def _values_of(text: str, by: By) -> list[tuple[int, str]]:
    return [
        (at, value)
        for at, character in enumerate(text)
        for value in (_plain(character, by) if character not in _POINTS or _is_point(text, at) else ())
    ]


@lru_cache(maxsize=32_768)
def _plain(character: str, by: By) -> tuple[str, ...]:
    """The units of one character: none for a comma, several for ㎡."""
    plain = unicodedata.normalize("NFKC", character).lower()
    kept = [one for one in plain if one.isalnum() or character in _POINTS]
    return tuple(_heard(one) if by is By.SOUND else one for one in kept)


def _heard(character: str) -> str:
    """A Chinese character has the one reading that it has by itself, in a question and in a line alike."""
    spoken = _SPOKEN.get(character, character)
    return spoken if spoken.isascii() else sound_of(spoken).key


def _is_point(text: str, at: int) -> bool:
    """Whether a point stands in a number: 3.5 is not 35."""
    return text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit()
