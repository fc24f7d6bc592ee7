"""What a view keeps beside the text: notes, what people changed, what was shown, who handed it on.

In: facts with their time. Out: small values that a snapshot carries.
Not known here: streams, the journal, how any of it is drawn.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from asr.types import Segment
from calls.types import NoteChanged, NoteTaken
from retrieval.types import Card, Suggestion

MAX_SHOWN = 100
"""Articles that the history of a call holds; past it the one that was first shown is forgotten."""
MAX_NOTES = 100
"""Notes that a call holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a person wrote down; empty text: it was taken away, and may come back under its identifier."""

    note_id: str
    text: str
    at: datetime
    by: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A person's change of a line, with the line as the ears wrote it."""

    original: Segment
    at: datetime
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCard:
    """A card that was on screen in this call, as it last looked."""

    card: Card
    suggestion_id: str
    at: datetime
    """When it first came up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One handing over."""

    from_operator: str | None
    to_operator: str
    message: str
    at: datetime
    by: str | None = None


def noted(notes: dict[str, Note], fact: NoteTaken | NoteChanged, at: datetime) -> None:
    """Take a note in, or change the one that is there."""
    old = notes.get(fact.note_id)
    if old is None:
        notes[fact.note_id] = Note(note_id=fact.note_id, text=fact.text, at=at, by=fact.by)
    else:
        notes[fact.note_id] = replace(old, text=fact.text, changed_at=at)


def edited(
    edits: dict[str, Edit], before: Segment | None, after: Segment, at: datetime, by: str | None
) -> None:
    """Remember what a person changed; a line that reads again as it was heard is no longer changed."""
    old = edits.pop(after.segment_id, None)
    original = old.original if old else before
    if original is None:
        return
    if (original.text, original.corrections) != (after.text, after.corrections):
        edits[after.segment_id] = Edit(original=original, at=at, by=by)


def remembered(history: dict[str, ShownCard], suggestion: Suggestion, at: datetime) -> None:
    """Add the cards of a suggestion, by article, in the order in which they first came up."""
    for card in suggestion.cards:
        old = history.get(card.article_id)
        history[card.article_id] = ShownCard(
            card=card, suggestion_id=suggestion.suggestion_id, at=old.at if old else at
        )
    while len(history) > MAX_SHOWN:
        del history[next(iter(history))]
