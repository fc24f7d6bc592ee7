"""The types that matching emits: queries, matches, suggestions and their cards.

In: `Article`, `Passage` by their types.
Out: `Query` → `Findings` of `Match`es → `Suggestion`.
Not known here: how a segment was heard, who is looking, where anything is stored.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from knowledge_base.types import Article, Passage


class SpeechAct(StrEnum):
    """What the turn that caused a query does."""

    ASKS = "asks"
    COMPLAINS = "complains"
    REQUESTS = "requests"
    ANSWERS = "answers"
    """Says what the operator wanted to know."""
    TELLS = "tells"
    RESTATES = "restates"
    """The operator says again what is wanted, to have it confirmed."""
    EXPLAINS = "explains"
    """The operator answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for now, made from the dialogue so far."""

    call_id: str
    segment_id: str
    """The segment that caused the query."""
    text: str
    """Newest need first to last, as it is shown and logged in the call's own record."""
    turns: tuple[tuple[str, float], ...]
    """(text, weight) of the turns that go in, newest first; weights in (0, 1]."""
    act: SpeechAct = SpeechAct.TELLS
    opens_matter: bool = False
    """Whether the newest turn leaves the former matter for another."""
    turns_before: int = 0
    """The citizen's turns with a need since this matter was opened, the newest not counted."""
    sureness: float = 0.0
    """Mean log probability of the newest segment's tokens; 0 where the text is certain."""


class Channel(StrEnum):
    """One way of comparing a query with a passage."""

    DENSE = "dense"
    LEXICAL = "lexical"
    PINYIN = "pinyin"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelScore:
    """What one channel thinks of a match."""

    score: float
    rank: int
    """From 1 among the articles of this channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An article that fits a query, by its best passage. `score` is fused, in [0, 1]."""

    article: Article
    passage: Passage
    score: float
    channels: dict[Channel, ChannelScore] = field(default_factory=dict)
    fused: float = 0.0
    """The weighted sum of the channels behind `score`, without bounds."""
    newest: float = 0.0
    """The part of `fused` that the words of the newest turn alone would earn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a search found, best first, and in which state of the knowledge base."""

    kb_version: str
    """Empty before anything was published."""
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One article on the operator's screen."""

    slot: int
    """0, 1 or 2; a card keeps its slot while it is on screen."""
    is_new: bool
    article_id: str
    title: str
    excerpt: str
    """One to three sentences that can be read out and show why the article fits."""
    department: str
    score: float
    """In [0, 1]."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """The complete set of cards on screen from now on, in slot order, at most three."""

    suggestion_id: str
    call_id: str
    segment_id: str
    cards: tuple[Card, ...]
    query: str
    kb_version: str
    confidence: float


class Mark(StrEnum):
    """What an operator did with a card."""

    USED = "used"
    COPIED = "copied"
    HELPFUL = "helpful"
    WRONG = "wrong"
    DISMISSED = "dismissed"
    RESTORED = "restored"
    PINNED = "pinned"
    UNPINNED = "unpinned"
