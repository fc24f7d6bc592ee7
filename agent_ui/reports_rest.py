"""Reports over REST: made, listed, read, saved as files, taken away and brought back.

In: HTTP requests that passed the door. Out: JSON and files; errors as `{"code", "message"}` under `detail`.
Not known here: how a figure is computed.

Who sees all calls sees all reports; an account of a department makes and sees those about it alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from access.types import NotAllowed, Scope
from agent_ui.door import author_of, caller_of, note_read, note_target, refusal
from agent_ui.paging import Offset
from insight.raised.types import UnknownWarning
from insight.reports.desk import ReportDesk
from insight.reports.drawing import drawn
from insight.reports.files import file_of
from insight.reports.outline import compared_lines, file_name, time_lines
from insight.reports.types import (
    BadWish,
    Form,
    KeptReport,
    Kind,
    NoFont,
    Report,
    ReportError,
    Section,
    Subject,
    TooBusy,
    UnknownReport,
)

_STATUS: dict[type[ReportError], int] = {UnknownReport: 404, BadWish: 422, NoFont: 503, TooBusy: 503}
_MEDIA = {
    Form.PDF: "application/pdf",
    Form.WORD: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Form.EXCEL: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_CHOICES_OF = timedelta(days=92)
_REPORT = TypeAdapter(Report)
_Name = Annotated[str, Field(max_length=100)]


class SubjectOut(BaseModel):
    """What alone a report is about; empty: everything."""

    model_config = ConfigDict(from_attributes=True)

    matter: str
    district: str
    department_id: str
    warning_id: str


class KeptReportOut(BaseModel):
    """A report of the list."""

    model_config = ConfigDict(from_attributes=True)

    report_id: str
    kind: Kind
    title: str
    subject: SubjectOut
    start: datetime
    until: datetime = Field(description="The period ends just before.")
    made_at: datetime
    made_by: str = Field(description="Empty: by the schedule.")


class ReportsOut(BaseModel):
    """A page of the list."""

    reports: list[KeptReportOut]
    total: int


class ReportOut(BaseModel):
    """All of a report. Each figure, column and chart names the `runs` of queries that it comes from."""

    report: KeptReportOut
    content: dict[str, Any] = Field(
        description="Sections with paragraphs, figures, charts, tables and parts; runs with their SQL and "
        "parameters; quotes by the key of their section."
    )
    drawings: dict[str, Any] = Field(description="Each chart as shapes, by its key.")
    notes: dict[str, list[str]] = Field(description="How each figure compares, in words, by its key.")
    times: list[tuple[str, str]] = Field(description="What it covers, against what, when it was counted.")


class ReportIn(BaseModel):
    """Which report is to be made."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    day: date | None = Field(default=None, description="Any day of the period; not with `issue`.")
    first: date | None = Field(default=None, description="Of `issue`: from that day,")
    last: date | None = Field(default=None, description="to that one.")
    matter: _Name = ""
    district: _Name = ""
    department_id: _Name = ""
    warning_id: _Name = ""
    author: str = Field(default="", max_length=64, description="For whom a program acts.")


class DepartmentChoice(BaseModel):
    """A department that a report can be about."""

    department_id: str
    name: str


class ChoicesOut(BaseModel):
    """What a report can be about."""

    matters: list[str] = Field(description="Categories and matters of the last three months, most first.")
    districts: list[str]
    departments: list[DepartmentChoice]


@dataclass(frozen=True, slots=True)
class _Reach:
    """Which reports somebody may see: all, or those of one department."""

    department_id: str | None

    def see(self, kept: KeptReport) -> KeptReport:
        """Raises `UnknownReport`."""
        if self.department_id is not None and kept.subject.department_id != self.department_id:
            raise UnknownReport
        return kept


