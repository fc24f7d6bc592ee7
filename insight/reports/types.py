"""What a report is made of.

In: nothing. Out: periods, subjects, runs of queries, figures, tables, charts, sections, `Report`, the errors.
Not known here: databases, files, how a figure is computed.

Every figure, column and chart names the runs that it comes from; a run is a query with its parameters, and
the report brings all of its runs along.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from insight.types import InsightError

Cell: TypeAlias = str | float | int | None
Parameter: TypeAlias = str | float | int | None


class Kind(StrEnum):
    """What a report covers."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ISSUE = "issue"
    """One matter, district, department or warning, in a time of its own."""


class Form(StrEnum):
    """As what a report leaves the house."""

    PDF = "pdf"
    WORD = "docx"
    EXCEL = "xlsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time of whole days in the city's zone; `until` is no longer part of it."""

    start: datetime
    until: datetime
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What alone a report is about; what is empty leaves all."""

    matter: str = ""
    district: str = ""
    department_id: str = ""
    warning_id: str = ""
    ids: tuple[str, ...] = ()
    """Calls and orders that alone are meant, where a matter has no name to be found by."""

    @property
    def is_all(self) -> bool:
        """Whether it is about everything."""
        return self == ALL


ALL = Subject()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A query as it was asked: whoever asks it again over the same tables gets the same figures."""

    run_id: str
    """The query's number and which period: `Q05.本期`."""
    title: str
    sql: str
    parameters: dict[str, Parameter]
    n_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How a number is to be read and written."""

    unit: str = "件"
    digits: int = 0
    is_change: bool = False
    """Written with its sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with what it was before."""

    key: str
    name: str
    measure: Measure
    value: float | None
    before: float | None
    a_year_ago: float | None
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table; without a measure it holds words."""

    name: str
    measure: Measure | None = None
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one width."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


class Shape(StrEnum):
    """How a chart draws its values."""

    COLUMNS = "columns"
    """Upright, side by side where there are several series."""
    LINES = "lines"
    BARS = "bars"
    """Lying, for long names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values of a chart that belong together, one for each label."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture of values."""

    key: str
    title: str
    shape: Shape
    measure: Measure
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Prose out of numbers."""

    text: str
    runs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a citizen said, without what leads to a person. It goes when its call is deleted."""

    place: str
    """Key of the section it stands in."""
    text: str
    at: datetime
    district: str
    call_id: str | None
    order_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A chapter, or a part of one."""

    key: str
    title: str
    paragraphs: tuple[Paragraph, ...] = ()
    figures: tuple[Figure, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    parts: tuple["Section", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as it was computed at its moment."""

    kind: Kind
    title: str
    subject: Subject
    period: Period
    before: Period
    a_year_ago: Period
    counted_at: datetime
    sections: tuple[Section, ...]
    runs: tuple[Run, ...]
    quotes: tuple[Quote, ...] = ()
    written_by: str = "rules"
    """`rules`, or the language model that wrote the prose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReport:
    """A report among others, without its content."""

    report_id: str
    kind: Kind
    title: str
    subject: Subject
    start: datetime
    until: datetime
    made_at: datetime
    made_by: str
    """Who asked for it; empty where the schedule made it."""


class ReportError(InsightError):
    """What can go wrong around a report.

    ReportError
    ├── UnknownReport   no such report, or none that may be seen
    ├── BadWish         such a report cannot be made
    ├── NoFont          a PDF needs a Chinese font, and there is none
    └── TooBusy         others are being made
    """

    code = "report.error"
    recoverable = True


class UnknownReport(ReportError):
    """No such report."""

    code = "report.unknown"

    def __init__(self) -> None:
        super().__init__("没有这份报表，可能已被删除。")


class BadWish(ReportError):
    """Such a report cannot be made."""

    code = "report.bad_wish"


class NoFont(ReportError):
    """A PDF needs a Chinese font."""

    code = "report.no_font"


class TooBusy(ReportError):
    """Others are being made."""

    code = "report.busy"

    def __init__(self) -> None:
        super().__init__("正在生成其他报表，请稍后再试。")
