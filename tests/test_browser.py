"""The operator's page in a real browser, beside the real application with scripted ears.

What the page shows is compared with the journal: nothing missing, nothing doubled, in the same order.
"""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from websockets.asyncio.client import ClientConnection

from tests.house import START, House, Script, receive, running, send, sound
from tests.real_server import free_port

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
WAIT_MS = 60_000
LEGS = START | {"channels": ["citizen", "operator"], "call_id": "c-1", "operator_id": "027"}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    broken: list[str] = []
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []


async def begin(house: House, **more: object) -> ClientConnection:
    line = await house.socket("/v1/calls/audio")
    await send(line, LEGS | more)
    assert (await receive(line))["type"] == "started"
    return line


async def lines_on(page: Page) -> list[tuple[str, str]]:
    rows = page.locator('.line-row[data-final="true"]')
    found = await rows.evaluate_all(
        "rows => rows.map(row => [row.dataset.party, row.querySelector('.line-text').textContent])"
    )
    return [(party, text) for party, text in found]


async def lines_on_record(house: House) -> list[tuple[str, str]]:
    async with httpx.AsyncClient(timeout=60) as client:
        segments = (await client.get(f"{house.url}/v1/calls/c-1")).json()["segments"]
    segments.sort(key=lambda segment: (segment["start_s"], segment["segment_id"]))
    return [(segment["party"], segment["text"]) for segment in segments]


async def has_lines(page: Page, count: int) -> None:
    await expect(page.locator('.line-row[data-final="true"]')).to_have_count(count, timeout=WAIT_MS)
    await expect(page.locator('.line-row[data-final="false"]')).to_have_count(0, timeout=WAIT_MS)


async def test_a_live_call_comes_up_by_itself(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, Script({"第1秒": ("T001", "T002")})) as house:
        await page.goto(house.url)
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        line = await begin(house, caller="13900000152")
        await line.send(sound(3.0, channels=2))
        await has_lines(page, 6)
        assert await lines_on(page) == await lines_on_record(house)
        for title in ("标题T001", "标题T002"):
            await expect(page.get_by_role("button", name=title, exact=True)).to_be_visible(timeout=WAIT_MS)
        await expect(page.locator(".head")).to_have_attribute("data-call", "live")
        assert "13900000152" not in await page.inner_text("body")  # a number is masked
        await send(line, {"type": "stop"})
        await expect(page.locator(".head")).to_have_attribute("data-call", "ended", timeout=WAIT_MS)


async def test_a_reload_in_mid_call_misses_and_doubles_nothing(
    tmp_path: Path, browser: Browser, page: Page
) -> None:
    async with running(tmp_path) as house:
        line = await begin(house)
        other = await browser.new_page()
        for screen in (page, other):
            await screen.goto(f"{house.url}/?call=c-1")
        await line.send(sound(3.0, channels=2))
        await has_lines(page, 6)
        for _ in range(3):
            await page.reload(wait_until="commit")  # the call goes on while the page comes up
            await line.send(sound(2.0, channels=2))
            await page.wait_for_load_state()
        await has_lines(page, 18)
        await page.reload()
        await has_lines(page, 18)
        await line.send(sound(1.0, channels=2))
        for screen in (page, other):
            await has_lines(screen, 20)
        on_record = await lines_on_record(house)
        assert len(set(on_record)) == 20
        assert await lines_on(page) == on_record
        assert await lines_on(other) == on_record
        await send(line, {"type": "stop"})
        assert (await receive(line))["type"] == "ended"


async def test_a_page_outlives_the_server_and_shows_what_it_missed(tmp_path: Path, page: Page) -> None:
    port = free_port()
    async with running(tmp_path, on_port=port) as house:
        line = await begin(house)
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(2.0, channels=2))
        await has_lines(page, 4)
    await expect(page.locator(".line")).to_have_attribute("data-line", "waiting", timeout=WAIT_MS)
    assert len(await lines_on(page)) == 4  # what was read stays readable
    async with running(tmp_path, on_port=port) as house:
        line = await begin(house, reconnect=True, buffered=True)
        await line.send(sound(3.0, channels=2))
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        await has_lines(page, 10)
        await expect(page.locator(".head")).to_have_attribute("data-call", "live")
        assert await lines_on(page) == await lines_on_record(house)
        await send(line, {"type": "stop"})
        await expect(page.locator(".head")).to_have_attribute("data-call", "ended", timeout=WAIT_MS)


async def test_a_page_that_finds_no_server_says_so_and_opens_when_it_is_there(
    tmp_path: Path, page: Page
) -> None:
    async with running(tmp_path) as house:
        await page.route("**/v1/session", lambda route: route.abort())
        await page.goto(house.url)
        away = page.get_by_text("连不上服务器，正在重试")
        await expect(away).to_be_in_viewport(ratio=1)
        await page.unroute("**/v1/session")
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        await expect(away).to_have_count(0)