def city_reports_router(desk: ReportDesk) -> APIRouter:
    """`/v1/reports`."""
    router = APIRouter(prefix="/v1/reports", tags=["reports"], dependencies=[Depends(_see_scope)])

    @router.get("")
    def list_reports(
        request: Request,
        kind: Annotated[list[Kind], Query()] = [],  # noqa: B006 - FastAPI copies it
        offset: Offset = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> ReportsOut:
        """List reports, newest first."""
        reach = _reach_of(request)
        found, total = desk.store.list_reports(
            kinds=kind, department_id=reach.department_id, limit=limit, offset=offset
        )
        return ReportsOut(reports=[KeptReportOut.model_validate(one) for one in found], total=total)

    @router.post("", status_code=201)
    def make_report(body: ReportIn, request: Request) -> KeptReportOut:
        """Make a report now; over a large city it takes some seconds."""
        author = author_of(request, body.author)
        with _answering():
            kept = _make(desk, body, _reach_of(request), author)
        note_target(request, kept.report_id)
        return KeptReportOut.model_validate(kept)

    @router.get("/choices")
    def list_choices(request: Request) -> ChoicesOut:
        """List what a report can be about."""
        matters, districts = desk.store.choices(desk.clock() - _CHOICES_OF)
        mine = _reach_of(request).department_id
        departments = [
            DepartmentChoice(department_id=key, name=name)
            for key, name in desk.names().items()
            if mine in (None, key)
        ]
        return ChoicesOut(matters=matters, districts=districts, departments=departments)

    @router.get("/{report_id}")
    def read_report(report_id: str, request: Request) -> ReportOut:
        """Read all of a report."""
        with _answering():
            kept = _reach_of(request).see(desk.store.kept(report_id))
            report = desk.store.report(report_id)
        every = list(_flat(report.sections))
        charts = {chart.key: chart for each in every for chart in each.charts}
        return ReportOut(
            report=KeptReportOut.model_validate(kept),
            content=_REPORT.dump_python(report, mode="json"),
            notes={one.key: compared_lines(one, report) for each in every for one in each.figures},
            times=time_lines(report, desk.zone),
            drawings={
                key: TypeAdapter(type(drawn(one))).dump_python(drawn(one)) for key, one in charts.items()
            },
        )

    @router.get("/{report_id}/file", response_class=Response)
    def save_report(report_id: str, form: Form, request: Request) -> Response:
        """Save a report as PDF, Word or Excel."""
        with _answering():
            _reach_of(request).see(desk.store.kept(report_id))
            report = desk.store.report(report_id)
            written = file_of(report, form, desk.zone)
        note_read(request, form.value)
        name = quote(file_name(report, form.value))
        kept_as = f"attachment; filename=\"report.{form.value}\"; filename*=UTF-8''{name}"
        headers = {"Content-Disposition": kept_as, "Cache-Control": "no-store"}
        return Response(written, media_type=_MEDIA[form], headers=headers)

    @router.delete("/{report_id}", status_code=204)
    def remove_report(report_id: str, request: Request) -> None:
        """Take a report from the list; for 30 days it can be brought back."""
        with _answering():
            _reach_of(request).see(desk.store.kept(report_id))
            desk.store.remove(report_id, desk.clock())

    @router.post("/{report_id}/restore")
    def restore_report(report_id: str, request: Request) -> KeptReportOut:
        """Bring a removed report back."""
        with _answering():
            kept = desk.store.restore(report_id, department_id=_reach_of(request).department_id)
        return KeptReportOut.model_validate(kept)

    return router


def _make(desk: ReportDesk, body: ReportIn, reach: _Reach, author: str) -> KeptReport:
    if reach.department_id is not None and body.warning_id:
        raise BadWish("预警的专题报表由热线中心生成。")
    if body.kind is not Kind.ISSUE:
        if reach.department_id is not None:
            raise BadWish("全市的报表由热线中心生成；本单位的请选“专题”。")
        if body.day is None:
            raise BadWish("请选择日期。")
        return desk.make(body.kind, body.day, made_by=author)
    if body.warning_id:
        return desk.make_of_warning(body.warning_id, body.first, body.last, made_by=author)
    if body.first is None or body.last is None:
        raise BadWish("专题报表要说明从哪一天到哪一天。")
    subject = Subject(
        matter=body.matter.strip(),
        district=body.district.strip(),
        department_id=reach.department_id or body.department_id.strip(),
    )
    return desk.make_issue(subject, body.first, body.last, made_by=author)


def _see_scope(request: Request) -> None:
    caller = caller_of(request)
    if caller.may(Scope.CALLS_ALL) or (caller.may(Scope.ORDERS_DEPARTMENT) and caller.department_id):
        return
    raise refusal(NotAllowed())


def _reach_of(request: Request) -> _Reach:
    caller = caller_of(request)
    return _Reach(None if caller.may(Scope.CALLS_ALL) else caller.department_id)


@contextmanager
def _answering() -> Iterator[None]:
    """Turn what goes wrong around reports into answers."""
    try:
        yield
    except UnknownWarning as error:
        raise HTTPException(404, {"code": error.code, "message": error.message}) from None
    except ReportError as error:
        headers = {"Retry-After": "5"} if isinstance(error, TooBusy) else None
        detail = {"code": error.code, "message": error.message}
        raise HTTPException(_STATUS.get(type(error), 409), detail, headers) from None


def _flat(sections: tuple[Section, ...]) -> Iterator[Section]:
    for section in sections:
        yield section
        yield from _flat(section.parts)
