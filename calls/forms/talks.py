"""What a drafter knows of one call: its finals, its cards, and whether there is something new.

In: facts of the call, or the call as it is on record. Out: what a draft is made of.
Not known here: when a draft is made.
"""

from dataclasses import dataclass, field

from asr.types import Segment
from calls.asides import MAX_SHOWN
from calls.forms.engines import Drafting
from calls.types import (
    CallEnded,
    CallState,
    EndReason,
    Fact,
    SegmentCorrected,
    SegmentShown,
    SuggestionMarked,
    SuggestionShown,
)
from calls.view import CallView
from retrieval.types import Mark

_IN_USE = (Mark.USED, Mark.COPIED)


@dataclass(slots=True, kw_only=True)
class Talk:
    """One call as far as drafts are concerned."""

    drafting: Drafting
    is_known: bool
    """Whether it was followed from its beginning; else it is read from the records before the first draft."""
    caller: str = ""
    segments: dict[str, Segment] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    """Of the cards that were shown, by article."""
    used: dict[str, str] = field(default_factory=dict)
    is_ended: bool = False
    is_recorded: bool = False
    is_stale: bool = False
    """Something was said since the last draft."""
    is_told: bool = False
    """Whether people know that its drafts are late or do not come."""
    drafted_at_s: float = float("-inf")

    def take(self, fact: Fact) -> bool:
        """Take a fact in; says whether it is one that a draft depends on."""
        match fact:
            case SegmentShown(segment=segment) | SegmentCorrected(segment=segment):
                self.segments[segment.segment_id] = segment  # one without text says nothing
            case SuggestionShown(suggestion=suggestion):
                for card in suggestion.cards:
                    self.titles[card.article_id] = card.title
                while len(self.titles) > MAX_SHOWN:
                    del self.titles[next(iter(self.titles))]
                return False
            case SuggestionMarked(article_id=article_id, mark=mark) if mark in _IN_USE:
                self.used[article_id] = self.titles.get(article_id, "")
            case CallEnded(reason=reason):
                self.is_ended, self.is_recorded = True, reason is EndReason.RECORDED
            case _:
                return False
        self.is_stale = True
        return True

    def recall(self, view: CallView) -> None:
        """Take up the call as it is on record; what was told meanwhile is newer than that."""
        shown = {article_id: shown.card.title for article_id, shown in view.history.items()}
        self.titles = shown | self.titles
        used = (article_id for article_id, mark in view.marks if mark in _IN_USE)
        self.used = dict.fromkeys((*used, *self.used), "")
        self.used = {article_id: self.titles.get(article_id, "") for article_id in self.used}
        self.segments = view.segments | self.segments
        if view.call is not None:
            self.caller = view.call.caller or ""
            self.is_ended = self.is_ended or view.call.state is CallState.ENDED
        self.is_known = True
