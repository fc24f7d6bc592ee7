"""The watch page in a real browser, over the real application: alarms, calls of the moment, who sees them."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.accessibility import Keys, is_accessible
from tests.house import Script, running, send
from tests.test_alarms import open_call, saying
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_login import sign_in
from tests.test_door import cookie, peopled, signed_in
from tests.test_quality import hear_good, play_good, scored

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


async def test_the_bell_rings_for_a_new_alarm_once_somebody_has_pressed_a_key(
    tmp_path: Path, page: Page
) -> None:
    await page.add_init_script(
        "const start = OscillatorNode.prototype.start; globalThis.rung = 0;"
        "OscillatorNode.prototype.start = function (at) { globalThis.rung += 1; start.call(this, at); };"
    )
    async with running(tmp_path, Script(recognise=saying("你好", GAS))) as house:
        await page.goto(f"{house.url}/watch")
        sound_button = page.locator(".alarms-head button")
        await expect(sound_button).to_have_text("声音：关")
        await sound_button.click()
        await expect(sound_button).to_have_text("声音：开")
        line = await open_call(house, 2.2)
        await expect(page.locator(".alarms-open li")).to_have_count(1, timeout=WAIT_MS)
        await page.wait_for_function("globalThis.rung === 2")  # two tones, once
        await page.wait_for_timeout(1500)
        assert await page.evaluate("globalThis.rung") == 2
        await page.keyboard.press("m")
        await expect(sound_button).to_have_text("声音：关")
        await page.reload()
        await page.keyboard.press("Shift")
        await expect(sound_button).to_have_text("声音：关")
        await send(line, {"type": "stop"})


async def test_an_operator_does_not_see_the_house(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house:
        await page.goto(f"{house.url}/login?next=/watch")
        await sign_in(page, "li")
        await page.wait_for_url(f"{house.url}/watch")
        await expect(page.locator(".view-nav a")).to_have_text(["我的质检"])
        await expect(page.get_by_text("还没有质检过的通话")).to_be_visible()
        await expect(page.locator(".alarms")).to_have_count(0)


async def test_an_urgent_order_is_found_and_a_partner_office_told(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        await page.goto(f"{house.url}/watch#lists")
        await expect(page.get_by_text("没有超期的工单")).to_be_visible()
        await is_accessible(page, "watch lists, empty")
        matter = {"type": "求助", "summary": "高压线断落", "urgency": "特急", "caller_phone": "13900000001"}
        assert (await client.post("/v1/orders", json=matter)).status_code == 201
        await page.keyboard.press("r")
        urgent = page.locator(".list-tabs button").filter(has_text="紧急件")
        await expect(urgent).to_contain_text("1")
        for _ in range(2):
            await page.keyboard.press("]")
        await expect(urgent).to_have_attribute("aria-pressed", "true")
        await expect(page.locator(".sys-view:not([hidden]) tbody tr")).to_contain_text("高压线断落")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        pane = page.locator(".sys-view:not([hidden]) .watch-pane")
        await expect(pane.get_by_role("heading", name="高压线断落")).to_be_visible()
        await pane.get_by_role("button", name="记下抄报").click()
        await expect(pane.get_by_role("alert")).to_contain_text("handover.office_needed")
        await pane.get_by_label("抄报单位").fill("供电公司")
        await pane.get_by_label("抄报原因").fill("线路落地")
        await pane.get_by_role("button", name="记下抄报").click()
        await expect(pane.locator(".pane-told li")).to_contain_text("供电公司")
        await is_accessible(page, "watch lists, an order")
        async with page.expect_download() as download:
            await page.get_by_role("button", name="导出抄报记录").click()
        assert (await download.value).suggested_filename == "handovers.csv"


async def test_a_score_is_reviewed_appealed_against_and_answered(
    tmp_path: Path, browser: Browser, page: Page
) -> None:
    async with peopled(tmp_path, script=Script(recognise=hear_good)) as house:
        async with signed_in(house, "zhao") as boss:
            await play_good(house, headers=cookie(boss))
            await scored(boss)
        await page.goto(f"{house.url}/login?next=/watch")
        await sign_in(page, "zhao")
        await page.wait_for_url(f"{house.url}/watch")
        await expect(page.locator(".view-nav")).to_be_visible()
        await page.keyboard.press("3")
        row = page.locator(".sys-view:not([hidden]) tbody tr")
        await expect(row).to_contain_text("027")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        pane = page.locator(".sys-view:not([hidden]) .watch-pane")
        await expect(pane.locator(".score-big")).to_have_text("100")
        await expect(pane.locator(".checks > li")).to_have_count(7)
        await expect(pane.locator(".check-quote mark").first).to_have_text("您好")
        await is_accessible(page, "watch quality, a score")
        await pane.get_by_label("点评").last.fill("问候很好，语速稍快")
        await pane.get_by_label("改分（可不填）").fill("90")
        await pane.get_by_role("button", name="保存点评").click()
        await expect(pane.locator(".score-big")).to_have_text("90")
        own = await browser.new_page(viewport={"width": 1366, "height": 768})
        await own.goto(f"{house.url}/login?next=/watch")
        await sign_in(own, "li")
        await own.wait_for_url(f"{house.url}/watch")
        await expect(own.locator("tbody tr")).to_contain_text("90")
        await own.keyboard.press("j")
        await own.keyboard.press("Enter")
        await expect(own.locator(".pane-told")).to_contain_text("语速稍快")
        await own.get_by_label("申诉理由").fill("来电很多")
        await own.get_by_role("button", name="提交申诉").click()
        await expect(own.get_by_text("已申诉，请等班长答复。")).to_be_visible()
        await is_accessible(own, "watch, own scores")
        await own.close()
        await page.keyboard.press("Escape")
        await page.locator(".list-tabs:visible button").filter(has_text="待答复申诉").click()
        await row.get_by_role("button").click()
        await pane.get_by_label("答复坐席的申诉").fill("同意")
        await pane.get_by_label("改分（可不填）").fill("95")
        await pane.get_by_role("button", name="答复", exact=True).click()
        await expect(pane.locator(".score-big")).to_have_text("95")
        await expect(page.get_by_text("没有等待答复的申诉")).to_be_visible()


async def test_a_list_that_cannot_be_read_says_why(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house:
        detail = '{"detail": {"code": "call.storage_failed", "message": "磁盘已满。"}}'
        await page.route(
            "**/v1/supervision?*",
            lambda route: route.fulfill(status=503, content_type="application/json", body=detail),
        )
        await page.goto(f"{house.url}/watch#lists")
        await expect(page.get_by_text("磁盘已满。（call.storage_failed）")).to_be_visible()
