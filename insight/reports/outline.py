"""What every file of a report shows alike: numbering, cells as they are read, sources, lines about time.

In: parts of a report. Out: texts. Pure.
Not known here: PDF, Word, Excel.
"""

from collections.abc import Iterator
from datetime import tzinfo
from operator import attrgetter

from insight.reports.numbers import change, shown, shown_cell, told_change
from insight.reports.types import Figure, Quote, Report, Run, Section, Table
from insight.reports.words import WORDS

APPENDIX = (
    "报表中的每个数字都来自下列查询。Q01、Q02 先建立两张临时表，其余查询在其上统计；"
    "时间以协调世界时（UTC）记录，offset 换算到本市时间。"
)
_HEAD_EM, _WHOLE_EM, _WIDE_EM, _PADDING = 4.5, 8.5, 16.0, 12.0
_DIGITS = "〇一二三四五六七八九"


def legible(text: str) -> str:
    """Without signs that no file takes: those of control, and halves of characters."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " for sign in text)


def numeral(number: int) -> str:
    """1 as 一, 12 as 十二; up to 99."""
    tens, ones = divmod(number, 10)
    before = "" if tens == 0 else ("十" if tens == 1 else f"{_DIGITS[tens]}十")
    return before + (_DIGITS[ones] if ones or not tens else "")


def tiles_in_row(n: int) -> int:
    """How many figures stand side by side, so that none stands alone in the last row."""
    return 3 if n % 4 == 1 and n > 1 else 4


def rows_of(table: Table) -> list[list[str]]:
    """Cells as they are read."""
    return [
        [shown_cell(cell, column) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]


def widths_of(table: Table, rows: list[list[str]], width: float, size: float) -> list[float]:
    """How wide columns are, in points, that have so much room and letters of that size.

    Those of short cells are as wide as these; the others share what is left by their longest cell, and wrap.
    """
    longest = [
        max([em_of(row[place]) for row in rows] + [min(em_of(column.name), _HEAD_EM)])
        for place, column in enumerate(table.columns)
    ]
    points = [long * size + _PADDING for long in longest]
    is_wide = [long > _WHOLE_EM for long in longest]
    if sum(points) <= width or not any(is_wide):
        return [width * one / sum(points) for one in points]
    left = width - sum(one for one, wide in zip(points, is_wide, strict=True) if not wide)
    shared = sum(min(long, _WIDE_EM) for long, wide in zip(longest, is_wide, strict=True) if wide)
    return [
        left * min(long, _WIDE_EM) / shared if wide else one
        for one, long, wide in zip(points, longest, is_wide, strict=True)
    ]


def em_of(text: str) -> float:
    """How wide a text is, near enough, in widths of a Chinese character."""
    return sum(1.0 if ord(sign) > 0x2E7F else 0.56 for sign in text)


def compared_lines(figure: Figure, report: Report) -> list[str]:
    """`环比上升 12.3%（1,908）` and the same of a year ago, as far as they are known."""
    words = WORDS[report.kind]
    lines = []
    for earlier, how in ((figure.before, words.compared), (figure.a_year_ago, words.compared_year)):
        told = told_change(change(figure.value, earlier, figure.measure), figure.measure)
        if told:
            lines.append(f"{how}{told}（{shown(earlier, figure.measure)}）")
    return lines


def sources_of(section: Section) -> tuple[str, ...]:
    """The queries that a section and its parts come from, by number."""

    def all_of(one: Section) -> Iterator[str]:
        parts = (*one.paragraphs, *one.figures, *one.charts)
        yield from (run for runs in map(attrgetter("runs"), parts) for run in runs)
        for table in one.tables:
            for column in table.columns:
                yield from column.runs
        for part in one.parts:
            yield from all_of(part)

    return tuple(sorted({run.partition(".")[0] for run in all_of(section)}))


def queries_of(report: Report) -> list[tuple[str, Run, list[Run]]]:
    """Each query by its number, with one of its runs for title and SQL, and all of its runs."""
    found: dict[str, list[Run]] = {}
    for run in report.runs:
        found.setdefault(run.run_id.partition(".")[0], []).append(run)
    return [(number, runs[0], runs) for number, runs in sorted(found.items())]


def parameters_of(run: Run) -> str:
    """`span = '本期', start = …`; what is empty is left out."""
    told = (
        f"{name} = {value!r}" if isinstance(value, str) else f"{name} = {value}"
        for name, value in run.parameters.items()
        if value != ""
    )
    return "，".join(told) or "无"


def time_lines(report: Report, zone: tzinfo) -> list[tuple[str, str]]:
    """What the report covers, against what, and when it was counted."""
    words = WORDS[report.kind]
    at = report.counted_at.astimezone(zone)
    counted = f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"
    by_model = (
        [("文字", f"由语言模型 {report.written_by} 改写，数字经核对")] if report.written_by != "rules" else []
    )
    return [
        ("统计时段", report.period.label),
        (
            "对比时段",
            f"{words.before}（{report.before.label}）；{words.a_year_ago}（{report.a_year_ago.label}）",
        ),
        ("统计时间", counted),
        *by_model,
    ]


def said_line(quote: Quote, zone: tzinfo) -> str:
    """Where and when it was said."""
    at = quote.at.astimezone(zone)
    return f"{quote.district or '地点未提到'}，{at.month}月{at.day}日"


def file_name(report: Report, ending: str) -> str:
    """A name that every file system takes."""
    kept = "".join(sign if sign not in '\\/:*?"<>|“”' else "" for sign in report.title)
    return f"{kept.replace(' ', '')[:80]}.{ending}"
