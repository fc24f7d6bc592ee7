"""A transcript in each format that people and programs ask for.

In: a `Paper`. Out: the bytes of a file: txt, srt, vtt, json, csv or docx.
Not known here: where files are kept, how a transcript was made.
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from asr.batch.papers.document import to_docx
from asr.batch.papers.subtitles import to_srt, to_vtt
from asr.batch.papers.types import NOTES, EditedLine, Paper
from asr.types import Segment


class Format(StrEnum):
    """What a file is called by its ending."""

    TXT = "txt"
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"
    CSV = "csv"
    DOCX = "docx"


def put_on_paper(paper: Paper, form: Format) -> bytes:
    """Write the transcript; the same paper gives the same bytes."""
    if form is not Format.JSON:  # which alone tells of lines that a person took away
        paper = replace(paper, segments=tuple(segment for segment in paper.segments if segment.text))
    return _WRITERS[form](paper)


def clock(seconds: float) -> str:
    """A place in a recording as people write it: 0:03.5, 12:03.5, 1:02:03.5."""
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, rest = divmod(rest, 600)
    place = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{place}" if hours else f"{minutes}:{place}"


def _to_txt(paper: Paper) -> str:
    lines = [f"〔{NOTES[code]}〕" for code in paper.notes]
    lines += [f"[{clock(each.start_s)}] {paper.name_of(each)}：{each.text}" for each in paper.segments]
    return "".join(f"{line}\n" for line in lines)


def _to_json(paper: Paper) -> str:
    edited = {each.edit.segment_id: _edit_json(each) for each in paper.edited}
    told = {
        "file": paper.name,
        "seconds": round(paper.seconds, 3),
        "parties": [party.value for party in paper.parties],
        "notes": [{"code": code, "message": NOTES[code]} for code in paper.notes],
        "segments": [
            _segment_json(segment) | _speaker_json(paper, segment) | edited.get(segment.segment_id, {})
            for segment in paper.segments
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _edit_json(line: EditedLine) -> dict[str, object]:
    edit = line.edit
    return {"edit": {"recognised": line.recognised, "author": edit.author, "at": edit.at.isoformat()}}


def _segment_json(segment: Segment) -> dict[str, object]:
    return {
        "segment_id": segment.segment_id,
        "party": segment.party.value,
        "start_s": round(segment.start_s, 3),
        "end_s": round(segment.end_s, 3),
        "text": segment.text,
        "raw_text": segment.raw_text,
        "is_unclear": segment.is_unclear,
        "avg_logprob": round(segment.avg_logprob, 4),
        "corrections": [
            {"heard": each.heard, "written": each.written, "start": each.start, "reason": each.reason}
            for each in segment.corrections
        ],
        "words": [
            {
                "text": word.text,
                "start_s": round(word.start_s, 3),
                "end_s": round(word.end_s, 3),
                "probability": round(word.probability, 4),
            }
            for word in segment.words
        ],
    }


def _speaker_json(paper: Paper, segment: Segment) -> dict[str, object]:
    """Who of two speaks, where only their numbers are known."""
    return {} if paper.second is None else {"speaker": 2 if segment.segment_id in paper.second else 1}


def _to_csv(paper: Paper) -> str:
    """With a byte order mark, so that Excel reads it as UTF-8."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("录音", "开始（秒）", "结束（秒）", "说话人", "文字", "听不清"))
    for each in paper.segments:
        spoken = f"'{each.text}" if each.text[:1] in ("=", "+", "-", "@") else each.text  # no formula
        rows.writerow(
            (
                paper.name,
                f"{each.start_s:.2f}",
                f"{each.end_s:.2f}",
                paper.name_of(each),
                spoken,
                "是" if each.is_unclear else "",
            )
        )
    return "\ufeff" + text.getvalue()


_WRITERS: dict[Format, Callable[[Paper], bytes]] = {
    Format.TXT: lambda paper: _to_txt(paper).encode(),
    Format.SRT: lambda paper: to_srt(paper).encode(),
    Format.VTT: lambda paper: to_vtt(paper).encode(),
    Format.JSON: lambda paper: _to_json(paper).encode(),
    Format.CSV: lambda paper: _to_csv(paper).encode(),
    Format.DOCX: lambda paper: to_docx(paper, clock=clock),
}
