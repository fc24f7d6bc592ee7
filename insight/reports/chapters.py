"""The chapters about what citizens called for: volumes, types, categories, districts, what changed.

In: a `Gathering`. Out: sections with prose, figures, charts and tables.
Not known here: SQL, files.
"""

from insight.reports import prose
from insight.reports.gathering import BEFORE, NOW, YEAR, Counts, Gathering
from insight.reports.hot import moved
from insight.reports.numbers import CHANGE, COUNT, MINUTES, PEOPLE, PERCENT, change, share
from insight.reports.periods import days_of
from insight.reports.types import (
    Cell,
    Chart,
    Column,
    Figure,
    Kind,
    Measure,
    Paragraph,
    Section,
    Series,
    Shape,
    Table,
)
from insight.reports.words import WORDS

MOST_ROWS = 15
MOST_BARS = 10
CROSS_CATEGORIES = 8


def volumes(found: Gathering, extra: tuple[Figure, ...]) -> Section:
    """How much there was; `extra` are figures of other chapters that belong to the first sight."""
    words = WORDS[found.wish.kind]
    figures = (
        _total(found, "matters", "受理诉求", COUNT),
        _total(found, "calls", "市民来电", Measure(unit="通")),
        _total(found, "callers", "来电人数", PEOPLE),
        _total(found, "orders", "形成工单", COUNT),
        _total(found, "urgent", "紧急诉求", COUNT),
        _total(found, "mean_s", "平均通话时长", MINUTES, divisor=60),
        *_answer_rate(found),
        *extra,
    )
    kinds = found.counts("Q06", "kind")
    return Section(
        key="volumes",
        title="总体情况",
        paragraphs=(
            prose.of_volumes(figures, found.wish.period, words),
            *_repeated(found),
            *prose.of_kinds(kinds),
        ),
        figures=figures,
        charts=(_course(found),),
        tables=(compared(found, kinds, key="kinds", title="诉求类型", first="类型"),),
    )


def categories(found: Gathering) -> Section:
    """What it was about."""
    counts = found.counts("Q07", "category")
    return Section(
        key="categories",
        title="诉求类别",
        paragraphs=prose.of_ranking(counts, what="类别", words=WORDS[found.wish.kind]),
        charts=(_bars(counts, key="categories", title="诉求最多的类别", found=found),),
        tables=(compared(found, counts, key="categories", title="各类别诉求", first="类别", most=MOST_ROWS),),
    )


def districts(found: Gathering) -> Section:
    """Where it was."""
    counts = found.counts("Q08", "district")
    return Section(
        key="districts",
        title="区县分布",
        paragraphs=prose.of_ranking(counts, what="区县", words=WORDS[found.wish.kind]),
        charts=(_bars(counts, key="districts", title="各区县诉求", found=found),),
        tables=(
            compared(found, counts, key="districts", title="各区县诉求", first="区县", most=MOST_ROWS),
            *_cross(found),
        ),
    )


def changed(found: Gathering) -> Section | None:
    """What is not as it was; None where nothing is known of the time before."""
    if BEFORE not in found.spans:
        return None
    words = WORDS[found.wish.kind]
    counts = found.counts("Q10")
    now, before = counts.of[NOW], counts.of[BEFORE]
    rows = tuple(
        (name, n, earlier, n - earlier, change(n, earlier) if earlier else None, _how(n, earlier))
        for name, n, earlier in moved(now, before)[:MOST_ROWS]
    )
    table = Table(
        key="changed",
        title="变化最大的事项",
        columns=(
            Column(name="事项"),
            Column(name=words.this, measure=COUNT, runs=counts.runs[:1]),
            Column(name=words.before, measure=COUNT, runs=counts.runs[1:2]),
            Column(name="增减", measure=Measure(is_change=True), runs=counts.runs[:2]),
            Column(name="增减幅度", measure=CHANGE, runs=counts.runs[:2]),
            Column(name="情况"),
        ),
        rows=rows,
        note="按增减超出偶然波动的程度排列，不单看百分比。",
    )
    return Section(
        key="changed",
        title="变化情况",
        paragraphs=prose.of_changes(rows, counts.runs[:2], words),
        tables=(table,) if rows else (),
    )


def compared(
    found: Gathering, counts: Counts, *, key: str, title: str, first: str, most: int | None = None
) -> Table:
    """Names with their numbers, their shares and what they were before."""
    words = WORDS[found.wish.kind]
    total = sum(counts.of[NOW].values())
    runs = dict(zip(found.spans, counts.runs, strict=True))
    columns = [
        Column(name=first),
        Column(name=words.this, measure=COUNT, runs=(runs[NOW],)),
        Column(name="占比", measure=PERCENT, runs=(runs[NOW],)),
    ]
    earlier = [span for span in (BEFORE, YEAR) if span in found.spans]
    for span in earlier:
        then, growth = (
            (words.before, words.compared) if span == BEFORE else (words.a_year_ago, words.compared_year)
        )
        columns.append(Column(name=then, measure=COUNT, runs=(runs[span],)))
        columns.append(Column(name=growth, measure=CHANGE, runs=(runs[NOW], runs[span])))

    def row(name: str, numbers: dict[str, int]) -> tuple[Cell, ...]:
        cells: list[Cell] = [name, numbers[NOW], share(numbers[NOW], total)]
        for span in earlier:
            cells += [numbers[span], change(numbers[NOW], numbers[span])]
        return tuple(cells)

    names = [name for name, _ in counts.now()]
    rows = [row(name, {span: counts.at(span, name) or 0 for span in found.spans}) for name in names[:most]]
    if names[:most] != names:
        rest = names[most:]
        rows.append(
            row(
                f"其他 {len(rest)} 项",
                {
                    span: sum(counts.of[span].values())
                    - sum(counts.at(span, name) or 0 for name in names[:most])
                    for span in found.spans
                },
            )
        )
    rows.append(row("合计", {span: sum(counts.of[span].values()) for span in found.spans}))
    return Table(key=key, title=title, columns=tuple(columns), rows=tuple(rows))


