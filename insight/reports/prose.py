"""The sentences of a report, made of its numbers by rules. Pure.

In: figures, counts, rows. Out: paragraphs with the runs that their numbers come from.
Not known here: queries, files. No number stands in a sentence that was not given.
"""

from collections.abc import Mapping, Sequence
from math import sqrt

from insight.reports.gathering import BEFORE, NOW, Counts
from insight.reports.hot import moved
from insight.reports.numbers import CHANGE, PERCENT, POINTS, change, share, shown, told_change
from insight.reports.types import Cell, Figure, Paragraph, Period
from insight.reports.words import Words

_NAMED = 3


def of_volumes(figures: Sequence[Figure], period: Period, words: Words) -> Paragraph:
    """How much there was, and against what."""
    by_key = {figure.key: figure for figure in figures}
    matters = by_key["matters"]
    parts = [
        f"{period.label}，热线共受理诉求 {_of(matters)}，其中市民来电 {_of(by_key['calls'])}，"
        f"来自 {_of(by_key['callers'])}；形成工单 {_of(by_key['orders'])}，紧急诉求 {_of(by_key['urgent'])}。"
    ]
    told = told_change(change(matters.value, matters.before))
    if told:
        parts.append(f"诉求量{words.compared}{told}（{words.before} {_before(matters)}）")
        year = told_change(change(matters.value, matters.a_year_ago))
        parts.append(f"，同比{year}（{words.a_year_ago} {shown(matters.a_year_ago)} 件）。" if year else "。")
    else:
        parts.append(f"{words.before}没有可比的数据。")
    for key, name in (
        ("answer_rate", "接通率"),
        ("in_time", "到期工单按时答复率"),
        ("satisfied", "回访满意率"),
    ):
        figure = by_key.get(key)
        if figure is not None and figure.value is not None:
            told = told_change(change(figure.value, figure.before, figure.measure), figure.measure)
            parts.append(
                f"{name} {shown(figure.value, figure.measure)}{f'，{words.compared}{told}' if told else ''}。"
            )
    runs = tuple(dict.fromkeys(run for figure in figures for run in figure.runs))
    return Paragraph(text="".join(parts), runs=runs)


def of_repeated(callers: int, matters: int, run: str, words: Words) -> tuple[Paragraph, ...]:
    """Who called again and again."""
    if not callers:
        return ()
    told = f"{words.this}有 {shown(callers)} 个号码来电三次及以上，共 {shown(matters)} 件"
    text = f"{told}，宜逐一核实诉求是否办好。"
    return (Paragraph(text=text, runs=(run,)),)


def of_kinds(counts: Counts) -> tuple[Paragraph, ...]:
    """What kinds of wishes they were."""
    total = sum(counts.of[NOW].values())
    if not total:
        return ()
    told = "、".join(f"{name} {shown(n)} 件（{shown(share(n, total), PERCENT)}）" for name, n in counts.now())
    return (Paragraph(text=f"按类型看：{told}。", runs=counts.runs[:1]),)


def of_ranking(counts: Counts, *, what: str, words: Words) -> tuple[Paragraph, ...]:
    """The first of a ranking, and which of the larger ones moved the most."""
    total, first = sum(counts.of[NOW].values()), counts.now()
    if not total:
        return (Paragraph(text=f"{words.this}没有诉求。", runs=counts.runs[:1]),)
    named = first[:_NAMED]
    sum_share = shown(share(sum(n for _, n in named), total), PERCENT)
    told = "、".join(f"“{name}”{shown(n)} 件" for name, n in named)
    end = f"，合计占 {sum_share}" if len(first) > len(named) else ""
    parts = [f"诉求最多的{what}是{told}{end}。"]
    if BEFORE in counts.of:
        most = moved(counts.of[NOW], counts.of[BEFORE])
        parts += _most_moved([one for one in most if one[1] > one[2] > 0], "上升最明显", words)
        parts += _most_moved([one for one in most if 0 < one[1] < one[2]], "下降最明显", words)
    return (Paragraph(text="".join(parts), runs=counts.runs[:2]),)


