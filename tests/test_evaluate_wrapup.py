"""Drafts are held against work orders."""

import json
from pathlib import Path

import pytest

from asr.types import Party
from calls.wrapup.types import Draft, Field
from scripts.call_data import BadData, ReferenceCall, Turn
from scripts.evaluate_wrapup import Labels, is_same_place, judge, read_orders, report, table, wilson
from tests.wrapup_parts import GAZETTEER

ORDER = {
    "call_id": "C1",
    "type": "求助",
    "urgency": "紧急",
    "work_order": {
        "address": "定海区环城南路120号菜场门口",
        "caller_phone": "13905801122",
        "category": "城乡建设与市容环卫",
        "department": "市住房和城乡建设局",
        "district": "定海区",
    },
}


def call(text: str) -> ReferenceCall:
    turn = Turn(party=Party.CITIZEN, start_s=0.0, end_s=5.0, text=text)
    return ReferenceCall(call_id="C1", parties=(Party.CITIZEN,), seconds=5.0, turns=(turn,), recording=None)


def sure(value: str) -> Field:
    return Field(value=value, confidence=0.9)


def test_a_field_counts_where_it_applies() -> None:
    order = Labels.model_validate(ORDER)
    draft = Draft(
        kind=sure("求助"), urgency=sure("普通"), departments=(sure("市公安局"), sure("市住房和城乡建设局"))
    )
    told = report([judge(call("就我这个电话"), order, draft, GAZETTEER)])
    counts = {name: (told[name]["right"], told[name]["of"]) for name in told}
    assert counts == {
        "department": (0, 1),
        "department_top3": (1, 1),
        "category": (0, 1),
        "type": (1, 1),
        "urgency": (0, 1),
        "phone": (0, 0),
        "district": (0, 1),
        "place": (0, 1),
    }
    assert table({"reference": told}).row_count == len(told)


def test_only_a_number_that_was_dictated_counts() -> None:
    order = Labels.model_validate(ORDER)
    told = report([judge(call("幺三九零五八零幺幺二二"), order, Draft(), GAZETTEER)])
    assert (told["phone"]["right"], told["phone"]["of"]) == (0, 1)


def test_false_alarms_are_counted() -> None:
    order = Labels.model_validate(ORDER | {"urgency": "普通"})
    told = report([judge(call("你好"), order, Draft(urgency=sure("特急")), GAZETTEER)])
    assert told["urgency"]["false"] == 1
    assert told["urgency"]["of"] == 0


@pytest.mark.parametrize(
    ("found", "wanted", "is_same"),
    [
        ("环城南路120号", "定海区环城南路120号菜场门口", True),
        ("环城南路菜场门口", "定海区环城南路120号菜场门口", True),
        ("环城南路", "定海区环城南路120号菜场门口", False),
        ("人民路120号", "定海区环城南路120号菜场门口", False),
        ("沈家门街道", "普陀区沈家门街道", True),
        ("", "定海区环城南路120号", False),
        ("环城南路", "", False),
        ("", "", True),
    ],
)
def test_a_place_is_right_with_its_street_and_a_number_or_landmark(
    found: str, wanted: str, is_same: bool
) -> None:
    assert is_same_place(found, wanted, GAZETTEER) is is_same


def test_the_interval() -> None:
    low, high = wilson(20, 24)
    assert (round(low, 3), round(high, 3)) == (0.641, 0.933)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_call_without_a_work_order_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"call_id": "C1"}), encoding="utf-8")
    with pytest.raises(BadData, match="no work order"):
        read_orders(tmp_path, [call("你好")])
    (tmp_path / "a.json").write_text(json.dumps(ORDER), encoding="utf-8")
    assert read_orders(tmp_path, [call("你好")])["C1"].type == "求助"
