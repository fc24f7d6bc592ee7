"""What a report is made of before it is written: the answers of its queries, by period.

In: an open `Asker`, what the report is about. Out: `Counts` by name and totals, each with its runs.
Not known here: chapters, prose.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from insight.reports.asking import Asker, Row, bound
from insight.reports.types import Kind, Parameter, Period, Subject

NOW, BEFORE, YEAR = "本期", "上期", "去年同期"
UNNAMED = {"kind": "未归类", "category": "未归类", "district": "未提到"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be reported."""

    kind: Kind
    subject: Subject
    periods: Mapping[str, Period]
    """By `NOW`, `BEFORE` and `YEAR`."""
    now: datetime
    zone: tzinfo
    names: Mapping[str, str]
    """Of departments, by identifier."""
    floor: int = 3
    """Callers from which on a matter can be hot."""

    @property
    def period(self) -> Period:
        """The time that it is about."""
        return self.periods[NOW]

    def name_of(self, department_id: str) -> str:
        """A department's name; one that the directory has no more is told by its identifier."""
        return self.names.get(department_id, department_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many of each name, in each period; a period without any data is left out."""

    of: Mapping[str, Mapping[str, int]]
    runs: tuple[str, ...]

    def now(self) -> list[tuple[str, int]]:
        """The names of this period, most first."""
        return sorted(self.of[NOW].items(), key=lambda one: (-one[1], one[0]))

    def at(self, span: str, name: str) -> int | None:
        """How many then; None where nothing is known of that time."""
        return self.of[span].get(name, 0) if span in self.of else None


@dataclass(slots=True, kw_only=True)
class Gathering:
    """Asks for one report; what was asked is remembered by the asker."""

    asker: Asker
    wish: Wish
    spans: tuple[str, ...] = field(default=(NOW,), init=False)
    """Periods that have data; the others are not compared with."""
    totals: dict[str, Row] = field(default_factory=dict, init=False)
    totals_runs: tuple[str, ...] = field(default=(), init=False)

    def begin(self) -> None:
        """Set up the temporary tables and see which periods there are."""
        for span in (NOW, BEFORE, YEAR):
            self.asker.ask("Q01", span, span=span, **self.between(span), **self.meant())
        first = YEAR if self._rows_of("Q01", YEAR) else BEFORE
        self.asker.ask("Q02", "全部", start=bound(self.wish.periods[first].start), **self.meant())
        spans, runs = [NOW], []
        for span in (NOW, BEFORE, YEAR):
            (row,), run = self.asker.ask("Q03", span, span=span)
            self.totals[span] = row
            if span == NOW or row["matters"]:
                runs.append(run)
                spans += [span] if span != NOW else []
        self.spans, self.totals_runs = tuple(spans), tuple(runs)

    def _rows_of(self, number: str, span: str) -> int:
        return next(run.n_rows for run in self.asker.runs if run.run_id == f"{number}.{span}")

    def between(self, span: str) -> dict[str, Parameter]:
        """The bounds of a period; of one that goes on, up to now."""
        period = self.wish.periods[span]
        return {"start": bound(period.start), "until": bound(min(period.until, self.wish.now))}

    def meant(self) -> dict[str, Parameter]:
        """What alone it is about."""
        subject = self.wish.subject
        return {
            "matter": subject.matter,
            "district": subject.district,
            "department": subject.department_id,
            "ids": json.dumps(subject.ids, ensure_ascii=False) if subject.ids else "",
        }

    def offset(self, span: str) -> str:
        """From UTC to the city's clock, as databases take it."""
        there = self.wish.periods[span].start.astimezone(self.wish.zone).utcoffset()
        assert there is not None
        return f"{there.total_seconds() / 60:+.0f} minutes"

    def counts(self, number: str, what: str = "", **parameters: Parameter) -> Counts:
        """Numbers by name, of each period."""
        found, runs = {}, []
        for span in self.spans:
            rows, run = self.asker.ask(number, span, span=span, **parameters)
            nameless = UNNAMED.get(what, "")
            found[span] = {row["name"] or nameless: row["n"] for row in rows}
            runs.append(run)
        return Counts(of=found, runs=tuple(runs))
