"""The page of reports in a real browser, over the real application."""

import asyncio
import io
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook
from playwright.async_api import Browser, Page, expect
from pypdf import PdfReader

from insight.reports.types import Column
from tests.accessibility import Keys, is_accessible
from tests.house import House, running
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_login import sign_in
from tests.test_door import PASSWORD, peopled, signed_in
from tests.test_reports import report
from tests.test_reports_files import flat, tables, written

__all__ = ["browser"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
QUIET = {"report_day": False, "report_week": False, "report_month": False}


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    broken: list[str] = []
    page = await browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []


@asynccontextmanager
async def house_of(city: Path, folder: Path) -> AsyncIterator[House]:
    shutil.copytree(city, folder, dirs_exist_ok=True)
    async with running(folder, **QUIET) as house:
        yield house


async def made(house: House, **wish: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        answer = await client.post("/v1/reports", json=wish)
        assert answer.status_code == 201, answer.text
        return answer.json()  # type: ignore[no-any-return]


async def test_a_month_is_made_read_saved_and_says_the_same_everywhere(
    city: Path, tmp_path: Path, page: Page
) -> None:
    async with house_of(city, tmp_path / "data") as house:
        await page.goto(f"{house.url}/reports")
        await expect(page.get_by_text("还没有报表")).to_be_visible()
        await is_accessible(page, "reports, none")
        await page.keyboard.press("n")
        kind = page.get_by_label("种类", exact=True)
        await expect(kind).to_be_focused()
        await kind.select_option("month")
        await page.get_by_label("哪个月").fill("2026-03-09")
        await is_accessible(page, "reports, a new one")
        await page.get_by_role("button", name="生成", exact=True).click()
        title = page.locator(".report-title")
        await expect(title).to_have_text("12345热线月报 2026年3月")
        await expect(page.locator(".making")).to_be_hidden()
        await is_accessible(page, "reports, a month")

        month = report(city)  # what is as of now the running house has other numbers of
        for table in tables(month):
            if table.key in ("supervision", "warnings"):
                continue
            on_page = page.locator(
                ".report-table", has=page.get_by_role("caption").get_by_text(table.title, exact=True)
            )
            rows = await on_page.first.locator("tbody tr").all()
            told = [[cell.strip() for cell in await row.locator("th, td").all_inner_texts()] for row in rows]
            wanted = [
                [written(cell, column) for cell, column in zip(row, table.columns, strict=True)]
                for row in table.rows
            ]
            assert told == wanted, table.title
        values = await page.locator("[data-chapter=volumes] .report-value").all_inner_texts()
        figures = next(flat(month.sections)).figures
        assert [value.split()[0] for value in values] == [
            written(figure.value, Column(name="", measure=figure.measure)) for figure in figures
        ]
        number = page.locator(".report-table td[data-number=true]").first
        assert await number.evaluate("cell => getComputedStyle(cell).textAlign") == "right"
        assert await page.locator(".report-chart").count() == sum(
            len(one.charts) for one in flat(month.sections)
        )
        assert await page.locator(".report-quote").count() == len(month.quotes)

        for key, form in (("1", "pdf"), ("3", "xlsx")):
            async with page.expect_download() as coming:
                await page.keyboard.press(key)
            file = await coming.value
            assert file.suggested_filename == f"12345热线月报2026年3月.{form}"
            data = await asyncio.to_thread(Path(await file.path()).read_bytes)
            if form == "pdf":
                assert "月报" in PdfReader(io.BytesIO(data)).pages[0].extract_text()
            else:
                assert load_workbook(io.BytesIO(data))["概况"]["A1"].value == "12345热线月报 2026年3月"


async def test_where_a_number_comes_from_and_chapters_by_keys(city: Path, tmp_path: Path, page: Page) -> None:
    async with house_of(city, tmp_path / "data") as house:
        await made(house, kind="month", day="2026-03-09")
        await page.goto(f"{house.url}/reports")
        await expect(page.locator(".report-title")).to_be_visible()
        await page.locator("[data-chapter=categories] .report-sources a").first.click()
        query = page.locator("#query-Q07")
        await expect(query).to_be_focused()
        await expect(query).to_contain_text("SELECT category AS name")
        await expect(query).to_contain_text("Q07.上期：span = '上期'")
        await is_accessible(page, "reports, the queries")
        await page.locator(".report-title").focus()
        await page.locator(".report-scroll").evaluate("one => { one.scrollTop = 0; }")
        await page.keyboard.press(".")
        await expect(page.locator("[data-chapter=volumes] h3")).to_be_focused()
        await page.keyboard.press(".")
        await expect(page.locator("[data-chapter=categories] h3")).to_be_focused()
        await page.keyboard.press(",")
        await expect(page.locator("[data-chapter=volumes] h3")).to_be_focused()


async def test_one_is_removed_and_comes_back(city: Path, tmp_path: Path, page: Page) -> None:
    async with house_of(city, tmp_path / "data") as house:
        await made(house, kind="day", day="2026-03-18")
        kept = await made(house, kind="issue", first="2026-03-01", last="2026-03-31", matter="水质发黄")
        await page.goto(f"{house.url}/reports")
        rows = page.locator(".report-list tbody tr")
        await expect(rows).to_have_count(2)
        await expect(page.locator(".report-title")).to_have_text(kept["title"])
        await expect(page.locator("[data-chapter=hot] h4")).to_contain_text("水质发黄")
        keys = Keys(page)
        await keys.press("j", "j", "k")
        await page.keyboard.press("x")
        await expect(rows).to_have_count(1)
        await page.get_by_role("button", name="撤销").click()
        await expect(rows).to_have_count(2)
        await expect(page.locator(".report-title")).to_have_text(kept["title"])
        await page.get_by_role("button", name="日报", exact=True).click()
        await expect(rows).to_have_count(1)
        await page.get_by_role("button", name="Switch to English").click()
        await expect(page.get_by_role("button", name="New report")).to_be_visible()
        await expect(rows).to_have_count(1)


async def test_a_warning_has_its_report(city: Path, tmp_path: Path, page: Page) -> None:
    async with house_of(city, tmp_path / "data") as house:
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            warning_id = (await client.get("/v1/warnings")).json()["warnings"][0]["warning_id"]
        await page.goto(f"{house.url}/reports#warning={warning_id}")
        await expect(page.get_by_text(f"关于预警 {warning_id}")).to_be_visible()
        make = page.get_by_role("button", name="生成", exact=True)
        await expect(make).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".report-title")).to_contain_text("“水质发黄")


