"""The watch page in a real browser, over the real application: alarms, calls of the moment, who sees them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.accessibility import Keys, is_accessible
from tests.house import Script, running, send
from tests.test_alarms import open_call, saying
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_login import sign_in
from tests.test_door import peopled

__all__ = ["browser"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
GAS = "我家有煤气的味道"


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    broken: list[str] = []
    page = await browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []


async def test_an_alarm_comes_up_is_taken_by_a_key_and_rated(
    tmp_path: Path, browser: Browser, page: Page
) -> None:
    async with running(tmp_path, Script(recognise=saying("你好", GAS))) as house:
        await page.goto(f"{house.url}/watch")
        await expect(page.get_by_text("没有待处理的报警")).to_be_visible()
        await expect(page.get_by_text("现在没有通话")).to_be_visible()
        await is_accessible(page, "watch, empty")
        desk = await browser.new_page()
        await desk.goto(f"{house.url}/?call=c-1")
        line = await open_call(house, 2.2)
        waiting = page.locator(".alarms-open li")
        await expect(waiting).to_have_count(1, timeout=WAIT_MS)
        await expect(waiting).to_contain_text("燃气泄漏")
        await expect(waiting.locator("mark")).to_have_text("煤气的味道")
        await expect(waiting).to_contain_text("139****0000")
        await expect(page).to_have_title("（1）报警 · 智听")
        await expect(page.locator(".live-table tbody tr")).to_contain_text(GAS)
        await expect(desk.locator(".quiet-line")).to_contain_text("已通知班长：燃气泄漏")
        await is_accessible(page, "watch, an alarm")
        await page.keyboard.press("a")
        await expect(waiting).to_have_count(0)
        taken = page.locator(".alarms-taken li")
        await expect(taken).to_contain_text("本机")
        await expect(desk.locator(".quiet-line")).to_contain_text("班长已接手：燃气泄漏")
        await page.keyboard.press("j")
        await page.keyboard.press("n")
        await expect(taken.get_by_role("button", name="误报")).to_have_attribute("aria-pressed", "true")
        await page.reload()
        await expect(taken.get_by_role("button", name="误报")).to_have_attribute("aria-pressed", "true")
        await send(line, {"type": "stop"})
        await expect(page.get_by_text("现在没有通话")).to_be_visible()
        await desk.close()


async def test_nothing_moves_when_an_alarm_comes(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, Script(recognise=saying("你好", GAS))) as house:
        await page.goto(f"{house.url}/watch")
        line = await open_call(house, 1.2)
        row = page.locator(".live-table tbody tr")
        await expect(row).to_contain_text("你好", timeout=WAIT_MS)
        before = await row.bounding_box()
        await line.send(b"\0\0" * 32_000)
        await expect(page.locator(".alarms-open li")).to_have_count(1, timeout=WAIT_MS)
        assert await row.bounding_box() == before
        await send(line, {"type": "stop"})


async def test_a_note_goes_with_it_and_english_says_the_same(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, Script(recognise=saying(GAS))) as house:
        line = await open_call(house, 1.2)
        await page.goto(f"{house.url}/watch")
        await page.get_by_role("button", name="Switch to English").click()
        await expect(page.locator(".alarms-open li")).to_contain_text("Gas leak", timeout=WAIT_MS)
        await page.get_by_label("What was done (optional)").fill("told 119")
        await page.get_by_label("What was done (optional)").press("Enter")
        await expect(page.locator(".alarms-taken li")).to_contain_text("told 119")
        await send(line, {"type": "stop"})


async def test_by_keys_alone_the_focus_is_always_seen(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, Script(recognise=saying(GAS, "楼上着火了"))) as house:
        line = await open_call(house, 2.2)
        await page.goto(f"{house.url}/watch")
        await expect(page.locator(".alarms-open li")).to_have_count(2, timeout=WAIT_MS)
        keys = Keys(page)
        await keys.press("j", "j", "k", "a", "j")
        await expect(page.locator(".alarms-open li")).to_have_count(1)
        await keys.tab_to(".alarm-call")
        await send(line, {"type": "stop"})


async def test_an_operator_does_not_see_the_house(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house:
        await page.goto(f"{house.url}/login?next=/watch")
        await sign_in(page, "li")
        await page.wait_for_url(f"{house.url}/watch")
        await expect(page.locator(".shell-head")).to_be_visible()
        await asyncio.sleep(0.3)
        await expect(page.locator(".alarms")).to_have_count(0)
