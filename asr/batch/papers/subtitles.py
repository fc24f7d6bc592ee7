"""Subtitles of a transcript: SubRip and WebVTT.

In: a `Paper`. Out: cues short enough to be read, and the text of a file of them.
Not known here: files, what was said before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from asr.batch.papers.types import Paper
from asr.types import Segment

_LONGEST = 24
"""Characters of one cue, if it can be divided at a mark."""
_CLAUSE = re.compile(r"[^，。！？；、,!?;]+[，。！？；、,!?;]*|[，。！？；、,!?;]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """What is shown at once."""

    start_s: float
    end_s: float
    who: str
    text: str


def cues_of(paper: Paper) -> Iterator[Cue]:
    """Divide segments at their marks; within one, time goes by evenly over the characters."""
    for segment in paper.segments:
        shown = 0
        for text in _divided(segment.text):
            yield Cue(
                start_s=_at(segment, shown),
                end_s=_at(segment, shown + len(text)),
                who=paper.name_of(segment),
                text=text,
            )
            shown += len(text)


def to_srt(paper: Paper) -> str:
    """Write SubRip; who speaks stands before the text where there are several."""
    cues = list(cues_of(paper))
    are_several = len({cue.who for cue in cues}) > 1
    return "\n".join(
        f"{number}\n{_clock(cue.start_s, ',')} --> {_clock(cue.end_s, ',')}\n{_told(cue, are_several)}\n"
        for number, cue in enumerate(cues, 1)
    )


def to_vtt(paper: Paper) -> str:
    """Write WebVTT; who speaks is a voice tag (W3C WebVTT, 3.5)."""
    cues = list(cues_of(paper))
    are_several = len({cue.who for cue in cues}) > 1
    parts = ["WEBVTT\n"]
    for cue in cues:
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        voice = f"<v {cue.who}>" if are_several else ""
        parts.append(f"{_clock(cue.start_s, '.')} --> {_clock(cue.end_s, '.')}\n{voice}{text}\n")
    return "\n".join(parts)


def _divided(text: str) -> list[str]:
    parts: list[str] = []
    for clause in _CLAUSE.findall(text):
        if parts and len(parts[-1]) + len(clause) <= _LONGEST:
            parts[-1] += clause
        else:
            parts.append(clause)
    return parts


def _at(segment: Segment, characters: int) -> float:
    share = characters / len(segment.text)
    return segment.start_s + (segment.end_s - segment.start_s) * share


def _told(cue: Cue, are_several: bool) -> str:
    return f"{cue.who}：{cue.text}" if are_several else cue.text


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
