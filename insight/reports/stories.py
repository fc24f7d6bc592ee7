"""The chapter of hot matters: the story of each, and what citizens said of it.

In: a `Gathering`. Out: a section with a part for each matter, and quotes that name their calls.
Not known here: SQL, files, who may read it: what leads to a person is hidden already.
"""

from datetime import date, datetime

from calls.masking import Known, masked_text
from insight.reports import prose
from insight.reports.asking import Row
from insight.reports.gathering import BEFORE, NOW, UNNAMED, Gathering
from insight.reports.hot import Topic, hot_topics
from insight.reports.numbers import COUNT
from insight.reports.periods import days_of
from insight.reports.types import Chart, Kind, Quote, Section, Series, Shape
from insight.reports.words import WORDS

MOST_TOPICS = 5
MOST_QUOTES = 3
_READ = 400
_WORTH_A_CHART = 3
"""On the day with the most."""
_SHORTEST, _LONGEST = 8, 90


def stories(found: Gathering) -> tuple[Section, tuple[Quote, ...]]:
    """The matters that are worth telling."""
    topics, runs = _topics(found)
    wish = found.wish
    chosen = [one for one in topics if one.name == wish.subject.matter] if wish.subject.matter else []
    chosen = chosen or hot_topics(topics, floor=wish.floor, most=MOST_TOPICS)
    parts: list[Section] = []
    quotes: list[Quote] = []
    for place, topic in enumerate(chosen, 1):
        part, said = _story(found, topic, place, runs)
        parts.append(part)
        quotes += said
    section = Section(
        key="hot",
        title="热点诉求" if not wish.subject.matter else "事项经过",
        paragraphs=prose.of_hot([topic.name for topic in chosen], WORDS[wish.kind])
        if not wish.subject.matter
        else (),
        parts=tuple(parts),
    )
    return section, tuple(quotes)


def _topics(found: Gathering) -> tuple[list[Topic], tuple[str, ...]]:
    rows, run = found.asker.ask("Q10", NOW, span=NOW)
    before: dict[str, Row] = {}
    runs = [run]
    has_before = BEFORE in found.spans
    if has_before:
        earlier, run = found.asker.ask("Q10", BEFORE, span=BEFORE)
        before = {row["name"]: row for row in earlier}
        runs.append(run)
    none = {"n": 0, "callers": 0}
    topics = [
        Topic(
            name=row["name"],
            category=row["category"],
            n=row["n"],
            callers=row["callers"],
            n_before=before.get(row["name"], none)["n"] if has_before else None,
            callers_before=before.get(row["name"], none)["callers"] if has_before else None,
        )
        for row in rows
    ]
    return topics, tuple(runs)


def _story(
    found: Gathering, topic: Topic, place: int, counted: tuple[str, ...]
) -> tuple[Section, tuple[Quote, ...]]:
    wish, what, name = found.wish, f"{NOW}.热点{place}", topic.name
    key = f"hot-{place}"
    rows, by_day = found.asker.ask("Q19", what, span=NOW, topic=name, offset=found.offset(NOW))
    n_of = {row["day"]: row["n"] for row in rows}
    days = [(day, n_of.get(day.isoformat(), 0)) for day in days_of(wish.period, wish.zone)]
    rows, by_district = found.asker.ask("Q20", what, span=NOW, topic=name)
    districts = _most_first(rows, lambda one: one or UNNAMED["district"], "name")
    (done,), by_order = found.asker.ask("Q21", what, span=NOW, topic=name)
    rows, by_department = found.asker.ask("Q22", what, span=NOW, topic=name)
    departments = _most_first(rows, wish.name_of, "department_id")
    runs = (*counted, by_day, by_district, by_order, by_department)
    chart = Chart(
        key=key,
        title=f"{name}：各日诉求（件）",
        shape=Shape.COLUMNS,
        measure=COUNT,
        labels=tuple(f"{day.month}/{day.day}" for day, _ in days),
        series=(Series(name=WORDS[wish.kind].this, values=tuple(n for _, n in days)),),
        runs=(by_day,),
    )
    story = prose.of_topic(
        n=topic.n,
        callers=topic.callers,
        n_before=topic.n_before,
        days=[(_written(day), n) for day, n in days],
        districts=districts,
        departments=departments,
        orders=done["orders"],
        answered=done["answered"],
        closed=done["closed"],
        runs=runs,
        words=WORDS[wish.kind],
    )
    section = Section(
        key=key,
        title=name if topic.category in ("", name) else f"{name}（{topic.category}）",
        paragraphs=(story,),
        charts=(chart,) if max(n for _, n in days) >= _WORTH_A_CHART and wish.kind is not Kind.DAY else (),
    )
    rows, _ = found.asker.ask("Q23", what, span=NOW, topic=name, most=_READ)
    return section, _quotes(rows, key)


def _quotes(rows: list[Row], place: str) -> tuple[Quote, ...]:
    """A few, of different districts where there are, that say enough to be read and not too much."""
    fit = [row for row in rows if _SHORTEST <= len(row["said"].strip()) <= _LONGEST]
    fit = fit or [row for row in rows if len(row["said"].strip()) > _LONGEST]
    chosen: list[Row] = []
    for row in [*_first_of_each_district(fit), *fit]:
        said = [other["said"] for other in chosen]
        if len(chosen) < MOST_QUOTES and row["said"] not in said:
            chosen.append(row)
    return tuple(_quote(row, place) for row in sorted(chosen, key=lambda row: str(row["at"])))


def _quote(row: Row, place: str) -> Quote:
    numbers = tuple(filter(None, (row["caller_phone"], row["caller"])))
    names = tuple(filter(None, (row["caller_name"],)))
    text = masked_text(row["said"].strip(), Known(names=names, numbers=numbers))
    return Quote(
        place=place,
        text=text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…",
        at=datetime.fromisoformat(row["at"]),
        district=row["district"],
        call_id=row["call_id"],
        order_id=row["order_id"],
    )


def _first_of_each_district(rows: list[Row]) -> list[Row]:
    seen: dict[str, Row] = {}
    for row in rows:
        seen.setdefault(row["district"], row)
    return list(seen.values())


def _most_first(rows: list[Row], name_of: object, column: str) -> list[tuple[str, int]]:
    assert callable(name_of)
    return sorted(((name_of(row[column]), row["n"]) for row in rows), key=lambda one: (-one[1], one[0]))


def _written(day: date) -> str:
    return f"{day.month}月{day.day}日"
