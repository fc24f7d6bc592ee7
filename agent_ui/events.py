"""The wire between server and screens: every event that goes out, every command that comes in.

In: the facts of a call as dataclasses (`Segment`, `Card`, `Mark`), read by their attributes.
Out: pydantic unions discriminated by `type`, their adapters and one JSON schema for both directions.
Not known here: sockets, sequence numbers' origin, where a fact is stored, what a page does with it.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from asr.types import Party
from calls.types import CallState, EndReason
from retrieval.types import Mark

Identifier = Annotated[str, Field(min_length=1, max_length=128)]
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


class MarkOnScreen(Fact):
    """What was last done with one of the cards now on screen, so that a reload loses no mark."""

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
    """A person changed a final, or undid a correction."""

    type: Literal["segment.corrected"] = "segment.corrected"
    segment: SegmentOnScreen


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


class Command(BaseModel):
    """Something a screen asks for; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class MarkSuggestion(Command):
    """Use, judge, pin or close a card."""

    type: Literal["suggestion.mark"] = "suggestion.mark"
    suggestion_id: Identifier
    article_id: Identifier
    mark: Mark


class UndoCorrection(Command):
    """Put back what was heard; `index` counts the segment's corrections from 0."""

    type: Literal["correction.undo"] = "correction.undo"
    segment_id: Identifier
    index: int = Field(ge=0, le=10_000)


class CorrectSegment(Command):
    """Replace the text of a final."""

    type: Literal["segment.correct"] = "segment.correct"
    segment_id: Identifier
    text: str = Field(max_length=2000)


class AskQuestion(Command):
    """Search the knowledge base from the desk, in the context of the call."""

    type: Literal["question.ask"] = "question.ask"
    text: str = Field(min_length=1, max_length=2000)


CallFact: TypeAlias = (
    CallStarted
    | SegmentShown
    | SegmentCorrected
    | SuggestionShown
    | SuggestionMarked
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
ScreenCommand = Annotated[
    MarkSuggestion | UndoCorrection | CorrectSegment | AskQuestion, Field(discriminator="type")
]
"""What a screen may send."""

SCREEN_EVENTS: TypeAdapter[ScreenEvent] = TypeAdapter(ScreenEvent)
CALL_LIST_EVENTS: TypeAdapter[CallListEvent] = TypeAdapter(CallListEvent)
SCREEN_COMMANDS: TypeAdapter[ScreenCommand] = TypeAdapter(ScreenCommand)


def schema() -> dict[str, Any]:
    """Return one JSON schema: `$defs` of every model, and the three unions by name under `properties`."""
    unions, definitions = TypeAdapter.json_schemas(
        [
            ("ScreenEvent", "serialization", SCREEN_EVENTS),
            ("CallListEvent", "serialization", CALL_LIST_EVENTS),
            ("ScreenCommand", "serialization", SCREEN_COMMANDS),
        ],
        title="Zhiting screen protocol",
    )
    return {**definitions, "properties": {name: union for (name, _), union in unions.items()}}
