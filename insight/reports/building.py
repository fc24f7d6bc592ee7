"""Builds a report: asks its queries over one moment of the database and writes its chapters.

In: a database, what is wanted, names of departments. Out: a `Report`.
Not known here: where reports are kept, as what they leave the house. It blocks.
"""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from sqlalchemy import Engine

from insight.reports import chapters
from insight.reports.asking import asking
from insight.reports.departments import departments, figures_of, gather_handling
from insight.reports.gathering import BEFORE, NOW, YEAR, Gathering, Wish
from insight.reports.periods import a_year_before, before
from insight.reports.stories import stories
from insight.reports.types import ALL, Kind, Period, Report, Section, Subject
from insight.reports.watching import safety, supervision, warnings
from insight.reports.words import WORDS

_FLOOR = {Kind.DAY: 3, Kind.WEEK: 5, Kind.MONTH: 8, Kind.ISSUE: 3}
"""Callers from which on a matter of such a time can be hot."""


def build_report(
    engine: Engine,
    *,
    kind: Kind,
    period: Period,
    now: datetime,
    zone: tzinfo,
    names: Mapping[str, str],
    subject: Subject = ALL,
    subject_name: str = "",
) -> Report:
    """Compute it as of now; `names` are those of departments by identifier."""
    periods = {
        NOW: period,
        BEFORE: before(kind, period, zone),
        YEAR: a_year_before(kind, period, zone),
    }
    wish = Wish(
        kind=kind, subject=subject, periods=periods, now=now, zone=zone, names=names, floor=_FLOOR[kind]
    )
    with asking(engine) as asker:
        found = Gathering(asker=asker, wish=wish)
        found.begin()
        handling = gather_handling(found)
        handled = figures_of(handling)
        hot, quotes = stories(found)
        whole = handling.whole(NOW)
        unsatisfied = int(whole.sums["unsatisfied"]) if whole is not None else 0
        sections: list[Section | None] = [
            chapters.volumes(found, (handled["in_time"], handled["satisfied"])),
            hot if subject.matter else None,
            chapters.categories(found) if not subject.matter else None,
            chapters.districts(found) if not subject.district else None,
            departments(found, handling, handled),
            hot if not subject.matter else None,
            warnings(found),
            chapters.changed(found) if not subject.matter else None,
            supervision(found, unsatisfied, handling.runs[NOW][1]),
            safety(found),
        ]
        runs = asker.runs
    return Report(
        kind=kind,
        title=_title(kind, period, subject_name),
        subject=subject,
        period=period,
        before=periods[BEFORE],
        a_year_ago=periods[YEAR],
        counted_at=now,
        sections=tuple(section for section in sections if section is not None),
        runs=runs,
        quotes=quotes,
    )


def _title(kind: Kind, period: Period, subject_name: str) -> str:
    if kind is Kind.ISSUE:
        return f"“{subject_name}”专题报告（{period.label}）"
    return f"12345热线{WORDS[kind].name} {period.label}"
