"""A transcription as programs written for OpenAI's interface expect it.

In: a `Paper`, or its segments one by one. Out: text, or objects for JSON.
Not known here: HTTP, what was asked beyond the form of the answer.
"""

import zlib
from collections.abc import Sequence
from typing import Any

from asr.batch.papers.formats import Format, put_on_paper
from asr.batch.papers.types import Paper
from asr.types import Segment


def text_of(segments: Sequence[Segment]) -> str:
    """What was said; a new line where another speaks."""
    text = ""
    for before, segment in zip((None, *segments), segments, strict=False):
        text += delta_of(segment, before)
    return text


def delta_of(segment: Segment, before: Segment | None) -> str:
    """What a segment adds to the text after the one `before`."""
    return ("\n" if before is not None and before.party != segment.party else "") + segment.text


def simple_json(paper: Paper) -> dict[str, Any]:
    """The text and how long the recording is."""
    return {"text": text_of(paper.segments), "usage": _usage(paper)}


def verbose_json(paper: Paper, *, has_segments: bool, has_words: bool) -> dict[str, Any]:
    """The text with its places in time; who speaks stands in `speaker`."""
    told: dict[str, Any] = {
        "task": "transcribe",
        "language": "chinese",
        "duration": round(paper.seconds, 3),
        "text": text_of(paper.segments),
    }
    if has_segments:
        told["segments"] = [_segment(number, segment) for number, segment in enumerate(paper.segments)]
    if has_words:
        told["words"] = [
            {"word": word.text, "start": round(word.start_s, 3), "end": round(word.end_s, 3)}
            for segment in paper.segments
            for word in segment.words
        ]
    return told | {"usage": _usage(paper)}


def subtitles(paper: Paper, form: Format) -> str:
    """SubRip or WebVTT."""
    return put_on_paper(paper, form).decode()


def delta_event(delta: str) -> dict[str, Any]:
    """More text."""
    return {"type": "transcript.text.delta", "delta": delta}


def done_event(text: str) -> dict[str, Any]:
    """All of the text."""
    return {"type": "transcript.text.done", "text": text}


ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
"""The form of `error_json`."""


def error_json(message: str, *, kind: str, code: str | None, param: str | None = None) -> dict[str, Any]:
    """What went wrong."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    written = segment.raw_text.encode()
    return {
        "id": number,
        "seek": round(segment.start_s * 100),
        "start": round(segment.start_s, 3),
        "end": round(segment.end_s, 3),
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": round(segment.avg_logprob, 4),
        "compression_ratio": round(len(written) / len(zlib.compress(written)), 4) if written else 0.0,
        "no_speech_prob": round(segment.no_speech_prob, 4),
        "speaker": segment.party.value,
    }


def _usage(paper: Paper) -> dict[str, Any]:
    return {"type": "duration", "seconds": round(paper.seconds, 3)}
