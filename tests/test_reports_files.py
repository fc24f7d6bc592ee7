"""A report as PDF, Word and Excel: opened again, number by number what the page is told."""

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from docx import Document
from openpyxl import load_workbook
from openpyxl.utils import range_boundaries
from pypdf import PdfReader

from insight.reports.drawing import drawn, ticks
from insight.reports.files import file_of
from insight.reports.fonts import Face, font_of
from insight.reports.outline import numeral
from insight.reports.pdf_parts import lines_of
from insight.reports.types import (
    Chart,
    Column,
    Form,
    Measure,
    Quote,
    Report,
    Section,
    Series,
    Shape,
    Table,
)
from tests.house import running
from tests.report_city import NOW, ZONE
from tests.test_reports import report


@pytest.fixture(scope="module")
def month(city: Path) -> Report:
    return report(city)


def flat(sections: tuple[Section, ...]) -> Iterator[Section]:
    for one in sections:
        yield one
        yield from flat(one.parts)


def tables(report: Report) -> list[Table]:
    return [table for one in flat(report.sections) for table in one.tables]


def charts(report: Report) -> list[Chart]:
    return [chart for one in flat(report.sections) for chart in one.charts]


def written(value: Any, column: Column) -> str:
    """As a reader finds it, by rules of this test's own."""
    measure = column.measure
    if measure is None:
        return str(value or "")
    if value is None:
        return "—"
    place = Decimal(10) ** -measure.digits
    text = f"{Decimal(str(abs(value))).quantize(place, 'ROUND_HALF_UP'):,}"
    plus = "+" if measure.is_change else ""
    sign = "" if not text.strip("0.") else "−" if value < 0 else plus
    return f"{sign}{text}{'%' if measure.unit == '%' else ''}"


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_excel_holds_every_number_as_a_number(month: Report) -> None:
    book = load_workbook(io.BytesIO(file_of(month, Form.EXCEL, ZONE)))
    for number, section in enumerate(month.sections, 1):
        sheet = book[f"{numeral(number)}、{section.title}"]
        values = [[cell.value for cell in row] for row in sheet.iter_rows()]
        for table in (table for one in flat((section,)) for table in one.tables):
            at = next(place for place, row in enumerate(values) if row[0] == table.title) + 1
            assert values[at][: len(table.columns)] == [column.name for column in table.columns]
            told = [tuple((cell or "").split()) for cell in values[at + 1][: len(table.columns)]]
            assert told == [column.runs for column in table.columns]
            for place, row in enumerate(table.rows):
                for cell, value, column in zip(values[at + 2 + place], row, table.columns, strict=False):
                    if column.measure is None:
                        assert (cell or "") == (value or "")
                    elif value is None:
                        assert cell == "—"
                    else:
                        share = 100 if column.measure.unit == "%" else 1
                        assert isinstance(cell, int | float)
                        assert cell * share == pytest.approx(value)
    overview = {row[0]: row for row in book["概况"].iter_rows(min_row=7, values_only=True)}
    for figure in (figure for one in month.sections for figure in one.figures):
        share = 100 if figure.measure.unit == "%" else 1
        row = overview[figure.name]
        assert [row[1] * share, row[3] * share] == [pytest.approx(figure.value), pytest.approx(figure.before)]


def test_excel_draws_its_own_charts_from_the_right_cells(month: Report) -> None:
    book = load_workbook(io.BytesIO(file_of(month, Form.EXCEL, ZONE)))
    data = book["图表数据"]
    found = [chart for sheet in book.worksheets for chart in sheet._charts]
    assert len(found) == len(charts(month))
    drawings = []
    for chart in found:
        series = []
        for one in chart.series:
            left, top, right, bottom = range_boundaries(one.val.numRef.f.split("!")[1].replace("$", ""))
            assert left == right
            series.append(tuple(data.cell(row, left).value for row in range(top, bottom + 1)))
        drawings.append(series)
    for wanted in charts(month):
        share = 100 if wanted.measure.unit == "%" else 1
        values = [tuple(v if v is None else v / share for v in one.values) for one in wanted.series]
        assert [tuple(one) for one in values] in drawings, wanted.title


