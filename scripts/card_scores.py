"""Whether the right cards were on screen at the right time, and no others.

In: the reference of a call, and what was searched and shown in it, in media time.
Out: counts that add up over calls, and the figures made of them.
Not known here: how anything was heard, searched or decided.

`docs/evaluation.md` defines each figure with a worked example; the two must say the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from retrieval.types import Card
from scripts.call_data import ReferenceCall, Turn

GRACE_S = 1.0
"""A card counts for a turn when the segment that caused it ended by the turn's end and this much more."""
_TOP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The complete set of cards on screen from now on."""

    caused_s: float
    """Media time at which the segment that caused it ended."""
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What the bare search found, best first."""

    caused_s: float
    article_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What happened in one call; both lists in the order in which it happened."""

    call: ReferenceCall
    shown: tuple[Shown, ...]
    searched: tuple[Searched, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCounts:
    """How often what happened. Turns are the citizen's."""

    calls: int = 0
    minutes: float = 0.0
    turns: int = 0
    """With relevant topics."""
    hits1: int = 0
    hits3: int = 0
    search_hits1: int = 0
    search_hits3: int = 0
    first_turns: int = 0
    """With a topic that no earlier turn listed."""
    first_hits3: int = 0
    first_hits3_next: int = 0
    silent_turns: int = 0
    """All others: nothing new is warranted."""
    false_silent_turns: int = 0
    """Silent turns with a new card that is not relevant to the call so far."""
    unasked_silent_turns: int = 0
    """Silent turns with a new card that the turn itself does not list."""
    new_cards: int = 0
    new_relevant_cards: int = 0
    card_changes: int = 0
    calls_without_topics: int = 0
    cards_without_topics: int = 0
    """New cards in calls whose turns list no topic at all."""

    def __add__(self, other: "CardCounts") -> "CardCounts":
        return CardCounts(
            **{field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)}
        )

    def figures(self) -> dict[str, float | None]:
        """The figures by the names under which they are reported; None where there is nothing to count."""
        return {
            "hit1": _share(self.hits1, self.turns),
            "hit3": _share(self.hits3, self.turns),
            "first_hit3": _share(self.first_hits3, self.first_turns),
            "first_hit3_next": _share(self.first_hits3_next, self.first_turns),
            "search_hit1": _share(self.search_hits1, self.turns),
            "search_hit3": _share(self.search_hits3, self.turns),
            "precision": _share(self.new_relevant_cards, self.new_cards),
            "false_on_silent": _share(self.false_silent_turns, self.silent_turns),
            "false_on_silent_strict": _share(self.unasked_silent_turns, self.silent_turns),
            "turns": self.turns,
            "first_turns": self.first_turns,
            "silent_turns": self.silent_turns,
            "new_cards": self.new_cards,
            "card_changes_per_min": _share(self.card_changes, self.minutes),
            "wrong_cards_per_min": _share(self.new_cards - self.new_relevant_cards, self.minutes),
            "calls_without_topics": self.calls_without_topics,
            "cards_without_topics": self.cards_without_topics,
        }


@dataclass(frozen=True, slots=True)
class _NewCards:
    """Articles that one suggestion put on screen and the one before did not have."""

    caused_s: float
    article_ids: frozenset[str]


def count_call(trace: Trace) -> CardCounts:
    """Count one call."""
    turns = [turn for turn in trace.call.turns if turn.is_citizens]
    counts = _count_cards(trace)
    for number, turn in enumerate(turns):
        counts += _count_turn(trace, turn, turns[number + 1] if number + 1 < len(turns) else None)
    arrivals = _arrivals(trace.shown)
    for turn, own in zip(turns, _by_turn(turns, arrivals), strict=True):
        if _first_topics(trace.call, turn):
            continue
        counts += CardCounts(
            silent_turns=1,
            false_silent_turns=any(new.article_ids - _topics_by(trace.call, new.caused_s) for new in own),
            unasked_silent_turns=any(new.article_ids - turn.relevant_topics for new in own),
        )
    return counts


