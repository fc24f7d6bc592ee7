"""A report as a workbook, to be reckoned with: numbers are numbers, charts are Excel's own.

In: a report, the city's time zone. Out: the bytes of a file.
Not known here: how the figures were computed.

One sheet for each chapter with its tables, one with the figures of the charts, one with what citizens said,
one with the queries. Below the head of each column stands from which runs it comes.
"""

import io
from datetime import tzinfo
from typing import Any

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from insight.reports.numbers import change
from insight.reports.outline import em_of, legible, numeral, parameters_of, queries_of, said_line, time_lines
from insight.reports.types import Cell, Chart, Column, Measure, Report, Section, Shape, Table
from insight.reports.words import WORDS

_FACE = "微软雅黑"
_ACCENT, _QUIET = "1F4E8C", "5A6573"
_HEAD = PatternFill("solid", fgColor="EEF3FA")
_RULE = Border(bottom=Side("thin", color="D5DBE3"))
_DATA = "图表数据"
_CHART_WIDTH_CM, _CHART_ROW_CM = 18.0, 0.55
_WIDEST, _NARROWEST = 40, 9
_COLOURS = (_ACCENT, "B3C5DE")


def excel_of(report: Report, zone: tzinfo) -> bytes:
    """Write it. Blocks."""
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "概况"
    _overview(first, report, zone)
    data = book.create_sheet(_DATA)
    at_row = 1
    for number, section in enumerate(report.sections, 1):
        sheet = book.create_sheet(_sheet_name(f"{numeral(number)}、{section.title}"), index=number)
        at_row = _of_section(sheet, section, data, at_row)
    _quotes(book.create_sheet("市民原话", index=len(report.sections) + 1), report, zone)
    _queries(book.create_sheet("数据查询"), report)
    for sheet in book.worksheets:
        sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    book.properties.title, book.properties.creator = legible(report.title), "智听"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _overview(sheet: Any, report: Report, zone: tzinfo) -> None:
    words = WORDS[report.kind]
    _put(sheet, 1, 1, report.title, size=18, colour=_ACCENT)
    for row, (name, text) in enumerate(time_lines(report, zone), 2):
        _put(sheet, row, 1, f"{name}：{text}", colour=_QUIET)
    names = (
        "指标",
        "数值",
        "单位",
        words.before,
        words.compared,
        words.a_year_ago,
        words.compared_year,
        "数据来源",
    )
    row = 6
    for place, name in enumerate(names, 1):
        _head(sheet, row, place, name)
    seen = set()
    for section in report.sections:
        for figure in section.figures:
            if figure.key in seen:
                continue
            seen.add(figure.key)
            row += 1
            measure = figure.measure
            growth = Measure(unit="个百分点" if measure.unit == "%" else "%", digits=1, is_change=True)
            _put(sheet, row, 1, figure.name)
            _number(sheet, row, 2, figure.value, measure)
            _put(sheet, row, 3, measure.unit)
            _number(sheet, row, 4, figure.before, measure)
            _number(sheet, row, 5, change(figure.value, figure.before, measure), growth)
            _number(sheet, row, 6, figure.a_year_ago, measure)
            _number(sheet, row, 7, change(figure.value, figure.a_year_ago, measure), growth)
            _put(sheet, row, 8, "、".join(figure.runs), colour=_QUIET)
    for place, width in enumerate((22, 12, 10, 12, 14, 12, 14, 60), 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A7"


def _of_section(sheet: Any, section: Section, data: Any, data_row: int) -> int:
    """Write a chapter; returns the next free row of the figures of charts."""
    row = 1
    widths: dict[int, float] = {}
    n_columns = max((len(table.columns) for table in _tables(section)), default=8)
    for one in _flat(section):
        _put(sheet, row, 1, one.title, size=14 if one is section else 12, colour=_ACCENT)
        row += 1
        for paragraph in one.paragraphs:
            _put(sheet, row, 1, paragraph.text, is_wrapped=True)
            sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=max(8, n_columns))
            sheet.row_dimensions[row].height = 17 * (1 + len(paragraph.text) // 55)
            row += 1
        chart_row = row
        for chart in one.charts:
            data_row, drawn, height_cm = _chart(data, chart, data_row)
            sheet.add_chart(drawn, f"{get_column_letter(max(8, n_columns) + 2)}{chart_row}")
            chart_row += round(height_cm / _CHART_ROW_CM) + 2
        for table in one.tables:
            row = _table(sheet, table, row + 1, widths)
        if one is not section or one.parts:
            row = max(row, chart_row)
        row += 1
    for place, width in widths.items():
        sheet.column_dimensions[get_column_letter(place)].width = width
    return data_row


def _table(sheet: Any, table: Table, row: int, widths: dict[int, float]) -> int:
    """Write it from a row on; returns the row after it."""
    _put(sheet, row, 1, table.title, colour=_QUIET)
    row += 1
    for place, column in enumerate(table.columns, 1):
        _head(sheet, row, place, column.name, is_number=column.measure is not None)
        _put(sheet, row + 1, place, "\n".join(column.runs), size=7, colour=_QUIET, is_wrapped=True)
        longest = max([em_of(column.name), *(em_of(_text(line[place - 1])) for line in table.rows)])
        widths[place] = max(widths.get(place, _NARROWEST), min(_WIDEST, longest * 2 + 3))
    sheet.row_dimensions[row + 1].height = 10 * max(1, *(len(column.runs) for column in table.columns))
    row += 2
    for line in table.rows:
        for place, (cell, column) in enumerate(zip(line, table.columns, strict=True), 1):
            _fill(sheet, row, place, cell, column)
            sheet.cell(row, place).border = _RULE
        row += 1
    if table.note:
        _put(sheet, row, 1, table.note, size=9, colour=_QUIET)
        row += 1
    return row


def _chart(data: Any, chart: Chart, row: int) -> tuple[int, Any, float]:
    """Write a chart's figures and make the chart of them: the next free row, the chart, its height."""
    _put(data, row, 1, chart.title, colour=_QUIET)
    _put(data, row, 4, "、".join(chart.runs), size=8, colour=_QUIET)
    for place, series in enumerate(chart.series, 2):
        _head(data, row + 1, place, series.name, is_number=True)
    for at, label in enumerate(chart.labels):
        _put(data, row + 2 + at, 1, label)
        for place, series in enumerate(chart.series, 2):
            if series.values[at] is not None:  # a word would be drawn as nought
                _number(data, row + 2 + at, place, series.values[at], chart.measure)
    last = row + 1 + len(chart.labels)
    drawn: Any = LineChart() if chart.shape is Shape.LINES else BarChart()
    height_cm = 8.0
    if chart.shape is Shape.BARS:
        drawn.type = "bar"
        drawn.x_axis.scaling.orientation = "maxMin"
        drawn.y_axis.crosses = "max"
        height_cm = max(6.0, 0.75 * len(chart.labels) + 2.5)
    drawn.title, drawn.width, drawn.height = legible(chart.title), _CHART_WIDTH_CM, height_cm
    columns = Reference(data, min_col=2, max_col=1 + len(chart.series), min_row=row + 1, max_row=last)
    drawn.add_data(columns, titles_from_data=True)
    drawn.set_categories(Reference(data, min_col=1, min_row=row + 2, max_row=last))
    for series, colour in zip(drawn.series, _COLOURS, strict=False):
        if chart.shape is Shape.LINES:
            series.graphicalProperties.line.solidFill = colour
            series.graphicalProperties.line.width, series.smooth = 28_000, False
        else:
            series.graphicalProperties.solidFill = colour
    if len(chart.series) == 1:
        drawn.legend = None
    else:
        drawn.legend.position = "t"
    for axis in (drawn.x_axis, drawn.y_axis):
        axis.delete = False
    drawn.y_axis.majorGridlines.spPr = GraphicalProperties(ln=LineProperties(solidFill="D5DBE3"))
    drawn.y_axis.scaling.min = 0
    drawn.gapWidth = 60
    return last + 2, drawn, height_cm


def _quotes(sheet: Any, report: Report, zone: tzinfo) -> None:
    titles = {one.key: one.title for section in report.sections for one in _flat(section)}
    for place, (name, width) in enumerate((("事项", 28), ("市民原话", 90), ("地点和日期", 24)), 1):
        _head(sheet, 1, place, name)
        sheet.column_dimensions[get_column_letter(place)].width = width
    for row, quote in enumerate(report.quotes, 2):
        _put(sheet, row, 1, titles.get(quote.place, ""), is_wrapped=True)
        _put(sheet, row, 2, quote.text, is_wrapped=True)
        _put(sheet, row, 3, said_line(quote, zone))
    sheet.freeze_panes = "A2"


def _queries(sheet: Any, report: Report) -> None:
    for place, (name, width) in enumerate(
        (("编号", 22), ("内容", 36), ("参数", 70), ("行数", 8), ("SQL", 110)), 1
    ):
        _head(sheet, 1, place, name)
        sheet.column_dimensions[get_column_letter(place)].width = width
    row = 2
    for _, first, runs in queries_of(report):
        for run in runs:
            _put(sheet, row, 1, run.run_id)
            _put(sheet, row, 2, run.title, is_wrapped=True)
            _put(sheet, row, 3, parameters_of(run), is_wrapped=True)
            sheet.cell(row, 4, run.n_rows)
            if run is first:
                _put(sheet, row, 5, run.sql, is_wrapped=True)
            row += 1
    sheet.freeze_panes = "A2"


def _fill(sheet: Any, row: int, place: int, cell: Cell, column: Column) -> None:
    if column.measure is None:
        _put(sheet, row, place, _text(cell), is_wrapped=True)
        sheet.cell(row, place).alignment = Alignment(vertical="center", wrap_text=True, indent=int(place > 1))
    else:
        _number(sheet, row, place, None if cell is None else float(cell), column.measure)


def _number(sheet: Any, row: int, place: int, value: float | None, measure: Measure) -> None:
    """A number as Excel keeps it: percent as a share, with the digits that are shown."""
    cell = sheet.cell(row, place)
    cell.font = Font(name=_FACE, size=10)
    cell.alignment = Alignment(horizontal="right", vertical="center")
    if value is None:
        _put(sheet, row, place, "—", colour=_QUIET)
        cell.alignment = Alignment(horizontal="right", vertical="center")
        return
    is_percent = measure.unit == "%"
    digits = f"0.{'0' * measure.digits}" if measure.digits else "0"
    form = f"{digits}%" if is_percent else f"#,##{digits}"
    if measure.unit == "个百分点":
        form += '" 个百分点"'
    cell.number_format = f"+{form};-{form};{form}" if measure.is_change else form
    cell.value = value / 100 if is_percent else (int(value) if value == int(value) else value)


def _head(sheet: Any, row: int, place: int, text: str, *, is_number: bool = False) -> None:
    _put(sheet, row, place, text)
    cell = sheet.cell(row, place)
    cell.fill, cell.font = _HEAD, Font(name=_FACE, size=10, bold=True)
    cell.alignment = Alignment(
        horizontal="right" if is_number else "left",
        vertical="center",
        indent=int(not is_number and place > 1),
    )


def _put(
    sheet: Any,
    row: int,
    place: int,
    text: str,
    *,
    size: float = 10,
    colour: str = "1A1F26",
    is_wrapped: bool = False,
) -> None:
    """A text, which stays one also where it looks like a formula."""
    cell = sheet.cell(row, place)
    lines = "\n".join(legible(line) for line in text.split("\n"))
    cell.value = lines[:32_000]
    cell.data_type = "s"
    cell.font = Font(name=_FACE, size=size, color=colour)
    cell.alignment = Alignment(vertical="center", wrap_text=is_wrapped)


def _flat(section: Section) -> list[Section]:
    return [section, *(one for part in section.parts for one in _flat(part))]


def _tables(section: Section) -> list[Table]:
    return [table for one in _flat(section) for table in one.tables]


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _sheet_name(text: str) -> str:
    return "".join(sign for sign in legible(text) if sign not in "[]:*?/\\")[:31]
