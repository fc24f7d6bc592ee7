"""Reports that are kept: made on request and by themselves, listed, removed, deleted with their calls."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from calls.audio.sound import Recordings
from calls.keeping.deletion import Deleter
from calls.keeping.types import What
from insight.reports.desk import ReportDesk
from insight.reports.schedule import Plan, due
from insight.reports.types import BadWish, Kind, Subject, TooBusy, UnknownReport
from knowledge_base.database import migrate, open_database
from tests.databases import both_databases
from tests.house import running
from tests.report_city import ZONE, Month, found_city
from tests.test_door import PASSWORD, peopled, signed_in

NOW = datetime(2026, 4, 1, 8, 30, tzinfo=ZONE)
MARCH = Month(date(2026, 3, 1), 31, 40, outbreak=("供水排水", "水质发黄", "普陀区", 20, 10))


@dataclass
class Moving:
    now: datetime = NOW
    plan: Plan = field(default_factory=Plan)


@pytest.fixture
def at() -> Moving:
    return Moving()


@pytest.fixture
def desk(engine: Engine, at: Moving) -> ReportDesk:
    return opened(engine, at)


def opened(engine: Engine, at: Moving) -> ReportDesk:
    return ReportDesk.open(
        engine, timezone="Asia/Shanghai", clock=lambda: at.now, plan=lambda: at.plan, names=dict
    )


async def seed(engine: Engine, folder: Path, *months: Month) -> None:
    await found_city(engine, folder, list(months or (MARCH,)), until=NOW)


def slots(desk: ReportDesk) -> list[tuple[Kind, str]]:
    kept, _ = desk.store.list_reports(limit=200)
    return sorted((one.kind, f"{one.start.astimezone(ZONE):%m-%d}") for one in kept)


async def test_the_schedule_makes_what_is_over_once(
    desk: ReportDesk, engine: Engine, at: Moving, tmp_path: Path
) -> None:
    await seed(engine, tmp_path)
    assert desk.catch_up() == 7 + 4 + 1  # days, weeks, and March: before it nobody called
    assert slots(desk) == [
        *[(Kind.DAY, f"03-{day}") for day in range(25, 32)],
        (Kind.MONTH, "03-01"),
        *[(Kind.WEEK, f"03-{day:02}") for day in (2, 9, 16, 23)],
    ]
    assert all(one.made_by == "" for one in desk.store.list_reports()[0])
    assert opened(engine, at).catch_up() == 0  # so it is after a restart
    at.now += timedelta(hours=21)  # 5:30 the next morning
    assert desk.catch_up() == 0
    at.now += timedelta(hours=1)
    assert desk.catch_up() == 1
    assert slots(desk)[0] == (Kind.DAY, "03-25")
    assert (Kind.DAY, "04-01") in slots(desk)


async def test_a_report_that_was_removed_is_not_made_again(
    desk: ReportDesk, engine: Engine, at: Moving, tmp_path: Path
) -> None:
    at.plan = Plan(day=False, week=False)
    await seed(engine, tmp_path)
    assert desk.catch_up() == 1
    (kept,), _ = desk.store.list_reports()
    desk.store.remove(kept.report_id, at.now)
    assert desk.store.list_reports() == ([], 0)
    with pytest.raises(UnknownReport):
        desk.store.report(kept.report_id)
    assert desk.store.restore(kept.report_id) == kept
    desk.store.remove(kept.report_id, at.now)
    at.now += timedelta(days=29)
    assert desk.catch_up() == 0
    assert desk.store.restore(kept.report_id) == kept
    desk.store.remove(kept.report_id, at.now)
    at.now += timedelta(days=31)  # too late to bring it back
    at.plan = Plan(day=False, week=False, month=False)
    desk.catch_up()
    with pytest.raises(UnknownReport):
        desk.store.restore(kept.report_id)
    assert desk.store.is_made(Kind.MONTH, kept.start)


@both_databases
async def test_old_reports_go(desk: ReportDesk, engine: Engine, at: Moving, tmp_path: Path) -> None:
    await seed(engine, tmp_path)
    at.plan = Plan(keep_days=10)
    desk.catch_up()
    mine = desk.make(Kind.DAY, date(2026, 3, 20), made_by="王敏")
    at.now += timedelta(days=11)
    at.plan = Plan(day=False, week=False, month=False, keep_days=10)
    desk.catch_up()
    assert desk.store.list_reports() == ([], 0)
    with engine.connect() as connection:
        words = connection.exec_driver_sql("SELECT count(*) FROM report_words").scalar()
        rows = connection.exec_driver_sql("SELECT count(*) FROM reports WHERE content IS NOT NULL").scalar()
    assert (words, rows) == (0, 0)
    with pytest.raises(UnknownReport):
        desk.store.kept(mine.report_id)


@pytest.mark.parametrize("hour", [0, 6, 23])
def test_nothing_is_due_before_its_hour(hour: int) -> None:
    midnight = datetime(2026, 4, 1, tzinfo=ZONE)
    first = datetime(2026, 3, 31, 9, tzinfo=ZONE)
    plan = Plan(week=False, month=False, hour=hour)
    early, late = midnight + timedelta(hours=hour, seconds=-1), midnight + timedelta(hours=hour)
    assert [period.start.day for _, period in due(plan, early, ZONE, first)] == []
    assert [period.start.day for _, period in due(plan, late, ZONE, first)] == [31]
    assert due(plan, late, ZONE, None) == []
    assert due(Plan(day=False, week=False, month=False), late, ZONE, first) == []


@both_databases
async def test_words_of_a_call_go_with_the_call(desk: ReportDesk, engine: Engine, tmp_path: Path) -> None:
    await seed(engine, tmp_path)
    kept = desk.make_issue(Subject(matter="水质发黄"), date(2026, 3, 1), date(2026, 3, 31), made_by="王敏")
    quotes = desk.store.report(kept.report_id).quotes
    gone = next(quote for quote in quotes if quote.call_id)
    assert gone.call_id is not None
    folder = tmp_path / "audio"
    folder.mkdir()
    deleter = Deleter(engine, Recordings(folder=folder, keys=None))
    deleter.delete(gone.call_id, What.CALL, who="王敏", reason="市民要求", now=NOW)
    assert desk.store.report(kept.report_id).quotes == tuple(one for one in quotes if one is not gone)


async def test_wishes_that_make_no_report(
    desk: ReportDesk, engine: Engine, at: Moving, tmp_path: Path
) -> None:
    day = date(2026, 3, 9)
    wishes: list[Callable[[], object]] = [
        lambda: desk.make(Kind.ISSUE, day, made_by=""),
        lambda: desk.make(Kind.DAY, date(2026, 4, 2), made_by=""),
        lambda: desk.make_issue(Subject(), day, day, made_by=""),
        lambda: desk.make_issue(Subject(district="普陀区"), day, day - timedelta(days=1), made_by=""),
        lambda: desk.make_issue(Subject(district="普陀区"), day, day + timedelta(days=400), made_by=""),
    ]
    for wish in wishes:
        with pytest.raises(BadWish):
            wish()
    assert desk.store.list_reports() == ([], 0)


async def test_many_who_ask_at_once_wait_or_are_told(desk: ReportDesk) -> None:
    with desk._making:
        asked = [asyncio.to_thread(desk.make, Kind.DAY, date(2026, 3, 9), made_by="王敏") for _ in range(4)]
        waiting = [asyncio.create_task(one) for one in asked]  # type: ignore[arg-type]
        while desk._room.acquire(blocking=False):  # until all four stand there
            desk._room.release()
            await asyncio.sleep(0.01)
        with pytest.raises(TooBusy):
            desk.make(Kind.DAY, date(2026, 3, 9), made_by="王敏")
    assert len({one.report_id for one in await asyncio.gather(*waiting)}) == 4


# -- over REST ----------------------------------------------------------------------------------------------


async def prepared(folder: Path) -> None:
    engine = open_database(folder / "zhiting.db")
    migrate(engine)
    earlier = replace(MARCH, first=date(2024, 3, 1))  # the house goes by the clock on the wall
    await found_city(engine, folder, [earlier], until=datetime(2024, 4, 1, tzinfo=ZONE))
    engine.dispose()


async def test_reports_over_rest(tmp_path: Path) -> None:
    await prepared(tmp_path)
    async with (
        running(tmp_path, report_day=False, report_week=False, report_month=False) as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        await reads_and_makes(client)


async def reads_and_makes(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/reports")).json() == {"reports": [], "total": 0}
    choices = (await client.get("/v1/reports/choices")).json()
    assert {"matters", "districts", "departments"} == set(choices)
    made = await client.post("/v1/reports", json={"kind": "month", "day": "2024-03-09", "author": "王敏"})
    assert made.status_code == 201, made.text
    report_id = made.json()["report_id"]
    assert made.json()["made_by"] == "王敏"
    whole = (await client.get(f"/v1/reports/{report_id}")).json()
    volumes = whole["content"]["sections"][0]
    assert volumes["figures"][0]["value"] == 50
    assert whole["drawings"]["course"]["paths"]
    issue = {"kind": "issue", "first": "2024-03-01", "last": "2024-03-31"}
    made = await client.post("/v1/reports", json=issue | {"matter": "水质发黄"})
    assert made.json()["title"] == "“水质发黄”专题报告（2024年3月1日—3月31日）"
    of_warning = await client.post(
        "/v1/reports", json={"kind": "issue", "warning_id": await first_warning(client)}
    )
    assert of_warning.json()["title"].startswith("“水质发黄")
    assert (await client.delete(f"/v1/reports/{of_warning.json()['report_id']}")).status_code == 204
    listed = (await client.get("/v1/reports", params={"kind": "issue"})).json()
    assert (listed["total"], listed["reports"][0]["kind"]) == (1, "issue")
    for body, status, code in (
        (issue, 422, "report.bad_wish"),
        ({"kind": "month"}, 422, "report.bad_wish"),
        (issue | {"last": "2024-02-01", "matter": "停水"}, 422, "report.bad_wish"),
        ({"kind": "issue", "warning_id": "w-0"}, 404, "warning.unknown"),
    ):
        answer = await client.post("/v1/reports", json=body)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (status, code)
    assert (await client.delete(f"/v1/reports/{report_id}")).status_code == 204
    gone = await client.get(f"/v1/reports/{report_id}")
    assert (gone.status_code, gone.json()["detail"]["code"]) == (404, "report.unknown")
    assert (await client.post(f"/v1/reports/{report_id}/restore")).json()["report_id"] == report_id


async def first_warning(client: httpx.AsyncClient) -> str:
    warnings = (await client.get("/v1/warnings")).json()["warnings"]
    return str(warnings[0]["warning_id"])


async def test_a_department_sees_reports_about_it_alone(tmp_path: Path) -> None:
    await prepared(tmp_path)
    settings = {"report_day": False, "report_week": False, "report_month": False}
    async with peopled(tmp_path, **settings) as house:
        async with signed_in(house, "admin") as boss:
            clerk_account = {
                "name": "clerk",
                "role": "department",
                "department_id": "SZ15",
                "password": PASSWORD,
            }
            assert (await boss.post("/v1/accounts", json=clerk_account)).status_code == 201
            body = {"kind": "issue", "first": "2024-03-01", "last": "2024-03-31"}
            mine = (await boss.post("/v1/reports", json=body | {"department_id": "SZ15"})).json()
            other = (await boss.post("/v1/reports", json=body | {"district": "普陀区"})).json()
        async with signed_in(house, "clerk") as clerk:
            listed = (await clerk.get("/v1/reports")).json()["reports"]
            assert [one["report_id"] for one in listed] == [mine["report_id"]]
            for path in (f"/v1/reports/{other['report_id']}",):
                assert (await clerk.get(path)).status_code == 404
                assert (await clerk.delete(path)).status_code == 404
            made = (await clerk.post("/v1/reports", json=body | {"department_id": "SZ01"})).json()
            assert made["subject"]["department_id"] == "SZ15"
            answer = await clerk.post("/v1/reports", json={"kind": "month", "day": "2024-03-01"})
            assert answer.json()["detail"]["code"] == "report.bad_wish"
        async with signed_in(house, "li") as operator:
            assert (await operator.get("/v1/reports")).status_code == 403


async def test_a_house_makes_what_is_due_and_not_again_after_a_restart(tmp_path: Path) -> None:
    yesterday = datetime.now(ZONE).date() - timedelta(days=1)
    engine = open_database(tmp_path / "zhiting.db")
    migrate(engine)
    midnight = datetime.combine(yesterday, datetime.min.time(), ZONE)
    await found_city(engine, tmp_path, [Month(yesterday, 1, 3)], until=midnight + timedelta(days=1))
    engine.dispose()
    only_days = {"report_week": False, "report_month": False, "report_hour": 0}
    listed: list[tuple[str, str]] = []
    for _ in range(2):
        async with (
            running(tmp_path, **only_days) as house,
            httpx.AsyncClient(base_url=house.url, timeout=60) as client,
        ):
            found: list[dict[str, str]] = []
            while not found:
                found = (await client.get("/v1/reports")).json()["reports"]
            listed += [(one["start"], one["report_id"]) for one in found]
            assert [one["made_by"] for one in found] == [""]
    assert len(set(listed)) == len({start for start, _ in listed})
