"""The whole machine in a real browser: a bundled call is answered, also from what is published meanwhile.

The call is held in the middle, as with music on hold, so that it does not matter how long publishing takes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, expect
from websockets.asyncio.client import ClientConnection, connect

from scripts.demo_calls import demo_calls
from scripts.replay import BLOCK_S, Recording, read_recording
from tests.house import receive, send
from tests.real_server import RealServer, serving
from tests.test_browser import CHROMIUM, browser, lines_on, page

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.weights,
    pytest.mark.process,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]

CALL = "C058"
HELD_AT_S = 45.4
"""Before the citizen comes to the second matter: the last ship from Gaoting."""
SPEED = 4.0
WAIT_MS = 60_000
TITLE = "高亭到三江的末班客轮"
BODY = "高亭回三江的最晚一班客轮平日十七点三十分开，星期天加开一班到十八点三十分，以当天公布为准。"
QUESTION = "从高亭回三江最晚的客轮是几点"


@asynccontextmanager
async def on_the_line(
    server: RealServer, recording: Recording, caller: str
) -> AsyncIterator[ClientConnection]:
    start = {
        "type": "start",
        "encoding": "pcm_s16le",
        "sample_rate": recording.rate_hz,
        "channels": recording.channels,
        "call_id": CALL,
        "operator_id": "027",
        "caller": caller,
    }
    async with connect(f"ws://127.0.0.1:{server.port}/v1/calls/audio") as line:
        await send(line, start)
        assert (await receive(line))["type"] == "started"
        yield line


async def say(line: ClientConnection, recording: Recording, from_s: float, to_s: float) -> None:
    """That stretch of the recording, at `SPEED`."""
    loop = asyncio.get_running_loop()
    begun_s, block = loop.time(), round(BLOCK_S * recording.rate_hz)
    for start in range(round(from_s * recording.rate_hz), round(to_s * recording.rate_hz), block):
        end = min(start + block, round(to_s * recording.rate_hz))
        due_s = begun_s + (end / recording.rate_hz - from_s) / SPEED
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        await line.send(recording.samples[start:end].astype("<i2").tobytes())


async def write_and_publish(page: Page, url: str) -> None:
    """What an admin does at the page of knowledge."""
    await page.goto(f"{url}/knowledge")
    await expect(page.locator(".kb-table tbody tr").first).to_be_visible(timeout=WAIT_MS)
    await page.get_by_role("button", name="新建").click()
    await page.get_by_label("标题", exact=True).fill(TITLE)
    await page.locator("#kb-field-body").fill(BODY)
    await page.locator("#kb-field-questions").fill(QUESTION)
    await page.keyboard.press("Control+s")
    await expect(page.locator(".news")).to_contain_text("已保存", timeout=WAIT_MS)
    await page.goto(f"{url}/knowledge#publish")
    await expect(page.locator('[data-kind="added"]')).to_contain_text(TITLE, timeout=WAIT_MS)
    await page.get_by_role("button", name="发布给坐席").click()
    await expect(page.locator(".kb-progress")).to_have_attribute("data-stage", "done", timeout=120_000)


async def test_a_call_gets_a_card_of_an_article_that_was_written_while_it_ran(
    data_dir: Path, browser: Browser, page: Page
) -> None:
    (path, caller) = next((path, caller) for path, caller in demo_calls() if path.stem == CALL)
    recording = read_recording(path)
    cards = page.locator('.card[data-state="card"] .card-title')
    async with serving(data_dir) as server, on_the_line(server, recording, caller) as line:
        await page.goto(f"{server.url}/?operator=027")
        await expect(page.locator(".head")).to_have_attribute("data-call", "live", timeout=WAIT_MS)
        await say(line, recording, 0.0, HELD_AT_S)
        await send(line, {"type": "pause"})
        await expect(cards.first).to_be_visible(timeout=WAIT_MS)
        assert TITLE not in await cards.all_inner_texts()

        admin = await browser.new_page()
        broken: list[str] = []
        admin.on("pageerror", lambda error: broken.append(str(error)))
        await write_and_publish(admin, server.url)
        await expect(page.locator(".knowledge-updated")).to_contain_text("知识已更新", timeout=WAIT_MS)
        assert broken == []
        await admin.close()

        await send(line, {"type": "unpause"})
        await say(line, recording, HELD_AT_S, recording.seconds)
        await expect(cards.filter(has_text=TITLE)).to_have_count(1, timeout=WAIT_MS)
        await send(line, {"type": "stop"})
        await expect(page.locator(".head")).to_have_attribute("data-call", "ended", timeout=WAIT_MS)
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            segments = (await client.get(f"/v1/calls/{CALL}")).json()["segments"]
        segments.sort(key=lambda one: (one["start_s"], one["segment_id"]))
        on_record = [(one["party"], one["text"]) for one in segments if one["text"]]
        await expect(page.locator('.line-row[data-final="true"]')).to_have_count(len(on_record))
        assert await lines_on(page) == on_record
        assert len(on_record) >= 10
        await page.locator(".card-title", has_text=TITLE).click()
        await expect(page.locator(".article-body")).to_contain_text("十七点三十分")
