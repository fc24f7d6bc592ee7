"""A month's report of a small city: every figure is computed once more, from the rows, in another way."""

import json
import sqlite3
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from calls.orders.directory import sample_directory
from insight.reports.building import build_report
from insight.reports.periods import period_of
from insight.reports.queries import TONGUES
from insight.reports.types import Figure, Kind, Period, Report, Section, Subject, Table
from knowledge_base.database import migrate, open_database
from tests.report_check import Ledger, Wanted, added, rates
from tests.report_city import NOW, ZONE

NAMES = {unit.unit_id: unit.name for unit in sample_directory().units.values()}
SPANS = (
    (datetime(2026, 3, 1, tzinfo=ZONE), datetime(2026, 4, 1, tzinfo=ZONE)),
    (datetime(2026, 2, 1, tzinfo=ZONE), datetime(2026, 3, 1, tzinfo=ZONE)),
    (datetime(2025, 3, 1, tzinfo=ZONE), datetime(2025, 4, 1, tzinfo=ZONE)),
)


@pytest.fixture(scope="module")
def ledger(city: Path) -> Ledger:
    return Ledger(city / "zhiting.db", ZONE, NOW)


def report(city: Path, kind: Kind = Kind.MONTH, day: date = date(2026, 3, 9), **more: Any) -> Report:
    engine = open_database(city / "zhiting.db")
    period: Period = more.pop("period", None) or period_of(kind, day, ZONE)
    now = more.pop("now", NOW)
    built = build_report(engine, kind=kind, period=period, now=now, zone=ZONE, names=NAMES, **more)
    engine.dispose()
    return built


@pytest.fixture(scope="module")
def month(city: Path) -> Report:
    return report(city)


def section(report: Report, key: str) -> Section:
    (found,) = [one for one in report.sections if one.key == key]
    return found


def table(report: Report, place: str, key: str) -> Table:
    (found,) = [one for one in section(report, place).tables if one.key == key]
    return found


def is_same(told: Figure, now: float | None, before: float | None, year: float | None) -> None:
    for mine, theirs in ((told.value, now), (told.before, before), (told.a_year_ago, year)):
        assert mine == pytest.approx(theirs, abs=1e-3), told


