"""How far a recognised text is from its reference: the character error rate and what it counts.

In: two texts as people read them. Out: both in one canonical form, and the edits between them.
Not known here: calls, files, who recognised what.

`docs/evaluation.md` states the canonical form with examples.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache

from opencc import OpenCC
from rapidfuzz.distance import Levenshtein

_DIGITS = str.maketrans("零〇○一二两三四五六七八九幺", "00012234567891")
_UNITS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_RUN = re.compile(r"[0-9十百千万亿]*[十百千万亿][0-9十百千万亿]*")

_LAST = r"(?:0?[1-9](?![十百千]|[0-9]+[十百千万亿]))"  # 三百五, 三百零五; not the 二 of 一百二三十
_SECTION = rf"(?:(?=[1-9][十百千]|十)(?:[1-9]千)?(?:0?[1-9]百)?(?:0?[1-9]?十)?{_LAST}?)"
_HEAD = rf"(?:{_SECTION}|[0-9]+)"
_NUMBER = re.compile(
    rf"(?:(?P<yi>{_HEAD})亿)?(?:(?P<wan>0?{_HEAD})万)?(?P<rest>0?{_SECTION}|[0-9]{{4}}(?![0-9十百千])|{_LAST})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextErrors:
    """Edits that turn a reference into what was recognised; adds up over texts."""

    characters: int = 0
    """Of the reference in canonical form."""
    substitutions: int = 0
    deletions: int = 0
    """Characters of the reference that were not recognised."""
    insertions: int = 0
    """Recognised characters that nobody said."""

    @property
    def edits(self) -> int:
        """All three kinds."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """The character error rate; may exceed 1. None where nothing was said."""
        return self.edits / self.characters if self.characters else None

    def __add__(self, other: "TextErrors") -> "TextErrors":
        return TextErrors(
            characters=self.characters + other.characters,
            substitutions=self.substitutions + other.substitutions,
            deletions=self.deletions + other.deletions,
            insertions=self.insertions + other.insertions,
        )


def compare(reference: str, recognised: str) -> TextErrors:
    """Count the fewest edits between the canonical forms of two texts."""
    said, heard = canonical(reference), canonical(recognised)
    kinds = Counter(edit.tag for edit in Levenshtein.editops(said, heard))
    return TextErrors(
        characters=len(said),
        substitutions=kinds["replace"],
        deletions=kinds["delete"],
        insertions=kinds["insert"],
    )


def canonical(text: str) -> str:
    """Bring a text into the form that is compared.

    Simplified script, lower case, letters and digits only, numbers in Arabic digits. Every step is a
    function of the text alone and treats Chinese and Arabic digits alike, so that a word such as 一下
    or 万一 becomes the same odd string on both sides.
    """
    text = _simplified().convert(unicodedata.normalize("NFKC", text)).lower()
    text = re.sub(r"([0-9]+(?:\.[0-9]+)?)%", r"百分之\1", text)
    text = re.sub(r"(?<=[0-9])[.:](?=[0-9])", "点", text)
    text = text.translate(_DIGITS)
    # Before numbers are read: whether a comma was written must not decide what a number is.
    text = "".join(sign for sign in text if unicodedata.category(sign)[0] in "LN")
    text = _RUN.sub(lambda run: _read_run(run.group()), text)
    text = re.sub(r"(?<=[0-9]点)半", "30", text)
    text = re.sub(r"(?<=[0-9]点)([0-9]{2})分", r"\1", text)
    return re.sub(r"(?<=月)([0-9]{1,2})号", r"\1日", text)


def _read_run(run: str) -> str:
    """Write the numbers within a run of digits and units in plain digits, and leave the rest as it is."""
    written: list[str] = []
    at = 0
    while at < len(run):
        number = None if at and run[at - 1].isdigit() else _NUMBER.match(run, at)
        if number and any(unit in number.group() for unit in _UNITS):
            written.append(str(_value(number)))
            at = number.end()
        else:
            written.append(run[at])
            at += 1
    return "".join(written)


def _value(number: re.Match[str]) -> int:
    high = _section(number["yi"]) * _UNITS["亿"] if number["yi"] else 0
    middle = _section(number["wan"]) * _UNITS["万"] if number["wan"] else 0
    rest = number["rest"] or ""
    unit = _UNITS["万"] if number["wan"] else _UNITS["亿"]
    if len(rest) == 1 and rest.isdigit() and (high or middle):
        return high + middle + int(rest) * unit // 10  # 一万二 is 12000
    return high + middle + _section(rest)


def _section(text: str) -> int:
    """Read what stands before or after 万: digits as they are, or up to 千."""
    if text.isdigit() or not text:
        return int(text or 0)
    total, digit, last_unit, has_zero = 0, 0, 1, False
    for sign in text:
        if sign in _UNITS:
            last_unit, has_zero = _UNITS[sign], False
            total += (digit or 1) * last_unit
            digit = 0
        elif sign == "0":
            has_zero = True
        else:
            digit = int(sign)
    is_short = last_unit >= 100 and not has_zero  # 三百五 is 350, 三百零五 is 305
    return total + digit * (last_unit // 10 if is_short else 1)


@cache
def _simplified() -> OpenCC:
    return OpenCC("t2s")
