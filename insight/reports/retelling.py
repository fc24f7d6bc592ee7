"""Has a language model write prose anew, and takes it only where it tells no number that was not given.

In: the rule-made paragraphs of chapters, a function that asks a model. Out: the report, with the prose of the
model where that passed.
Not known here: the network, how figures are computed.

What passes: every number stands, with the sign or character that follows it, in what was given; so do numbers
in Chinese numerals, multiples, halves, ranks, names in quotation marks; and it is not much longer. Whether a
sentence puts a number into the right place nobody checks but the reader. The model gets prose and no words of
citizens. After a failure of the model itself no further chapter is tried.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from insight.reports.types import Paragraph, Report, Section

Ask: TypeAlias = Callable[[str, str, Mapping[str, Any]], str]
"""Instructions, what is given, a JSON schema; the JSON that the model wrote. Blocks; raises `ModelSilent`."""

INSTRUCTIONS = (
    "你替城市热线的负责人改写报表里的文字，让它通顺、易读、有条理。只能用给出的内容：不增加事实、原因和建议，"
    "不改变任何数字和单位，不做新的计算，不写给出的文字里没有的数字、倍数、名次。用阿拉伯数字，照抄数字后的单位。"
    "篇幅与原文相近。按给定的 JSON 格式回答。"
)
LONGEST_SHARE, LONGEST_MORE = 1.5, 60
_NUMBER = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")
_NUMERALS = re.compile(
    "[零〇一二两三四五六七八九十百千万亿半几数多倍成番]*[零〇一二两三四五六七八九十百千万亿半倍成番]"
)
_HARMLESS = frozenset({"一", "成", "多成"})
"""进一步, 形成, 完成 and the like."""
_RANK = re.compile("第[一二三四五六七八九十0-9]|首位|居首|最末|翻")
_NAMED = re.compile("“([^”]*)”")


class ModelSilent(Exception):
    """The model cannot be asked, or broke."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    paragraphs: list[str] = Field(min_length=1, max_length=6)


def retold(report: Report, ask: Ask, model: str) -> Report:
    """The report with the model's prose where it passed; `written_by` names the model if any did."""
    is_silent = False
    n_passed = 0

    def of(section: Section) -> Section:
        nonlocal is_silent, n_passed
        paragraphs = section.paragraphs
        given = "\n".join(paragraph.text for paragraph in paragraphs)
        if given and not is_silent:
            try:
                told = _Answer.model_validate_json(ask(INSTRUCTIONS, given, _Answer.model_json_schema()))
            except ModelSilent:
                is_silent = True
            except ValidationError:
                pass
            else:
                written = [text.strip() for text in told.paragraphs if text.strip()]
                if written and not objections("\n".join(written), given):
                    n_passed += 1
                    runs = tuple(dict.fromkeys(run for one in paragraphs for run in one.runs))
                    paragraphs = tuple(Paragraph(text=text, runs=runs) for text in written)
        return replace(section, paragraphs=paragraphs, parts=tuple(of(part) for part in section.parts))

    sections = tuple(of(section) for section in report.sections)
    return replace(report, sections=sections, written_by=model) if n_passed else report


def objections(text: str, given: str) -> list[str]:
    """Why a text may not stand for what was given; empty: it may."""
    text, given = (unicodedata.normalize("NFKC", one) for one in (text, given))
    found = [f"数字 {number}{unit}" for number, unit in sorted(_numbers(text) - _numbers(given))]
    numerals = {run for run in _NUMERALS.findall(text) if run not in _HARMLESS}
    found += [f"数字 {run}" for run in sorted(numerals - set(_NUMERALS.findall(given)))]
    found += [f"名次 {rank}" for rank in sorted(set(_RANK.findall(text)) - set(_RANK.findall(given)))]
    found += [f"名称 {name}" for name in sorted(set(_NAMED.findall(text)) - set(_NAMED.findall(given)))]
    if len(text) > LONGEST_SHARE * len(given) + LONGEST_MORE:
        found.append("过长")
    return found


def _numbers(text: str) -> set[tuple[str, str]]:
    """Each number with the first sign after it that is no blank."""
    found = set()
    for match in _NUMBER.finditer(text):
        number = match.group().replace(",", "")
        number = number.rstrip("0").rstrip(".") if "." in number else number
        found.add((number, text[match.end() :].lstrip()[:1]))
    return found
