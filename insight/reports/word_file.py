"""A report as a Word document, to be worked on: headings, tables, text are Word's own, charts are pictures.

In: a report, the city's time zone. Out: the bytes of a file. Raises `NoFont` where charts cannot be lettered.
Not known here: how the figures were computed.
"""

import io
from datetime import tzinfo
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from insight.reports.drawing import drawn
from insight.reports.numbers import shown
from insight.reports.outline import (
    APPENDIX,
    compared_lines,
    legible,
    numeral,
    parameters_of,
    queries_of,
    rows_of,
    said_line,
    sources_of,
    tiles_in_row,
    time_lines,
    widths_of,
)
from insight.reports.picture import png_of
from insight.reports.types import Figure, Report, Section, Table

_TEXT_FACE, _HEAD_FACE = "微软雅黑", "宋体"
_ACCENT, _QUIET, _INK = RGBColor(0x1F, 0x4E, 0x8C), RGBColor(0x5A, 0x65, 0x73), RGBColor(0x1A, 0x1F, 0x26)
_SOFT, _LINE = "EEF3FA", "D5DBE3"
_WIDTH_CM, _POINT_CM = 17.0, 2.54 / 72
_CELL_SIZE = 8.5
_LEFT, _RIGHT, _CENTER = WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.CENTER


def word_of(report: Report, zone: tzinfo) -> bytes:
    """Write it. Blocks."""
    document = Document()
    _set_up(document, report)
    _write(document, report.title, size=22, face=_HEAD_FACE, colour=_ACCENT, align=_CENTER, after=4)
    for name, text in time_lines(report, zone):
        _write(document, f"{name}：{text}", size=9, colour=_QUIET, align=_CENTER, after=0)
    for number, section in enumerate(report.sections, 1):
        _head(document, f"{numeral(number)}、{section.title}", level=1)
        _of_section(document, section, report, zone)
        sources = "、".join(sources_of(section))
        if sources:
            _write(document, f"数据来源：{sources}（见附录）", size=8, colour=_QUIET)
    _head(document, "附录：数据查询", level=1)
    _write(document, APPENDIX, indent=True)
    for number_of, first, runs in queries_of(report):
        _write(document, f"{number_of}　{first.title}", size=9.5, colour=_QUIET, before=8, after=2)
        code = _write(document, "", size=7.5, after=2)
        for place, line in enumerate(first.sql.splitlines()):
            if place:
                code.add_run().add_break()
            _lettered(code.add_run(line), 7.5, "Consolas", _INK)
        for run in runs:
            told = f"{run.run_id}：{parameters_of(run)}；{run.n_rows} 行"
            _write(document, told, size=7.5, colour=_QUIET, after=0)
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _of_section(document: Any, section: Section, report: Report, zone: tzinfo) -> None:
    if section.figures:
        _tiles(document, section.figures, report)
    for paragraph in section.paragraphs:
        _write(document, paragraph.text, indent=True)
    for chart in section.charts:
        _named(document, chart.title)
        picture = document.add_paragraph()
        picture.add_run().add_picture(io.BytesIO(png_of(drawn(chart))), width=Cm(_WIDTH_CM))
        document.inline_shapes[-1]._inline.docPr.set("descr", legible(chart.title))
    quotes = [quote for quote in report.quotes if quote.place == section.key]
    if quotes:
        _named(document, "市民原话")
    for quote in quotes:
        said = _write(document, f"“{quote.text}”", size=10, after=2)
        said.paragraph_format.left_indent = Cm(0.6)
        _lettered(said.add_run(f"　——{said_line(quote, zone)}"), 8.5, _TEXT_FACE, _QUIET)
    for table in section.tables:
        _named(document, table.title)
        _table(document, table)
        if table.note:
            _write(document, table.note, size=8, colour=_QUIET, before=2)
    for number, part in enumerate(section.parts, 1):
        _head(document, f"{number}. {part.title}", level=2)
        _of_section(document, part, report, zone)


def _set_up(document: Any, report: Report) -> None:
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21.0), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.0)
    page.top_margin, page.bottom_margin = Cm(2.2), Cm(2.0)
    normal = document.styles["Normal"]
    normal.font.size, normal.font.name = Pt(10.5), _TEXT_FACE
    normal.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _TEXT_FACE)
    for level, size in ((1, 15), (2, 12)):
        style = document.styles[f"Heading {level}"]
        style.font.size, style.font.bold = Pt(size), False
        style.font.color.rgb = _ACCENT if level == 1 else _INK
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for name in ("w:ascii", "w:hAnsi", "w:eastAsia"):
            fonts.set(qn(name), _HEAD_FACE)
        for name in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(name), None)
    document.core_properties.title = legible(report.title)
    document.core_properties.author = "智听"
    document.core_properties.language = "zh-CN"
    foot = page.footer.paragraphs[0]
    foot.alignment = _CENTER
    for text, field in (("第 ", "PAGE"), (" 页　共 ", "NUMPAGES"), (" 页", "")):
        _lettered(foot.add_run(text), 8, _TEXT_FACE, _QUIET)
        if field:
            _field(foot, field)


