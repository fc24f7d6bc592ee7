"""A report as PDF, for paper and for reading: A4, fonts embedded, charts as lines and not as pictures.

In: a report, the city's time zone. Out: the bytes of a file; `NoFont` where there is no Chinese face.
Not known here: how the figures were computed.
"""

import io
from collections.abc import Iterator
from datetime import tzinfo
from threading import Lock
from typing import Any
from xml.sax import saxutils

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    KeepTogether,
    Paragraph,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from insight.reports.drawing import drawn
from insight.reports.fonts import Face, font_of
from insight.reports.numbers import shown
from insight.reports.outline import (
    APPENDIX,
    compared_lines,
    em_of,
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
from insight.reports.pdf_parts import (
    ACCENT,
    INK,
    LINE,
    MARGIN,
    QUIET,
    SANS,
    SERIF,
    Numbered,
    Picture,
    Rule,
    lines_of,
)
from insight.reports.types import Figure, Report, Section
from insight.reports.types import Table as ReportTable

_SOFT, _BAND = HexColor("#eef3fa"), HexColor("#f7f9fc")
_WIDTH = A4[0] - 2 * MARGIN - 12
"""Frames of the library leave six points on either side."""
_writing = Lock()
"""The library keeps fonts by name for the whole process."""


def _style(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    usual: dict[str, Any] = {"fontName": SANS, "textColor": INK, "wordWrap": "CJK"}
    return ParagraphStyle(name, fontSize=size, leading=leading, **(usual | more))


_TITLE = _style("title", 22, 30, fontName=SERIF, alignment=TA_CENTER, textColor=ACCENT)
_META = _style("meta", 9, 14, alignment=TA_CENTER, textColor=QUIET)
_HEAD = _style("head", 15, 22, fontName=SERIF, textColor=ACCENT, spaceBefore=16, spaceAfter=6)
_PART = _style("part", 12, 18, fontName=SERIF, spaceBefore=10, spaceAfter=2)
_TEXT = _style("text", 10.5, 18, firstLineIndent=21, spaceAfter=4, wordWrap=None)
_NAMED = _style("named", 9.5, 14, textColor=QUIET, spaceBefore=8, spaceAfter=3)
_SPOKEN = _style("spoken", 9.5, 14, textColor=QUIET, spaceBefore=8, spaceAfter=3, keepWithNext=1)
_NOTE = _style("note", 7.5, 11, textColor=QUIET, spaceBefore=2, spaceAfter=2)
_QUOTE = _style("quote", 9.5, 16, leftIndent=14, spaceBefore=2, borderPadding=0)
_CELL = _style("cell", 8.5, 12)
_RIGHT = _style("right", 8.5, 12, alignment=TA_RIGHT)
_TILE_NAME = _style("tile-name", 8.5, 12, textColor=QUIET)
_TILE_VALUE = _style("tile-value", 18, 24, fontName=SERIF, textColor=ACCENT)
_TILE_NOTE = _style("tile-note", 7.5, 11, textColor=QUIET)
_CODE = ParagraphStyle("code", fontName=SANS, fontSize=6.5, leading=9, leftIndent=8, textColor=INK)


def escape(text: str) -> str:
    """As the library's markup takes it."""
    return saxutils.escape(legible(text))


def pdf_of(report: Report, zone: tzinfo) -> bytes:
    """Write it. Blocks for a second or more. Raises `NoFont`."""
    story_text = legible("".join(_texts(report, zone)))
    with _writing:
        registerFont(TTFont(SANS, io.BytesIO(font_of(Face.SANS, story_text))))
        registerFont(TTFont(SERIF, io.BytesIO(font_of(Face.SERIF, story_text))))
        written = io.BytesIO()
        document = SimpleDocTemplate(
            written,
            pagesize=A4,
            leftMargin=MARGIN,
            rightMargin=MARGIN,
            topMargin=22 * mm,
            bottomMargin=20 * mm,
            title=report.title,
            author="智听",
            subject=report.period.label,
            initialFontName=SANS,
        )
        document.build(
            list(_story(report, zone)),
            canvasmaker=lambda *args, **more: Numbered(report.title, *args, **more),
        )
    return written.getvalue()


def _story(report: Report, zone: tzinfo) -> Iterator[Flowable]:
    yield Paragraph(escape(report.title), _TITLE)
    yield Spacer(0, 4)
    for name, text in time_lines(report, zone):
        yield Paragraph(f"{name}：{escape(text)}", _META)
    yield Spacer(0, 6)
    yield Rule()
    for number, section in enumerate(report.sections, 1):
        yield CondPageBreak(60 * mm)
        yield Paragraph(f"{numeral(number)}、{escape(section.title)}", _HEAD)
        yield from _of_section(section, report, zone)
        sources = "、".join(sources_of(section))
        if sources:
            yield Paragraph(f"数据来源：{sources}（见附录）", _NOTE)
    yield CondPageBreak(120 * mm)
    yield from _appendix(report)


def _of_section(section: Section, report: Report, zone: tzinfo) -> Iterator[Flowable]:
    if section.figures:
        yield _tiles(section.figures, report)
        yield Spacer(0, 10)
    for paragraph in section.paragraphs:
        yield _prose(paragraph.text)
    for chart in section.charts:
        yield KeepTogether([Paragraph(escape(chart.title), _NAMED), Picture(drawn(chart), _WIDTH)])
    quotes = [quote for quote in report.quotes if quote.place == section.key]
    if quotes:
        yield Paragraph("市民原话", _SPOKEN)
    for quote in quotes:
        said = f"“{escape(quote.text)}”<font size='8' color='#5a6573'>　——{said_line(quote, zone)}</font>"
        yield Paragraph(said, _QUOTE)
    for table in section.tables:
        yield CondPageBreak(45 * mm)
        yield Paragraph(escape(table.title), _NAMED)
        yield _table(table)
        if table.note:
            yield Paragraph(escape(table.note), _NOTE)
    for number, part in enumerate(section.parts, 1):
        head = Paragraph(f"{number}. {escape(part.title)}", _PART)
        first, *rest = list(_of_section(part, report, zone)) or [Spacer(0, 0)]
        yield KeepTogether([head, first])
        yield from rest


def _prose(text: str) -> Paragraph:
    lines = lines_of(
        text,
        lambda line: stringWidth(line, SANS, _TEXT.fontSize),
        first=_WIDTH - _TEXT.firstLineIndent,
        others=_WIDTH,
    )
    return Paragraph("<br/>".join(map(escape, lines)), _TEXT)


def _tiles(figures: tuple[Figure, ...], report: Report) -> Table:
    cells = [
        [
            Paragraph(escape(figure.name), _TILE_NAME),
            Paragraph(
                f"{shown(figure.value, figure.measure)}"
                f"<font name='{SANS}' size='9' color='#5a6573'> {_unit(figure)}</font>",
                _TILE_VALUE,
            ),
            *(Paragraph(escape(line), _TILE_NOTE) for line in compared_lines(figure, report)),
        ]
        for figure in figures
    ]
    n = tiles_in_row(len(figures))
    cells += [[] for _ in range(-len(cells) % n)]
    rows = [cells[place : place + n] for place in range(0, len(cells), n)]
    style = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("BACKGROUND", (0, 0), (-1, -1), _SOFT),
            ("INNERGRID", (0, 0), (-1, -1), 4, HexColor("#ffffff")),
            ("LEFTPADDING", (0, 0), (-1, -1), 8),
            ("TOPPADDING", (0, 0), (-1, -1), 7),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
        ]
    )
    return Table(rows, colWidths=[_WIDTH / n] * n, style=style)


