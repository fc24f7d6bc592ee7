"""The page of calls in a real browser, over the real application: find, hear, unmask, hold, delete."""

import asyncio
import csv
import io
import json
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from asr.types import AudioFrame, Party, Segment, Word
from tests.accessibility import Keys, is_accessible, open_and_type
from tests.call_parts import segment
from tests.house import START, House, Script, receive, send, sound
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_login import sign_in
from tests.test_browser_recordings import at_s, downloaded, play_slowly, point_at, until_ready
from tests.test_door import cookie, peopled, signed_in

__all__ = ["browser"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
MOBILE = "13812342316"
TALK = (
    (Party.OPERATOR, 0.5, 3.0, "您好，请讲。"),
    (Party.CITIZEN, 3.5, 8.0, "环城南路216号门口积水，井盖被冲走了。"),
    (Party.OPERATOR, 8.5, 11.0, "您别急，留个电话。"),
    (Party.CITIZEN, 11.5, 16.0, "我的电话是13812342316，姓王。"),
)


def said(call_id: str) -> list[Segment]:
    lines = []
    for number, (party, start_s, end_s, text) in enumerate(TALK, 1):
        step = (end_s - start_s) / len(text)
        words = tuple(
            Word(text=one, start_s=start_s + at * step, end_s=start_s + (at + 1) * step, probability=0.9)
            for at, one in enumerate(text)
        )
        line = segment(number, text, call_id=call_id, party=party, start_s=start_s, end_s=end_s)
        lines.append(replace(line, words=words))
    return lines


async def hear_talk(
    call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
) -> AsyncIterator[Segment]:
    """Ears that hear the same talk in every call."""
    async for _ in frames:
        pass
    for line in said(call_id):
        yield line


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    broken: list[str] = []
    page = await browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []


@asynccontextmanager
async def calls(tmp_path: Path, page: Page, who: str = "admin", *, count: int = 1) -> AsyncIterator[House]:
    """Calls that have ended, an hour ago and more, and the page open."""
    script = Script({TALK[1][3]: ("T001", "T002")}, recognise=hear_talk)
    async with peopled(tmp_path, script=script) as house:
        async with signed_in(house, "zhao") as client:
            for number in range(count):
                start = START | {"call_id": f"c-{number + 1}", "channels": ["citizen", "operator"]}
                start |= {"operator_id": "027", "caller": MOBILE, "dialled": "12345"}
                start |= {"started_at": f"2026-03-05T{10 + number % 10}:32:05+08:00"}
                async with house.socket("/v1/calls/audio", additional_headers=cookie(client)) as line:
                    await send(line, start)
                    await receive(line)
                    for _ in range(17):
                        await line.send(sound(1.0, channels=2))
                    await send(line, {"type": "stop"})
                    await receive(line)
            async with house.socket("/v1/screens/calls/c-1", additional_headers=cookie(client)) as screen:
                shown = json.loads(await screen.recv())
                mark = {"type": "suggestion.mark", "suggestion_id": shown["suggestion_id"]}
                await send(screen, mark | {"article_id": "T001", "mark": "used"})
                await send(screen, {"type": "note.write", "note_id": "n-1", "text": "回电 13812342316"})
                await send(
                    screen,
                    {"type": "segment.correct", "segment_id": "operator-3", "text": "您别急，请留个电话。"},
                )
                async with asyncio.timeout(60):
                    while json.loads(await screen.recv())["type"] != "segment.corrected":
                        pass
        await page.goto(f"{house.url}/records")
        await sign_in(page, who)
        await expect(page.locator(".call-list tbody tr")).to_have_count(min(count, 20))
        yield house


async def open_first(page: Page) -> None:
    await page.locator(".call-list .row-link").first.click()
    await expect(page.locator(".line-row")).to_have_count(4)


async def test_a_call_is_found_by_its_words_and_heard_from_a_word(tmp_path: Path, page: Page) -> None:
    async with calls(tmp_path, page):
        table = page.locator(".call-list table")
        await expect(table).to_contain_text("138****2316")
        await expect(table).to_contain_text("标题T001")
        await open_and_type(page, "/", "井盖")
        await expect(table.locator("tbody")).to_contain_text("井盖被冲走了")
        await page.get_by_role("tab", name="按读音").click()
        await page.locator(".call-words").fill("京盖")
        await expect(table.locator("tbody")).to_contain_text("井盖被冲走了")
        await page.locator(".call-words").fill("没有说过的话")
        await expect(page.locator(".placeholder-title")).to_have_text("没有符合条件的通话")
        await page.get_by_role("button", name="清空条件").click()
        await page.locator(".call-caller").fill("2316")
        await expect(page.locator(".call-list tbody tr")).to_have_count(1)
        await open_first(page)
        await until_ready(page)
        await play_slowly(page)
        await point_at(page, page.locator(".line-row").nth(1), "井")
        start_s = 3.5 + TALK[1][3].index("井") * 4.5 / len(TALK[1][3])
        assert abs(await at_s(page) - start_s) < 0.4
        await expect(page.locator(".line-row").nth(1)).to_have_attribute("data-spoken", "true")
        await page.keyboard.press(" ")
        before = await at_s(page)
        await page.keyboard.press("ArrowRight")
        assert abs(await at_s(page) - before - 5) < 0.3
        await page.get_by_role("tab", name="坐席").click()
        await until_ready(page)
        assert "leg=operator" in await page.evaluate("document.querySelector('audio').src")
        assert abs(await at_s(page) - before - 5) < 0.4, "the same moment of the other side"
        await expect(page.locator(".call-cards")).to_contain_text("用了")
        await expect(page.locator(".rec-recognised").nth(2)).to_contain_text("您别急，留个电话")


async def test_numbers_are_shown_after_a_reason(tmp_path: Path, page: Page) -> None:
    async with calls(tmp_path, page) as house:
        await open_first(page)
        content = await page.content()
        assert MOBILE not in content
        await expect(page.locator(".line-row").nth(3)).to_contain_text("138****2316")
        await expect(page.locator(".call-note")).to_contain_text("138****2316")
        await page.keyboard.press("v")
        await page.keyboard.press("Enter")
        await expect(page.locator(".call-mask .call-bad")).to_have_text("理由至少两个字")
        await page.keyboard.type("回访核对")
        await page.keyboard.press("Enter")
        await expect(page.locator(".line-row").nth(3)).to_contain_text(MOBILE)
        await expect(page.locator(".call-mask")).to_contain_text("已记入日志")
        await page.keyboard.press("Escape")
        await expect(page.locator("body")).not_to_contain_text(MOBILE)
        assert MOBILE not in await page.content(), "nothing stays behind"
        await open_first(page)
        await expect(page.locator(".line-row").nth(3)).to_contain_text("138****2316")
        assert MOBILE not in await page.content(), "hidden again"
        async with signed_in(house, "admin") as admin:
            log = (await admin.get("/v1/audit", params={"q": "unmask"})).json()["entries"]
        assert [one["target"] for one in log] == ["c-1 回访核对"]


async def test_an_admin_holds_and_deletes_with_a_reason(tmp_path: Path, page: Page) -> None:
    async with calls(tmp_path, page, count=2):
        await open_first(page)
        await page.get_by_role("button", name="设为保留").click()
        await page.keyboard.type("行政诉讼")
        await page.keyboard.press("Enter")
        await expect(page.locator(".call-held")).to_contain_text("行政诉讼")
        await expect(page.get_by_role("button", name="删除通话")).to_have_count(0)
        await page.get_by_role("button", name="解除保留").click()
        await page.keyboard.type("已结案")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="只删录音").click()
        await page.keyboard.type("市民要求")
        await page.keyboard.press("Enter")
        await expect(page.locator(".call-silent")).to_contain_text("没有录音")
        await expect(page.locator(".line-row")).to_have_count(4)
        await page.get_by_role("button", name="删除通话").click()
        await page.keyboard.type("市民要求")
        await page.keyboard.press("Enter")
        await expect(page.locator(".call-list tbody tr")).to_have_count(1)


