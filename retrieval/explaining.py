"""What a call would see after a few turns, and why: the whole path from dialogue to cards, told step by step.

In: turns as (party, text), a function that searches, a judge.
Out: an `Explanation`: for every turn the query, the matches with their probabilities, the cards on screen.
Not known here: who asks, where cards are drawn. Nothing is decided here: `hear`, `features`, `follow` and
`advise` are those of a call.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from asr.types import Party, Segment
from retrieval.advisor import AdvisorOptions, Board, advise
from retrieval.evidence import features
from retrieval.excerpt import excerpt
from retrieval.judge import Judge
from retrieval.query import Dialogue, DialogueOptions, hear
from retrieval.types import Card, Findings, Match, Query

Search = Callable[[Query], Awaitable[Findings]]
_CALL_ID = "try"
_TURN_S = 10.0
"""From one turn to the next: long enough that turns stay apart and a card may be replaced."""
_SPOKEN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A match, and how probable it is that it helps now."""

    match: Match
    probability: float
    is_enough: bool
    """Whether that is enough for a card."""
    excerpt: str
    """What the card would read out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one turn led to."""

    party: Party
    text: str
    query: Query | None
    """None where the turn describes nothing to look for."""
    judged: tuple[Judged, ...]
    """Likeliest first."""
    cards: tuple[Card, ...]
    """On screen after the turn."""
    is_changed: bool
    """Whether the turn changed the screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Every turn in order, and what they were measured by."""

    steps: tuple[Step, ...]
    threshold: float
    """The probability from which a match is worth a card."""
    kb_version: str
    """Empty where nothing was searched or nothing is published."""


async def explain(
    turns: Sequence[tuple[Party, str]],
    *,
    search: Search,
    judge: Judge,
    dialogue_options: DialogueOptions = DialogueOptions(),  # noqa: B008 (frozen)
    advisor_options: AdvisorOptions = AdvisorOptions(),  # noqa: B008 (frozen)
) -> Explanation:
    """Take the turns through the path of a call. Typed words count as heard with certainty."""
    dialogue, board = Dialogue(call_id=_CALL_ID), Board(call_id=_CALL_ID)
    steps, kb_version = [], ""
    for number, (party, text) in enumerate(turns):
        segment = _segment(number, party, text)
        dialogue, query = hear(dialogue, segment, dialogue_options)
        judged: tuple[Judged, ...] = ()
        suggestion = None
        if query is not None:
            findings = await search(query)
            kb_version = findings.kb_version
            judged = _judged(query, findings.matches, dict(board.trail), judge, advisor_options)
            board, suggestion = advise(
                board, query, findings, segment.end_s, judge=judge, options=advisor_options
            )
        steps.append(
            Step(
                party=party,
                text=text,
                query=query,
                judged=judged,
                cards=board.shown,
                is_changed=suggestion is not None,
            )
        )
    return Explanation(steps=tuple(steps), threshold=advisor_options.enter_score, kb_version=kb_version)


def _judged(
    query: Query,
    matches: Sequence[Match],
    trail: dict[str, float],
    judge: Judge,
    options: AdvisorOptions,
) -> tuple[Judged, ...]:
    probabilities = [float(p) for p in judge.probabilities(features(query, matches, trail))]
    best = max(probabilities, default=0.0)
    newest = query.turns[0][0] if query.turns else query.text
    judged = [
        Judged(
            match=match,
            probability=probability,
            is_enough=probability >= (options.enter_score if probability == best else options.beside_score),
            excerpt=excerpt(match.article, newest),
        )
        for match, probability in zip(matches, probabilities, strict=True)
    ]
    return tuple(sorted(judged, key=lambda one: -one.probability))


def _segment(number: int, party: Party, text: str) -> Segment:
    return Segment(
        call_id=_CALL_ID,
        segment_id=f"{party}-{number + 1}",
        party=party,
        start_s=number * _TURN_S,
        end_s=number * _TURN_S + _SPOKEN_S,
        text=text,
        raw_text=text,
        is_final=True,
    )
