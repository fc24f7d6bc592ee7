"""Reads along with one call: its dialogue, and the cards on its operator's screen.

In: final segments in order, what was found for them, what the operator did with cards.
Out: queries, and suggestions where the set of cards changes.
Not known here: who searches, where a suggestion is recorded, who is looking. Its clock is media time.
"""

from collections.abc import Sequence
from dataclasses import replace

from asr.types import Segment
from retrieval.advisor import AdvisorOptions, Board, advise, mark
from retrieval.judge import Judge, shipped_judge
from retrieval.query import Dialogue, DialogueOptions, hear
from retrieval.types import Findings, Mark, Query, Suggestion


class CallAssistant:
    """Holds what is known of one call; every decision is made by pure functions."""

    def __init__(
        self,
        call_id: str,
        *,
        dialogue_options: DialogueOptions = DialogueOptions(),  # noqa: B008 (frozen)
        advisor_options: AdvisorOptions = AdvisorOptions(),  # noqa: B008 (frozen)
        judge: Judge | None = None,
    ):
        self._dialogue = Dialogue(call_id=call_id)
        self._board = Board(call_id=call_id)
        self._dialogue_options = dialogue_options
        self._advisor_options = advisor_options
        self._judge = judge or shipped_judge()

    def ask(self, segment: Segment) -> Query | None:
        """What to look for after this final, if anything."""
        self._dialogue, query = hear(self._dialogue, segment, self._dialogue_options)
        return query

    def advise(self, segment: Segment, query: Query | None, findings: Findings | None) -> Suggestion | None:
        """The cards to show from now on, or None where they stay as they are."""
        if query is None or findings is None:
            return None
        self._board, suggestion = advise(
            self._board, query, findings, segment.end_s, judge=self._judge, options=self._advisor_options
        )
        return suggestion

    def mark(self, article_id: str, what: Mark) -> Suggestion | None:
        """Take note of what the operator did; returns the cards where that changes them."""
        self._board, suggestion = mark(self._board, article_id, what)
        return suggestion

    def recall(
        self,
        segments: Sequence[Segment],
        suggestion: Suggestion | None,
        marks: Sequence[tuple[str, Mark]],
    ) -> None:
        """Take up a call again from what was recorded of it.

        That is its finals, the cards last shown, and the marks as (article_id, mark), oldest first.
        """
        for segment in sorted(segments, key=lambda segment: segment.end_s):
            self.ask(segment)
        if suggestion is None:
            return
        now_s = max((segment.end_s for segment in segments), default=0.0)
        self._board = replace(
            self._board,
            shown=suggestion.cards,
            since_s=tuple((card.article_id, now_s) for card in suggestion.cards),
            last=suggestion,
            suggestions=int(suggestion.suggestion_id.rpartition("-")[2]),
        )
        for article_id, what in marks:
            # Only what a mark leaves behind: the cards themselves are on record as they were shown.
            kept, _ = mark(replace(self._board, shown=()), article_id, what)
            self._board = replace(kept, shown=suggestion.cards)
