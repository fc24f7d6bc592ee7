"""Silence: what speaks for a match, how probable that makes it, and what the model learns from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.passages import cut
from retrieval.evidence import FEATURES, features, follow
from retrieval.judge import SHIPPED, Judge, Tree, TreeJudge, read_judge, shipped_judge
from retrieval.types import Channel, ChannelScore, Match, Query, SpeechAct
from scripts.dialogues import read_dialogues, read_off_topic_test
from scripts.labelled import Rows
from scripts.train_advisor import TrainingOptions, as_json, brier, fold_of, reliability, train
from tests.retrieval_parts import article

QUERY = Query(
    call_id="c-1",
    segment_id="citizen-2",
    text="路灯坏了",
    turns=(("路灯坏了", 1.0), ("晚上看不见", 0.6)),
    act=SpeechAct.COMPLAINS,
    turns_before=1,
)


def match(article_id: str, fused: float, *, rank: int, keywords: tuple[str, ...] = ()) -> Match:
    found = replace(article(article_id), keywords=keywords)
    scores = {channel: ChannelScore(score=fused, rank=rank) for channel in Channel}
    return Match(article=found, passage=cut(found)[0], score=fused / 10, channels=scores, fused=fused)


def column(rows: np.ndarray, name: str) -> list[float]:
    return [float(value) for value in rows[:, FEATURES.index(name)]]


def test_every_match_has_its_row_with_its_lead_its_rank_and_what_the_turn_does() -> None:
    rows = features(QUERY, [match("A1", 6.0, rank=1), match("A2", 4.0, rank=2)], {"A2": 0.5})
    assert rows.shape == (2, len(FEATURES))
    assert column(rows, "fused_lead") == [2.0, -2.0]
    assert column(rows, "firsts") == [3.0, 0.0]
    assert column(rows, "trail") == [0.0, 0.5]
    assert column(rows, "act_complains") == [1.0, 1.0]
    assert column(rows, "act_asks") == [0.0, 0.0]
    assert features(QUERY, [], {}).shape == (0, len(FEATURES))


def test_keywords_are_heard_by_their_sound_and_weigh_with_their_turn() -> None:
    said = replace(QUERY, turns=(("路灯坏了", 1.0), ("公鸡金怎么提", 0.5)))
    matches = [
        match("A1", 5.0, rank=1, keywords=("路灯",)),
        match("A2", 4.0, rank=2, keywords=("公积金",)),
        match("A3", 3.0, rank=3, keywords=("居住证",)),
    ]
    assert column(features(said, matches, {}), "keywords") == [1.0, 1.0, 0.0]
    assert column(features(said, matches, {}), "keywords_newest") == [1.0, 0.0, 0.0]


def test_evidence_grows_while_it_is_found_again_and_fades_faster_past_another_matter() -> None:
    once = follow({}, QUERY, [match("A1", 6.0, rank=1)])
    twice = follow(once, QUERY, [match("A1", 6.0, rank=1)])
    assert twice["A1"] > once["A1"] > 0
    other = [match("A2", 6.0, rank=1)]
    same_matter = follow(once, QUERY, other)
    new_matter = follow(once, replace(QUERY, opens_matter=True), other)
    assert once["A1"] > same_matter["A1"] > new_matter["A1"]
    for _ in range(20):
        twice = follow(twice, QUERY, other)
    assert "A1" not in twice


def test_a_tree_asks_two_questions_and_the_curve_makes_a_probability() -> None:
    tree = Tree(
        first={"feature": 0, "most": 1.0},
        left={"feature": 1, "most": 0.0},
        right={"feature": 1, "most": 5.0},
        adds=[-2.0, -1.0, 1.0, 2.0],
    )
    judge = TreeJudge.of([tree, tree], base=0.5, slope=2.0, shift=-1.0)
    rows = np.zeros((4, len(FEATURES)))
    rows[:, :2] = [(1.0, 0.0), (0.0, 1.0), (2.0, 5.0), (2.0, 6.0)]
    assert judge.sums(rows) == pytest.approx([-3.5, -1.5, 2.5, 4.5])
    assert judge.probabilities(rows) == pytest.approx(1 / (1 + np.exp(-(2 * judge.sums(rows) - 1))))


def test_a_model_for_other_features_is_refused(tmp_path: Path) -> None:
    assert shipped_judge().probabilities(np.zeros((1, len(FEATURES)))).shape == (1,)
    path = SHIPPED.parent / "judge.json"
    spoilt = path.read_text(encoding="utf-8").replace('"dense_lead"', '"unknown"', 1)
    place = tmp_path / "judge.json"
    place.write_text(spoilt, encoding="utf-8")
    with pytest.raises(ValueError, match="other features"):
        read_judge(place)


def labelled(groups: int = 40, each: int = 20) -> Rows:
    chance = np.random.default_rng(5)
    rows = chance.normal(size=(groups * each, len(FEATURES)))
    truth = 1 / (1 + np.exp(-(2 * rows[:, 0] - 1)))
    return Rows(
        features=rows,
        helps=chance.random(len(rows)) < truth,
        groups=tuple(f"g{n // each}" for n in range(len(rows))),
        forms=("said",) * len(rows),
    )


def test_the_trained_model_is_what_was_grown_and_its_probabilities_hold_on_unseen_rows() -> None:
    from sklearn.ensemble import GradientBoostingClassifier  # type: ignore[import-untyped]

    rows, options = labelled(), TrainingOptions(trees=40)
    trained = train(rows, options)
    grown = GradientBoostingClassifier(
        max_depth=2,
        n_estimators=40,
        learning_rate=options.rate,
        subsample=options.subsample,
        min_samples_leaf=options.least_rows,
        random_state=options.seed,
    ).fit(rows.features, rows.helps)
    assert trained.judge.sums(rows.features) == pytest.approx(
        grown.decision_function(rows.features), abs=1e-3
    )
    mean = float(rows.helps.mean())
    assert brier(trained.unseen, rows.helps) < 0.8 * mean * (1 - mean)
    for band in reliability(trained.unseen, rows.helps, (0.0, 0.25, 0.5, 0.75, 1.0)):
        assert band["said"] == pytest.approx(band["true"], abs=0.12)


def test_a_model_written_down_and_read_again_judges_alike(tmp_path: Path) -> None:
    from knowledge_base.json_text import dumps

    rows, options = labelled(20), TrainingOptions(trees=10)
    trained = train(rows, options)
    place = tmp_path / "judge.json"
    place.write_text(dumps(as_json(trained, rows, options, "hash")), encoding="utf-8")
    again: Judge = read_judge(place)
    assert again.probabilities(rows.features) == pytest.approx(
        trained.judge.probabilities(rows.features), abs=1e-4
    )


def test_a_call_is_never_in_two_folds() -> None:
    groups = [f"c{n // 3}" for n in range(60)]
    folds = fold_of(groups, 5, seed=1)
    assert all(len({folds[i] for i in range(60) if groups[i] == name}) == 1 for name in set(groups))
    assert sorted(np.bincount(folds)) == [12] * 5
    assert list(folds) != list(fold_of(groups, 5, seed=2))


def test_off_topic_dialogues_for_the_figures_are_never_learnt() -> None:
    test = {call.call_id for call in read_off_topic_test()}
    train_ids = {call.call_id for call in read_dialogues("train")}
    assert len(test) >= 30
    assert not test & train_ids
    assert not any(turn.relevant_topics for call in read_off_topic_test() for turn in call.turns)