def _total(found: Gathering, name: str, title: str, measure: Measure, *, divisor: float = 1) -> Figure:
    def at(span: str) -> float | None:
        value = found.totals[span][name] if span in found.spans else None
        return None if value is None else round(value / divisor, 4)

    return Figure(
        key=name,
        name=title,
        measure=measure,
        value=at(NOW),
        before=at(BEFORE),
        a_year_ago=at(YEAR),
        runs=found.totals_runs,
    )


def _answer_rate(found: Gathering) -> tuple[Figure, ...]:
    """Of those who called, the share that somebody answered; nothing where nobody tells of a queue."""
    if not found.wish.subject.is_all:
        return ()
    rates, runs = {}, []
    for span in found.spans:
        (row,), run = found.asker.ask("Q25", span, **found.between(span))
        rates[span] = share(row["answered"], row["answered"] + row["abandoned"])
        runs.append(run)
    if rates[NOW] is None:
        return ()
    figure = Figure(
        key="answer_rate",
        name="接通率",
        measure=PERCENT,
        value=rates[NOW],
        before=rates.get(BEFORE),
        a_year_ago=rates.get(YEAR),
        runs=tuple(runs),
    )
    return (figure,)


def _course(found: Gathering) -> Chart:
    """By hours of a day, by days of anything longer; beside the period before."""
    words = WORDS[found.wish.kind]
    spans = [span for span in (NOW, BEFORE) if span in found.spans]
    is_day = found.wish.kind is Kind.DAY
    number, key = ("Q05", "hour") if is_day else ("Q04", "day")
    series, runs, labels = [], [], list[str]()
    for span in spans:
        rows, run = found.asker.ask(number, span, span=span, offset=found.offset(span))
        counted = {row[key]: row["n"] for row in rows}
        places: list[object] = list(range(24))
        if not is_day:
            days = days_of(found.wish.periods[span], found.wish.zone)
            places = [day.isoformat() for day in days]
        if span == NOW:
            labels = (
                [f"{hour}时" for hour in range(24)] if is_day else [f"{day.month}/{day.day}" for day in days]
            )
        values = [counted.get(place, 0) for place in places]
        values += [None] * (len(labels) - len(values))
        series.append(
            Series(name=words.this if span == NOW else words.before, values=tuple(values[: len(labels)]))
        )
        runs.append(run)
    return Chart(
        key="course",
        title="各小时诉求（件）" if is_day else "各日诉求（件）",
        shape=Shape.LINES,
        measure=COUNT,
        labels=tuple(labels),
        series=tuple(series),
        runs=tuple(runs),
    )


def _bars(counts: Counts, *, key: str, title: str, found: Gathering) -> Chart:
    words = WORDS[found.wish.kind]
    names = [name for name, _ in counts.now()][:MOST_BARS]
    spans = [span for span in (NOW, BEFORE) if span in found.spans]
    return Chart(
        key=key,
        title=f"{title}（件）",
        shape=Shape.BARS,
        measure=COUNT,
        labels=tuple(names),
        series=tuple(
            Series(
                name=words.this if span == NOW else words.before,
                values=tuple(counts.at(span, name) for name in names),
            )
            for span in spans
        ),
        runs=counts.runs[: len(spans)],
    )


def _cross(found: Gathering) -> tuple[Table, ...]:
    rows, run = found.asker.ask("Q09", NOW, span=NOW)
    n = {(row["district"], row["category"]): row["n"] for row in rows}
    by_category: dict[str, int] = {}
    by_district: dict[str, int] = {}
    for (district, category), count in n.items():
        by_category[category] = by_category.get(category, 0) + count
        by_district[district] = by_district.get(district, 0) + count
    if len(by_category) < 2 or len(by_district) < 2:
        return ()
    top = sorted(by_category, key=lambda one: (-by_category[one], one))[:CROSS_CATEGORIES]
    places = sorted(by_district, key=lambda one: (-by_district[one], one))[:MOST_ROWS]
    return (
        Table(
            key="cross",
            title="区县与主要类别",
            columns=(
                Column(name="区县"),
                *(Column(name=category, measure=COUNT, runs=(run,)) for category in top),
            ),
            rows=tuple((place, *(n.get((place, category), 0) for category in top)) for place in places),
        ),
    )


def _repeated(found: Gathering) -> tuple[Paragraph, ...]:
    (row,), run = found.asker.ask("Q11", NOW, span=NOW)
    return prose.of_repeated(row["callers"], row["matters"], run, WORDS[found.wish.kind])


def _how(now: int, before: int) -> str:
    if before == 0:
        return "新出现"
    if now == 0:
        return "未再出现"
    return "上升" if now > before else "下降"
