"""Typed messages are sorted by models that did not see them."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from calls.wrapup.message_kinds import Floats, Message, MessageKinds, features_of, rarities
from scripts import evaluate_cli, train_cli
from scripts.call_data import BadData
from scripts.evaluate_messages import report, table
from scripts.train_messages import Labelled, folds_of, judge_unseen, read_messages, same_messages, train
from tests.real_server import ROOT
from tests.wrapup_parts import embed

MATTERS = {
    "交通": [
        "公交车班次太少",
        "路口红绿灯坏了",
        "出租车拒载",
        "公交站牌看不清",
        "高架桥堵车严重",
        "地铁站没有电梯",
    ],
    "环保": ["工厂排放黑烟", "河水发臭", "工地夜间噪声", "垃圾焚烧有异味", "化工厂偷排废水", "餐馆油烟扰民"],
    "教育": ["学校乱收费", "幼儿园入学难", "老师补课收费", "学区划分不公", "学校食堂饭菜差", "高考报名问题"],
}
CITIES = ("A市", "B市", "C县")
ROWS = [
    Labelled(
        message=Message(title=f"{city}{title}", text=f"尊敬的领导：{city}{title}，希望尽快处理。"),
        category=category,
    )
    for category, titles in MATTERS.items()
    for title in titles
    for city in CITIES
]


def embed_all(texts: Sequence[str]) -> Floats:
    return np.array([embed(text) for text in texts], np.float32)


FEATURES = features_of([row.message for row in ROWS], embed_all)
CATEGORIES = [row.category for row in ROWS]


def test_unseen_messages_are_sorted_and_the_folds_are_even() -> None:
    fold = folds_of(ROWS, 3, 0)
    for number in range(3):
        assert np.unique([CATEGORIES[i] for i in np.flatnonzero(fold == number)]).size == len(MATTERS)
    told = report(CATEGORIES, judge_unseen(FEATURES, CATEGORIES, fold, 0), fold, seed=0)
    assert told["macro_f1"] > 0.8
    assert told["low"] <= told["macro_f1"] <= told["high"]
    assert set(told["per_category"]) == set(MATTERS)
    assert len(told["folds"]["macro_f1"]) == 3
    assert table(told).row_count == len(MATTERS)


def test_labels_without_meaning_are_not_learnt() -> None:
    """A model that saw what it judges would know them by heart."""
    mixed = [sorted(MATTERS)[i % 3] for i in np.random.default_rng(1).permutation(len(ROWS))]
    rows = [
        Labelled(message=row.message, category=category) for row, category in zip(ROWS, mixed, strict=True)
    ]
    fold = folds_of(rows, 3, 0)
    model = train(FEATURES, mixed, 0)
    known = [model.field_of(each).value for each in FEATURES]
    assert report(mixed, judge_unseen(FEATURES, mixed, fold, 0), fold, seed=0)["macro_f1"] < 0.5
    assert report(mixed, known, fold, seed=0)["macro_f1"] > 0.6


def test_the_same_message_is_never_in_two_folds() -> None:
    def row(title: str, text: str) -> Labelled:
        return Labelled(message=Message(title=title, text=text), category="交通")

    rows = [
        row("路灯", "坏了"),
        row("别的", "修路"),
        row("路 灯！", "很暗"),
        row("新的", "很暗。"),
        row("", ""),
        row("", ""),
    ]
    assert same_messages(rows) == [0, 1, 0, 0, 4, 5]
    doubled = [*ROWS, *ROWS[::2]]
    fold = folds_of(doubled, 3, 0)
    assert fold[len(ROWS) :].tolist() == fold[: len(ROWS) : 2].tolist()


def test_scores() -> None:
    fold = np.array([0, 0, 1, 1])
    told = report(["甲", "甲", "乙", "乙"], ["甲", "乙", "乙", "乙"], fold, seed=0)
    assert told["per_category"]["甲"] == {
        "messages": 2,
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
    }
    assert told["per_category"]["乙"]["f1"] == pytest.approx(0.8)
    assert told["macro_f1"] == pytest.approx((2 / 3 + 0.8) / 2)


def test_a_model_is_kept_and_says_the_same_afterwards(tmp_path: Path) -> None:
    model = train(FEATURES, CATEGORIES, 0)
    model.write(tmp_path / "kinds.npz")
    again = MessageKinds.read(tmp_path / "kinds.npz")
    assert [again.field_of(each) for each in FEATURES] == [model.field_of(each) for each in FEATURES]
    nothing = features_of([Message(title="", text="")], embed_all)[0]
    assert 0 < again.field_of(nothing).confidence < 1


def test_two_categories_are_enough() -> None:
    kept = [i for i, category in enumerate(CATEGORIES) if category != "环保"]
    model = train([FEATURES[i] for i in kept], [CATEGORIES[i] for i in kept], 0)
    assert [model.field_of(FEATURES[i]).value for i in kept] == [CATEGORIES[i] for i in kept]


def test_what_is_rare_is_learnt_from_the_messages_that_are_given() -> None:
    vocabulary, rarity = rarities(FEATURES[:3])
    assert "公交" in vocabulary
    assert "黑烟" not in vocabulary
    assert len(vocabulary) == len(rarity)


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    rows = [
        {"title": "路灯", "text": "坏了", "category": "城建"},
        {"title": "", "text": "补课", "category": "教育"},
    ]
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n", encoding="utf-8")
    assert [row.category for row in read_messages(file)] == ["城建", "教育"]
    with pytest.raises(BadData, match="fewer than 5"):
        folds_of(read_messages(file), 5, 0)
    file.write_text(json.dumps(rows[0]), encoding="utf-8")
    with pytest.raises(BadData, match="two categories"):
        read_messages(file)
    file.write_text('{"title": "x"}', encoding="utf-8")
    with pytest.raises(BadData, match="line 1"):
        read_messages(file)
    with pytest.raises(BadData, match="cannot be read"):
        read_messages(tmp_path / "none.jsonl")


@pytest.mark.weights
def test_the_two_commands_with_the_real_model_of_meaning(tmp_path: Path) -> None:
    rows = [{"title": row.message.title, "text": row.message.text, "category": row.category} for row in ROWS]
    file = tmp_path / "messages.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    environment = {"ZHITING_DATA_DIR": str(ROOT / "var"), "ZHITING_ALLOW_HUB": "false"}
    command = ["messages", str(file), "--folds", "3", "--json"]
    told = CliRunner().invoke(evaluate_cli.app, command, env=environment)
    assert told.exit_code == 0, told.output
    figures = json.loads(told.stdout)
    assert figures["macro_f1"] > 0.9
    assert set(figures["per_category"]) == set(MATTERS)
    out = tmp_path / "kinds.npz"
    trained = CliRunner().invoke(train_cli.app, ["messages", str(file), "--out", str(out)], env=environment)
    assert trained.exit_code == 0, trained.output
    assert MessageKinds.read(out).categories == tuple(sorted(MATTERS))
    few = CliRunner().invoke(evaluate_cli.app, ["messages", str(file), "--folds", "19"], env=environment)
    assert few.exit_code == 2