async def test_text_sound_and_list_are_saved(tmp_path: Path, page: Page) -> None:
    async with calls(tmp_path, page):
        async with page.expect_download() as waiting:
            await page.get_by_role("button", name="导出列表").click()
        _, content = await downloaded(await waiting.value)
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        assert (rows[0][0], rows[1][4]) == ("编号", "138****2316")
        await open_first(page)
        await page.get_by_label("下载格式").select_option("txt")
        async with page.expect_download() as waiting:
            await page.get_by_role("button", name="下载", exact=True).click()
        name, content = await downloaded(await waiting.value)
        assert name == "c-1.txt"
        assert "井盖被冲走了" in content.decode()
        assert MOBILE not in content.decode()
        async with page.expect_download() as waiting:
            await page.get_by_role("link", name="下载录音").click()
        name, content = await downloaded(await waiting.value)
        assert name == "c-1.wav"
        with wave.open(io.BytesIO(content)) as file:
            assert (file.getnchannels(), file.getnframes()) == (2, 17 * 16_000)


async def test_a_supervisor_may_look_and_not_delete(tmp_path: Path, page: Page) -> None:
    async with calls(tmp_path, page, "zhao"):
        await expect(page.get_by_role("link", name="通话记录")).to_have_attribute("aria-current", "page")
        await open_first(page)
        await expect(page.locator(".call-deeds")).to_be_hidden()


async def test_everybody_can_use_it_in_both_languages(tmp_path: Path, page: Page) -> None:
    async with calls(tmp_path, page, count=22):
        await is_accessible(page, "the list")
        keys = Keys(page)
        await keys.press("j", "j", "k")
        await page.keyboard.press("]")
        await expect(page.locator(".call-list tbody tr")).to_have_count(2)
        await page.keyboard.press("[")
        await expect(page.locator(".call-list tbody tr")).to_have_count(20)
        await keys.press("j", "Enter")
        await expect(page.locator(".line-row")).to_have_count(4)
        await is_accessible(page, "one call")
        await page.keyboard.press("v")
        await is_accessible(page, "asking for all of it")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Switch to English").click()
        await expect(page.locator(".line-row")).to_have_count(4)
        left = await page.evaluate(
            """() => [...document.querySelectorAll("button, h2, h3, dt, label")]
              .filter((one) => !one.closest("[hidden]") && /[\\u4e00-\\u9fff]/.test(one.textContent))
              .map((one) => one.textContent)"""
        )
        assert left == ["中文"] or left == []
