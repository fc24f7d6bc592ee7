"""What is shown within an event or an answer: lines, cards, calls, notes, as pages get them.

In: the facts of a call as dataclasses (`Segment`, `Card`, `Mark`), read by their attributes.
Out: pydantic models. The events that carry them are in agent_ui/events.py.
Not known here: sockets, sequence numbers, where a fact is stored, what a page does with it.
"""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from asr.types import Party
from calls.safety.kinds import AlarmKind, Severity
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


class AlarmOnScreen(Fact):
    """Words of danger in a call, and what became of them; `start` and `end` count characters of `said`."""

    alarm_id: str
    call_id: str
    kind: AlarmKind
    severity: Severity
    segment_id: str
    said: str
    start: int
    end: int
    start_s: float
    at: AwareDatetime
    operator_id: str | None = None
    caller: str | None = None
    taken_at: AwareDatetime | None = None
    taken_by: str | None = None
    note: str = ""
    is_true: bool | None = None
    rated_by: str | None = None


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


class SpanOnScreen(Fact):
    """Words of one final: `text[start:end]`, counted in characters."""

    segment_id: str
    start: int
    end: int


class FieldOnScreen(Fact):
    """A field of a wrap-up: what a person set (`set_by`), else what was `drafted`; empty: not said."""

    value: str
    drafted: str
    confidence: Share
    spans: tuple[SpanOnScreen, ...] = ()
    is_unsure: bool
    """It holds what was drafted, and somebody should look at it."""
    set_by: str | None = None
    set_at: AwareDatetime | None = None


class ChoiceOnScreen(Fact):
    """A department that may be the right one; without `department_id` where the directory has none."""

    name: str
    department_id: str | None
    confidence: Share


class SourceOnScreen(Fact):
    """An article that speaks of the matter."""

    article_id: str
    title: str
    is_used: bool


class OrderMadeOnScreen(Fact):
    """The work order that was made of a wrap-up, with its state at that moment."""

    order_id: str
    state: str
    by: str


class WorkOrderOnScreen(Fact):
    """The wrap-up of a call as it stands. `version` counts what people changed."""

    version: int
    engine: str
    is_final: bool
    """It was drafted of the whole call, after its end."""
    kind: FieldOnScreen
    urgency: FieldOnScreen
    caller_name: FieldOnScreen
    caller_phone: FieldOnScreen
    district: FieldOnScreen
    place: FieldOnScreen
    category: FieldOnScreen
    department: FieldOnScreen
    summary: FieldOnScreen
    detail: FieldOnScreen
    department_id: str | None = None
    departments: tuple[ChoiceOnScreen, ...] = ()
    """The department that was drafted and its alternatives, the likeliest first."""
    knowledge: tuple[SourceOnScreen, ...] = ()
    order: OrderMadeOnScreen | None = None


class ChangeOnScreen(Fact):
    """A person's change of one field; `value` is None where it was given back to the drafts."""

    name: str
    drafted: str
    confidence: Share
    before: str
    value: str | None
