"""What a screen shows of one call: a fold of its facts.

In: entries of one stream in order, and partial segments between them. Out: a view, ready for a snapshot.
Not known here: sockets, the journal, how a view is drawn.
"""

from dataclasses import replace

from asr.types import Segment
from calls import notices
from calls.types import (
    Call,
    CallDegraded,
    CallEnded,
    CallInterrupted,
    CallLost,
    CallReconnected,
    CallStarted,
    CallState,
    Entry,
    Fact,
    SegmentCorrected,
    SegmentShown,
    SuggestionMarked,
    SuggestionShown,
)
from retrieval.types import Mark, Suggestion


class CallView:
    """The current call of a stream. Facts of any other call than the newest started one are passed over."""

    def __init__(self) -> None:
        self.seq = 0
        self.call: Call | None = None
        self.segments: dict[str, Segment] = {}
        self.partials: dict[str, Segment] = {}
        self.suggestion: Suggestion | None = None
        self.marks: dict[tuple[str, Mark], SuggestionMarked] = {}
        """The last mark of each kind and article in this call, oldest first."""
        self.skipped: list[tuple[float, float]] = []
        """Media time, from and to, that the ears had to skip while the call went on."""

    def apply(self, entry: Entry) -> None:
        """Take in one durable fact; a `seq` that was seen already changes nothing."""
        if entry.seq <= self.seq:
            return
        self.seq = entry.seq
        if isinstance(entry.fact, CallStarted):
            self.call = entry.fact.call
            self.segments, self.partials, self.suggestion, self.marks = {}, {}, None, {}
            self.skipped = []
        elif self.call is not None and entry.call_id == self.call.call_id:
            self.call = _changed(self.call, entry)
            self._fold(entry.fact)

    def _fold(self, fact: Fact) -> None:
        match fact:
            case SegmentShown(segment=segment) | SegmentCorrected(segment=segment):
                self.partials.pop(segment.segment_id, None)
                if segment.text:
                    self.segments[segment.segment_id] = segment
                else:
                    self.segments.pop(segment.segment_id, None)
            case SuggestionShown(suggestion=suggestion):
                self.suggestion = suggestion
            case SuggestionMarked():
                key = (fact.article_id, fact.mark)
                self.marks.pop(key, None)
                self.marks[key] = fact
            case CallDegraded(code=notices.AUDIO_DROPPED, start_s=float(start_s), seconds=seconds):
                self.skipped.append((start_s, start_s + seconds))
            case CallInterrupted() | CallEnded():
                self.partials.clear()

    def apply_partial(self, segment: Segment) -> None:
        """Take in text that may still change."""
        if self.call is not None and segment.call_id == self.call.call_id:
            self.partials[segment.segment_id] = segment


def _changed(call: Call, entry: Entry) -> Call:
    """The call after that fact."""
    match entry.fact:
        case CallLost():
            return replace(call, state=CallState.LOST)
        case CallInterrupted():
            return replace(call, state=CallState.INTERRUPTED)
        case CallReconnected():
            return replace(call, state=CallState.LIVE)
        case CallEnded(reason=reason, seconds=seconds):
            return replace(call, state=CallState.ENDED, ended_at=entry.at, seconds=seconds, end_reason=reason)
    return call
