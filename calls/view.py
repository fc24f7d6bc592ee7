"""What a screen shows of one call: a fold of its facts.

In: entries of one stream in order, and partial segments between them. Out: a view, ready for a snapshot.
Not known here: sockets, the journal, how a view is drawn.
"""

from dataclasses import replace
from datetime import datetime

from asr.types import Segment
from calls import notices
from calls.alarms import Alarm, followed_up, raised
from calls.asides import Edit, Note, ShownCard, Transfer, edited, noted, remembered
from calls.forms.types import Form
from calls.types import (
    AlarmRaised,
    AlarmRated,
    AlarmTaken,
    Call,
    CallDegraded,
    CallEnded,
    CallInterrupted,
    CallLost,
    CallReconnected,
    CallStarted,
    CallState,
    CallTransferred,
    Entry,
    Fact,
    NoteChanged,
    NoteTaken,
    SegmentCorrected,
    SegmentShown,
    SuggestionMarked,
    SuggestionShown,
    WorkOrderChanged,
    WorkOrderDrafted,
    WorkOrderMade,
)
from retrieval.types import Mark, Suggestion


class CallView:
    """The current call of a stream. Facts of any other call than the newest started one are passed over."""

    def __init__(self) -> None:
        self.seq = 0
        self._begin(None)

    def _begin(self, call: Call | None) -> None:
        self.call = call
        self.segments: dict[str, Segment] = {}
        self.partials: dict[str, Segment] = {}
        self.suggestion: Suggestion | None = None
        self.marks: dict[tuple[str, Mark], SuggestionMarked] = {}
        """The last mark of each kind and article in this call, oldest first."""
        self.skipped: list[tuple[float, float]] = []
        """Media time, from and to, that the ears had to skip while the call went on and may hear later."""
        self.edits: dict[str, Edit] = {}
        """What people changed, by line; also of lines that they removed."""
        self.history: dict[str, ShownCard] = {}
        """Every card of this call by article, in the order in which they first came up."""
        self.notes: dict[str, Note] = {}
        """Notes in the order in which they were taken, removed ones without text."""
        self.transfers: list[Transfer] = []
        self.work_order: Form | None = None
        """The wrap-up as it stands; None before the first draft."""
        self.alarms: dict[str, Alarm] = {}

    def apply(self, entry: Entry) -> None:
        """Take in one durable fact; a `seq` that was seen already changes nothing."""
        if entry.seq <= self.seq:
            return
        self.seq = entry.seq
        if isinstance(entry.fact, CallStarted):
            self._begin(entry.fact.call)
        elif self.call is not None and entry.call_id == self.call.call_id:
            self.call = _changed(self.call, entry)
            self._fold(entry.fact, entry.at, self.call)

    def _fold(self, fact: Fact, at: datetime, call: Call) -> None:
        match fact:
            case SegmentShown(segment=segment):
                self.edits.pop(segment.segment_id, None)
                self._put(segment)
            case SegmentCorrected(segment=segment):
                edited(self.edits, self.segments.get(segment.segment_id), segment, at, fact.by)
                self._put(segment)
            case SuggestionShown(suggestion=suggestion):
                self.suggestion = suggestion
                remembered(self.history, suggestion, at)
            case SuggestionMarked():
                key = (fact.article_id, fact.mark)
                self.marks.pop(key, None)
                self.marks[key] = fact
            case NoteTaken() | NoteChanged():
                noted(self.notes, fact, at)
            case CallTransferred():
                self.transfers.append(
                    Transfer(
                        from_operator=fact.from_operator,
                        to_operator=fact.to_operator,
                        message=fact.message,
                        at=at,
                        by=fact.by,
                    )
                )
            case WorkOrderDrafted() | WorkOrderChanged() | WorkOrderMade():
                self.work_order = fact.work_order
            case AlarmRaised():
                self.alarms[fact.alarm_id] = raised(fact, call, at)
            case AlarmTaken() | AlarmRated():
                followed_up(self.alarms, fact, at)
            case CallDegraded(code=notices.AUDIO_DROPPED, start_s=float(start_s), seconds=seconds):
                self.skipped.append((start_s, start_s + seconds))
            case CallDegraded(code=notices.SOUND_AWAY, start_s=float(start_s), seconds=seconds):
                self.skipped = _without(self.skipped, start_s, start_s + seconds)
            case CallInterrupted() | CallEnded():
                self.partials.clear()

    def _put(self, segment: Segment) -> None:
        self.partials.pop(segment.segment_id, None)
        if segment.text:
            self.segments[segment.segment_id] = segment
        else:
            self.segments.pop(segment.segment_id, None)

    def apply_partial(self, segment: Segment) -> None:
        """Take in text that may still change."""
        if self.call is not None and segment.call_id == self.call.call_id:
            self.partials[segment.segment_id] = segment


def _without(stretches: list[tuple[float, float]], start_s: float, end_s: float) -> list[tuple[float, float]]:
    """What is left of them outside of that one."""
    before = [(begin, min(end, start_s)) for begin, end in stretches if begin < start_s]
    behind = [(max(begin, end_s), end) for begin, end in stretches if end > end_s]
    return sorted(before + behind)


def _changed(call: Call, entry: Entry) -> Call:
    """The call after that fact."""
    match entry.fact:
        case CallLost():
            return replace(call, state=CallState.LOST)
        case CallInterrupted():
            return replace(call, state=CallState.INTERRUPTED)
        case CallReconnected():
            return replace(call, state=CallState.LIVE)
        case CallTransferred(to_operator=to_operator):
            return replace(call, operator_id=to_operator)
        case CallEnded(reason=reason, seconds=seconds):
            return replace(call, state=CallState.ENDED, ended_at=entry.at, seconds=seconds, end_reason=reason)
    return call
