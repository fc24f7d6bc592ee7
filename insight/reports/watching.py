"""The chapters about what somebody has to look after: supervision, danger, early warnings.

In: a `Gathering`. Out: sections.
Not known here: SQL, files.
"""

from datetime import datetime

from calls.masking import Known, masked_text
from insight.reports import prose
from insight.reports.asking import Row, bound
from insight.reports.gathering import NOW, Gathering
from insight.reports.numbers import CALLS, COUNT, DAYS, PEOPLE, shown, shown_moment
from insight.reports.types import Cell, Column, Measure, Section, Table
from insight.reports.words import ALARMS, LAYERS, STATES, WARNING_STATES, WORDS

MOST_ROWS = 30
_SUMMARY = 40


def supervision(found: Gathering, unsatisfied: int, asked_run: str) -> Section:
    """Orders that are late, go to and fro, or were answered badly."""
    wish = found.wish
    now = bound(wish.now)
    (row,), counted = found.asker.ask("Q15", NOW, now=now)
    listed, run = found.asker.ask("Q16", NOW, now=now, most=MOST_ROWS, **found.between(NOW))
    table = Table(
        key="supervision",
        title="督办清单",
        columns=(
            Column(name="工单编号"),
            Column(name="诉求"),
            Column(name="区县"),
            Column(name="承办单位"),
            Column(name="状态"),
            Column(name="期限"),
            Column(name="逾期天数", measure=DAYS, runs=(run,)),
            Column(name="原因"),
        ),
        rows=tuple(_listed(found, one) for one in listed),
        note=f"最多列 {MOST_ROWS} 件，逾期最久的在前。" if len(listed) == MOST_ROWS else "",
    )
    when = shown_moment(wish.now, wish.zone)
    return Section(
        key="supervision",
        title="督办事项",
        paragraphs=prose.of_supervision(
            overdue=row["overdue"],
            returned=row["returned"],
            urgent=row["urgent"],
            unsatisfied=unsatisfied,
            when=when,
            runs=(counted, asked_run),
        ),
        tables=(table,) if listed else (),
    )


def safety(found: Gathering) -> Section:
    """Danger that was spoken of, and how calls were taken."""
    alarms, run = found.asker.ask("Q17", NOW, span=NOW)
    (scores,), scored = found.asker.ask("Q18", NOW, span=NOW)
    rows = tuple(
        (ALARMS.get(row["name"], row["name"]), row["n"], row["confirmed"])
        for row in sorted(alarms, key=lambda one: (-one["n"], one["name"]))
    )
    table = Table(
        key="alarms",
        title="安全报警",
        columns=(
            Column(name="险情"),
            Column(name="报警", measure=CALLS, runs=(run,)),
            Column(name="确认属实", measure=CALLS, runs=(run,)),
        ),
        rows=rows,
    )
    return Section(
        key="safety",
        title="安全报警与服务质量",
        paragraphs=prose.of_safety(
            alarms=sum(row["n"] for row in alarms),
            confirmed=sum(row["confirmed"] for row in alarms),
            scored=scores["n"],
            mean=None if scores["mean"] is None else round(scores["mean"], 4),
            runs=(run, scored),
            words=WORDS[found.wish.kind],
        ),
        tables=(table,) if rows else (),
    )


def warnings(found: Gathering) -> Section:
    """What was warned of."""
    wish = found.wish
    meant = {name: value for name, value in found.meant().items() if name != "ids"}
    rows, run = found.asker.ask("Q24", NOW, warning=wish.subject.warning_id, **found.between(NOW), **meant)
    table = Table(
        key="warnings",
        title="预警",
        columns=(
            Column(name="事项"),
            Column(name="范围"),
            Column(name="来源"),
            Column(name="发出时间"),
            Column(name="发出时人数", measure=PEOPLE, runs=(run,)),
            Column(name="平常人数", measure=Measure(unit="人", digits=1), runs=(run,)),
            Column(name="至今人数", measure=PEOPLE, runs=(run,)),
            Column(name="处理"),
        ),
        rows=tuple(
            (
                row["name"],
                row["district"] or "全市",
                LAYERS.get(row["layer"], row["layer"]),
                shown_moment(row["raised_at"], wish.zone),
                row["observed"],
                round(row["expected"], 4),
                row["callers_now"],
                _handled(row),
            )
            for row in rows
        ),
    )
    rated = [row["is_true"] for row in rows]
    return Section(
        key="warnings",
        title="预警情况",
        paragraphs=prose.of_warnings(len(rows), rated.count(1), rated.count(0), run, WORDS[wish.kind]),
        tables=(table,) if rows else (),
    )


def _handled(row: Row) -> str:
    state = WARNING_STATES.get(row["state"], str(row["state"]))
    if row["is_true"] is None:
        return state
    return f"{state}，{'属实' if row['is_true'] else '误报'}"


def _listed(found: Gathering, row: Row) -> tuple[Cell, ...]:
    wish = found.wish
    known = Known(
        names=tuple(filter(None, (row["caller_name"],))), numbers=tuple(filter(None, (row["caller_phone"],)))
    )
    summary = masked_text(row["summary"], known)
    late_days = _late_days(found, row["due_at"]) if row["is_overdue"] else None
    reasons = [
        "逾期未答复" if row["is_overdue"] else "",
        f"退回 {shown(row['returns'], COUNT)} 次" if row["returns"] >= 2 else "",
        "回访不满意" if row["is_unsatisfied"] else "",
        row["urgency"] if row["urgency"] != "普通" else "",
    ]
    return (
        row["order_id"],
        summary if len(summary) <= _SUMMARY else f"{summary[: _SUMMARY - 1]}…",
        row["district"],
        wish.name_of(row["department_id"]),
        STATES.get(row["state"], row["state"]),
        shown_moment(row["due_at"], wish.zone, year=wish.now.year),
        late_days,
        "、".join(filter(None, reasons)),
    )


def _late_days(found: Gathering, due_at: str) -> float:
    return round((found.wish.now - datetime.fromisoformat(due_at)).total_seconds() / 86_400, 4)