def test_excel_lists_the_queries(month: Report) -> None:
    sheet = load_workbook(io.BytesIO(file_of(month, Form.EXCEL, ZONE)))["数据查询"]
    rows = {row[0]: row for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert set(rows) == {run.run_id for run in month.runs}
    assert {row[4] for row in rows.values() if row[4]} == {run.sql for run in month.runs}


def test_word_holds_every_table_and_picture(month: Report) -> None:
    document = Document(io.BytesIO(file_of(month, Form.WORD, ZONE)))
    grids = [[[cell.text for cell in row.cells] for row in grid.rows] for grid in document.tables]
    for table in tables(month):
        lines = [
            [written(cell, column) for cell, column in zip(row, table.columns, strict=True)]
            for row in table.rows
        ]
        assert [[column.name for column in table.columns], *lines] in grids, table.title
    assert len(document.inline_shapes) == len(charts(month))
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    for section in flat(month.sections):
        assert all(paragraph.text in paragraphs for paragraph in section.paragraphs)
    text = "\n".join(paragraphs)
    assert all(quote.text in text for quote in month.quotes)
    headings = [one.text for one in document.paragraphs if one.style.name == "Heading 1"]  # type: ignore[union-attr]
    assert headings == [
        *(f"{numeral(number)}、{one.title}" for number, one in enumerate(month.sections, 1)),
        "附录：数据查询",
    ]


def test_pdf_holds_every_number_and_its_own_fonts(month: Report) -> None:
    reader = PdfReader(io.BytesIO(file_of(month, Form.PDF, ZONE)))
    text = squeezed("".join(page.extract_text() for page in reader.pages))
    for table in tables(month):
        for row in table.rows:
            for cell, column in zip(row, table.columns, strict=True):
                assert squeezed(written(cell, column)) in text, (table.title, row)
    for section in flat(month.sections):
        for paragraph in section.paragraphs:
            assert squeezed(paragraph.text) in text
    fonts = {}
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            one = font.get_object()
            fonts[one["/BaseFont"]] = "/FontDescriptor" in one and "/FontFile2" in one["/FontDescriptor"]
    embedded = {name.partition("+")[2] for name, is_embedded in fonts.items() if is_embedded}
    assert embedded == {"NotoSansSC-Regular", "NotoSerifSC-Regular"}
    assert {name for name, is_embedded in fonts.items() if not is_embedded} <= {"/Helvetica"}
    assert reader.metadata is not None
    assert reader.metadata.title == month.title


STRANGE = '=HYPERLINK("x")\x07\n<b>&\ud800😀 第二行'


def strange() -> Report:
    """Whatever people type, and nothing at all."""
    from dataclasses import replace

    from insight.reports.periods import a_year_before, before, period_of
    from insight.reports.types import ALL, Kind, Paragraph

    period = period_of(Kind.DAY, NOW.date(), ZONE)
    table = Table(
        key="t",
        title=STRANGE,
        columns=(Column(name=STRANGE), Column(name="n", measure=Measure(), runs=("Q01.本期",))),
        rows=((STRANGE, None), ("长" * 500, -12345.0)),
    )
    empty = Chart(
        key="c",
        title=STRANGE,
        shape=Shape.BARS,
        measure=Measure(),
        labels=(),
        series=(Series(name="当日", values=()),),
        runs=(),
    )
    lone = replace(
        empty, key="d", shape=Shape.LINES, labels=("1",), series=(Series(name="当日", values=(None,)),)
    )
    section = Section(
        key="s",
        title=STRANGE,
        paragraphs=(Paragraph(text=STRANGE),),
        charts=(empty, lone, replace(lone, key="e", shape=Shape.COLUMNS)),
        tables=(table,),
    )
    return Report(
        kind=Kind.DAY,
        title="12345热线日报 a/b:c",
        subject=ALL,
        period=period,
        before=before(Kind.DAY, period, ZONE),
        a_year_ago=a_year_before(Kind.DAY, period, ZONE),
        counted_at=NOW,
        sections=(section, Section(key="x", title="空")),
        runs=(),
        quotes=(Quote(place="s", text=STRANGE, at=NOW, district="", call_id=None, order_id=None),),
    )


@pytest.mark.parametrize("form", list(Form))
def test_whatever_people_typed_can_be_written(form: Form) -> None:
    data = file_of(strange(), form, ZONE)
    if form is Form.EXCEL:
        book = load_workbook(io.BytesIO(data))
        cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
        assert all(cell.data_type != "f" for cell in cells)
        assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    elif form is Form.WORD:
        assert "=HYPERLINK" in "".join(one.text for one in Document(io.BytesIO(data)).paragraphs)
    else:
        assert "=HYPERLINK" in PdfReader(io.BytesIO(data)).pages[0].extract_text()


def test_a_font_is_cut_down_to_what_is_needed() -> None:
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(font_of(Face.SANS, "水水12，\u0378")))
    assert set(font.getBestCmap()) == {ord(sign) for sign in "水12，"}
    assert font["glyf"]["u6C34"].numberOfContours > 1


def test_lines_break_where_chinese_may() -> None:
    lines = lines_of(
        "共受理诉求 1,333 件，其中（来电）占 84.5%。", lambda text: float(len(text)), first=9, others=9
    )
    assert "".join(line.replace(" ", "") for line in lines) == "共受理诉求1,333件，其中（来电）占84.5%。"
    assert any("1,333 件，" in line for line in lines)
    assert not any(line[0] in "，。）" or line[-1] == "（" for line in lines)


def test_ticks_are_round_and_reach_the_top() -> None:
    for most in (0, 1, 3, 7, 12, 99, 100, 470, 1333, 70_000):
        lines = ticks(most)
        assert lines[0] == 0
        assert lines[-1] >= most
        assert len(lines) <= 7
        assert all(line == int(line) for line in lines)


def test_a_drawing_shows_every_value(month: Report) -> None:
    for chart in charts(month):
        drawing = drawn(chart)
        known = [v for one in chart.series for v in one.values if v is not None]
        if chart.shape is Shape.LINES:
            assert sum(len(path.points) for path in drawing.paths if path.role != "grid") == len(known)
        else:
            told = [box.told for box in drawing.boxes if box.told]
            assert len(told) == len([v for v in known if v or chart.shape is Shape.BARS])
        for word in drawing.words:
            assert 0 <= word.y <= drawing.height


@pytest.mark.parametrize("form", list(Form))
async def test_files_over_rest(tmp_path: Path, form: Form) -> None:
    quiet = {"report_day": False, "report_week": False, "report_month": False}
    async with (
        running(tmp_path, **quiet) as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        made = (await client.post("/v1/reports", json={"kind": "day", "day": "2024-03-09"})).json()
        answer = await client.get(f"/v1/reports/{made['report_id']}/file", params={"form": form.value})
        assert answer.status_code == 200, answer.text
        assert answer.content[:4] == {"pdf": b"%PDF"}.get(form.value, b"PK\x03\x04")
        name = "12345%E7%83%AD%E7%BA%BF%E6%97%A5%E6%8A%A52024%E5%B9%B43%E6%9C%889%E6%97%A5"
        assert name in answer.headers["content-disposition"]
        assert (await client.get("/v1/reports/none/file", params={"form": form.value})).status_code == 404
        assert (await client.get(f"/v1/reports/{made['report_id']}/file?form=odt")).status_code == 422
