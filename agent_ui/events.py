"""The wire from server to screens: every event that goes out. Commands are in agent_ui/screen_commands.py.

In: what is shown (agent_ui/shown.py), and when.
Out: pydantic unions discriminated by `type`, and their adapters.
Not known here: sockets, sequence numbers' origin, where a fact is stored, what a page does with it.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field, TypeAdapter

from agent_ui.shown import (
    AlarmOnScreen,
    CallOnScreen,
    CardOnScreen,
    ChangeOnScreen,
    EditOnScreen,
    Fact,
    MarkOnScreen,
    NoteOnScreen,
    Seconds,
    SegmentOnScreen,
    ShownCardOnScreen,
    SuggestionOnScreen,
    TransferOnScreen,
    WorkOrderOnScreen,
)
from asr.types import Party
from calls.safety.kinds import AlarmKind, Severity
from calls.types import EndReason
from retrieval.types import Mark


class Event(Fact):
    """The envelope of everything sent to a screen."""

    seq: int | None = Field(default=None, ge=0)
    """Gapless per stream from 1; a snapshot carries the last one it contains (0: none yet).
    None for what is not durable: partials, lag, errors."""
    at: AwareDatetime
    call_id: str | None = None


class CallSnapshot(Event):
    """The whole state of a call or operator stream; `call` is None where an operator has none."""

    type: Literal["snapshot"] = "snapshot"
    seq: int = Field(ge=0)
    call: CallOnScreen | None
    segments: tuple[SegmentOnScreen, ...] = ()
    partials: tuple[SegmentOnScreen, ...] = ()
    cards: tuple[CardOnScreen, ...] = Field(default=(), max_length=3)
    suggestion_id: str | None = None
    marks: tuple[MarkOnScreen, ...] = ()
    history: tuple[ShownCardOnScreen, ...] = ()
    """Every card of this call, in the order in which they first came up; the newest 100."""
    edits: tuple[EditOnScreen, ...] = ()
    notes: tuple[NoteOnScreen, ...] = ()
    transfers: tuple[TransferOnScreen, ...] = ()
    alarms: tuple[AlarmOnScreen, ...] = ()
    work_order: WorkOrderOnScreen | None = None


class CallListSnapshot(Event):
    """The whole state of the list of calls, newest first."""

    type: Literal["snapshot"] = "snapshot"
    seq: int = Field(ge=0)
    calls: tuple[CallOnScreen, ...]
    alarms: tuple[AlarmOnScreen, ...] = ()
    """Those that nobody has taken and those of the last day, newest first; at most 100."""


class CallStarted(Event):
    """A call began."""

    type: Literal["call.started"] = "call.started"
    call: CallOnScreen


class SegmentShown(Event):
    """Text came up: a partial (no `seq`) or a final; a final without text removes its line."""

    type: Literal["segment.shown"] = "segment.shown"
    segment: SegmentOnScreen


class SegmentCorrected(Event):
    """A person changed a final, undid a correction, or put the heard line back."""

    type: Literal["segment.corrected"] = "segment.corrected"
    segment: SegmentOnScreen
    by: str | None = None


class SuggestionShown(Event):
    """The set of cards changed."""

    type: Literal["suggestion.shown"] = "suggestion.shown"
    suggestion: SuggestionOnScreen


class SuggestionMarked(Event):
    """Somebody used, judged, pinned or closed a card."""

    type: Literal["suggestion.marked"] = "suggestion.marked"
    suggestion_id: str
    article_id: str
    mark: Mark
    by: str | None = None


class NoteTaken(Event):
    """Somebody wrote something down about the call."""

    type: Literal["note.taken"] = "note.taken"
    note_id: str
    text: str
    by: str | None = None


class NoteChanged(Event):
    """A note says something else now; empty text takes it away."""

    type: Literal["note.changed"] = "note.changed"
    note_id: str
    text: str
    by: str | None = None


class CallTransferred(Event):
    """The call was handed to another operator. Screens of that one get a snapshot in its place."""

    type: Literal["call.transferred"] = "call.transferred"
    from_operator: str | None
    to_operator: str
    message: str = ""
    by: str | None = None


class QuestionAnswered(Event):
    """What was found for a question typed at the desk."""

    type: Literal["question.answered"] = "question.answered"
    text: str
    cards: tuple[CardOnScreen, ...]


class CallDegraded(Event):
    """Something of the call was lost or is worse than it should be; `code` says what."""

    type: Literal["call.degraded"] = "call.degraded"
    code: str
    seconds: Seconds | None = None
    message: str | None = None
    start_s: float | None = None
    """Media time at which the worse stretch begins, where it has such a place."""


class CallLag(Event):
    """How far recognition is behind the speakers. Not durable."""

    type: Literal["call.lag"] = "call.lag"
    lag_s: Seconds


class CallLine(Event):
    """What was last said in a running call, for the list alone. Not durable."""

    type: Literal["call.line"] = "call.line"
    party: Party
    text: str


class CallLost(Event):
    """The line vanished without a hang-up; the call is kept open for a short while."""

    type: Literal["call.lost"] = "call.lost"


class CallInterrupted(Event):
    """The server was cut off in mid-call; the call may come back."""

    type: Literal["call.interrupted"] = "call.interrupted"


class CallReconnected(Event):
    """The line came back; sound up to `received_s` had already arrived."""

    type: Literal["call.reconnected"] = "call.reconnected"
    received_s: Seconds


class CallEnded(Event):
    """The call is over and every pending final has been shown."""

    type: Literal["call.ended"] = "call.ended"
    reason: EndReason
    seconds: Seconds


class AlarmRaised(Event):
    """Words of danger were said; `start` and `end` count characters of `said`, what was said around them."""

    type: Literal["alarm.raised"] = "alarm.raised"
    alarm_id: str
    kind: AlarmKind
    severity: Severity
    segment_id: str
    said: str
    start: int
    end: int
    start_s: float


class AlarmTaken(Event):
    """A supervisor has seen to an alarm."""

    type: Literal["alarm.taken"] = "alarm.taken"
    alarm_id: str
    note: str = ""
    by: str | None = None


class AlarmRated(Event):
    """A supervisor says whether there really was danger."""

    type: Literal["alarm.rated"] = "alarm.rated"
    alarm_id: str
    is_true: bool
    by: str | None = None


class KnowledgePublished(Event):
    """A new version of the knowledge base is in use."""

    type: Literal["kb.published"] = "kb.published"
    version: str


class WorkOrderDrafted(Event):
    """The wrap-up was drafted anew; what people set stays in it."""

    type: Literal["work_order.drafted"] = "work_order.drafted"
    work_order: WorkOrderOnScreen


class WorkOrderChanged(Event):
    """A person set fields of the wrap-up, or gave them back to the drafts."""

    type: Literal["work_order.changed"] = "work_order.changed"
    work_order: WorkOrderOnScreen
    changes: tuple[ChangeOnScreen, ...]
    by: str


class WorkOrderMade(Event):
    """A work order was made of the wrap-up."""

    type: Literal["work_order.made"] = "work_order.made"
    work_order: WorkOrderOnScreen
    by: str


class StreamAlive(Event):
    """The server is still there, to screens that asked to be told. Not durable."""

    type: Literal["stream.alive"] = "stream.alive"


class ErrorShown(Event):
    """A command or the stream itself failed. Never durable."""

    type: Literal["error"] = "error"
    code: str
    message: str
    recoverable: bool


CallFact: TypeAlias = (
    CallStarted
    | SegmentShown
    | SegmentCorrected
    | SuggestionShown
    | SuggestionMarked
    | NoteTaken
    | NoteChanged
    | CallTransferred
    | QuestionAnswered
    | CallDegraded
    | CallLag
    | CallLost
    | CallInterrupted
    | CallReconnected
    | CallEnded
    | AlarmRaised
    | AlarmTaken
    | AlarmRated
    | KnowledgePublished
    | WorkOrderDrafted
    | WorkOrderChanged
    | WorkOrderMade
    | StreamAlive
    | ErrorShown
)
ListFact: TypeAlias = (
    CallStarted
    | CallLine
    | CallTransferred
    | CallLag
    | CallDegraded
    | CallLost
    | CallInterrupted
    | CallReconnected
    | CallEnded
    | AlarmRaised
    | AlarmTaken
    | AlarmRated
    | KnowledgePublished
    | StreamAlive
    | ErrorShown
)

ScreenEvent = Annotated[CallSnapshot | CallFact, Field(discriminator="type")]
"""What the streams of a call and of an operator carry."""
CallListEvent = Annotated[CallListSnapshot | ListFact, Field(discriminator="type")]
"""What the stream of the list of calls carries."""

SCREEN_EVENTS: TypeAdapter[ScreenEvent] = TypeAdapter(ScreenEvent)
CALL_LIST_EVENTS: TypeAdapter[CallListEvent] = TypeAdapter(CallListEvent)