def _unit(figure: Figure) -> str:
    return "" if figure.measure.unit == "%" or figure.value is None else figure.measure.unit


def _table(table: ReportTable) -> Table:
    is_number = [column.measure is not None for column in table.columns]
    head = [
        Paragraph(escape(column.name), _RIGHT if number else _CELL)
        for column, number in zip(table.columns, is_number, strict=True)
    ]
    rows = rows_of(table)
    body = [
        [
            Paragraph(escape(cell), _RIGHT if number else _CELL)
            for cell, number in zip(row, is_number, strict=True)
        ]
        for row in rows
    ]
    style: list[Any] = [
        ("BACKGROUND", (0, 0), (-1, 0), _SOFT),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, ACCENT),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, LINE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
    style += [("BACKGROUND", (0, at), (-1, at), _BAND) for at in range(2, len(rows) + 1, 2)]
    if rows and rows[-1][0] == "合计":
        style += [("BACKGROUND", (0, -1), (-1, -1), _SOFT), ("LINEABOVE", (0, -1), (-1, -1), 0.8, ACCENT)]
    return Table(
        [head, *body],
        colWidths=widths_of(table, rows, _WIDTH, _CELL.fontSize),
        style=TableStyle(style),
        repeatRows=1,
    )


def _appendix(report: Report) -> Iterator[Flowable]:
    yield Paragraph("附录：数据查询", _HEAD)
    yield _prose(APPENDIX)
    for number, first, runs in queries_of(report):
        yield CondPageBreak(25 * mm)
        yield Paragraph(f"{number}　{escape(first.title)}", _NAMED)
        yield Preformatted("\n".join(_folded(first.sql)), _CODE)
        for run in runs:
            text = f"{run.run_id}：{parameters_of(run)}；{run.n_rows} 行"
            yield Paragraph(escape(text), _NOTE)


def _folded(sql: str, most: int = 118) -> Iterator[str]:
    for line in sql.splitlines():
        while em_of(line) * 6.5 > _WIDTH - 12:
            at = line.rfind(" ", 0, most)
            if at <= 0:
                break
            yield line[:at]
            line = f"      {line[at:].strip()}"  # noqa: PLW2901 - the rest of it
        yield line


def _texts(report: Report, zone: tzinfo) -> Iterator[str]:
    """All characters that may stand in the file."""
    yield "".join(chr(code) for code in range(0x20, 0x7F))
    yield "一二三四五六七八九十〇、。，；：？！“”‘’（）《》—…·　+−%第页共数据来源见附录"
    yield "件人次通分钟小时天个百点上升下降持平"
    yield f"{APPENDIX}行无市民原话"
    yield report.title
    for name, text in time_lines(report, zone):
        yield name + text
    for quote in report.quotes:
        yield quote.text + said_line(quote, zone)
    for _, first, runs in queries_of(report):
        yield first.title + first.sql
        for run in runs:
            yield run.run_id + parameters_of(run)

    def of(section: Section) -> Iterator[str]:
        yield section.title
        for paragraph in section.paragraphs:
            yield paragraph.text
        for figure in section.figures:
            yield figure.name + figure.measure.unit + "".join(compared_lines(figure, report))
        for chart in section.charts:
            yield chart.title + "".join((*chart.labels, *(one.name for one in chart.series)))
        for table in section.tables:
            yield table.title + table.note + "".join(column.name for column in table.columns)
            for row in rows_of(table):
                yield "".join(row)
        for part in section.parts:
            yield from of(part)

    for section in report.sections:
        yield from of(section)
