"""The desk of reports: makes them when somebody asks, or when their time has come, and hands them out.

In: a database, names of departments, a plan, a clock. Out: reports, as they are kept.
Not known here: HTTP, who may see what, as what a report leaves the house.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import BoundedSemaphore, Lock
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from insight.raised.store import WarningStore
from insight.raised.types import Layer
from insight.reports.building import build_report
from insight.reports.periods import LONGEST_DAYS, period_between, period_of
from insight.reports.schedule import Plan, due
from insight.reports.store import ReportStore
from insight.reports.types import ALL, BadWish, KeptReport, Kind, Period, Report, Subject, TooBusy

log = logging.getLogger(__name__)

LOOK_EVERY_S = 30.0
_RETRY_S = 300.0
_WAITING = 4
UNDO_DAYS = 30
"""For how long a removed report can be brought back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDesk:
    """Any thread may call it; one report is made at a time."""

    engine: Engine
    store: ReportStore
    zone: ZoneInfo
    clock: Callable[[], datetime]
    plan: Callable[[], Plan]
    names: Callable[[], Mapping[str, str]]
    """Of departments, by identifier."""
    retell: Callable[[Report], Report] = lambda report: report
    """Writes prose anew out of the computed one; blocks."""
    _making: Lock = field(default_factory=Lock)
    _room: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_WAITING))

    @classmethod
    def open(
        cls,
        engine: Engine,
        *,
        timezone: str,
        clock: Callable[[], datetime],
        plan: Callable[[], Plan],
        names: Callable[[], Mapping[str, str]],
        retell: Callable[[Report], Report] = lambda report: report,
    ) -> "ReportDesk":
        """Open it."""
        return cls(
            engine=engine,
            store=ReportStore(engine),
            zone=ZoneInfo(timezone),
            clock=clock,
            plan=plan,
            names=names,
            retell=retell,
        )

    def make(self, kind: Kind, day: date, *, made_by: str) -> KeptReport:
        """The report of the day, week or month in which a day lies. Blocks. Raises `BadWish`, `TooBusy`."""
        return self._kept(kind, period_of(kind, day, self.zone), ALL, made_by, "")

    def make_issue(self, subject: Subject, first: date, last: date, *, made_by: str) -> KeptReport:
        """The report of one matter, district or department. Blocks. Raises `BadWish`, `TooBusy`."""
        if subject.is_all:
            raise BadWish("请选择事项、区县或承办单位。")
        period = period_between(first, last, self.zone)
        return self._kept(Kind.ISSUE, period, subject, made_by, _name_of(subject, self.names()))

    def make_of_warning(
        self, warning_id: str, first: date | None, last: date | None, *, made_by: str
    ) -> KeptReport:
        """The report of what was warned of; without days from its first report on.

        Blocks. Raises `UnknownWarning`, `BadWish`, `TooBusy`.
        """
        warning = WarningStore(self.engine).warning(warning_id)
        is_counted = warning.layer is Layer.KNOWN
        subject = Subject(
            matter=warning.matter if is_counted else "",
            district=warning.district or "",
            warning_id=warning_id,
            ids=() if is_counted else warning.sample_ids,
        )
        first = first or warning.since.astimezone(self.zone).date()
        last = last or self.clock().astimezone(self.zone).date()
        period = period_between(max(first, last - timedelta(days=LONGEST_DAYS - 1)), last, self.zone)
        name = " · ".join(filter(None, (warning.name, warning.district)))
        return self._kept(Kind.ISSUE, period, subject, made_by, name)

    def catch_up(self) -> int:
        """Make what should be there and let go of what is too old; returns how many were made. Blocks."""
        now, plan = self.clock(), self.plan()
        kept_from = now - timedelta(days=plan.keep_days) if plan.keep_days else None
        self.store.forget(made_before=kept_from, removed_before=now - timedelta(days=UNDO_DAYS))
        made = 0
        for kind, period in due(plan, now, self.zone, self.store.first_at()):
            if (kept_from is not None and period.until < kept_from) or self.store.is_made(kind, period.start):
                continue
            with self._making:
                report = self._built(kind, period, ALL, "")
            kept = self.store.add(
                report, report_id=_identifier(report), made_at=self.clock(), made_by="", is_scheduled=True
            )
            made += kept is not None
        return made

    async def keep_making(self) -> None:
        """Make reports as their time comes, without end."""
        while True:
            try:
                made = await asyncio.to_thread(self.catch_up)
            except Exception:  # a report can be made later; calls must go on
                log.exception("reports cannot be made now")
                await asyncio.sleep(_RETRY_S)
                continue
            if made:
                log.info("%d reports were made", made)
            await asyncio.sleep(LOOK_EVERY_S)

    def _kept(self, kind: Kind, period: Period, subject: Subject, made_by: str, name: str) -> KeptReport:
        if period.start > self.clock():
            raise BadWish("这段时间还没有到，没有数据可以统计。")
        with self._turn():
            report = self._built(kind, period, subject, name)
        kept = self.store.add(report, report_id=_identifier(report), made_at=self.clock(), made_by=made_by)
        assert kept is not None, "what nobody scheduled is in nobody's way"
        return kept

    def _built(self, kind: Kind, period: Period, subject: Subject, name: str) -> Report:
        report = build_report(
            self.engine,
            kind=kind,
            period=period,
            now=self.clock(),
            zone=self.zone,
            names=self.names(),
            subject=subject,
            subject_name=name,
        )
        return self.retell(report)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            raise TooBusy
        try:
            with self._making:
                yield
        finally:
            self._room.release()


def _identifier(report: Report) -> str:
    return f"{report.kind.value}-{report.period.start:%Y%m%d}-{secrets.token_hex(4)}"


def _name_of(subject: Subject, names: Mapping[str, str]) -> str:
    department = names.get(subject.department_id, subject.department_id)
    return " · ".join(filter(None, (subject.matter, subject.district, department)))
