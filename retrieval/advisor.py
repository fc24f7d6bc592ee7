"""Which cards are on an operator's screen, and when that changes.

In: what was found for a query, what the operator did with cards, the time.
Out: a `Suggestion` with the complete set of cards, or nothing while the set stays as it is.
Not known here: how anything was found, the journal, the page.

Calm is the rule: a card keeps its slot; it leaves only for a clearly better one, when it was there
long enough to be read; what was dismissed does not come back by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.excerpt import excerpt
from retrieval.types import Card, Channel, Findings, Mark, Match, Query, Suggestion

SLOTS = 3
"""Cards on a screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisorOptions:
    """When a match is worth a card."""

    enter_score: float = 0.66
    """Of `Match.score`: below it a match is no card."""
    enter_lexical: float = 0.9
    """Of the lexical or pinyin channel: nearness of meaning alone is no evidence."""
    crowd: int = 4
    """Rank of the match that stands for the unspecific rest."""
    crowd_margin: float = 0.12
    """How far above the crowd a new card must be."""
    second_score: float = 0.8
    """What a match needs to become a card beside a better match."""
    replace_margin: float = 0.15
    """How far a match must be above a shown card that gives its slot to it."""
    least_s: float = 8.0
    """Seconds for which a card is left alone, time to read it."""

    def __post_init__(self) -> None:
        scores = (self.enter_score, self.crowd_margin, self.second_score, self.replace_margin)
        if not all(0 <= score <= 1 for score in scores):
            raise ValueError("scores and margins must be within 0 and 1")
        if self.crowd < 2 or self.least_s < 0 or self.enter_lexical < 0:
            raise ValueError("crowd, least_s or enter_lexical out of range")


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


def advise(
    board: Board,
    query: Query,
    findings: Findings,
    now_s: float,
    options: AdvisorOptions = AdvisorOptions(),
) -> tuple[Board, Suggestion | None]:
    """Decide what is on screen after a search; the suggestion is None where that stays the same.

    `now_s` is any clock of the call that only goes forward, e.g. media time. `findings` should hold
    ten matches or more, so that the crowd can be seen.
    """
    matches = [match for match in findings.matches if match.article.article_id not in board.hidden]
    scores = {match.article.article_id: match.score for match in matches}
    cards = {
        card.slot: replace(card, is_new=False, score=scores.get(card.article_id, 0.0)) for card in board.shown
    }
    since = dict(board.since_s)
    for match in _worthy(matches, board.shown, options):
        slot = _slot_for(match, cards=cards, pinned=board.pinned, since=since, now_s=now_s, options=options)
        if slot is not None:
            cards[slot] = _card(match, slot, query)
            since[match.article.article_id] = now_s
    if {card.article_id for card in cards.values()} == {card.article_id for card in board.shown}:
        return board, None
    shown = tuple(cards[slot] for slot in sorted(cards))
    suggestion = Suggestion(
        suggestion_id=f"{query.call_id}-{board.suggestions + 1}",
        call_id=query.call_id,
        segment_id=query.segment_id,
        cards=shown,
        query=query.text,
        kb_version=findings.kb_version,
        confidence=max(card.score for card in shown if card.is_new),
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


def _worthy(matches: Sequence[Match], shown: Sequence[Card], options: AdvisorOptions) -> list[Match]:
    """Choose the matches that deserve a card and have none, best first."""
    crowd = matches[options.crowd - 1].score if len(matches) >= options.crowd else 0.0
    on_screen = {card.article_id for card in shown}
    worthy = []
    for rank, match in enumerate(matches[:SLOTS]):
        written = max(
            (match.channels[c].score for c in (Channel.LEXICAL, Channel.PINYIN) if c in match.channels),
            default=0.0,
        )
        if (
            match.article.article_id not in on_screen
            and match.score >= (options.second_score if rank else options.enter_score)
            and match.score >= crowd + options.crowd_margin
            and written >= options.enter_lexical
        ):
            worthy.append(match)
    return worthy


def _slot_for(
    match: Match,
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
        and match.score >= card.score + options.replace_margin
    ]
    return min(leaving, key=lambda card: card.score).slot if leaving else None


def _free_slots(cards: Sequence[Card]) -> list[int]:
    taken = {card.slot for card in cards}
    return [slot for slot in range(SLOTS) if slot not in taken]


def _card(match: Match, slot: int, query: Query) -> Card:
    newest = query.turns[0][0] if query.turns else query.text
    return Card(
        slot=slot,
        is_new=True,
        article_id=match.article.article_id,
        title=match.article.title,
        excerpt=excerpt(match.article, newest),
        department=match.article.department,
        score=match.score,
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
