"""Which cards are on an operator's screen, and when that changes.

In: what was found for a query, a judge of it, what the operator did with cards, the time.
Out: a `Suggestion` with the complete set of cards, or nothing while the set stays as it is.
Not known here: how anything was found, the journal, the page.

Calm is the rule: a card keeps its slot; it leaves only for a clearly better one, when it was there
long enough to be read; what was dismissed does not come back by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.evidence import features, follow
from retrieval.excerpt import excerpt
from retrieval.judge import Judge
from retrieval.types import Card, Findings, Mark, Match, Query, Suggestion

SLOTS = 3
"""Cards on a screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisorOptions:
    """When a match is worth a card. Scores are probabilities that the article helps now."""

    enter_score: float = 0.4
    """Below it a match is no card."""
    beside_score: float = 0.4
    """What a match needs that is not the best one."""
    replace_margin: float = 0.1
    """How far a match must be above a shown card that gives its slot to it."""
    lead_margin: float = 0.1
    """How far a shown card must be above the one that led before the scores are shown anew."""
    least_s: float = 8.0
    """Seconds for which a card is left alone, time to read it."""

    def __post_init__(self) -> None:
        scores = (self.enter_score, self.beside_score, self.replace_margin, self.lead_margin)
        if not all(0 <= score <= 1 for score in scores):
            raise ValueError("scores and margins must be within 0 and 1")
        if self.least_s < 0:
            raise ValueError("least_s must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What one call's screen shows and what its operator said about it."""

    call_id: str
    shown: tuple[Card, ...] = ()
    """In slot order; slots may be free in between."""
    since_s: tuple[tuple[str, float], ...] = ()
    """(article_id, moment it came) of the shown cards."""
    pinned: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    """Dismissed or called wrong; not shown again in this call unless restored."""
    removed: tuple[Card, ...] = ()
    """Cards that were hidden, so that they can be restored."""
    last: Suggestion | None = None
    suggestions: int = 0
    """How many were made in this call; the next one's identifier counts on."""
    trail: tuple[tuple[str, float], ...] = ()
    """(article_id, strength): what earlier queries of the call had found."""


def advise(
    board: Board,
    query: Query,
    findings: Findings,
    now_s: float,
    *,
    judge: Judge,
    options: AdvisorOptions = AdvisorOptions(),
) -> tuple[Board, Suggestion | None]:
    """Decide what is on screen after a search; the suggestion is None where that stays the same.

    It stays the same where neither the set of cards nor the leading one changes. `now_s` is any clock of
    the call that only goes forward, e.g. media time. `findings` should hold ten matches or more, so that
    the crowd can be seen.
    """
    trail = dict(board.trail)
    scores = _scores(query, findings.matches, trail, judge)
    board = replace(board, trail=tuple(follow(trail, query, findings.matches).items()))
    cards = {
        card.slot: replace(card, is_new=False, score=scores.get(card.article_id, 0.0)) for card in board.shown
    }
    since = dict(board.since_s)
    for match in _worthy(findings.matches, scores, board, options):
        score = scores[match.article.article_id]
        slot = _slot_for(score, cards=cards, pinned=board.pinned, since=since, now_s=now_s, options=options)
        if slot is not None:
            cards[slot] = _card(match, score, slot, query)
            since[match.article.article_id] = now_s
    shown = tuple(cards[slot] for slot in sorted(cards))
    if not any(card.is_new for card in shown) and not _leads_anew(board.shown, shown, options):
        return board, None
    suggestion = Suggestion(
        suggestion_id=f"{query.call_id}-{board.suggestions + 1}",
        call_id=query.call_id,
        segment_id=query.segment_id,
        cards=shown,
        query=query.text,
        kb_version=findings.kb_version,
        confidence=max(card.score for card in shown),
    )
    on_screen = {card.article_id for card in shown}
    return (
        replace(
            board,
            shown=shown,
            since_s=tuple((article_id, at) for article_id, at in since.items() if article_id in on_screen),
            last=suggestion,
            suggestions=board.suggestions + 1,
        ),
        suggestion,
    )


def mark(board: Board, article_id: str, what: Mark) -> tuple[Board, Suggestion | None]:
    """Take note of what the operator did with a card.

    Dismissed or wrong, it leaves and stays away; restored, it comes back where a slot is free;
    pinned, it cannot be replaced. The suggestion is None where the set on screen stays the same.
    """
    if what is Mark.PINNED:
        return replace(board, pinned=board.pinned | {article_id}), None
    if what is Mark.UNPINNED:
        return replace(board, pinned=board.pinned - {article_id}), None
    if what in (Mark.DISMISSED, Mark.WRONG):
        gone = tuple(card for card in board.shown if card.article_id == article_id)
        board = replace(
            board,
            hidden=board.hidden | {article_id},
            pinned=board.pinned - {article_id},
            removed=board.removed + gone,
        )
        return _reshown(board, tuple(card for card in board.shown if card.article_id != article_id))
    if what is Mark.RESTORED:
        back = [card for card in board.removed if card.article_id == article_id]
        board = replace(
            board,
            hidden=board.hidden - {article_id},
            removed=tuple(card for card in board.removed if card.article_id != article_id),
        )
        free = _free_slots(board.shown)
        if not back or not free or article_id in {card.article_id for card in board.shown}:
            return board, None
        slot = back[-1].slot if back[-1].slot in free else free[0]
        return _reshown(board, (*board.shown, replace(back[-1], slot=slot, is_new=False)))
    return board, None


def _scores(
    query: Query, matches: Sequence[Match], trail: dict[str, float], judge: Judge
) -> dict[str, float]:
    """How probable it is of each match that it helps now."""
    probabilities = judge.probabilities(features(query, matches, trail))
    return {
        match.article.article_id: float(probability)
        for match, probability in zip(matches, probabilities, strict=True)
    }


def _worthy(
    matches: Sequence[Match], scores: dict[str, float], board: Board, options: AdvisorOptions
) -> list[Match]:
    """Choose the matches that deserve a card and have none, best first."""
    away = board.hidden | {card.article_id for card in board.shown}
    best = max(scores.values(), default=0.0)
    worthy = []
    for match in matches:
        score = scores[match.article.article_id]
        least = options.enter_score if score == best else options.beside_score
        if match.article.article_id not in away and score >= least:
            worthy.append(match)
    return sorted(worthy, key=lambda match: -scores[match.article.article_id])[:SLOTS]


def _leads_anew(before: Sequence[Card], now: Sequence[Card], options: AdvisorOptions) -> bool:
    """Whether another of the same cards has become the best one, clearly."""
    if not before:
        return False
    led = max(before, key=lambda card: (card.score, -card.slot)).article_id
    score = next((card.score for card in now if card.article_id == led), 0.0)
    return any(card.score >= score + options.lead_margin for card in now if card.article_id != led)


def _slot_for(
    score: float,
    *,
    cards: dict[int, Card],
    pinned: frozenset[str],
    since: dict[str, float],
    now_s: float,
    options: AdvisorOptions,
) -> int | None:
    """Find a free slot, or that of the least fitting card which may go; None where there is none."""
    free = _free_slots(tuple(cards.values()))
    if free:
        return free[0]
    leaving = [
        card
        for card in cards.values()
        if card.article_id not in pinned
        and not card.is_new
        and now_s - since[card.article_id] >= options.least_s
        and score >= card.score + options.replace_margin
    ]
    return min(leaving, key=lambda card: card.score).slot if leaving else None


def _free_slots(cards: Sequence[Card]) -> list[int]:
    taken = {card.slot for card in cards}
    return [slot for slot in range(SLOTS) if slot not in taken]


def _card(match: Match, score: float, slot: int, query: Query) -> Card:
    newest = query.turns[0][0] if query.turns else query.text
    return Card(
        slot=slot,
        is_new=True,
        article_id=match.article.article_id,
        title=match.article.title,
        excerpt=excerpt(match.article, newest),
        department=match.article.department,
        score=score,
        source=match.article.source,
    )


def _reshown(board: Board, cards: tuple[Card, ...]) -> tuple[Board, Suggestion | None]:
    """Show these cards after a mark, under the words of the last suggestion."""
    if board.last is None or len(cards) == len(board.shown):
        return board, None
    shown = tuple(replace(card, is_new=False) for card in sorted(cards, key=lambda card: card.slot))
    number = board.suggestions + 1
    suggestion = replace(board.last, suggestion_id=f"{board.call_id}-{number}", cards=shown)
    kept = {card.article_id for card in shown}
    before = dict(board.since_s)
    return (
        replace(
            board,
            shown=shown,
            since_s=tuple((article_id, before.get(article_id, 0.0)) for article_id in kept),
            last=suggestion,
            suggestions=number,
        ),
        suggestion,
    )
