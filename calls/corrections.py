"""Changes that a person makes to a final segment.

In: a segment and what the person wants. Out: the segment as it is to be shown from now on.
Not known here: where segments are stored, why our own corrections were made.
"""

from dataclasses import replace

from asr.types import Segment
from calls.types import CallError


def correct_text(segment: Segment, text: str) -> Segment:
    """The segment with the person's text; our own corrections no longer apply to it."""
    return replace(segment, text=text.strip(), corrections=(), is_unclear=False)


def undo_correction(segment: Segment, index: int) -> Segment:
    """The segment with one of our corrections taken back. Raises `CallError` where there is none."""
    if not 0 <= index < len(segment.corrections):
        raise CallError("这处修改已经撤销，或不存在。", code="correction.unknown")
    undone = segment.corrections[index]
    end = undone.start + len(undone.written)
    if segment.text[undone.start : end] != undone.written:
        raise CallError("文字已被改动，这处修改无法撤销。", code="correction.stale")
    shift = len(undone.heard) - len(undone.written)
    rest = tuple(
        replace(other, start=other.start + shift) if other.start > undone.start else other
        for other in segment.corrections
        if other is not undone
    )
    text = segment.text[: undone.start] + undone.heard + segment.text[end:]
    return replace(segment, text=text, corrections=rest)
