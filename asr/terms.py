"""Reads lists of terms: place names, departments, words of the trade, whatever an admin adds.

In: CSV files, UTF-8, with a header: `term`, and if wanted `kind`, `weight`, `heard`; other columns are
ignored. Out: `Term`s, checked.
Not known here: what the terms are used for.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from asr.types import AsrError

_SAMPLES = ("gazetteer.csv", "hotline_words.csv")
_AREAS = ("区划", "街道乡镇")
"""Kinds whose names are mostly said without what they are: 定海, 沈家门."""
_AREA = re.compile("(?:街道|[市区县镇乡])$")
_LONGEST = 16
MAX_TERMS = 100_000
"""Terms that one list may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A name or word that is to be recognised. Raises `ValueError` for what cannot be one."""

    text: str
    kind: str = "词库"
    """What it is, in a word for people; stands in the reason of a correction."""
    weight: float = 1.0
    """How often it is said, beside other terms: 1 usual, 10 very often, 0.1 rarely."""
    heard: tuple[str, ...] = ()
    """What it is known to be misheard as, where that does not sound the same."""

    def __post_init__(self) -> None:
        if not 2 <= len(self.text) <= _LONGEST or re.search(r"\s", self.text):
            raise ValueError(f"「{self.text}」不是 2 到 {_LONGEST} 个字的词。")
        if not 0.01 <= self.weight <= 100:
            raise ValueError(f"「{self.text}」的 weight 不在 0.01 到 100 之间。")
        if any(len(heard) < 2 or heard == self.text for heard in self.heard):
            raise ValueError(f"「{self.text}」的 heard 须是另外的、两个字以上的词。")


class BadTerms(AsrError):
    """A list of terms cannot be read; the message names file and line."""

    code = "asr.bad_terms"


def read_terms(file: Path) -> list[Term]:
    """Read a list of terms. Raises `BadTerms`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadTerms(f"词表 {file} 读不出来，须是 UTF-8 编码的 CSV 文件。") from error
    return parse_terms(text, name=file.name)


def parse_terms(text: str, *, name: str) -> list[Term]:
    """Read the text of a list of terms; `name` is told to people. Raises `BadTerms`."""
    rows = csv.DictReader(text.splitlines())
    if "term" not in (rows.fieldnames or ()):
        raise BadTerms(f"词表 {name} 的第一行须是列名，其中有 term。")
    terms: list[Term] = []
    for row in rows:
        try:
            if (row["term"] or "").strip():
                terms.append(_term(row))
        except ValueError as error:
            raise BadTerms(f"词表 {name} 第 {rows.line_num} 行：{error}") from error
        if len(terms) > MAX_TERMS:
            raise BadTerms(f"词表 {name} 超过 {MAX_TERMS} 条。")
    return terms


def sample_terms() -> list[Term]:
    """The terms that come with the project: a sample gazetteer of Zhoushan and words of any hotline."""
    folder = files("asr") / "data"
    found: list[Term] = []
    for name in _SAMPLES:
        found += parse_terms((folder / name).read_text(encoding="utf-8"), name=name)
    return found


def with_short_names(terms: Iterable[Term]) -> list[Term]:
    """Add the names of areas as they are mostly said, 定海 beside 定海区; the first term of a text wins."""
    found: dict[str, Term] = {}
    for term in terms:
        for each in (term, *_short(term)):
            kept = found.get(each.text)
            if kept is None:
                found[each.text] = each
    return list(found.values())


def keyword_terms(words: Sequence[str], *, kind: str) -> list[Term]:
    """Make terms of bare words, leaving out what cannot be one."""
    return [Term(text=word, kind=kind) for word in dict.fromkeys(words) if _is_term(word)]


def _short(term: Term) -> list[Term]:
    name = _AREA.sub("", term.text)
    if term.kind not in _AREAS or name == term.text or len(name) < 2:
        return []
    return [Term(text=name, kind=term.kind, weight=term.weight)]


def _is_term(word: str) -> bool:
    return 2 <= len(word) <= _LONGEST and not re.search(r"\s", word)


def _term(row: dict[str, str | None]) -> Term:
    weight = (row.get("weight") or "").strip() or "1"
    try:
        number = float(weight)
    except ValueError:
        raise ValueError(f"weight「{weight}」不是数。") from None
    return Term(
        text=(row["term"] or "").strip(),
        kind=(row.get("kind") or "").strip() or "词库",
        weight=number,
        heard=tuple(heard.strip() for heard in (row.get("heard") or "").split("|") if heard.strip()),
    )