def _field(paragraph: Any, name: str) -> None:
    """A number that Word computes itself."""
    for kind in ("begin", "", "separate", "1", "end"):
        run = paragraph.add_run("1" if kind == "1" else "")
        _lettered(run, 8, _TEXT_FACE, _QUIET)
        if kind == "1":
            continue
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = name
        run._r.append(element)


def _tiles(document: Any, figures: tuple[Figure, ...], report: Report) -> None:
    n = tiles_in_row(len(figures))
    grid = document.add_table(rows=-(-len(figures) // n), cols=n)
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    for place, figure in enumerate(figures):
        cell = grid.cell(place // n, place % n)
        _fill(cell, _SOFT)
        name = cell.paragraphs[0]
        name.paragraph_format.space_after = Pt(0)
        _lettered(name.add_run(figure.name), 8.5, _TEXT_FACE, _QUIET)
        value = _plain(cell)
        _lettered(value.add_run(shown(figure.value, figure.measure)), 18, _HEAD_FACE, _ACCENT)
        if figure.measure.unit != "%" and figure.value is not None:
            _lettered(value.add_run(f" {figure.measure.unit}"), 9, _TEXT_FACE, _QUIET)
        for line in compared_lines(figure, report):
            _lettered(_plain(cell).add_run(line), 7, _TEXT_FACE, _QUIET)
    _edges(grid, "FFFFFF", 12)
    document.add_paragraph().paragraph_format.space_after = Pt(0)


def _table(document: Any, table: Table) -> None:
    rows = rows_of(table)
    grid = document.add_table(rows=1 + len(rows), cols=len(table.columns))
    grid.alignment, grid.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for place, width in enumerate(widths_of(table, rows, _WIDTH_CM / _POINT_CM, _CELL_SIZE)):
        grid.columns[place].width = Pt(width)
        for row in grid.rows:
            row.cells[place].width = Pt(width)
    for place, column in enumerate(table.columns):
        _cell(grid.rows[0].cells[place], column.name, is_number=column.measure is not None, fill=_SOFT)
    _repeat(grid.rows[0])
    for at, (row, target) in enumerate(zip(rows, list(grid.rows)[1:], strict=True)):
        is_whole = at == len(rows) - 1 and row[0] == "合计"
        for cell, text, column in zip(target.cells, row, table.columns, strict=True):
            _cell(cell, text, is_number=column.measure is not None, fill=_SOFT if is_whole else None)
    _edges(grid, _LINE, 4)


def _cell(cell: Any, text: str, *, is_number: bool, fill: str | None) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.alignment = _RIGHT if is_number else _LEFT
    paragraph.paragraph_format.space_after = Pt(0)
    _lettered(paragraph.add_run(legible(text)), _CELL_SIZE, _TEXT_FACE, _INK)
    if fill:
        _fill(cell, fill)


def _fill(cell: Any, colour: str) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", colour)):
        shade.set(qn(name), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _edges(grid: Any, colour: str, eighths: int) -> None:
    """Lines between rows; none at the sides."""
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH", "insideV"):
        edge = OxmlElement(f"w:{side}")
        is_drawn = side != "insideV" or colour == "FFFFFF"
        for name, value in (
            ("w:val", "single" if is_drawn else "nil"),
            ("w:sz", str(eighths)),
            ("w:color", colour),
        ):
            edge.set(qn(name), value)
        borders.append(edge)
    grid._tbl.tblPr.append(borders)


def _repeat(row: Any) -> None:
    """The head of a table stands on each of its pages."""
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)


def _head(document: Any, text: str, *, level: int) -> None:
    heading = document.add_heading(legible(text), level=level)
    heading.paragraph_format.space_before = Pt(16 if level == 1 else 10)
    heading.paragraph_format.space_after = Pt(4)


def _named(document: Any, text: str) -> None:
    named = _write(document, text, size=9.5, colour=_QUIET, before=8, after=2)
    named.paragraph_format.keep_with_next = True


def _plain(cell: Any) -> Any:
    paragraph = cell.add_paragraph()
    paragraph.paragraph_format.space_after = Pt(0)
    return paragraph


def _write(
    document: Any,
    text: str,
    *,
    size: float = 10.5,
    face: str = _TEXT_FACE,
    colour: RGBColor = _INK,
    align: WD_ALIGN_PARAGRAPH = _LEFT,
    before: float = 0,
    after: float = 4,
    indent: bool = False,
) -> Any:
    paragraph = document.add_paragraph()
    _lettered(paragraph.add_run(legible(text)), size, face, colour)
    shape = paragraph.paragraph_format
    shape.alignment, shape.space_before, shape.space_after = align, Pt(before), Pt(after)
    if indent:
        shape.first_line_indent, shape.line_spacing = Pt(2 * size), 1.4
    return paragraph


def _lettered(run: Any, size: float, face: str, colour: RGBColor) -> None:
    run.font.size, run.font.name, run.font.color.rgb = Pt(size), face, colour
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