def _count_cards(trace: Trace) -> CardCounts:
    """Count the cards of the whole call, whatever turn they fall to."""
    arrivals = _arrivals(trace.shown)
    new_cards = sum(len(new.article_ids) for new in arrivals)
    has_topics = any(turn.relevant_topics for turn in trace.call.turns)
    return CardCounts(
        calls=1,
        minutes=trace.call.seconds / 60,
        new_cards=new_cards,
        new_relevant_cards=sum(
            len(new.article_ids & _topics_by(trace.call, new.caused_s)) for new in arrivals
        ),
        card_changes=_changes(trace.shown),
        calls_without_topics=not has_topics,
        cards_without_topics=0 if has_topics else new_cards,
    )


def _count_turn(trace: Trace, turn: Turn, following: Turn | None) -> CardCounts:
    """Count the hits of one citizen turn."""
    if not turn.relevant_topics:
        return CardCounts()
    cards = _on_screen(trace.shown, turn)
    best = max(cards, key=lambda card: (card.score, -card.slot), default=None)
    on_screen = {card.article_id for card in cards}
    found = next((s.article_ids for s in reversed(trace.searched) if _counts_for(turn, s.caused_s)), ())
    first = _first_topics(trace.call, turn)
    later = {card.article_id for card in _on_screen(trace.shown, following)} if following else set()
    return CardCounts(
        turns=1,
        hits1=best is not None and best.article_id in turn.relevant_topics,
        hits3=not turn.relevant_topics.isdisjoint(on_screen),
        search_hits1=not turn.relevant_topics.isdisjoint(found[:1]),
        search_hits3=not turn.relevant_topics.isdisjoint(found[:_TOP]),
        first_turns=bool(first),
        first_hits3=not first.isdisjoint(on_screen),
        first_hits3_next=not first.isdisjoint(on_screen | later),
    )


def _counts_for(turn: Turn, caused_s: float) -> bool:
    return caused_s <= turn.end_s + GRACE_S


def _on_screen(shown: Sequence[Shown], turn: Turn) -> tuple[Card, ...]:
    """The cards that count for a turn: the last set whose cause ended in time."""
    return next((event.cards for event in reversed(shown) if _counts_for(turn, event.caused_s)), ())


def _arrivals(shown: Iterable[Shown]) -> list[_NewCards]:
    """What was new in each suggestion: told by the screen before it, not by the card's own flag."""
    arrivals = []
    before: frozenset[str] = frozenset()
    for event in shown:
        now = frozenset(card.article_id for card in event.cards)
        if now - before:
            arrivals.append(_NewCards(event.caused_s, now - before))
        before = now
    return arrivals


def _changes(shown: Iterable[Shown]) -> int:
    """How often a slot came to hold a card that it did not hold before."""
    changes = 0
    before: set[tuple[int, str]] = set()
    for event in shown:
        now = {(card.slot, card.article_id) for card in event.cards}
        changes += len(now - before)
        before = now
    return changes


def _by_turn(turns: Sequence[Turn], arrivals: Iterable[_NewCards]) -> list[list[_NewCards]]:
    """Charge new cards to the first citizen turn they count for; what comes after the last, to the last."""
    charged: list[list[_NewCards]] = [[] for _ in turns]
    for new in arrivals:
        number = next((n for n, turn in enumerate(turns) if _counts_for(turn, new.caused_s)), -1)
        if charged:
            charged[number].append(new)
    return charged


def _topics_by(call: ReferenceCall, moment_s: float) -> frozenset[str]:
    """All topics of the turns that had begun by then, whoever's turns."""
    return frozenset().union(*(turn.relevant_topics for turn in call.turns if turn.start_s < moment_s))


def _first_topics(call: ReferenceCall, turn: Turn) -> frozenset[str]:
    """The turn's topics that no earlier turn of either party listed."""
    return turn.relevant_topics - _topics_by(call, turn.start_s)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
