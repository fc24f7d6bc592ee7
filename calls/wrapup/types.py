"""What a wrap-up draft is made of: fields that say how sure they are and which words they come from.

In: nothing; this module imports no other module of the project.
Out: `Span`, `Field`, `Draft`, and the words a field may hold.
Not known here: how anything is found.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What the citizen wants of the city."""

    ASKS = "咨询"
    NEEDS_HELP = "求助"
    COMPLAINS = "投诉"
    SUGGESTS = "建议"
    REPORTS = "举报"


class Urgency(StrEnum):
    """How soon somebody has to act."""

    USUAL = "普通"
    URGENT = "紧急"
    AT_ONCE = "特急"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Words of one final segment: `Segment.text[start:end]`."""

    segment_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a draft. Unknown is an empty value with confidence 0; nothing is guessed."""

    value: str = ""
    confidence: float = 0.0
    """Within 0 and 1; an order of sureness, not a measured probability."""
    spans: tuple[Span, ...] = ()
    """Where it was said; empty where it is not from the talk, such as the number of the line."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError("confidence must be within 0 and 1")
        if not self.value and (self.confidence or self.spans):
            raise ValueError("an empty field has neither confidence nor spans")

    @property
    def segment_ids(self) -> tuple[str, ...]:
        """The segments that it comes from, each once."""
        return tuple(dict.fromkeys(span.segment_id for span in self.spans))


UNKNOWN = Field()
"""What was not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """An article that speaks of the matter."""

    article_id: str
    title: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an operator would type after a call, as far as the call so far tells it."""

    kind: Field = UNKNOWN
    urgency: Field = UNKNOWN
    caller_name: Field = UNKNOWN
    caller_phone: Field = UNKNOWN
    district: Field = UNKNOWN
    place: Field = UNKNOWN
    """Street, town or place, with number or landmark, as far as they were said."""
    category: Field = UNKNOWN
    department: Field = UNKNOWN
    departments: tuple[Field, ...] = ()
    """The department and its alternatives, the likeliest first, three at most."""
    summary: Field = UNKNOWN
    """One line."""
    detail: Field = UNKNOWN
    """Two to four sentences, in the words of the call."""
    knowledge: tuple[Knowledge, ...] = ()
