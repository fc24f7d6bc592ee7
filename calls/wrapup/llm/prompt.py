"""What a language model is told: the rules, the choices, and the call in numbered lines.

In: the final segments of a call, the choices. Out: two messages, and the lines that were shown.
Not known here: who answers, what is done with an answer.

The texts are files in `calls/wrapup/prompts`. A call that is too long is shown by its beginning, where the
matter is told, and its end, where name and number are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

from asr.types import Party, Segment
from calls.wrapup.llm.types import Choices

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SPEAKERS = {Party.CITIZEN: "市民", Party.OPERATOR: "坐席"}
_LONGEST_LINE = 600
"""Characters shown of one line; nobody speaks that long without a pause."""
_BEGINNING = 2 / 3
_LEFT_OUT = "……"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is sent, and what its line numbers mean."""

    system: str
    user: str
    lines: Mapping[int, Segment]


def prompt_of(segments: Sequence[Segment], choices: Choices, most_chars: int) -> Prompt:
    """Show at most so many characters of the call, whole lines of it."""
    finals = sorted(
        (each for each in segments if each.is_final and each.text.strip()), key=lambda each: each.start_s
    )
    lines = dict(enumerate(finals, 1))
    shown = {number: _line(number, segment) for number, segment in lines.items()}
    kept = _kept([len(line) for line in shown.values()], most_chars)
    text: list[str] = []
    for number, line in shown.items():
        if number in kept:
            text.append(line)
        elif text[-1:] != [_LEFT_OUT]:
            text.append(_LEFT_OUT)
    return Prompt(
        system=_file("system.txt").substitute(
            categories="、".join(choices.categories),
            departments="、".join(choices.departments),
            districts="、".join(choices.districts),
        ),
        user=_file("user.txt").substitute(transcript="\n".join(text)),
        lines={number: lines[number] for number in kept},
    )


def _line(number: int, segment: Segment) -> str:
    """One line whatever was said: nobody can add lines of somebody else, nor signs that models obey."""
    text = _CONTROLS.sub(" ", segment.text[:_LONGEST_LINE]).replace("<|", "〈|").replace("|>", "|〉")
    return f"[{number}] {_SPEAKERS.get(segment.party, '通话')}：{text}"


def _kept(lengths: Sequence[int], most: int) -> list[int]:
    """Numbers of the lines that fit, two thirds of the room for the beginning."""
    if sum(lengths) <= most:
        return list(range(1, len(lengths) + 1))
    first, used = 0, 0
    while used + lengths[first] <= most * _BEGINNING:
        used += lengths[first]
        first += 1
    last = len(lengths)
    while last > first and used + lengths[last - 1] <= most:
        used += lengths[last - 1]
        last -= 1
    return [*range(1, first + 1), *range(last + 1, len(lengths) + 1)]


@cache
def _file(name: str) -> Template:
    return Template((files("calls.wrapup") / "prompts" / name).read_text(encoding="utf-8"))
