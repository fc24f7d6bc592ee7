"""The call of `docs/evaluation.md`, worked out there by hand, and the corners of the definitions."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from asr.types import Party
from retrieval.types import Card
from scripts.call_data import ReferenceCall, Turn
from scripts.card_scores import CardCounts, Searched, Shown, Trace, count_call

OPERATOR, CITIZEN, MIXED = Party.OPERATOR, Party.CITIZEN, Party.MIXED


def turn(party: Party, start_s: float, end_s: float, *topics: str) -> Turn:
    return Turn(party=party, start_s=start_s, end_s=end_s, text="……", relevant_topics=frozenset(topics))


def call(*turns: Turn, seconds: float = 120.0) -> ReferenceCall:
    return ReferenceCall(
        call_id="c-1", parties=(CITIZEN, OPERATOR), seconds=seconds, turns=turns, recording=None
    )


def shown(caused_s: float, *cards: tuple[int, str, float]) -> Shown:
    return Shown(
        caused_s=caused_s,
        cards=tuple(
            Card(
                slot=slot,
                is_new=False,  # what the card says of itself must not matter
                article_id=article_id,
                title="",
                excerpt="",
                department="",
                score=score,
                source="",
            )
            for slot, article_id, score in cards
        ),
    )


def count(call: ReferenceCall, *shown: Shown, searched: Sequence[Searched] = ()) -> CardCounts:
    return count_call(Trace(call=call, shown=shown, searched=tuple(searched)))


EXAMPLE = call(
    turn(OPERATOR, 0, 5),
    turn(CITIZEN, 6, 10, "A"),
    turn(OPERATOR, 11, 14, "A"),
    turn(CITIZEN, 15, 20),
    turn(CITIZEN, 22, 30, "A", "B"),
    turn(OPERATOR, 31, 33, "C"),
    turn(CITIZEN, 34, 40, "B", "C"),
    turn(CITIZEN, 45, 50),
)
SHOWN = (
    shown(10.0, (0, "X", 0.9), (1, "A", 0.5)),
    shown(14.0, (0, "X", 0.6), (1, "A", 0.8), (2, "Y", 0.1)),
    shown(31.2, (0, "B", 0.9), (1, "A", 0.8)),
    shown(33.0, (0, "B", 0.7), (2, "C", 0.95)),
    shown(52.0, (0, "A", 0.9), (1, "B", 0.7), (2, "C", 0.6)),
)
SEARCHED = (
    Searched(caused_s=10.0, article_ids=("X", "A", "B")),
    Searched(caused_s=14.0, article_ids=("A", "Z", "Y", "B")),
    Searched(caused_s=33.0, article_ids=("Z", "X", "Y", "C")),
)


def test_the_documented_example() -> None:
    figures = count(EXAMPLE, *SHOWN, searched=SEARCHED).figures()
    assert figures == {
        "hit1": pytest.approx(2 / 3),
        "hit3": pytest.approx(3 / 3),
        "first_hit3": pytest.approx(1 / 2),
        "first_hit3_next": pytest.approx(2 / 2),
        "search_hit1": pytest.approx(1 / 3),
        "search_hit3": pytest.approx(2 / 3),
        "precision": pytest.approx(4 / 6),
        "false_on_silent": pytest.approx(1 / 3),
        "false_on_silent_strict": pytest.approx(2 / 3),
        "turns": 3,
        "first_turns": 2,
        "silent_turns": 3,
        "new_cards": 6,
        "card_changes_per_min": pytest.approx(7 / 2),
        "wrong_cards_per_min": pytest.approx(2 / 2),
        "calls_without_topics": 0,
        "cards_without_topics": 0,
    }


def test_an_empty_screen_scores_nothing_and_errs_nowhere() -> None:
    figures = count(EXAMPLE).figures()
    assert (figures["hit1"], figures["hit3"], figures["first_hit3"], figures["search_hit3"]) == (0, 0, 0, 0)
    assert (figures["false_on_silent"], figures["card_changes_per_min"]) == (0, 0)
    assert figures["precision"] is None


@pytest.mark.parametrize(("caused_s", "hits"), [(11.0, 1), (11.01, 0)])
def test_a_card_counts_up_to_a_second_after_the_turn(caused_s: float, hits: int) -> None:
    one = call(turn(CITIZEN, 6, 10, "A"), turn(OPERATOR, 10.5, 14))
    counts = count(
        one, shown(caused_s, (0, "A", 0.9)), searched=[Searched(caused_s=caused_s, article_ids=("A",))]
    )
    assert (counts.hits1, counts.hits3, counts.search_hits1, counts.search_hits3) == (hits,) * 4


def test_a_cleared_screen_holds_nothing() -> None:
    one = call(turn(CITIZEN, 0, 5), turn(CITIZEN, 6, 10, "A"))
    counts = count(one, shown(5.0, (0, "A", 0.9)), shown(9.0))
    assert counts.hits3 == 0


def test_of_equal_scores_the_upper_slot_is_best() -> None:
    one = call(turn(CITIZEN, 6, 10, "A"))
    assert count(one, shown(10.0, (0, "X", 0.5), (1, "A", 0.5))).hits1 == 0
    assert count(one, shown(10.0, (0, "A", 0.5), (1, "X", 0.5))).hits1 == 1


def test_one_of_two_first_topics_is_a_hit() -> None:
    one = call(turn(CITIZEN, 6, 10, "A", "B"))
    assert count(one, shown(10.0, (0, "B", 0.5))).first_hits3 == 1


def test_a_topic_known_from_the_operator_is_not_first() -> None:
    one = call(turn(OPERATOR, 0, 5, "A"), turn(CITIZEN, 6, 10, "A"))
    counts = count(one)
    assert (counts.turns, counts.first_turns, counts.silent_turns) == (1, 0, 1)


def test_every_citizen_turn_is_first_or_silent() -> None:
    counts = count(EXAMPLE, *SHOWN)
    assert counts.first_turns + counts.silent_turns == 5


def test_a_topic_is_relevant_only_from_the_turn_that_brings_it() -> None:
    one = call(turn(CITIZEN, 0, 5), turn(CITIZEN, 8, 12, "A"))
    early = count(one, shown(5.0, (0, "A", 0.9)))
    assert (early.new_relevant_cards, early.false_silent_turns) == (0, 1)
    in_mid_turn = count(one, shown(10.0, (0, "A", 0.9)))
    assert (in_mid_turn.new_relevant_cards, in_mid_turn.false_silent_turns) == (1, 0)


def test_a_card_that_stays_or_moves_is_not_new_but_a_returning_one_is() -> None:
    one = call(turn(CITIZEN, 0, 5, "A"))
    stays = count(one, shown(5.0, (0, "A", 0.9)), shown(6.0, (0, "A", 0.8), (1, "X", 0.1)))
    assert (stays.new_cards, stays.card_changes) == (2, 2)
    moves = count(one, shown(5.0, (0, "A", 0.9)), shown(6.0, (1, "A", 0.9)))
    assert (moves.new_cards, moves.card_changes) == (1, 2)
    returns = count(one, shown(5.0, (0, "A", 0.9)), shown(6.0), shown(7.0, (0, "A", 0.9)))
    assert (returns.new_cards, returns.card_changes) == (2, 2)


def test_several_wrong_cards_make_one_false_turn() -> None:
    one = call(turn(CITIZEN, 0, 5), turn(CITIZEN, 8, 12))
    counts = count(one, shown(5.0, (0, "X", 0.9), (1, "Y", 0.9)), shown(5.5, (0, "Z", 0.9)))
    assert (counts.false_silent_turns, counts.silent_turns) == (1, 2)


def test_calls_without_topics_are_counted_apart() -> None:
    off_topic = count(call(turn(CITIZEN, 0, 5)), shown(5.0, (0, "X", 0.9)))
    total = off_topic + count(EXAMPLE, *SHOWN)
    assert (total.calls, total.calls_without_topics, total.cards_without_topics) == (2, 1, 1)
    assert total.minutes == pytest.approx(4.0)


def test_figures_pool_turns_and_not_calls() -> None:
    short = call(turn(CITIZEN, 0, 5, "A"))
    total = count(short, shown(5.0, (0, "A", 0.9))) + count(EXAMPLE, *SHOWN)
    assert total.figures()["hit1"] == pytest.approx(3 / 4)


def test_a_mixed_leg_counts_as_the_citizens() -> None:
    turns = tuple(replace(each, party=MIXED) for each in EXAMPLE.turns)
    counts = count(call(*turns), *SHOWN)
    assert counts.turns == 5
    assert counts.first_turns + counts.silent_turns == 8


def test_no_citizen_turn_at_all() -> None:
    counts = count(call(turn(OPERATOR, 0, 5)), shown(5.0, (0, "X", 0.9)))
    assert (counts.turns, counts.silent_turns, counts.new_cards) == (0, 0, 1)
