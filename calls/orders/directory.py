"""The directory of those who handle orders: the centre, its districts, their departments.

In: a CSV with the columns 编号, 名称, 类别, 上级 (any order, others are left alone).
Out: a `Directory`, or every row that cannot be taken, with the reason.
Not known here: orders, where the file lies.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

from knowledge_base.plain_text import is_plain

COLUMNS = ("编号", "名称", "类别", "上级")
MAX_UNITS = 5_000
_LONGEST = 100


class UnitKind(StrEnum):
    """What a unit is."""

    CENTRE = "中心"
    DISTRICT = "区县"
    DEPARTMENT = "部门"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Somebody to whom orders go."""

    unit_id: str
    name: str
    kind: UnitKind
    parent_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """A row that cannot be taken."""

    row: int
    """As a spreadsheet counts: the header is 1."""
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Directory:
    """The units, by identifier, in the order of the file."""

    units: Mapping[str, Unit]

    def may_handle(self, unit_id: str) -> bool:
        """Whether orders can be dispatched there."""
        unit = self.units.get(unit_id)
        return unit is not None and unit.kind is not UnitKind.CENTRE

    def way_to(self, unit_id: str) -> tuple[Unit, ...]:
        """The unit and whoever is above it, from the centre down."""
        unit: Unit | None = self.units[unit_id]
        way: list[Unit] = []
        while unit is not None:
            way.append(unit)
            unit = self.units[unit.parent_id] if unit.parent_id else None
        return tuple(reversed(way))

    def of_kind(self, kind: UnitKind) -> tuple[Unit, ...]:
        """All units of that kind."""
        return tuple(unit for unit in self.units.values() if unit.kind is kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryRead:
    """What came of a file: a directory, or errors."""

    directory: Directory | None
    errors: tuple[RowError, ...]


def read_directory(text: str) -> DirectoryRead:
    """Read a CSV; all of it is taken or nothing."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        message = f"缺少列：{'、'.join(missing)}。请按模板填写表头。"
        return _failed([RowError(row=1, code="directory.columns", message=message)])
    try:
        read = [
            (number, {name: (row[name] or "").strip() for name in COLUMNS})
            for number, row in enumerate(rows, 2)
        ]
    except csv.Error:
        message = "这个文件不是可读的 CSV 表格，请重新导出后再试。"
        return _failed([RowError(row=1, code="directory.unreadable", message=message)])
    if len(read) > MAX_UNITS:
        message = f"超过 {MAX_UNITS} 行，请分开导入。"
        return _failed([RowError(row=MAX_UNITS + 2, code="directory.too_many", message=message)])
    units: dict[str, Unit] = {}
    names: dict[tuple[str, str], int] = {}
    errors: list[RowError] = []
    for number, row in read:
        problem = _problem_of(row) or _repeated(row, units, names)
        if problem:
            errors.append(RowError(row=number, code=problem[0], message=problem[1]))
            continue
        names[row["上级"], row["名称"]] = number
        units[row["编号"]] = Unit(
            unit_id=row["编号"],
            name=row["名称"],
            kind=UnitKind(row["类别"]),
            parent_id=row["上级"] or None,
        )
    given = {row["编号"] for _, row in read}
    errors += _misplaced(read, units, given)
    if not errors and sum(unit.kind is UnitKind.CENTRE for unit in units.values()) != 1:
        errors.append(RowError(row=1, code="directory.centre", message="需要且只能有一个“中心”。"))
    if errors:
        return _failed(sorted(errors, key=lambda error: error.row))
    return DirectoryRead(directory=Directory(units), errors=())


def sample_directory() -> Directory:
    """The directory that comes with the project: the names are plausible, not official."""
    text = (resources.files("calls.orders") / "data" / "departments.csv").read_text(encoding="utf-8")
    read = read_directory(text)
    assert read.directory is not None, read.errors
    return read.directory


_ABOVE: Mapping[UnitKind, frozenset[UnitKind]] = {
    UnitKind.CENTRE: frozenset(),
    UnitKind.DISTRICT: frozenset({UnitKind.CENTRE}),
    UnitKind.DEPARTMENT: frozenset({UnitKind.CENTRE, UnitKind.DISTRICT}),
}
"""A tree of this shape has no circle, so nobody has to look for one."""


def _failed(errors: Sequence[RowError]) -> DirectoryRead:
    return DirectoryRead(directory=None, errors=tuple(errors))


def _problem_of(row: Mapping[str, str]) -> tuple[str, str] | None:
    if not row["编号"] or not row["名称"]:
        return "directory.empty", "编号和名称都要填。"
    if not (is_plain(row["编号"]) and is_plain(row["名称"])):
        return "directory.unseen", "编号或名称里有看不见的字符，请重新输入。"
    if max(len(row["编号"]), len(row["名称"])) > _LONGEST:
        return "directory.too_long", f"编号和名称最多 {_LONGEST} 个字。"
    if row["类别"] not in tuple(UnitKind):
        return "directory.kind", f"类别应为：{'、'.join(UnitKind)}。"
    if (row["上级"] == "") != (row["类别"] == UnitKind.CENTRE):
        return "directory.parent", "中心没有上级，其他单位都要填上级的编号。"
    return None


def _repeated(
    row: Mapping[str, str], units: Mapping[str, Unit], names: Mapping[tuple[str, str], int]
) -> tuple[str, str] | None:
    if row["编号"] in units:
        return "directory.repeated", f"编号 {row['编号']} 前面已经用过。"
    if (row["上级"], row["名称"]) in names:
        return (
            "directory.repeated",
            f"同一上级下已有“{row['名称']}”，见第 {names[row['上级'], row['名称']]} 行。",
        )
    return None


def _misplaced(
    read: Sequence[tuple[int, Mapping[str, str]]], units: Mapping[str, Unit], given: set[str]
) -> Iterator[RowError]:
    """Rows whose superior is not there, or not one; where that row is wrong itself it alone is told."""
    seen: set[str] = set()
    for number, row in read:
        unit = units.get(row["编号"])
        if unit is None or unit.parent_id is None or unit.unit_id in seen:
            continue
        seen.add(unit.unit_id)
        parent = units.get(unit.parent_id)
        if parent is None:
            if unit.parent_id not in given:
                message = f"没有编号为 {unit.parent_id} 的上级。"
                yield RowError(row=number, code="directory.parent", message=message)
        elif parent.kind not in _ABOVE[unit.kind]:
            message = f"“{unit.kind}”不能放在“{parent.kind}”下面。"
            yield RowError(row=number, code="directory.parent", message=message)
