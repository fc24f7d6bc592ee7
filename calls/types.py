"""The types that the keeping of calls emits: the call itself and the facts about it.

In: `Segment`, `Suggestion` and `Form` by their types.
Out: `Call`, one dataclass per fact, `Entry` (a fact with its place in a stream), and the errors.
Not known here: sockets, databases, who is looking.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from asr.types import Segment
from calls.forms.types import Change, Form
from calls.safety.kinds import AlarmKind, Severity
from retrieval.types import Mark, Suggestion


class CallState(StrEnum):
    """Where a call stands; `LOST` and `INTERRUPTED` calls may still be taken up again."""

    LIVE = "live"
    LOST = "lost"
    """The line vanished without a hang-up; kept open for a short while."""
    INTERRUPTED = "interrupted"
    """The server stopped in mid-call."""
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a call is over."""

    HANGUP = "hangup"
    LOST = "lost"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    """Something of ours broke; what was finalised before is kept."""
    RECORDED = "recorded"
    """It was never live here: its lines come from a recording that was transcribed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFormat:
    """How the bytes of a call are to be read."""

    encoding: str
    sample_rate_hz: int
    channels: tuple[str, ...]
    """Parties in the order in which their samples are interleaved."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return (2 if self.encoding == "pcm_s16le" else 1) * len(self.channels)

    def seconds(self, n_bytes: int) -> float:
        """How long that many bytes sound."""
        return n_bytes / self.frame_bytes / self.sample_rate_hz

    def n_bytes(self, seconds: float) -> int:
        """Whole sample frames that sound that long, in bytes."""
        return round(seconds * self.sample_rate_hz) * self.frame_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is known of a call beside its sound and text."""

    call_id: str
    state: CallState
    started_at: datetime
    ended_at: datetime | None = None
    operator_id: str | None = None
    caller: str | None = None
    dialled: str | None = None
    seconds: float = 0.0
    """Media time received; final once the call has ended."""
    end_reason: EndReason | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted:
    """Somebody is on the line."""

    type: ClassVar[str] = "call.started"
    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentShown:
    """A final segment. Empty text takes the line away: it was no speech."""

    type: ClassVar[str] = "segment.shown"
    segment: Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCorrected:
    """A person changed a final segment, undid one of our corrections, or put the heard line back."""

    type: ClassVar[str] = "segment.corrected"
    segment: Segment
    by: str | None = None
    """Who did it, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionShown:
    """The complete set of cards now on screen."""

    type: ClassVar[str] = "suggestion.shown"
    suggestion: Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionMarked:
    """An operator did something with a card."""

    type: ClassVar[str] = "suggestion.marked"
    suggestion_id: str
    article_id: str
    mark: Mark
    by: str | None = None
    """Who did it, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteTaken:
    """A person wrote something down about the call."""

    type: ClassVar[str] = "note.taken"
    note_id: str
    text: str
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteChanged:
    """A note says something else now. Empty text takes it away."""

    type: ClassVar[str] = "note.changed"
    note_id: str
    text: str
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTransferred:
    """The call is handed to another operator, with all that was said and shown so far."""

    type: ClassVar[str] = "call.transferred"
    from_operator: str | None
    to_operator: str
    message: str = ""
    """What the one who hands over wants the other to know."""
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderDrafted:
    """The wrap-up of the call was drafted anew; `work_order` is all of it, with what people set."""

    type: ClassVar[str] = "work_order.drafted"
    work_order: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderChanged:
    """A person set fields of the wrap-up, or gave them back to the drafts."""

    type: ClassVar[str] = "work_order.changed"
    work_order: Form
    changes: tuple[Change, ...]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderMade:
    """A work order was made of the wrap-up."""

    type: ClassVar[str] = "work_order.made"
    work_order: Form
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDegraded:
    """Something is worse than it should be, and the people concerned are told."""

    type: ClassVar[str] = "call.degraded"
    code: str
    seconds: float
    message: str
    start_s: float | None = None
    """Media time at which the worse stretch begins, where it has such a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLost:
    """The line vanished without a hang-up; it may come back."""

    type: ClassVar[str] = "call.lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInterrupted:
    """The server stopped in mid-call; the call may be taken up again."""

    type: ClassVar[str] = "call.interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReconnected:
    """The line is back."""

    type: ClassVar[str] = "call.reconnected"
    received_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded:
    """The call is over and every final is written."""

    type: ClassVar[str] = "call.ended"
    reason: EndReason
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised:
    """Words of danger were said; one alarm for each kind in a call."""

    type: ClassVar[str] = "alarm.raised"
    alarm_id: str
    kind: AlarmKind
    severity: Severity
    segment_id: str
    """In which utterance the words end."""
    said: str
    """What was said; of a long utterance the part around the words."""
    start: int
    """The first character of the words, counted in `said`."""
    end: int
    start_s: float
    """Media time at which the utterance begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmTaken:
    """A supervisor has seen to an alarm."""

    type: ClassVar[str] = "alarm.taken"
    alarm_id: str
    note: str = ""
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRated:
    """A supervisor says whether there really was danger."""

    type: ClassVar[str] = "alarm.rated"
    alarm_id: str
    is_true: bool
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KbPublished:
    """A new version of the knowledge base answers from now on."""

    type: ClassVar[str] = "kb.published"
    version: str


Fact: TypeAlias = (
    CallStarted
    | SegmentShown
    | SegmentCorrected
    | SuggestionShown
    | SuggestionMarked
    | NoteTaken
    | NoteChanged
    | CallTransferred
    | WorkOrderDrafted
    | WorkOrderChanged
    | WorkOrderMade
    | CallDegraded
    | CallLost
    | CallInterrupted
    | CallReconnected
    | CallEnded
    | AlarmRaised
    | AlarmTaken
    | AlarmRated
    | KbPublished
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A fact with its place in one stream; `seq` has no gaps within a stream and starts at 1."""

    stream: str
    seq: int
    at: datetime
    call_id: str | None
    fact: Fact


