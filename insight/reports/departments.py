"""The chapter about those who handle orders: closing, timeliness, what citizens said of it.

In: a `Gathering`. Out: a section, and the figures that belong to the first sight.
Not known here: SQL, files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from insight.reports import prose
from insight.reports.gathering import BEFORE, NOW, YEAR, Gathering
from insight.reports.numbers import COUNT, HOURS, PERCENT, share
from insight.reports.types import Chart, Column, Figure, Measure, Section, Series, Shape, Table
from insight.reports.words import WORDS

MOST_ROWS = 30
MOST_BARS = 10
MOST_WORST = 3
LEAST_DUE = 5
"""Orders that must have been due for a department to be named among the worst."""
_COUNTED = ("dispatched", "due", "in_time", "answered", "hours", "closed")
_ASKED = ("satisfied", "neutral", "unsatisfied")


@dataclass(slots=True, kw_only=True)
class Fared:
    """How one department, or all of them, fared in a period."""

    sums: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys((*_COUNTED, *_ASKED, "unreached"), 0)
    )

    def add(self, other: Mapping[str, float]) -> None:
        """Take in more."""
        for name, value in other.items():
            self.sums[name] += value

    @property
    def in_time(self) -> float | None:
        """Percent of what was due that was answered by then."""
        return share(self.sums["in_time"], self.sums["due"])

    @property
    def hours(self) -> float | None:
        """From dispatch to answer, on average."""
        answered = self.sums["answered"]
        return round(self.sums["hours"] / answered, 4) if answered else None

    @property
    def asked(self) -> float:
        """Citizens who said something of it."""
        return sum(self.sums[name] for name in _ASKED)

    @property
    def satisfied(self) -> float | None:
        """Percent of those who said something."""
        return share(self.sums["satisfied"], self.asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """How departments fared, by period."""

    by_department: Mapping[str, Mapping[str, Fared]]
    """Period, then department."""
    runs: Mapping[str, tuple[str, ...]]
    """Period; the run of handling, then that of asking citizens."""

    def whole(self, span: str) -> Fared | None:
        """All departments together; None where nothing is known of that time."""
        if span not in self.by_department:
            return None
        whole = Fared()
        for fared in self.by_department[span].values():
            whole.add(fared.sums)
        return whole


def gather_handling(found: Gathering) -> Handling:
    """Ask for it."""
    by_department: dict[str, dict[str, Fared]] = {}
    runs = {}
    for span in found.spans:
        fared: dict[str, Fared] = {}
        rows, first = found.asker.ask("Q12", span, **found.between(span))
        for row in rows:
            fared.setdefault(row["department_id"], Fared()).add({name: row[name] or 0 for name in _COUNTED})
        rows, second = found.asker.ask("Q13", span, **found.between(span))
        for row in rows:
            if row["said"]:
                fared.setdefault(row["department_id"], Fared()).add({row["said"]: row["n"]})
        by_department[span] = fared
        runs[span] = (first, second)
    return Handling(by_department=by_department, runs=runs)


def figures_of(handling: Handling) -> dict[str, Figure]:
    """The figures of all departments together, by key."""
    wholes = {span: handling.whole(span) for span in (NOW, BEFORE, YEAR)}

    def figure(key: str, name: str, measure: Measure, which: int) -> Figure:
        def at(span: str) -> float | None:
            whole = wholes[span]
            if whole is None:
                return None
            is_computed = key in ("in_time", "hours", "asked", "satisfied")
            return getattr(whole, key) if is_computed else whole.sums[key]

        runs = tuple(handling.runs[span][which] for span in handling.runs)
        return Figure(
            key=key,
            name=name,
            measure=measure,
            value=at(NOW),
            before=at(BEFORE),
            a_year_ago=at(YEAR),
            runs=runs,
        )

    return {
        "dispatched": figure("dispatched", "派单", COUNT, 0),
        "closed": figure("closed", "办结", COUNT, 0),
        "due": figure("due", "到期工单", COUNT, 0),
        "in_time": figure("in_time", "按时答复率", PERCENT, 0),
        "hours": figure("hours", "平均答复用时", HOURS, 0),
        "asked": figure("asked", "有效回访", COUNT, 1),
        "satisfied": figure("satisfied", "回访满意率", PERCENT, 1),
    }


def departments(found: Gathering, handling: Handling, figures: Mapping[str, Figure]) -> Section:
    """How departments fared."""
    words = WORDS[found.wish.kind]
    now = handling.by_department[NOW]
    order = sorted(now, key=lambda one: (-now[one].sums["dispatched"], -now[one].sums["due"], one))
    order = [
        one
        for one in order
        if any(now[one].sums[name] for name in ("dispatched", "due", "answered", "closed"))
    ]
    rated = [(one, now[one]) for one in order if now[one].sums["due"] >= LEAST_DUE]
    worst = sorted(rated, key=lambda one: (one[1].in_time or 0, one[0]))
    told = [
        (found.wish.name_of(one), fared.in_time or 0.0, int(fared.sums["due"]))
        for one, fared in worst[:MOST_WORST]
        if (fared.in_time or 0) < 100
    ]
    (row,), returns_run = found.asker.ask("Q14", NOW, **found.between(NOW))
    busy = sum(1 for one in order if now[one].sums["dispatched"])
    return Section(
        key="departments",
        title="承办单位办理情况",
        paragraphs=(
            *prose.of_departments(figures, told, busy, words),
            *prose.of_returns(row["returns"], row["reworks"], returns_run, words),
        ),
        figures=tuple(figures.values()),
        charts=(_timeliness(found, rated, handling),) if rated else (),
        tables=(_table(found, order, now, handling),) if order else (),
    )


def _table(found: Gathering, order: list[str], now: Mapping[str, Fared], handling: Handling) -> Table:
    handled, asked = ((run,) for run in handling.runs[NOW])
    columns = (
        Column(name="承办单位"),
        Column(name="派单", measure=COUNT, runs=handled),
        Column(name="到期", measure=COUNT, runs=handled),
        Column(name="按时", measure=COUNT, runs=handled),
        Column(name="按时率", measure=PERCENT, runs=handled),
        Column(name="平均用时", measure=HOURS, runs=handled),
        Column(name="办结", measure=COUNT, runs=handled),
        Column(name="有效回访", measure=COUNT, runs=asked),
        Column(name="满意率", measure=PERCENT, runs=asked),
    )

    def row(name: str, fared: Fared) -> tuple[str | float | int | None, ...]:
        sums = fared.sums
        return (
            name,
            int(sums["dispatched"]),
            int(sums["due"]),
            int(sums["in_time"]),
            fared.in_time,
            fared.hours,
            int(sums["closed"]),
            int(fared.asked),
            fared.satisfied,
        )

    rows = [row(found.wish.name_of(one), now[one]) for one in order[:MOST_ROWS]]
    if order[MOST_ROWS:]:
        rest = Fared()
        for one in order[MOST_ROWS:]:
            rest.add(now[one].sums)
        rows.append(row(f"其他 {len(order) - MOST_ROWS} 家", rest))
    whole = handling.whole(NOW)
    assert whole is not None
    rows.append(row("合计", whole))
    return Table(
        key="departments",
        title="各承办单位",
        columns=columns,
        rows=tuple(rows),
        note="按时率：期内到期的工单中，到期前已答复的比例。平均用时：期内答复的工单自派单起，单位小时。"
        "满意率：回访到的市民中表示满意的比例，未联系上的不计。",
    )


def _timeliness(found: Gathering, rated: list[tuple[str, Fared]], handling: Handling) -> Chart:
    shown = sorted(rated, key=lambda one: (-one[1].sums["due"], one[0]))[:MOST_BARS]
    return Chart(
        key="timeliness",
        title="到期工单较多的单位：按时答复率（%）",
        shape=Shape.BARS,
        measure=PERCENT,
        labels=tuple(found.wish.name_of(one) for one, _ in shown),
        series=(Series(name="按时率", values=tuple(fared.in_time for _, fared in shown)),),
        runs=handling.runs[NOW][:1],
    )