def percent(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole else None


def grown(now: float, before: float) -> float | None:
    return 100 * (now - before) / before if before else None


def test_the_first_figures(month: Report, ledger: Ledger) -> None:
    totals = [ledger.totals(span) for span in SPANS]
    fared = [rates(added(ledger.departments(span).values())) for span in SPANS]
    figures = section(month, "volumes").figures
    assert [figure.key for figure in figures] == [*totals[0], "answer_rate", "in_time", "satisfied"]
    rates_of = [{"answer_rate": ledger.answer_rate(span)} for span in SPANS]
    assert rates_of[0]["answer_rate"] < 100  # type: ignore[operator]
    for figure in figures:
        of: Any = rates_of if figure.key == "answer_rate" else totals if figure.key in totals[0] else fared
        is_same(figure, *(one[figure.key] for one in of))
    assert figures[0].value > 80


@pytest.mark.parametrize(
    ("place", "key", "name_of", "nameless"),
    [
        ("volumes", "kinds", lambda one: one.kind, "未归类"),
        ("categories", "categories", lambda one: one.category, "未归类"),
        ("districts", "districts", lambda one: one.district, "未提到"),
    ],
)
def test_tables_of_names(
    month: Report, ledger: Ledger, place: str, key: str, name_of: Any, nameless: str
) -> None:
    now, before, year = (ledger.by(span, name_of, nameless) for span in SPANS)
    rows = {row[0]: row[1:] for row in table(month, place, key).rows}
    whole = rows.pop("合计")
    assert whole[:1] + whole[2:3] + whole[4:5] == tuple(sum(one.values()) for one in (now, before, year))
    rest = {name: row for name, row in rows.items() if name.startswith("其他 ")}
    listed = [name for name in rows if name not in rest]
    assert listed == [name for name, _ in sorted(now.items(), key=lambda one: (-one[1], one[0]))][:15]
    for name in listed:
        expected = (
            now[name],
            percent(now[name], sum(now.values())),
            before[name],
            grown(now[name], before[name]),
            year[name],
            grown(now[name], year[name]),
        )
        assert rows[name] == pytest.approx(expected, abs=1e-3)
    for row in rest.values():
        assert [row[0], row[2], row[4]] == [
            sum(one.values()) - sum(one[name] for name in listed) for one in (now, before, year)
        ]


def test_the_table_of_districts_and_categories(month: Report, ledger: Ledger) -> None:
    cross = table(month, "districts", "cross")
    found = [one for one in ledger.within(SPANS[0]) if one.district and one.category]
    assert len(cross.columns) == 9
    for row in cross.rows:
        for column, n in zip(cross.columns[1:], row[1:], strict=True):
            assert n == sum((one.district, one.category) == (row[0], column.name) for one in found)
    largest = min(sum(row[place] for row in cross.rows) for place in range(1, 9))  # type: ignore[misc]
    others = {one.category for one in found} - {column.name for column in cross.columns}
    assert all(sum(one.category == name for one in found) <= largest for name in others)


def test_charts(month: Report, ledger: Ledger) -> None:
    (course,) = section(month, "volumes").charts
    assert course.labels == tuple(f"3/{day}" for day in range(1, 32))
    assert list(course.series[0].values) == ledger.days(SPANS[0])
    assert list(course.series[1].values) == [*ledger.days(SPANS[1]), None, None, None]
    for key in ("categories", "districts"):
        (bars,) = section(month, key).charts
        rows = {row[0]: row for row in table(month, key, key).rows}
        assert len(bars.labels) <= 10
        for place, name in enumerate(bars.labels):
            assert [one.values[place] for one in bars.series] == [rows[name][1], rows[name][3]]
    (timeliness,) = section(month, "departments").charts
    rows = {row[0]: row for row in table(month, "departments", "departments").rows}
    assert list(timeliness.series[0].values) == [rows[name][4] for name in timeliness.labels]


def test_departments(month: Report, ledger: Ledger) -> None:
    now, before, year = (ledger.departments(span) for span in SPANS)
    chapter = section(month, "departments")
    wholes = [rates(added(one.values())) for one in (now, before, year)]
    for figure in chapter.figures:
        is_same(figure, *(one[figure.key] for one in wholes))
    rows = {row[0]: row[1:] for row in table(month, "departments", "departments").rows}
    expected = {NAMES[name]: fared for name, fared in now.items()} | {"合计": added(now.values())}
    assert {name for name, fared in expected.items() if fared["dispatched"] or fared["due"]} <= set(rows)
    for name, row in rows.items():
        fared = expected[name]
        told = rates(fared)
        keys = ("dispatched", "due", None, "in_time", "hours", "closed", "asked", "satisfied")
        values = tuple(fared.get("in_time", 0) if key is None else told[key] for key in keys)
        assert row == pytest.approx(values, abs=1e-3)
    text = chapter.paragraphs[1].text
    returns, reworks = (ledger.deeds(SPANS[0], action) for action in ("send_back", "rework"))
    assert f"退回 {returns} 次，中心退回重办 {reworks} 次" in text


def test_what_is_hot_and_its_story(month: Report, ledger: Ledger) -> None:
    now, before = ledger.topics(SPANS[0]), ledger.topics(SPANS[1])
    chapter = section(month, "hot")
    assert chapter.parts[0].title == "水质发黄（供水排水）"
    for place, part in enumerate(chapter.parts, 1):
        name = part.title.split("（")[0]
        n, people = now[name]
        assert people >= 8
        text = part.paragraphs[0].text
        assert f"本月 {n} 件，{people} 人反映" in text
        assert f"上月 {before[name][0]} 件" in text if name in before else "上月没有" in text
        mine = [one for one in ledger.within(SPANS[0]) if one.topic == name]
        days = [one.at.astimezone(ZONE).day for one in mine]
        assert bool(part.charts) == (max(days.count(day) for day in days) >= 3)
        for chart in part.charts:
            assert list(chart.series[0].values) == [days.count(day) for day in range(1, 32)]
        orders = [one.order for one in mine if one.order and one.order["state"] != "merged"]
        answered = sum(one["state"] in ("answered", "followed_up", "closed") for one in orders)
        closed = sum(one["state"] == "closed" for one in orders)
        assert f"工单 {len(orders)} 件，其中已答复 {answered} 件、已办结 {closed} 件" in text
        for district in {one.district for one in mine}:
            assert f"{district} {sum(one.district == district for one in mine)} 件" in text
        quotes = [quote for quote in month.quotes if quote.place == f"hot-{place}"]
        assert quotes
        for quote in quotes:
            (source,) = [one for one in mine if one.call and one.call["call_id"] == quote.call_id]
            assert (source.at, source.district) == (quote.at, quote.district)


def test_what_was_warned_of(month: Report, ledger: Ledger) -> None:
    raised = [datetime.fromisoformat(one["raised_at"]) for one in ledger.warnings]
    mine = [
        one
        for at, one in sorted(zip(raised, ledger.warnings, strict=True), key=lambda pair: pair[0])
        if SPANS[0][0] <= at < SPANS[0][1]
    ]
    assert len(mine) == 2
    chapter = section(month, "warnings")
    assert chapter.paragraphs[0].text == "本月发出预警 2 条，已评为属实 1 条、误报 0 条。"
    for row, one in zip(chapter.tables[0].rows, mine, strict=True):
        numbers = (one["observed"], one["expected"], one["callers_now"])
        assert row[:2] == (one["name"], one["district"] or "全市")
        assert row[4:7] == numbers
        assert row[7] == ("已知悉，属实" if one["is_true"] else "已知悉")


def test_what_changed(month: Report, ledger: Ledger) -> None:
    now, before = ledger.topics(SPANS[0]), ledger.topics(SPANS[1])
    rows = table(month, "changed", "changed").rows
    assert rows[0][0] == "水质发黄"
    assert len(rows) == 15
    for name, n, earlier, more, growth, _ in rows:
        assert (n, earlier) == (now.get(name, (0, 0))[0], before.get(name, (0, 0))[0])  # type: ignore[call-overload]
        assert more == n - earlier  # type: ignore[operator]
        assert growth == pytest.approx(grown(n, earlier), abs=1e-3)  # type: ignore[arg-type]


def test_what_has_to_be_looked_after(month: Report, ledger: Ledger) -> None:
    overdue = {one["order_id"] for one in ledger.orders if ledger.is_overdue(one)}
    chapter = section(month, "supervision")
    rows = {row[0]: row for row in chapter.tables[0].rows}
    assert {name for name, row in rows.items() if "逾期未答复" in str(row[7])} == overdue
    for name in overdue:
        late = NOW - datetime.fromisoformat(ledger.order[str(name)]["due_at"])
        assert rows[name][6] == pytest.approx(late.total_seconds() / 86_400, abs=1e-3)
    is_over = ("closed", "merged")
    returned = [one for one in ledger.orders if one["returns"] >= 2 and one["state"] not in is_over]
    urgent = [
        one
        for one in ledger.orders
        if one["urgency"] in ("紧急", "特急") and one["state"] not in (*is_over, "answered", "followed_up")
    ]
    unsatisfied = added(ledger.departments(SPANS[0]).values())["unsatisfied"]
    assert chapter.paragraphs[0].text == (
        f"截至 4月1日 08:30，逾期未答复 {len(overdue)} 件，多次退回 {len(returned)} 件，"
        f"紧急件未答复 {len(urgent)} 件；期内回访不满意 {unsatisfied:.0f} 件。"
    )


def test_danger_and_repeated_calls(month: Report, ledger: Ledger) -> None:
    counted = {one.call["call_id"] for one in ledger.within(SPANS[0]) if one.call}
    alarms = [one for one in ledger.alarms if one["call_id"] in counted]
    assert f"安全报警 {len(alarms)} 次" in section(month, "safety").paragraphs[0].text
    for _, n, confirmed in table(month, "safety", "alarms").rows if alarms else ():
        assert (n, confirmed) == (len(alarms), sum(bool(one["is_true"]) for one in alarms))
    often: dict[str, list[Wanted]] = {}
    for one in ledger.within(SPANS[0]):
        if one.caller:
            often.setdefault(one.caller, []).append(one)
    many = [len(some) for some in often.values() if len(some) >= 3]
    told = f"{len(many)} 个号码来电三次及以上，共 {sum(many)} 件"
    assert (told in section(month, "volumes").paragraphs[1].text) == bool(many)


def test_nothing_else_stands_in_the_report(month: Report) -> None:
    """Every figure, table and chart is computed again above."""

    def of(some: tuple[Section, ...]) -> list[Section]:
        return [one for each in some for one in (each, *of(each.parts))]

    every = of(month.sections)
    assert {one.key for each in every for one in each.tables} <= {
        *(
            "kinds",
            "categories",
            "districts",
            "cross",
            "departments",
            "changed",
            "supervision",
            "alarms",
            "warnings",
        )
    }
    assert {one.key for each in every for one in each.figures} == {
        *("matters", "calls", "callers", "orders", "urgent", "mean_s", "answer_rate"),
        *("in_time", "satisfied", "dispatched", "closed", "due", "hours", "asked"),
    }
    hot = {one.key for one in section(month, "hot").parts}
    drawn = {one.key for each in every for one in each.charts}
    assert drawn - hot == {"course", "categories", "districts", "timeliness"}
    assert "hot-1" in drawn


def test_whoever_asks_the_queries_again_gets_as_many_rows(month: Report, city: Path) -> None:
    names = [run.run_id for run in month.runs]
    assert len(set(names)) == len(names)
    told = {run for each in _everything(month) for run in each}
    assert told <= set(names)
    connection = sqlite3.connect(f"file:{city / 'zhiting.db'}?mode=ro", uri=True)
    connection.executescript(TONGUES["sqlite"].temporary)
    for run in month.runs:
        cursor = connection.execute(run.sql, run.parameters)
        n = len(cursor.fetchall()) if cursor.description else cursor.rowcount
        assert n == run.n_rows, run.run_id
    connection.close()


def _everything(report: Report) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []

    def see(each: Section) -> None:
        for one in (*each.figures, *each.charts):
            assert one.runs, one.key
            found.append(one.runs)
        for one in each.tables:
            for column in one.columns:
                assert bool(column.runs) == (column.measure is not None), column
                found.append(column.runs)
        found.extend(one.runs for one in each.paragraphs)
        for part in each.parts:
            see(part)

    for each in report.sections:
        see(each)
    return found


def test_no_number_and_no_name_of_a_citizen_is_told(month: Report, ledger: Ledger) -> None:
    text = json.dumps([repr(month.sections), [quote.text for quote in month.quotes]], ensure_ascii=False)
    for one in ledger.wanted:
        assert not (one.caller and one.caller in text)
    assert "王小明" not in text


def test_a_day_and_a_week(city: Path, ledger: Ledger) -> None:
    day = report(city, Kind.DAY, date(2026, 3, 18), now=datetime(2026, 3, 19, 8, tzinfo=ZONE))
    span = (datetime(2026, 3, 18, tzinfo=ZONE), datetime(2026, 3, 19, tzinfo=ZONE))
    assert day.title == "12345热线日报 2026年3月18日（星期三）"
    assert section(day, "volumes").figures[0].value == len(ledger.within(span))
    assert list(section(day, "volumes").charts[0].series[0].values) == ledger.hours(span)
    week = report(city, Kind.WEEK, date(2026, 3, 18))
    span = (datetime(2026, 3, 16, tzinfo=ZONE), datetime(2026, 3, 23, tzinfo=ZONE))
    assert week.title == "12345热线周报 2026年第12周（3月16日—3月22日）"
    assert list(section(week, "volumes").charts[0].series[0].values) == ledger.days(span)


def test_one_matter_one_district_and_one_department(city: Path, ledger: Ledger) -> None:
    for subject, is_meant in (
        (Subject(matter="水质发黄"), lambda one: one.topic == "水质发黄"),
        (Subject(matter="供水排水"), lambda one: one.category == "供水排水"),
        (Subject(district="普陀区"), lambda one: one.district == "普陀区"),
        (Subject(department_id="SZ15"), lambda one: one.department == "SZ15"),
    ):
        built = report(
            city, Kind.ISSUE, period=period_of(Kind.MONTH, date(2026, 3, 1), ZONE), subject=subject
        )
        expected = [one for one in ledger.within(SPANS[0]) if is_meant(one)]
        assert section(built, "volumes").figures[0].value == len(expected) > 0
        listed = (
            [row[0] for row in section(built, "supervision").tables[0].rows]
            if section(built, "supervision").tables
            else []
        )
        for name in listed:
            order = ledger.order[str(name)]
            if subject.district:
                assert order["district"] == subject.district


def test_a_city_without_anything(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "zhiting.db")
    migrate(engine)
    engine.dispose()
    built = report(tmp_path)
    assert section(built, "volumes").figures[0].value == 0
    assert section(built, "volumes").figures[0].before is None
    assert "没有可比的数据" in section(built, "volumes").paragraphs[0].text
