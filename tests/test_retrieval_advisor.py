"""Cards: few, calm, and obedient to the operator."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from knowledge_base.passages import cut
from retrieval.advisor import SLOTS, AdvisorOptions, Board, advise, mark
from retrieval.evidence import FEATURES
from retrieval.excerpt import excerpt
from retrieval.types import Findings, Mark, Match, Query, Suggestion
from tests.retrieval_parts import article

QUERY = Query(call_id="c-1", segment_id="citizen-1", text="路灯坏了", turns=(("路灯坏了", 1.0),))
REST = {f"Z{i}": 0.1 for i in range(5)}


class AsFound:
    """Takes what the search says for the probability, so that a test can choose it."""

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        chosen: NDArray[np.float64] = rows[:, FEATURES.index("fused")]
        return chosen


JUDGE = AsFound()


def findings(scores: dict[str, float]) -> Findings:
    matches = []
    for article_id, score in sorted((scores | REST).items(), key=lambda item: -item[1]):
        found = article(article_id)
        matches.append(Match(article=found, passage=cut(found)[0], score=score, fused=score))
    return Findings(kb_version="v7", matches=tuple(matches))


def show(board: Board, now_s: float, **scores: float) -> tuple[Board, Suggestion | None]:
    return advise(board, QUERY, findings(scores), now_s, judge=JUDGE)


def on_screen(board: Board) -> dict[int, str]:
    return {card.slot: card.article_id for card in board.shown}


def test_a_good_match_becomes_a_card() -> None:
    board, suggestion = show(Board(call_id="c-1"), 10, A1=0.9)
    assert suggestion is not None
    (card,) = suggestion.cards
    assert (card.slot, card.is_new, card.article_id, card.score) == (0, True, "A1", 0.9)
    assert (card.department, card.source, card.title) == ("城管局", "示例", "路灯报修")
    assert (suggestion.kb_version, suggestion.query, suggestion.suggestion_id) == ("v7", "路灯坏了", "c-1-1")
    assert on_screen(board) == {0: "A1"}


def test_weak_evidence_shows_nothing() -> None:
    board, suggestion = show(Board(call_id="c-1"), 0, A1=0.35, A2=0.3)
    assert (board.shown, suggestion) == ((), None)
    nothing = Findings(kb_version="v7", matches=())
    assert advise(board, QUERY, nothing, 0, judge=JUDGE)[1] is None


def test_what_stands_beside_the_best_match_may_be_held_to_more() -> None:
    options = AdvisorOptions(enter_score=0.4, beside_score=0.6)
    found = findings({"A1": 0.95, "A2": 0.5, "A3": 0.7})
    board, _ = advise(Board(call_id="c-1"), QUERY, found, 0, judge=JUDGE, options=options)
    assert on_screen(board) == {0: "A1", 1: "A3"}


def test_the_same_cards_again_say_nothing_unless_another_one_clearly_leads() -> None:
    board, _ = show(Board(call_id="c-1"), 0, A1=0.95, A2=0.9)
    again, suggestion = show(board, 5, A1=0.9, A2=0.97)
    assert suggestion is None
    assert on_screen(again) == on_screen(board)
    _, suggestion = show(board, 5, A1=0.5, A2=0.97)
    assert suggestion is not None
    assert [(c.article_id, c.is_new, c.score) for c in suggestion.cards] == [
        ("A1", False, 0.5),
        ("A2", False, 0.97),
    ]


def test_what_earlier_queries_found_counts_and_fades() -> None:
    board, _ = show(Board(call_id="c-1"), 0, A1=0.3)
    first = dict(board.trail)["A1"]
    board, _ = show(board, 5, A1=0.3)
    assert dict(board.trail)["A1"] > first
    board, _ = show(board, 10)
    assert dict(board.trail)["A1"] < first * 1.7


def test_cards_keep_their_slot_and_a_new_one_takes_a_free_slot() -> None:
    board, _ = show(Board(call_id="c-1"), 0, A1=0.9)
    board, suggestion = show(board, 3, A2=0.9, A1=0.5)
    assert suggestion is not None
    assert [(c.slot, c.article_id, c.is_new, c.score) for c in suggestion.cards] == [
        (0, "A1", False, 0.5),
        (1, "A2", True, 0.9),
    ]


@pytest.fixture
def full() -> Board:
    return show(Board(call_id="c-1"), 0, A1=0.95, A2=0.93, A3=0.9)[0]


def test_on_a_full_screen_the_least_fitting_card_gives_way(full: Board) -> None:
    board, suggestion = show(full, 60, A4=0.9, A1=0.6, A2=0.2, A3=0.5)
    assert suggestion is not None
    assert on_screen(board) == {0: "A1", 1: "A4", 2: "A3"}
    assert [card.article_id for card in suggestion.cards if card.is_new] == ["A4"]


def test_it_gives_way_only_when_clearly_beaten_and_read(full: Board) -> None:
    assert show(full, 60, A4=0.9, A1=0.85, A2=0.88, A3=0.86)[1] is None
    assert show(full, 5, A4=0.9)[1] is None
    assert show(full, 60, A4=0.9)[1] is not None


def test_a_pinned_card_stays(full: Board) -> None:
    board = full
    for article_id in ("A1", "A2", "A3"):
        board, suggestion = mark(board, article_id, Mark.PINNED)
        assert suggestion is None
    assert show(board, 60, A4=0.95)[1] is None
    board, _ = mark(board, "A2", Mark.UNPINNED)
    board, _ = show(board, 60, A4=0.95)
    assert on_screen(board) == {0: "A1", 1: "A4", 2: "A3"}


@pytest.mark.parametrize("what", [Mark.DISMISSED, Mark.WRONG])
def test_a_dismissed_card_leaves_and_does_not_come_back(full: Board, what: Mark) -> None:
    board, suggestion = mark(full, "A2", what)
    assert suggestion is not None
    assert [card.article_id for card in suggestion.cards] == ["A1", "A3"]
    assert suggestion.suggestion_id == "c-1-2"
    assert show(board, 90, A2=0.99)[1] is None


def test_a_restored_card_comes_back_to_its_slot(full: Board) -> None:
    board, _ = mark(full, "A2", Mark.DISMISSED)
    board, suggestion = mark(board, "A2", Mark.RESTORED)
    assert suggestion is not None
    assert on_screen(board) == on_screen(full)
    assert not any(card.is_new for card in suggestion.cards)
    assert mark(board, "A2", Mark.RESTORED)[1] is None


def test_a_restored_card_waits_where_no_slot_is_free(full: Board) -> None:
    board, _ = mark(full, "A2", Mark.DISMISSED)
    board, _ = show(board, 60, A4=0.95)
    board, suggestion = mark(board, "A2", Mark.RESTORED)
    assert suggestion is None
    assert "A2" not in board.hidden


@pytest.mark.parametrize("what", [Mark.USED, Mark.COPIED, Mark.HELPFUL])
def test_praise_changes_no_card(full: Board, what: Mark) -> None:
    assert mark(full, "A1", what) == (full, None)


def test_dismissing_the_last_card_clears_the_screen() -> None:
    board, _ = show(Board(call_id="c-1"), 0, A1=0.9)
    board, suggestion = mark(board, "A1", Mark.DISMISSED)
    assert suggestion is not None
    assert suggestion.cards == ()
    assert board.shown == ()


SCORES = st.dictionaries(st.sampled_from([f"A{i}" for i in range(8)]), st.floats(0, 1), max_size=8)
STEPS = st.lists(
    st.one_of(SCORES, st.tuples(st.sampled_from([f"A{i}" for i in range(8)]), st.sampled_from(list(Mark)))),
    max_size=30,
)


@given(STEPS)
def test_whatever_happens_the_screen_stays_in_order(steps: list[object]) -> None:
    board, seconds = Board(call_id="c-1"), count(0, 4)
    shown: tuple[str, ...] = ()
    names = set()
    for step in steps:
        before = on_screen(board)
        if isinstance(step, dict):
            board, suggestion = advise(board, QUERY, findings(step), next(seconds), judge=JUDGE)
        else:
            board, suggestion = mark(board, *step)  # type: ignore[misc]
        after = on_screen(board)
        assert len(after) == len(board.shown) <= SLOTS
        assert list(after) == sorted(after)
        assert set(after) <= set(range(SLOTS))
        assert len(set(after.values())) == len(after)
        assert not board.hidden & set(after.values())
        assert {article_id for article_id, _ in board.since_s} == set(after.values())
        for slot, article_id in before.items():
            assert article_id not in after.values() or after[slot] == article_id, "moved"
            if article_id in board.pinned:
                assert after[slot] == article_id
        # A suggestion comes whenever the set changes, and is the whole set.
        assert suggestion is not None or set(before.values()) == set(after.values())
        if suggestion:
            shown = tuple(card.article_id for card in suggestion.cards)
            names.add(suggestion.suggestion_id)
            assert len(names) == board.suggestions
        assert shown == tuple(after.values())


def test_excerpts_answer_first_and_fit_when_they_can() -> None:
    asked = article(
        body="路灯由城管部门维护。\n需要材料：登记灯杆编号和身份证复印件。\n办理时限：一般三天。",
    )
    assert excerpt(asked, "你们管不管") == "路灯由城管部门维护。"
    assert excerpt(asked, "要不要带身份证复印件") == "需要材料：登记灯杆编号和身份证复印件。"
    long = replace(asked, body="第一句很短。" + "这一句相当长，" * 20 + "完。第三句。")
    assert excerpt(long, "") == "第一句很短。"
    assert excerpt(replace(asked, body="一。二。三。四。"), "") == "一。二。三。"
    assert excerpt(replace(asked, body=" "), "") == asked.title


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="within 0 and 1"):
        AdvisorOptions(enter_score=1.5)