def of_changes(
    rows: Sequence[tuple[Cell, ...]], runs: tuple[str, ...], words: Words
) -> tuple[Paragraph, ...]:
    """What came, what went."""
    grown = [row for row in rows if row[5] == "上升"]
    fallen = [row for row in rows if row[5] in ("下降", "未再出现")]
    new = [row for row in rows if row[5] == "新出现"]
    parts = []
    if grown:
        told = "、".join(f"“{row[0]}”由 {_int(row[2])} 件增至 {_int(row[1])} 件" for row in grown[:_NAMED])
        parts.append(f"上升明显的有{told}。")
    if fallen:
        told = "、".join(f"“{row[0]}”由 {_int(row[2])} 件降至 {_int(row[1])} 件" for row in fallen[:_NAMED])
        parts.append(f"回落明显的有{told}。")
    if new:
        told = "、".join(f"“{row[0]}”{_int(row[1])} 件" for row in new[:_NAMED])
        parts.append(f"{words.before}没有而{words.this}出现的有{told}。")
    text = "".join(parts) or f"与{words.before}相比没有明显变化。"
    return (Paragraph(text=text, runs=runs),)


def of_departments(
    figures: Mapping[str, Figure], worst: Sequence[tuple[str, float, int]], n_departments: int, words: Words
) -> tuple[Paragraph, ...]:
    """How departments fared; `worst` are names, shares in time, and how many were due."""
    dispatched, due, in_time = figures["dispatched"], figures["due"], figures["in_time"]
    parts = [
        f"{words.this}向 {shown(n_departments)} 家承办单位派单 {_of(dispatched)}，"
        f"办结 {_of(figures['closed'])}。"
    ]
    if due.value:
        told = told_change(change(in_time.value, in_time.before, in_time.measure), in_time.measure)
        parts.append(
            f"期内到期 {_of(due)}，按时答复率 {shown(in_time.value, in_time.measure)}"
            f"{f'，{words.compared}{told}' if told else ''}。"
        )
    hours = figures["hours"]
    if hours.value is not None:
        parts.append(f"已答复的工单自派单起平均用时 {shown(hours.value, hours.measure, with_unit=True)}。")
    satisfied = figures["satisfied"]
    if satisfied.value is not None:
        told = told_change(change(satisfied.value, satisfied.before, satisfied.measure), satisfied.measure)
        parts.append(
            f"回访 {_of(figures['asked'])}，满意率 {shown(satisfied.value, satisfied.measure)}"
            f"{f'，{words.compared}{told}' if told else ''}。"
        )
    if worst:
        names = "、".join(f"{name}（{shown(rate, PERCENT)}，到期 {shown(n)} 件）" for name, rate, n in worst)
        parts.append(f"按时率靠后的单位：{names}。")
    runs = tuple(dict.fromkeys(run for figure in figures.values() for run in figure.runs))
    return (Paragraph(text="".join(parts), runs=runs),)


def of_topic(
    *,
    n: int,
    callers: int,
    n_before: int | None,
    days: Sequence[tuple[str, int]],
    districts: Sequence[tuple[str, int]],
    departments: Sequence[tuple[str, int]],
    orders: int,
    answered: int,
    closed: int,
    runs: tuple[str, ...],
    words: Words,
) -> Paragraph:
    """The story of a matter: how many, since when, where, at whom, how far."""
    told = told_change(change(n, n_before)) if n_before else ""
    parts = [f"{words.this} {shown(n)} 件，{shown(callers)} 人反映"]
    if told:
        parts.append(f"，{words.compared}{told}（{words.before} {shown(n_before)} 件）")
    elif n_before == 0:
        parts.append(f"，{words.before}没有")
    parts.append("。")
    with_some = [one for one in days if one[1]]
    if len(days) > 1 and with_some:
        peak = max(with_some, key=lambda one: one[1])
        if len(with_some) == 1:
            parts.append(f"全部集中在 {peak[0]}。")
        else:
            parts.append(f"自 {with_some[0][0]} 起有反映，{peak[0]} 最多，为 {shown(peak[1])} 件；")
            last = with_some[-1]
            parts.append(f"最近一天是 {last[0]}，{shown(last[1])} 件。")
    if districts:
        parts.append(
            "分布：" + "、".join(f"{name} {shown(count)} 件" for name, count in districts[:4]) + "。"
        )
    if departments:
        parts.append(
            "主要由"
            + "、".join(f"{name}（{shown(count)} 件）" for name, count in departments[:_NAMED])
            + "承办。"
        )
    if orders:
        parts.append(
            f"已形成工单 {shown(orders)} 件，其中已答复 {shown(answered)} 件、已办结 {shown(closed)} 件。"
        )
    return Paragraph(text="".join(parts), runs=runs)


