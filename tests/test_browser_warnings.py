"""The page of warnings in a real browser, over the real application: read, dealt with by keys, live."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.accessibility import Keys, is_accessible
from tests.house import Script, running, send
from tests.test_access import PASSWORD
from tests.test_alarms import open_call, saying
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_login import sign_in
from tests.test_browser_watch import GAS
from tests.test_door import peopled, signed_in
from tests.test_raised_deeds import TOLD
from tests.test_warnings_rest import kept, told_calls

__all__ = ["browser"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
FRESH = replace(TOLD, raised_at=NOW, since=NOW - timedelta(hours=4), sample_ids=("c-2", "c-1"))
CITY = replace(FRESH, matter="路灯不亮", district=None, districts=("普陀区", "定海区"))


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    broken: list[str] = []
    page = await browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []


async def test_a_warning_says_why_and_leads_to_its_calls(tmp_path: Path, page: Page) -> None:
    told_calls(tmp_path)
    water, _ = kept(tmp_path, FRESH, CITY)
    async with running(tmp_path) as house:
        await page.goto(f"{house.url}/warnings")
        rows = page.locator(".sys-table tbody tr")
        await expect(rows).to_have_count(2)
        await expect(page).to_have_title("（2）预警 · 智听")
        await expect(rows.first).to_contain_text("全市")
        await is_accessible(page, "warnings, a list")
        keys = Keys(page)
        await keys.press("j", "j", "Enter")
        panel = page.locator(".ord-side:not([hidden])")
        await expect(panel.get_by_role("heading", name="普陀区 · 停水")).to_be_visible()
        await expect(panel.locator(".warn-why")).to_contain_text("12 人反映，平时同样时段约 1.3 人")
        await expect(panel.get_by_role("img")).to_be_visible()
        samples = panel.locator(".warn-samples li")
        async with asyncio.timeout(60):  # the calls are taken in a moment after the start
            while await samples.count() < 2:
                await page.keyboard.press("r")
                await page.wait_for_timeout(200)
        await expect(samples).to_have_count(2)
        await expect(samples.first).to_contain_text("家里停水")
        await expect(samples.first.locator("a")).to_have_attribute("href", "./?call=c-2")
        report = panel.get_by_role("link", name="生成专题报告")
        await expect(report).to_have_attribute("href", f"reports#warning={water.warning_id}")
        await is_accessible(page, "warnings, one")
        assert page.url.endswith(f"#open/{water.warning_id}")


async def test_each_deed_by_its_key_and_back(tmp_path: Path, page: Page) -> None:
    (warning,) = kept(tmp_path)
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        await page.goto(f"{house.url}/warnings#{warning.warning_id}")  # as a mail has it
        panel = page.locator(".ord-side:not([hidden])")
        badges = panel.locator(".ord-badges")
        await expect(badges).to_contain_text("待处理")
        await page.keyboard.press("a")
        await expect(badges).to_contain_text("已接收")
        await expect(page.locator(".news")).to_contain_text("已接收")
        await page.keyboard.press("u")
        await expect(badges).to_contain_text("待处理")
        await page.keyboard.press("y")
        await expect(panel.get_by_role("button", name="属实")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("n")
        await expect(panel.get_by_role("button", name="误报")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("s")
        await expect(panel.get_by_label("静默多久")).to_be_focused()
        await is_accessible(page, "warnings, a form")
        await panel.get_by_label("静默多久").select_option("72")
        await panel.get_by_label("原因（可不填）").fill("施工已公告")
        await page.keyboard.press("Control+Enter")
        await expect(badges).to_contain_text("已静默")
        await expect(panel.locator(".ord-past li").first).to_contain_text("施工已公告")
        await page.keyboard.press("o")
        await expect(badges).to_contain_text("待处理")
        await page.keyboard.press("c")
        note = panel.get_by_label("说明（可不填）")
        await expect(note).to_be_focused()
        await note.fill("已恢复供水")
        await page.keyboard.press("Control+Enter")
        await expect(badges).to_contain_text("已关闭")
        await page.reload()
        await expect(badges).to_contain_text("已关闭")
        kept_ = (await client.get(f"/v1/warnings/{warning.warning_id}")).json()["warning"]
        assert (kept_["state"], kept_["note"], kept_["is_true"]) == ("closed", "已恢复供水", False)


async def test_a_late_answer_to_a_look_does_not_stand_in_the_way_of_a_deed(
    tmp_path: Path, page: Page
) -> None:
    (warning,) = kept(tmp_path)
    may_read, was_read = asyncio.Event(), asyncio.Event()

    async def read_late(route: Route) -> None:
        answer = await route.fetch()
        await may_read.wait()
        await route.fulfill(response=answer)
        was_read.set()

    async def sent(route: Route) -> None:
        answer = await route.fetch()
        may_read.set()
        await was_read.wait()
        await page.evaluate("new Promise(requestAnimationFrame)")  # the page has taken it in
        await route.fulfill(response=answer)

    async with running(tmp_path) as house:
        await page.goto(f"{house.url}/warnings#open/{warning.warning_id}")
        panel = page.locator(".ord-side:not([hidden])")
        badges = panel.locator(".ord-badges")
        await expect(badges).to_contain_text("待处理")
        async with page.expect_request(
            f"**/v1/warnings/{warning.warning_id}"
        ):  # it looks after a deed of its own
            await page.route(f"**/v1/warnings/{warning.warning_id}", read_late)
            await page.keyboard.press("a")
        await expect(badges).to_contain_text("已接收")
        await page.route("**/steps", sent)
        await page.keyboard.press("c")
        note = panel.get_by_label("说明（可不填）")
        await note.fill("已恢复供水")
        await page.keyboard.press("Control+Enter")
        await expect(badges).to_contain_text("已关闭")
        await expect(note).to_have_count(0)
        await page.unroute_all(behavior="ignoreErrors")


async def test_it_is_assigned_to_a_department_as_a_new_order(tmp_path: Path, page: Page) -> None:
    (warning,) = kept(tmp_path)
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        await page.goto(f"{house.url}/warnings#open/{warning.warning_id}")
        panel = page.locator(".ord-side:not([hidden])")
        await expect(panel.locator(".ord-badges")).to_contain_text("待处理")
        await expect(page.locator('select[aria-label="全部区县"] option')).to_have_count(
            7
        )  # the directory is there
        await page.keyboard.press("t")
        unit = panel.get_by_label("承办单位")
        await expect(unit).to_have_value("市住房和城乡建设局")
        await unit.fill("没有这个局")
        await page.keyboard.press("Control+Enter")
        await expect(panel.get_by_role("alert")).to_contain_text("目录里没有这个单位")
        await unit.fill("市交通运输局")
        await panel.get_by_label("补充说明（可不填）").fill("请现场查看")
        await page.keyboard.press("Control+Enter")
        await expect(panel.locator(".ord-badges")).to_contain_text("已转办")
        await expect(panel.locator(".sys-facts")).to_contain_text("已派单 · 市交通运输局")
        (order,) = (await client.get("/v1/orders")).json()["orders"]
        assert (order["content"]["department_id"], order["state"]) == ("SZ01", "dispatched")
        await panel.get_by_role("link", name=order["order_id"]).click()
        await page.wait_for_url(f"{house.url}/orders#all/{order['order_id']}")


async def test_who_was_slower_sees_it_and_keeps_the_own_words(tmp_path: Path, page: Page) -> None:
    (warning,) = kept(tmp_path)
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        await page.goto(f"{house.url}/warnings#open/{warning.warning_id}")
        panel = page.locator(".ord-side:not([hidden])")
        await expect(panel.locator(".ord-badges")).to_contain_text("待处理")
        await page.keyboard.press("c")
        note = panel.get_by_label("说明（可不填）")
        await expect(note).to_be_focused()
        await note.fill("误会一场")
        body = {"deed": "acknowledge", "version": 1, "author": "孙"}
        assert (await client.post(f"/v1/warnings/{warning.warning_id}/steps", json=body)).status_code == 200
        await page.keyboard.press("Control+Enter")
        await expect(panel.get_by_text("刚处理过，现在已接收")).to_be_visible()
        await expect(note).to_have_value("误会一场")
        await page.keyboard.press("Control+Enter")
        await expect(panel.locator(".ord-badges")).to_contain_text("已关闭")


async def test_new_ones_come_by_themselves_and_danger_at_once(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, Script(recognise=saying("你好", GAS))) as house:
        await page.goto(f"{house.url}/warnings")
        await expect(page.get_by_text("没有待处理的预警")).to_be_visible()
        await is_accessible(page, "warnings, empty")
        line = await open_call(house, 2.2)
        row = page.locator(".sys-table tbody tr")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text("燃气泄漏")
        await expect(page.locator(".news")).to_contain_text("新预警")
        kept(tmp_path)
        await expect(row).to_have_count(2)
        await send(line, {"type": "stop"})


async def test_what_is_filtered_searched_and_exported(tmp_path: Path, page: Page) -> None:
    kept(tmp_path, *(replace(FRESH, matter=f"事项{number:02d}") for number in range(60)))
    async with running(tmp_path) as house:
        await page.goto(f"{house.url}/warnings")
        rows = page.locator(".sys-table tbody tr")
        await expect(rows).to_have_count(50)
        await expect(page.locator(".sys-pager")).to_contain_text("1–50，共 60 条")
        await page.keyboard.press("]")
        await expect(rows).to_have_count(10)
        await page.keyboard.press("/")
        search = page.get_by_label("搜事项、分类或编号")
        await expect(search).to_be_focused()
        await search.fill("事项07")
        await expect(rows).to_have_count(1)
        await page.get_by_label("全部区县").select_option("定海区")
        await expect(page.get_by_text("没有符合的预警")).to_be_visible()
        await page.get_by_role("button", name="清除条件").click()
        await expect(rows).to_have_count(50)
        async with page.expect_download() as download:
            await page.get_by_role("button", name="导出").click()
        assert (await download.value).suggested_filename.startswith("预警-")


async def test_how_it_runs_what_is_muted_and_storms(tmp_path: Path, page: Page) -> None:
    (warning,) = kept(tmp_path)
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        until = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
        body = {"deed": "mute", "version": 1, "until": until}
        assert (await client.post(f"/v1/warnings/{warning.warning_id}/steps", json=body)).status_code == 200
        await page.goto(f"{house.url}/warnings")
        await expect(page.locator(".warn-line")).to_contain_text("满 14 天开始提示")
        await page.keyboard.press("l")
        panel = page.locator(".ord-side:not([hidden])")
        await expect(panel.get_by_role("heading", name="运行情况")).to_be_visible()
        await is_accessible(page, "warnings, how it runs")
        await panel.get_by_role("button", name="取消静默").click()
        await expect(panel.get_by_text("没有。")).to_be_visible()
        await panel.get_by_label("日期").fill("2026-08-01")
        await panel.get_by_role("button", name="添加").click()
        await expect(panel.get_by_text("2026-08-01")).to_be_visible()
        await expect(panel.get_by_text("没有设置邮件服务器")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_text("没有打开的预警")).to_be_visible()


async def test_a_server_that_is_gone_is_said_and_english_says_the_same(tmp_path: Path, page: Page) -> None:
    kept(tmp_path, FRESH)
    async with running(tmp_path) as house:
        await page.route("**/v1/warnings?**", lambda route: route.abort())
        await page.goto(f"{house.url}/warnings")
        await expect(page.get_by_text("连不上服务器").first).to_be_visible()
        await page.unroute("**/v1/warnings?**")
        await page.get_by_role("button", name="重试").first.click()
        await expect(page.locator(".sys-table tbody tr")).to_have_count(1)
        await page.get_by_role("button", name="Switch to English").click()
        await expect(page.locator(".sys-table tbody tr")).to_contain_text("usual 1.3")
        await page.keyboard.press("j")
        await expect(page.locator(".row-link")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".warn-why")).to_contain_text("12 people called about it")


async def test_a_department_only_reads_what_concerns_it_an_operator_nothing(
    tmp_path: Path, page: Page, browser: Browser
) -> None:
    (warning,) = kept(tmp_path, FRESH)
    async with peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        body = {"name": "qian", "password": PASSWORD, "role": "department", "department_id": "SZ04"}
        assert (await admin.post("/v1/accounts", json=body)).status_code == 201
        await page.goto(f"{house.url}/login?next=/warnings")
        await sign_in(page, "qian")
        await page.wait_for_url(f"{house.url}/warnings**")
        await expect(page.locator(".sys-table tbody tr")).to_have_count(1)
        await page.goto(f"{house.url}/warnings#all/{warning.warning_id}")
        panel = page.locator(".ord-side:not([hidden])")
        await expect(panel.get_by_text("由班长和管理员处理。")).to_be_visible()
        await expect(panel.locator(".warn-samples")).to_have_count(0)
        await expect(page.locator(".warn-line")).to_have_count(0)
        other = await browser.new_page()
        await other.goto(f"{house.url}/login?next=/warnings")
        await sign_in(other, "li")
        await expect(other.get_by_text("这一页给处理预警的人用")).to_be_visible()
        await other.close()