async def test_what_cannot_be_made_is_said_in_the_form(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, **QUIET) as house:
        await page.goto(f"{house.url}/reports")
        await page.get_by_role("button", name="生成报表").click()
        await page.get_by_label("种类", exact=True).select_option("issue")
        await page.get_by_role("button", name="生成", exact=True).click()
        await expect(page.locator(".making [role=alert]")).to_contain_text(
            "请选择事项、区县或承办单位。（report.bad_wish）"
        )
        await page.goto(f"{house.url}/reports#month-20200101-00000000")
        await expect(page.locator(".report-scroll [role=alert]")).to_contain_text("没有这份报表")


async def test_a_department_makes_its_own_and_an_operator_none(
    city: Path, tmp_path: Path, browser: Browser
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(city, folder)
    async with peopled(folder, **QUIET) as house:
        async with signed_in(house, "admin") as admin:
            clerk = {"name": "clerk", "role": "department", "department_id": "SZ15", "password": PASSWORD}
            assert (await admin.post("/v1/accounts", json=clerk)).status_code == 201
        context = await browser.new_context(viewport={"width": 1366, "height": 768})
        page = await context.new_page()
        await page.goto(f"{house.url}/reports")
        await sign_in(page, "clerk")
        await page.get_by_role("button", name="生成报表").click()
        await page.get_by_label("从", exact=True).fill("2026-03-01")
        await page.get_by_label("到", exact=True).fill("2026-03-31")
        await expect(page.get_by_label("承办单位", exact=True)).to_have_count(0)
        await page.get_by_role("button", name="生成", exact=True).click()
        await expect(page.locator(".report-title")).to_have_text(
            "“市水务集团”专题报告（2026年3月1日—3月31日）"
        )
        await context.close()
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(f"{house.url}/reports")
        await sign_in(page, "li")
        await expect(page.get_by_text("报表由班长和管理员使用")).to_be_visible()
        await context.close()
