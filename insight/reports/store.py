"""The records of reports, in the installation's one database.

In: reports as they were computed. Out: the same, and lists of them.
Not known here: how a report is computed, who may see one. All methods block.

What citizens said lies in a table of its own, by call: whoever deletes a call deletes it there as well. Of a
scheduled report that was removed a line stays, so that the schedule does not make it again.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from calls.forms.tables import wrapups
from calls.moments import stamp
from insight.reports.tables import reports as _reports
from insight.reports.tables import words as _words
from insight.reports.types import KeptReport, Kind, Quote, Report, Subject, UnknownReport
from knowledge_base.database import writing

_REPORT = TypeAdapter(Report)
_LISTED = [column for column in _reports.c if column.name != "content"]


class ReportStore:
    """Any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(
        self, report: Report, *, report_id: str, made_at: datetime, made_by: str, is_scheduled: bool = False
    ) -> KeptReport | None:
        """Keep it; None where the schedule has made one of that time already."""
        row = {
            "report_id": report_id,
            "kind": report.kind.value,
            "title": report.title,
            "subject": asdict(report.subject),
            "department_id": report.subject.department_id,
            "start": stamp(report.period.start),
            "until": stamp(report.period.until),
            "made_at": stamp(made_at),
            "made_by": made_by,
            "scheduled": _slot(report.kind, report.period.start) if is_scheduled else None,
            "content": _REPORT.dump_python(replace(report, quotes=()), mode="json"),
        }
        said = [_to_row(quote, report_id) for quote in report.quotes]
        try:
            with writing(self._engine) as connection:
                connection.execute(_reports.insert().values(row))
                if said:
                    connection.execute(_words.insert(), said)
        except IntegrityError:
            return None
        return self.kept(report_id)

    def is_made(self, kind: Kind, start: datetime) -> bool:
        """Whether the schedule has made that one, also where somebody has removed it since."""
        query = sa.select(_reports.c.report_id).where(_reports.c.scheduled == _slot(kind, start))
        with self._engine.connect() as connection:
            return connection.scalar(query) is not None

    def list_reports(
        self,
        *,
        kinds: Sequence[Kind] = (),
        department_id: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> tuple[list[KeptReport], int]:
        """The newest first, and how many there are; with a department those about it alone."""
        which: list[sa.ColumnElement[bool]] = [
            _reports.c.removed_at.is_(None),
            _reports.c.content.is_not(None),
        ]
        if kinds:
            which.append(_reports.c.kind.in_([kind.value for kind in kinds]))
        if department_id is not None:
            which.append(_reports.c.department_id == department_id)
        query = sa.select(*_LISTED).where(*which).order_by(_reports.c.made_at.desc(), _reports.c.report_id)
        count = sa.select(sa.func.count()).select_from(_reports).where(*which)
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(limit).offset(offset)).all()
            return [_kept(row) for row in rows], connection.scalar(count) or 0

    def kept(self, report_id: str) -> KeptReport:
        """One of the list. Raises `UnknownReport`."""
        query = sa.select(*_LISTED).where(_reports.c.report_id == report_id, _reports.c.removed_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownReport
        return _kept(row)

    def report(self, report_id: str) -> Report:
        """All of one, with the words of calls that are still on record. Raises `UnknownReport`."""
        query = sa.select(_reports.c.content).where(
            _reports.c.report_id == report_id, _reports.c.removed_at.is_(None)
        )
        said = sa.select(_words).where(_words.c.report_id == report_id).order_by(_words.c.word_id)
        with self._engine.connect() as connection:
            content = connection.scalar(query)
            rows = connection.execute(said).all()
        if content is None:
            raise UnknownReport
        return replace(_REPORT.validate_python(content), quotes=tuple(_quote(row) for row in rows))

    def remove(self, report_id: str, now: datetime) -> None:
        """Take it from the list; it can be brought back for a while. Raises `UnknownReport`."""
        self.kept(report_id)
        self._mark(report_id, stamp(now))

    def restore(self, report_id: str, *, department_id: str | None = None) -> KeptReport:
        """Bring it back; with a department only one about it. Raises `UnknownReport`."""
        self._mark(report_id, None, department_id)
        return self.kept(report_id)

    def forget(self, *, made_before: datetime | None, removed_before: datetime) -> int:
        """Let go for good of what is too old, and of what was removed long ago; returns how many."""
        is_old = sa.and_(_reports.c.removed_at.is_not(None), _reports.c.removed_at < stamp(removed_before))
        if made_before is not None:
            is_old = sa.or_(is_old, _reports.c.made_at < stamp(made_before))
        query = sa.select(_reports.c.report_id).where(_reports.c.content.is_not(None), is_old)
        with writing(self._engine) as connection:
            gone = list(connection.scalars(query))
            if gone:
                connection.execute(_words.delete().where(_words.c.report_id.in_(gone)))
                change = _reports.update().where(_reports.c.report_id.in_(gone))
                connection.execute(change.values(content=None))
                connection.execute(
                    _reports.delete().where(_reports.c.content.is_(None), _reports.c.scheduled.is_(None))
                )
        return len(gone)

    def first_at(self) -> datetime | None:
        """When the first call or order came that is on record."""
        query = sa.text(
            "SELECT min(at) FROM (SELECT min(started_at) AS at FROM calls"
            " UNION ALL SELECT min(created_at) FROM orders) AS firsts"
        )
        with self._engine.connect() as connection:
            found = connection.scalar(query)
        return datetime.fromisoformat(found) if found else None

    def choices(self, since: datetime) -> tuple[list[str], list[str]]:
        """Matters and districts that orders and wrap-ups have named since then, most first."""
        first = wrapups.c.form["knowledge"][0]["title"].as_string().label("name")
        named = sa.select(first).where(wrapups.c.changed_at >= sa.bindparam("since")).subquery()
        matters = (
            sa.select(named.c.name)
            .where(named.c.name != "")
            .group_by(named.c.name)
            .order_by(sa.func.count().desc(), named.c.name)
            .limit(300)
        )
        categories = sa.text(
            "SELECT category FROM orders WHERE created_at >= :since AND category <> ''"
            " GROUP BY category ORDER BY count(*) DESC, category LIMIT 100"
        )
        districts = sa.text(
            "SELECT district FROM orders WHERE created_at >= :since AND district <> ''"
            " GROUP BY district ORDER BY count(*) DESC, district LIMIT 100"
        )
        bounds = {"since": stamp(since)}
        with self._engine.connect() as connection:
            found = [*connection.scalars(categories, bounds), *connection.scalars(matters, bounds)]
            return list(dict.fromkeys(found)), list(connection.scalars(districts, bounds))

    def _mark(self, report_id: str, removed_at: str | None, department_id: str | None = None) -> None:
        change = _reports.update().where(_reports.c.report_id == report_id, _reports.c.content.is_not(None))
        if department_id is not None:
            change = change.where(_reports.c.department_id == department_id)
        with writing(self._engine) as connection:
            connection.execute(change.values(removed_at=removed_at))


def _slot(kind: Kind, start: datetime) -> str:
    return f"{kind.value} {stamp(start)}"


def _kept(row: sa.Row[tuple[str, ...]]) -> KeptReport:
    return KeptReport(
        report_id=row.report_id,
        kind=Kind(row.kind),
        title=row.title,
        subject=Subject(**row.subject),
        start=datetime.fromisoformat(row.start),
        until=datetime.fromisoformat(row.until),
        made_at=datetime.fromisoformat(row.made_at),
        made_by=row.made_by,
    )


def _to_row(quote: Quote, report_id: str) -> dict[str, str | None]:
    return {
        "report_id": report_id,
        "place": quote.place,
        "call_id": quote.call_id,
        "order_id": quote.order_id,
        "at": stamp(quote.at),
        "district": quote.district,
        "text": quote.text,
    }


def _quote(row: sa.Row[tuple[str, ...]]) -> Quote:
    return Quote(
        place=row.place,
        text=row.text,
        at=datetime.fromisoformat(row.at),
        district=row.district,
        call_id=row.call_id,
        order_id=row.order_id,
    )
