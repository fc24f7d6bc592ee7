"""What facts change in an index: calls that begin or change hands, lines that say something else now.

In: facts, in the order in which they were written. Out: `Changes`, each line as the last of them leaves it.
Not known here: how lines are taken apart, where they are kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from asr.types import Segment
from calls.search.types import Voice
from calls.types import (
    Call,
    CallEnded,
    CallStarted,
    CallTransferred,
    EndReason,
    Fact,
    NoteChanged,
    NoteTaken,
    SegmentCorrected,
    SegmentShown,
)

FOLLOWED = (
    CallStarted,
    CallTransferred,
    CallEnded,
    SegmentShown,
    SegmentCorrected,
    NoteTaken,
    NoteChanged,
)
"""The kinds of facts that change something here."""

_NOTE = "note:"
"""Begins the key of a note; no segment's identifier has a colon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one line says now; empty text takes it away."""

    voice: Voice
    start_s: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Each the newest of its kind."""

    started: dict[str, Call] = field(default_factory=dict)
    seats: dict[str, str] = field(default_factory=dict)
    """Calls that changed hands, and to whom."""
    recorded: set[str] = field(default_factory=set)
    """Calls that turned out to come from recordings."""
    lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    """By call and key of the line."""


def changes_of(facts: Iterable[tuple[str, Fact]]) -> Changes:
    """Fold facts, each with its call."""
    changes = Changes()
    for call_id, fact in facts:
        match fact:
            case CallStarted(call=call):
                changes.started[call_id] = call
            case CallTransferred(to_operator=seat):
                changes.seats[call_id] = seat
            case CallEnded(reason=EndReason.RECORDED):
                changes.recorded.add(call_id)
            case SegmentShown(segment=segment) | SegmentCorrected(segment=segment):
                changes.lines[call_id, segment.segment_id] = _said(segment)
            case NoteTaken(note_id=note_id, text=text) | NoteChanged(note_id=note_id, text=text):
                line = Line(voice=Voice.NOTE, start_s=None, text=text)
                changes.lines[call_id, _NOTE + note_id] = line
    return changes


def note_of(key: str) -> str | None:
    """The identifier of the note with that key; None where it is a segment's."""
    return key.removeprefix(_NOTE) if key.startswith(_NOTE) else None


def _said(segment: Segment) -> Line:
    return Line(voice=Voice(segment.party), start_s=segment.start_s, text=segment.text)
