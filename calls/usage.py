"""What the journal tells about the knowledge: which articles were shown and used, and who found nothing.

In: the facts of a span of time.
Out: `ArticleUsage` by article, and `Missed` questions.
Not known here: what the articles say, how questions are recognised (a function is brought along).

All of it blocks: call it from a thread.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Engine, select

from asr.types import Party, Segment
from calls.facts import from_payload
from calls.masking import masked_text
from calls.tables import facts
from calls.types import (
    CallEnded,
    EndReason,
    SegmentCorrected,
    SegmentShown,
    SuggestionMarked,
    SuggestionShown,
)
from retrieval.types import Mark

AskedIn = Callable[[str, Sequence[Segment]], Sequence[str]]
"""(call_id, the call's finals in order) → identifiers of the segments in which something was asked."""

_SHORTEST = 6
"""A question of fewer characters says nothing to whoever reads it later."""
_GOOD = (Mark.USED, Mark.COPIED, Mark.HELPFUL)
_BAD = (Mark.WRONG, Mark.DISMISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleUsage:
    """How one article fared on the operators' screens."""

    article_id: str
    shown: int = 0
    """Times that its card came up."""
    used: int = 0
    """Used or copied."""
    helpful: int = 0
    wrong: int = 0
    dismissed: int = 0
    last_shown_at: datetime | None = None


class WhyMissed(StrEnum):
    """Why a question counts as missed."""

    NO_CARD = "no_card"
    """No card came up in the whole call."""
    WRONG_CARD = "wrong_card"
    """Whatever came up was marked wrong or put away, and nothing was used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A citizen's words that found nothing good."""

    question: str
    """Without numbers that lead to a person: editors need none."""
    call_id: str
    at: datetime
    why: WhyMissed


class Usage:
    """Reads the journal for the people who keep the knowledge."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def articles(self, *, since: datetime) -> dict[str, ArticleUsage]:
        """Count by article since then; what was never shown is not in it."""
        found: dict[str, ArticleUsage] = {}
        for at, _, fact in self._facts((SuggestionShown.type, SuggestionMarked.type), since):
            if isinstance(fact, SuggestionShown):
                for card in fact.suggestion.cards:
                    if card.is_new:
                        usage = found.get(card.article_id, ArticleUsage(article_id=card.article_id))
                        found[card.article_id] = replace(usage, shown=usage.shown + 1, last_shown_at=at)
            elif isinstance(fact, SuggestionMarked):
                usage = found.get(fact.article_id, ArticleUsage(article_id=fact.article_id))
                found[fact.article_id] = _counted(usage, fact.mark)
        return found

    def missed(self, *, since: datetime, asked_in: AskedIn) -> tuple[Missed, ...]:
        """Questions of ended calls that found nothing good, newest first.

        Recordings that were transcribed later are passed over: nothing was looked for while they went on.
        """
        ended = {
            call_id: at
            for at, call_id, fact in self._facts((CallEnded.type,), since)
            if call_id and fact.reason is not EndReason.RECORDED
        }
        missed = []
        for call_id, at in ended.items():
            segments, shown, marks = self._course(call_id)
            bad = _badly_answered(shown, marks)
            why = WhyMissed.WRONG_CARD if bad else WhyMissed.NO_CARD
            asked: set[str] = bad if shown else set(asked_in(call_id, segments))
            missed += [
                Missed(question=masked_text(segment.text), call_id=call_id, at=at, why=why)
                for segment in segments
                if segment.segment_id in asked
                and segment.party is not Party.OPERATOR
                and len(segment.text) >= _SHORTEST
            ]
        return tuple(sorted(missed, key=lambda one: one.at, reverse=True))

    def _facts(self, types: Sequence[str], since: datetime) -> Iterator[tuple[datetime, str | None, Any]]:
        query = (
            select(facts.c.at, facts.c.call_id, facts.c.type, facts.c.payload)
            # The times' texts may bear different offsets, so a day more is read and then looked at.
            .where(facts.c.type.in_(types), facts.c.at >= (since - timedelta(days=1)).isoformat())
            .order_by(facts.c.fact_id)
        )
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                at = datetime.fromisoformat(row.at)
                if at >= since:
                    yield at, row.call_id, from_payload(row.type, row.payload)

    def _course(
        self, call_id: str
    ) -> tuple[list[Segment], list[SuggestionShown], dict[tuple[str, str], set[Mark]]]:
        """The call's finals as they stand, what was shown, and the marks by suggestion and article."""
        segments: dict[str, Segment] = {}
        shown: list[SuggestionShown] = []
        marks: dict[tuple[str, str], set[Mark]] = defaultdict(set)
        query = select(facts.c.type, facts.c.payload).where(facts.c.call_id == call_id)
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(facts.c.fact_id)):
                fact = from_payload(row.type, row.payload)
                if isinstance(fact, SegmentShown | SegmentCorrected):
                    segments[fact.segment.segment_id] = fact.segment
                elif isinstance(fact, SuggestionShown) and fact.suggestion.cards:
                    shown.append(fact)
                elif isinstance(fact, SuggestionMarked):
                    marks[fact.suggestion_id, fact.article_id].add(fact.mark)
        spoken = [segment for segment in segments.values() if segment.text]
        return sorted(spoken, key=lambda segment: segment.end_s), shown, marks


def _counted(usage: ArticleUsage, mark: Mark) -> ArticleUsage:
    if mark in (Mark.USED, Mark.COPIED):
        return replace(usage, used=usage.used + 1)
    if mark is Mark.HELPFUL:
        return replace(usage, helpful=usage.helpful + 1)
    if mark is Mark.WRONG:
        return replace(usage, wrong=usage.wrong + 1)
    return replace(usage, dismissed=usage.dismissed + (mark is Mark.DISMISSED))


def _badly_answered(shown: Sequence[SuggestionShown], marks: dict[tuple[str, str], set[Mark]]) -> set[str]:
    """Segments whose new cards were all turned down, in a call in which nothing was of use."""
    given = {mark for some in marks.values() for mark in some}
    if given.intersection(_GOOD):
        return set()
    turned_down = {article_id for (_, article_id), some in marks.items() if some.intersection(_BAD)}
    return {
        fact.suggestion.segment_id
        for fact in shown
        if (new := {card.article_id for card in fact.suggestion.cards if card.is_new}) and new <= turned_down
    }
