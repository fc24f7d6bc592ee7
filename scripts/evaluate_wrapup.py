"""How much of the work order of a known call the draft gets right.

In: drafts of calls, and the work orders that belong to them.
Out: counts for each field with an interval, for people and for programs.
Not known here: how drafts are made, how calls were heard.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from rich.table import Table

from calls.wrapup.gazetteer import Gazetteer
from calls.wrapup.phones import digits_of
from calls.wrapup.types import Draft, Urgency
from scripts.call_data import BadData, ReferenceCall

_UNKNOWN = ("不涉及", "未提供", "")
_NO_CATEGORY = "其他"
_NO_DEPARTMENT = "市12345热线中心"
_NUMBER = re.compile(r"[0-9]+(?:[-—][0-9]+)?(?:号楼|号|弄|幢|栋|单元|室|楼|层)?")
_ROAD = re.compile("[\u4e00-\u9fff]{1,5}?(?:大道|公路|路|街(?!道)|巷|弄|新村|小区|社区|花园|街道|镇|乡|村)")
_HAN_RUN = re.compile("[\u4e00-\u9fff]{2,}")
_Z = 1.96
FIELDS = ("department", "department_top3", "category", "type", "urgency", "phone", "district", "place")


class WorkOrder(BaseModel):
    """What the operator filed, as far as it is judged."""

    address: str
    caller_phone: str
    category: str
    department: str
    district: str


class Labels(BaseModel):
    """What is known of a call beside its turns."""

    call_id: str
    type: str
    urgency: str
    work_order: WorkOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One call: which fields are right; a field that does not apply is missing."""

    call_id: str
    right: Mapping[str, bool]
    is_false_alarm: bool
    """Called urgent where it is not."""
    is_wrong_phone: bool
    """A number was taken for a dictated one where none, or another one, was dictated."""


def read_orders(folder: Path, calls: Sequence[ReferenceCall]) -> dict[str, Labels]:
    """Read the work orders of calls. Raises `BadData`."""
    orders = {}
    for file in sorted(folder.glob("*.json")):
        try:
            row = Labels.model_validate_json(file.read_bytes())
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise BadData(f"{file.name} has no work order to judge by: {where}.") from error
        orders[row.call_id] = row
    missing = [call.call_id for call in calls if call.call_id not in orders]
    if missing:
        raise BadData(f"The call {missing[0]} has no work order.")
    return orders


def judge(call: ReferenceCall, order: Labels, draft: Draft, gazetteer: Gazetteer) -> Judged:
    """Hold one draft against the work order."""
    wanted = order.work_order
    names = [each.value for each in draft.departments] or [_NO_DEPARTMENT]
    is_urgent = order.urgency != Urgency.USUAL
    says_urgent = draft.urgency.value in (Urgency.URGENT, Urgency.AT_ONCE)
    right = {
        "department": names[0] == wanted.department,
        "department_top3": wanted.department in names[:3],
        "category": (draft.category.value or _NO_CATEGORY) == wanted.category,
        "type": draft.kind.value == order.type,
        "district": draft.district.value == _known(wanted.district),
        "place": is_same_place(draft.place.value, _known(wanted.address), gazetteer),
    }
    if is_urgent:
        right["urgency"] = says_urgent
    is_dictated = wanted.caller_phone in digits_of(
        "".join(turn.text for turn in call.turns if turn.is_citizens)
    )
    told = draft.caller_phone.value if draft.caller_phone.spans else ""
    if is_dictated:
        right["phone"] = told == wanted.caller_phone
    return Judged(
        call_id=call.call_id,
        right=right,
        is_false_alarm=says_urgent and not is_urgent,
        is_wrong_phone=bool(told) and not (is_dictated and told == wanted.caller_phone),
    )


def is_same_place(found: str, wanted: str, gazetteer: Gazetteer) -> bool:
    """Whether street or town, and number or landmark, of the wanted address are in the found one.

    Parts that the wanted address does not have are not asked for; where it is empty, nothing may be found.
    A landmark is what is left of the address without district, names and numbers; half of its pairs of
    characters are enough.
    """
    if not wanted or not found:
        return wanted == found
    known = [(name.name, name.start, name.end, name.is_district) for name in gazetteer.named(wanted)]
    rest = list(wanted)
    names = []
    for name, start, end, is_district in known:
        rest[start:end] = "｜" * (end - start)
        if not is_district:
            names.append(name)
    left = "".join(rest)
    for road in _ROAD.finditer(left):
        names.append(road[0])
    left = _ROAD.sub(lambda road: "｜" * len(road[0]), left)
    numbers = _NUMBER.findall(left)
    landmark = [
        run[i : i + 2] for run in _HAN_RUN.findall(_NUMBER.sub("｜", left)) for i in range(len(run) - 1)
    ]
    if names and not any(name in found for name in names):
        return False
    has_number = any(number in found for number in numbers)
    has_landmark = bool(landmark) and 2 * sum(pair in found for pair in landmark) >= len(landmark)
    further_names = len(names) > 1 and sum(name in found for name in names) > 1
    if not numbers and not landmark:
        return bool(names) or wanted in found
    return has_number or has_landmark or further_names


def report(judged: Sequence[Judged]) -> dict[str, Any]:
    """Put the figures in JSON form."""
    told: dict[str, Any] = {}
    for field in FIELDS:
        marks = [each.right[field] for each in judged if field in each.right]
        low, high = wilson(sum(marks), len(marks))
        told[field] = {"right": sum(marks), "of": len(marks), "low": round(low, 3), "high": round(high, 3)}
    told["urgency"]["false"] = sum(each.is_false_alarm for each in judged)
    told["phone"]["false"] = sum(each.is_wrong_phone for each in judged)
    return told


def table(told: Mapping[str, Mapping[str, Any]]) -> Table:
    """One line for each field, one column for each form of the text."""
    shown = Table("", *told, title="Wrap-up drafts")
    for field in FIELDS:
        cells = []
        for figures in told.values():
            one = figures[field]
            false = f", {one['false']} false" if "false" in one else ""
            cells.append(f"{one['right']} of {one['of']} ({one['low']:.2f}–{one['high']:.2f}){false}")
        shown.add_row(field, *cells)
    return shown


def wilson(right: int, of: int) -> tuple[float, float]:
    """The interval of 95 % for a share."""
    if not of:
        return 0.0, 1.0
    share, z2 = right / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def _known(value: str) -> str:
    return "" if value in _UNKNOWN else value