class Stream:
    """The names of the streams; a fact may stand in several."""

    CALLS: ClassVar[str] = "calls"

    @staticmethod
    def call(call_id: str) -> str:
        """Everything about one call."""
        return f"call:{call_id}"

    @staticmethod
    def operator(operator_id: str) -> str:
        """Everything about the calls of one operator."""
        return f"operator:{operator_id}"


class CallError(Exception):
    """What can go wrong around a call.

    CallError
    ├── UnknownCall       no call of that identifier, or none that can be taken up
    ├── CallConflict      the identifier is in use, or the call goes on elsewhere
    ├── HouseFull         no more calls can be admitted now
    ├── CallBroken        the call is no longer being worked on; what was finalised is kept
    │   └── CallStuck     its ears do not get on; it may be taken up again
    └── StorageFailed     what must be kept cannot be written
    """

    code = "call.error"
    recoverable = False

    def __init__(self, message: str, *, code: str | None = None):
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code


class UnknownCall(CallError):
    """No such call, or it cannot be taken up again."""

    code = "call.unknown"


class CallConflict(CallError):
    """The identifier belongs to another call, or the line to it is already open."""

    code = "call.id_in_use"


class HouseFull(CallError):
    """As many calls as this machine can carry are running."""

    code = "call.refused"


class CallBroken(CallError):
    """The call is no longer being worked on: something of ours broke, or it is just ending."""

    code = "call.failed"

    def __init__(self, message: str = "通话处理已中止，已保存的内容不受影响。", *, code: str | None = None):
        super().__init__(message, code=code)


class CallStuck(CallBroken):
    """The ears have not got on for long; the call is cut off, its sound is kept and heard again later."""

    def __init__(self) -> None:
        super().__init__("识别长时间没有进展，通话先行中断；录音已保存，稍后自动补写。")


class StorageFailed(CallError):
    """The disk is full or gone: what must be kept cannot be written."""

    code = "call.storage_failed"
