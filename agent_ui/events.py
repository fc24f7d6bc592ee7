"""The wire from server to screens: every event that goes out. Commands are in agent_ui/screen_commands.py.

In: the facts of a call as dataclasses (`Segment`, `Card`, `Mark`), read by their attributes.
Out: pydantic unions discriminated by `type`, and their adapters.
Not known here: sockets, sequence numbers' origin, where a fact is stored, what a page does with it.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from asr.types import Party
from calls.types import CallState, EndReason
from retrieval.types import Mark

Seconds = Annotated[float, Field(ge=0.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Fact(BaseModel):
    """Something shown. `model_validate(value)` builds it from a dataclass; other attributes are left out."""

    model_config = ConfigDict(
        frozen=True, from_attributes=True, json_schema_serialization_defaults_required=True
    )


class WordOnScreen(Fact):
    """A piece of text with its place in media time."""

    text: str
    start_s: float
    end_s: float
    probability: float


class CorrectionOnScreen(Fact):
    """One replacement in a segment's text; `start` indexes the text after replacement."""

    start: int
    heard: str
    written: str
    reason: str


class SegmentOnScreen(Fact):
    """The text of one utterance, with the keys of `asr.types.Segment`; the same `segment_id` replaces."""

    call_id: str
    segment_id: str
    party: Party
    start_s: float
    end_s: float
    text: str
    raw_text: str
    is_final: bool
    words: tuple[WordOnScreen, ...] = ()
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    corrections: tuple[CorrectionOnScreen, ...] = ()
    is_unclear: bool = False
    """The final is a poor guess, and marked as such."""


class CardOnScreen(Fact):
    """One article in one of the three slots."""

    slot: int = Field(ge=0, le=2)
    is_new: bool
    article_id: str
    title: str
    excerpt: str
    department: str
    score: Share
    source: str


class SuggestionOnScreen(Fact):
    """The complete set of cards from now on; an empty `cards` clears the three places."""

    suggestion_id: str
    segment_id: str
    query: str
    kb_version: str
    confidence: float
    cards: tuple[CardOnScreen, ...] = Field(default=(), max_length=3)


class ShownCardOnScreen(Fact):
    """A card that was on screen in this call; `at` says when it first came up."""

    card: CardOnScreen
    suggestion_id: str
    at: AwareDatetime


class EditOnScreen(Fact):
    """What a person changed in a line (`original.segment_id`), and the line as it was heard."""

    original: SegmentOnScreen
    at: AwareDatetime
    by: str | None = None


class NoteOnScreen(Fact):
    """What a person wrote down about the call."""

    note_id: str
    text: str
    at: AwareDatetime
    by: str | None = None
    changed_at: AwareDatetime | None = None


class TransferOnScreen(Fact):
    """One handing over of the call."""

    from_operator: str | None
    to_operator: str
    message: str
    at: AwareDatetime
    by: str | None = None


class MarkOnScreen(Fact):
    """What was last done with one of the call's cards, so that a reload loses no mark."""

    suggestion_id: str
    article_id: str
    mark: Mark


class CallOnScreen(Fact):
    """A call as the list and the desk's head show it. `seconds` is media time received so far."""

    call_id: str
    state: CallState
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    operator_id: str | None = None
    caller: str | None = None
    dialled: str | None = None
    seconds: Seconds = 0.0
    end_reason: EndReason | None = None
    meta: dict[str, JsonValue] = Field(default_factory=dict)


class WorkOrderOnScreen(Fact):
    """A draft of a work order, as far as a page needs to name it."""

    work_order_id: str
    title: str
    state: str


class HotIssueOnScreen(Fact):
    """A matter that many calls have in common."""

    issue_id: str
    title: str
    calls: int = Field(ge=0)


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
    work_order: WorkOrderOnScreen | None = None


class CallListSnapshot(Event):
    """The whole state of the list of calls, newest first."""

    type: Literal["snapshot"] = "snapshot"
    seq: int = Field(ge=0)
    calls: tuple[CallOnScreen, ...]


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


class KnowledgePublished(Event):
    """A new version of the knowledge base is in use."""

    type: Literal["kb.published"] = "kb.published"
    version: str


class WorkOrderDrafted(Event):
    """A work order was drafted for the call."""

    type: Literal["work_order.drafted"] = "work_order.drafted"
    work_order: WorkOrderOnScreen


class HotIssueRaised(Event):
    """Many calls now concern the same matter."""

    type: Literal["hot_issue.raised"] = "hot_issue.raised"
    hot_issue: HotIssueOnScreen


class HotIssueCleared(Event):
    """A hot issue is one no longer."""

    type: Literal["hot_issue.cleared"] = "hot_issue.cleared"
    hot_issue: HotIssueOnScreen


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
    | KnowledgePublished
    | WorkOrderDrafted
    | HotIssueRaised
    | HotIssueCleared
    | ErrorShown
)
ListFact: TypeAlias = (
    CallStarted
    | CallTransferred
    | CallLag
    | CallDegraded
    | CallLost
    | CallInterrupted
    | CallReconnected
    | CallEnded
    | KnowledgePublished
    | ErrorShown
)

ScreenEvent = Annotated[CallSnapshot | CallFact, Field(discriminator="type")]
"""What the streams of a call and of an operator carry."""
CallListEvent = Annotated[CallListSnapshot | ListFact, Field(discriminator="type")]
"""What the stream of the list of calls carries."""

SCREEN_EVENTS: TypeAdapter[ScreenEvent] = TypeAdapter(ScreenEvent)
CALL_LIST_EVENTS: TypeAdapter[CallListEvent] = TypeAdapter(CallListEvent)
