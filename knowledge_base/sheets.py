"""Files that hold one article a row: JSON Lines, CSV, Excel workbooks.

In: the text or the bytes of a file.
Out: its columns, and its rows as column → value, each with its number; or a sentence about the row.
Not known here: what the columns mean beyond finding the header, what becomes of the rows.
"""

import csv
import io
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from knowledge_base.columns import LABELS, field_of
from knowledge_base.types import UnreadableFile

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

MAX_ROWS = 50_000
MAX_COLUMNS = 200
_HEADER_WITHIN = 10
"""Rows at the top of a sheet among which the header is looked for."""
_BAD_VALUES = ("#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row; `fault` says why it cannot be read, and then there are no values."""

    number: int
    """As the person sees it: the line of a text file, the row of a sheet, from 1."""
    values: Mapping[str, Any]
    fault: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a file holds."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


Mapped = Mapping[str, str] | None


def read_json_lines(text: str) -> Rows:
    """Read one object a line."""
    rows: list[Row] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        _ensure_room(len(rows))
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            rows.append(Row(number=number, values={}, fault="这一行不是完整的 JSON。"))
            continue
        if not isinstance(found, dict):
            rows.append(Row(number=number, values={}, fault="这一行不是一个对象。"))
            continue
        columns |= dict.fromkeys(found)
        _ensure_width(len(columns))
        rows.append(Row(number=number, values=found))
    return Rows(columns=tuple(columns), rows=tuple(rows))


def read_csv(text: str, mapping: Mapped = None) -> Rows:
    """Read a table with a header; commas, semicolons and tabs separate."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[Row] = []
    header: list[str] = []
    try:
        while True:
            line = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                break
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = _header([cells], mapping)
                continue
            _ensure_room(len(rows))
            if any(cell.strip() for cell in cells[len(header) :]):
                rows.append(Row(number=line, values={}, fault="这一行的列数比表头多。"))
            else:
                rows.append(Row(number=line, values=_pairs(header, cells)))
    except csv.Error:
        # Where a quote never closes, the rows after it cannot be told apart any more.
        fault = "引号或分隔符不成对，从这一行起无法读取。"
        rows.append(Row(number=reader.line_num, values={}, fault=fault))
    if not header:
        raise UnreadableFile("没有找到表头。", code="kb.file_columns")
    return Rows(columns=tuple(header), rows=tuple(rows))


def read_workbook(content: bytes, mapping: Mapped = None) -> Rows:
    """Read every sheet that has a header of ours; merged cells hold their value in each cell.

    Of formulas the result that Excel stored is taken.
    """
    from openpyxl import load_workbook  # takes a third of a second, and most commands never need it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that openpyxl leaves out
        book = load_workbook(io.BytesIO(content), data_only=False)
        results = load_workbook(io.BytesIO(content), data_only=True)
    columns: dict[str, None] = {}
    rows: list[Row] = []
    refusal: UnreadableFile | None = None
    sheets = [sheet for sheet in book.worksheets if sheet.max_row > 1 or sheet["A1"].value is not None]
    for sheet in sheets:
        try:
            header, found = _sheet_rows(sheet, results[sheet.title], mapping, len(rows))
        except UnreadableFile as error:
            if error.code != "kb.file_columns":
                raise
            refusal = refusal or error
            continue
        columns |= dict.fromkeys(header)
        rows += found
    if not sheets:
        raise UnreadableFile("工作簿是空的。", code="kb.file_empty")
    if refusal is not None and not columns:
        raise refusal
    return Rows(columns=tuple(columns), rows=tuple(rows))


def table_rows(cells: Sequence[Sequence[str]], mapping: Mapped, first: int) -> Rows | None:
    """Read a table of a document, or return None where its first row is no header of ours."""
    try:
        header = _header(cells[:1], mapping)
    except UnreadableFile:
        return None
    rows = (Row(number=first + i, values=_pairs(header, row)) for i, row in enumerate(cells[1:], 1))
    return Rows(columns=tuple(header), rows=tuple(row for row in rows if any(row.values.values())))


def _sheet_rows(
    sheet: "Worksheet", results: "Worksheet", mapping: Mapped, before: int
) -> tuple[list[str], list[Row]]:
    height = sheet.max_row  # before looking at cells: openpyxl makes those that were not there
    width = _used_width(sheet)
    _ensure_room(before + height - 2)
    _ensure_width(width)
    values: list[list[Any]] = [
        list(row) for row in results.iter_rows(max_row=height, max_col=width, values_only=True)
    ]
    formulas: list[list[Any]] = [
        list(row) for row in sheet.iter_rows(max_row=height, max_col=width, values_only=True)
    ]
    for merged in results.merged_cells.ranges:
        for filled in values[merged.min_row - 1 : merged.max_row]:
            for column in range(merged.min_col, min(merged.max_col, width) + 1):
                filled[column - 1] = values[merged.min_row - 1][merged.min_col - 1]
    top = [[_cell_text(cell) for cell in row] for row in values[:_HEADER_WITHIN]]
    header = _header(top, mapping, where=f"工作表“{sheet.title}”")
    at = next(i for i, row in enumerate(top) if [cell.strip() for cell in row][: len(header)] == header)
    rows = []
    for number, (row, raw) in enumerate(zip(values[at + 1 :], formulas[at + 1 :], strict=True), start=at + 2):
        if any(_cell_text(cell).strip() for cell in (*row, *raw)):
            fault = _fault(header, row, raw)
            pairs = {} if fault else _pairs(header, row)
            rows.append(Row(number=number, values=pairs, fault=fault, sheet=sheet.title))
    return header, rows


def _used_width(sheet: "Worksheet") -> int:
    """Columns up to the last one with something in the rows where the header may be."""
    used = [0]
    for row in sheet.iter_rows(max_row=_HEADER_WITHIN, values_only=True):
        used += [column for column, value in enumerate(row, 1) if value not in (None, "")]
    return max(used) or 1


def _fault(header: Sequence[str], row: Sequence[Any], raw: Sequence[Any]) -> str:
    for name, value, formula in zip(header, row, raw, strict=False):
        if name and value is None and isinstance(formula, str) and formula.startswith("="):
            return f"“{name}”列是公式而没有保存结果，请在 Excel 中打开、保存后再导入，或粘贴为数值。"
        if name and value in _BAD_VALUES:
            return f"“{name}”列的公式出错（{value}）。"
    return ""


def _cell_text(value: Any) -> str:
    return "" if value is None else str(value)


def _header(top: Iterable[Sequence[str]], mapping: Mapped, where: str = "表头") -> list[str]:
    """Find the row that names title and body; raises `UnreadableFile` that says what is missing."""
    best: tuple[int, set[str], list[str]] | None = None
    for row in top:
        names = [str(cell).strip().lstrip("\ufeff") for cell in row]
        while names and not names[-1]:
            names.pop()
        _ensure_width(len(names))
        fields = {field for name in names if (field := field_of(name, mapping))}
        found = len(fields & {"title", "body"})
        if best is None or found > best[0]:
            best = (found, {"title", "body"} - fields, names)
    if best is None or best[0] < 2:
        missing = "、".join(f"{LABELS[f]}（{f}）" for f in sorted(best[1])) if best else ""
        raise UnreadableFile(
            f"{where}缺少必需的列：{missing}。请补上，或指定列的对应关系。",
            code="kb.file_columns",
            columns=[name for name in best[2] if name] if best else (),
        )
    return best[2]


def _pairs(header: Sequence[str], cells: Sequence[Any]) -> dict[str, Any]:
    """Column → value; of two columns with one name the first counts, and a missing cell is empty."""
    pairs: dict[str, Any] = {}
    for name, cell in zip_longest(header, cells[: len(header)], fillvalue=""):
        if name:
            pairs.setdefault(name, cell)
    return pairs


def _delimiter(text: str) -> str:
    head = text[: text.find("\n")] if "\n" in text else text
    return max(",;\t", key=head.count)


def _ensure_room(count: int) -> None:
    if count >= MAX_ROWS:
        raise UnreadableFile(
            f"文件超过 {MAX_ROWS} 行（包括空行），请删去空行或拆分后再导入。", code="kb.file_too_many_rows"
        )


def _ensure_width(count: int) -> None:
    if count > MAX_COLUMNS:
        raise UnreadableFile(f"文件有 {count} 列，最多 {MAX_COLUMNS} 列。", code="kb.file_too_wide")