def of_hot(names: Sequence[str], words: Words) -> tuple[Paragraph, ...]:
    """Which matters are told, and by what they were chosen."""
    if not names:
        return (Paragraph(text=f"{words.this}没有达到热点的事项。"),)
    told = "、".join(f"“{name}”" for name in names)
    return (Paragraph(text=f"{words.this}需要关注的是{told}。按来电人数超出{words.before}的程度选出。"),)


def of_supervision(
    *, overdue: int, returned: int, urgent: int, unsatisfied: int, when: str, runs: tuple[str, ...]
) -> tuple[Paragraph, ...]:
    """What somebody has to look after."""
    text = (
        f"截至 {when}，逾期未答复 {shown(overdue)} 件，多次退回 {shown(returned)} 件，"
        f"紧急件未答复 {shown(urgent)} 件；期内回访不满意 {shown(unsatisfied)} 件。"
    )
    return (Paragraph(text=text, runs=runs),)


def of_safety(
    *, alarms: int, confirmed: int, scored: int, mean: float | None, runs: tuple[str, ...], words: Words
) -> tuple[Paragraph, ...]:
    """Danger in calls, and how operators did."""
    parts = [f"{words.this}通话中触发安全报警 {shown(alarms)} 次"]
    parts.append(f"，其中确认属实 {shown(confirmed)} 次。" if alarms else "。")
    if mean is not None:
        parts.append(f"服务质检 {shown(scored)} 通，平均 {shown(mean, POINTS, with_unit=True)}。")
    return (Paragraph(text="".join(parts), runs=runs),)


def of_warnings(n: int, rated_true: int, rated_false: int, run: str, words: Words) -> tuple[Paragraph, ...]:
    """What was warned of."""
    if not n:
        return (Paragraph(text=f"{words.this}没有发出预警。", runs=(run,)),)
    rated = (
        f"，已评为属实 {shown(rated_true)} 条、误报 {shown(rated_false)} 条"
        if rated_true + rated_false
        else ""
    )
    return (Paragraph(text=f"{words.this}发出预警 {shown(n)} 条{rated}。", runs=(run,)),)


def _most_moved(rows: Sequence[tuple[str, int, int]], how: str, words: Words) -> list[str]:
    if not rows:
        return []
    name, now, earlier = rows[0]
    if abs(now - earlier) < sqrt(max(now, earlier)):  # as much as chance moves
        return []
    told = shown(change(now, earlier), CHANGE)
    return [f"{words.compared}{how}的是“{name}”，由 {shown(earlier)} 件变为 {shown(now)} 件（{told}）。"]


def _of(figure: Figure) -> str:
    return f"{shown(figure.value, figure.measure)} {figure.measure.unit}"


def _before(figure: Figure) -> str:
    return f"{shown(figure.before, figure.measure)} {figure.measure.unit}"


def _int(cell: Cell) -> str:
    assert isinstance(cell, int)
    return shown(cell)


def of_returns(returns: int, reworks: int, run: str, words: Words) -> tuple[Paragraph, ...]:
    """How often orders went backwards."""
    if not returns and not reworks:
        return ()
    text = f"{words.this}承办单位退回 {shown(returns)} 次，中心退回重办 {shown(reworks)} 次。"
    return (Paragraph(text=text, runs=(run,)),)
