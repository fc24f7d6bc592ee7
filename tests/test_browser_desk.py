"""What an operator does at the desk beside listening: change, copy, replay, note, hand over, look back."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from asr.types import AudioFrame, Correction, Party, Segment
from tests.accessibility import open_and_type
from tests.call_parts import segment
from tests.house import House, Script, receive, running, send, sound
from tests.passing import has_shown, watch_for
from tests.test_browser import CHROMIUM, WAIT_MS, begin, browser, has_lines, page

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
NUMBER = "13900000152"


async def hear_two_lines(
    call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
) -> AsyncIterator[Segment]:
    """A word that the lexicon changed, and a number worth copying."""
    said = [("想问公积金提取", (Correction(start=2, heard="攻击尽", written="公积金", reason="lexicon"),))]
    said.append((f"我的电话是{NUMBER}。", ()))
    given = 0
    async for frame in frames:
        while frame.party is Party.CITIZEN and given < len(said) and frame.end_s > given + 1:
            text, corrections = said[given]
            given += 1
            line = segment(given, text, call_id=call_id, start_s=given - 1.0, end_s=given - 0.1)
            yield replace(line, raw_text="想问攻击尽提取", corrections=corrections)


async def on_record(house: House, path: str = "/v1/calls/c-1") -> dict[str, object]:
    async with httpx.AsyncClient(timeout=60) as client:
        answer: dict[str, object] = (await client.get(house.url + path)).json()
        return answer


async def test_a_line_is_changed_in_place_and_put_back(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, Script(recognise=hear_two_lines)) as house:
        line = await begin(house)
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(3.0, channels=2))
        await has_lines(page, 2)
        text = page.locator(".line-text").last
        box = await text.bounding_box()
        await page.keyboard.press("e")
        await expect(text).to_be_focused()
        assert await text.bounding_box() == box  # nothing moves
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.type("打这个电话")
        # An input method's Enter takes a word, it does not save.
        await text.evaluate(
            "p => p.dispatchEvent(new KeyboardEvent('keydown',"
            " {key: 'Enter', isComposing: true, bubbles: true}))"
        )
        await expect(text).to_have_attribute("contenteditable", "plaintext-only")
        await page.keyboard.press("Enter")
        row = page.locator(".line-row").last
        await expect(row.locator(".line-hearing")).to_have_text("已改 · 本机", timeout=WAIT_MS)
        await page.reload()
        await expect(page.locator(".line-text").last).to_have_text("打这个电话", timeout=WAIT_MS)
        await row.focus()
        await page.keyboard.press("u")
        await expect(page.locator(".line-text").last).to_have_text(f"我的电话是{NUMBER}。", timeout=WAIT_MS)
        await expect(row.locator(".line-hearing")).to_have_text("")
        # Esc changes nothing; an emptied line stays in sight and comes back.
        await text.dblclick()
        await page.keyboard.type("不要")
        await page.keyboard.press("Escape")
        await expect(text).to_have_text(f"我的电话是{NUMBER}。")
        await page.keyboard.press("e")
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.press("Delete")
        await page.keyboard.press("Enter")
        await expect(row).to_have_attribute("data-removed", "true", timeout=WAIT_MS)
        await row.locator(".line-restore").click()
        await expect(row).not_to_have_attribute("data-removed", "true", timeout=WAIT_MS)
        await send(line, {"type": "stop"})


async def test_a_corrected_word_is_undone_and_a_number_copied_by_keys(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, Script(recognise=hear_two_lines)) as house:
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=house.url)
        line = await begin(house)
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(3.0, channels=2))
        await has_lines(page, 2)
        assert await page.locator('.line-row[tabindex="0"]').count() == 1  # one stop of the Tab order
        await page.locator(".line-row").last.focus()
        await page.keyboard.press("ArrowRight")
        await watch_for(page, ".piece", "data-said")
        await page.keyboard.press("Enter")
        await has_shown(page, ".piece", "已复制")
        assert await page.evaluate("navigator.clipboard.readText()") == NUMBER
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Enter")
        await expect(page.locator(".undo")).to_contain_text("攻击尽")
        await page.keyboard.press("Escape")
        await expect(page.locator(".undo")).to_be_hidden()
        await page.locator(".corrected").click()
        await page.get_by_role("button", name="换回").click()
        await expect(page.locator(".line-text").first).to_have_text("想问攻击尽提取", timeout=WAIT_MS)
        await send(line, {"type": "stop"})


async def test_a_note_saves_itself_and_survives_a_reload_and_the_end(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house:
        line = await begin(house)
        await page.goto(f"{house.url}/?call=c-1")
        await expect(page.locator(".head")).to_have_attribute("data-call", "live", timeout=WAIT_MS)
        await open_and_type(page, "n", "下午三点")
        await expect(page.locator(".note-text")).to_have_text("下午三点", timeout=WAIT_MS)  # by itself
        await page.keyboard.type("回电")
        await page.keyboard.press("Enter")
        await expect(page.locator(".note-text")).to_have_text("下午三点回电", timeout=WAIT_MS)
        await expect(page.locator(".note-field")).to_have_value("")
        await send(line, {"type": "stop"})
        await expect(page.locator(".head")).to_have_attribute("data-call", "ended", timeout=WAIT_MS)
        await page.reload()
        await expect(page.locator(".note-text")).to_have_text("下午三点回电", timeout=WAIT_MS)
        await page.locator(".note-remove").click()
        await expect(page.locator(".note-text")).to_have_count(0, timeout=WAIT_MS)
        await page.get_by_role("button", name="恢复", exact=True).click()
        await expect(page.locator(".note-text")).to_have_text("下午三点回电", timeout=WAIT_MS)


async def test_every_card_of_the_call_stays_in_reach(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, Script({"第0秒": ("T001",), "第1秒": ("T002",)})) as house:
        line = await begin(house, channels=["citizen"])
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(2.2))
        await expect(page.locator(".history-open")).to_contain_text("2 条", timeout=WAIT_MS)
        await page.reload()
        await expect(page.locator(".history-open")).to_contain_text("2 条", timeout=WAIT_MS)
        await page.keyboard.press("h")
        titles = page.locator(".history-list .result-title")
        await expect(titles).to_have_text(["标题T001", "标题T002"])
        await titles.first.click()
        await expect(page.locator(".article-title")).to_have_text("标题T001")
        await page.keyboard.press("Escape")
        await expect(titles.first).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator(".cards")).to_be_visible()
        await send(line, {"type": "stop"})


async def test_an_earlier_call_is_read_beside_the_running_one(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house:
        old = await begin(house, call_id="c-0", caller=NUMBER, channels=["citizen"])
        await old.send(sound(2.0))
        await send(old, {"type": "stop"})
        assert (await receive(old))["type"] == "ended"
        line = await begin(house, caller=NUMBER)
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(3.0, channels=2))
        await has_lines(page, 6)
        await page.locator(".earlier-call").click(timeout=WAIT_MS)
        await expect(page.locator(".earlier-lines-read li")).to_have_count(2)
        await line.send(sound(1.0, channels=2))
        await has_lines(page, 8)  # the running call goes on beside it
        await page.keyboard.press("Escape")
        await expect(page.locator(".earlier-reader")).to_be_hidden()
        await send(line, {"type": "stop"})


async def test_a_call_is_handed_over_and_taken_back(tmp_path: Path, browser: Browser, page: Page) -> None:
    async with running(tmp_path) as house:
        line = await begin(house)
        other = await browser.new_page()
        await page.goto(f"{house.url}/?operator=027")
        await other.goto(f"{house.url}/?operator=031")
        await line.send(sound(2.0, channels=2))
        await has_lines(page, 4)
        await open_and_type(page, "t", "031")
        await page.keyboard.press("Tab")
        await page.keyboard.type("问异地提取")
        await page.keyboard.press("Enter")
        await expect(page.locator(".transfer-said")).to_have_text("已转给坐席 031", timeout=WAIT_MS)
        await has_lines(other, 4)
        await expect(other.locator(".transfer-said")).to_have_text("坐席 027 转来：问异地提取")
        await line.send(sound(1.0, channels=2))
        await has_lines(other, 6)
        await page.get_by_role("button", name="撤回").click()
        await has_lines(page, 6)
        assert (await on_record(house))["call"]["operator_id"] == "027"  # type: ignore[index]
        await other.close()
        await send(line, {"type": "stop"})


async def test_the_last_seconds_and_a_line_are_heard_again(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house:
        line = await begin(house)
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(12.0, channels=2))
        await has_lines(page, 24)
        async with page.expect_response("**/audio?last_s=10") as heard:
            await page.keyboard.press("r")
        assert (await heard.value).status == 200
        await expect(page.locator(".replay")).to_have_attribute("data-state", "playing", timeout=WAIT_MS)
        await page.keyboard.press("r")
        await expect(page.locator(".replay")).not_to_have_attribute("data-state", "playing")
        async with page.expect_response("**/audio?from_s=0.70&to_s=2.30") as of_line:
            await page.locator(".line-time").nth(2).click()
        assert (await of_line.value).status == 200
        await send(line, {"type": "stop"})


async def test_a_key_is_changed_kept_and_refused_where_it_is_taken(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house:
        await page.goto(house.url)
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        await page.keyboard.press("?")
        key = (
            page.get_by_role("button", name="改按键：记一条")
            .or_(page.locator('[title="改按键：记一条"]'))
            .first
        )
        await key.click()
        await page.keyboard.press("c")
        await expect(page.locator(".help-said")).to_contain_text("已用于")
        await key.click()
        await page.keyboard.press("j")
        await expect(page.locator('[title="改按键：记一条"]')).to_have_text("J")
        await page.reload()
        await begin(house)
        await expect(page.locator(".head")).to_have_attribute("data-call", "live", timeout=WAIT_MS)
        await page.keyboard.press("j")
        await expect(page.locator(".note-field")).to_be_focused()


async def test_a_long_call_stays_light_and_nothing_of_it_is_lost(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house:
        line = await begin(house, channels=["citizen"])
        for _ in range(45):
            await line.send(sound(10.0))
        await page.goto(f"{house.url}/?call=c-1")
        first, last = page.locator(".line-text").first, page.locator(".line-text").last
        await expect(last).to_have_text("第449秒", timeout=WAIT_MS * 2)
        assert await page.locator(".line-row").count() <= 401
        # no real click: to get there Playwright scrolls up, which shows them too, and the button is gone
        await page.get_by_role("button", name="显示更早的").dispatch_event("click")
        await expect(first).to_have_text("第0秒", timeout=WAIT_MS)
        await page.keyboard.press("End")
        await expect(page.locator(".line-row")).to_have_count(400, timeout=WAIT_MS)
        await send(line, {"type": "stop"})


@pytest.mark.parametrize(
    ("width", "height"), [(1366, 640), (1366, 768), (1600, 900), (1920, 960), (1920, 1080)]
)
async def test_a_long_answer_ends_above_the_foot_of_its_card(
    tmp_path: Path, browser: Browser, width: int, height: int
) -> None:
    async with running(tmp_path, Script({"第0秒": ("T001", "T002", "T003")})) as house:
        page = await browser.new_page(viewport={"width": width, "height": height})
        line = await begin(house)
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(1.5, channels=2))
        excerpt = page.locator(".card-excerpt").first
        await expect(excerpt).not_to_be_empty(timeout=WAIT_MS)
        await excerpt.evaluate("p => (p.textContent = '马上打电话登记，四十八小时内有人联系。'.repeat(20))")
        text, foot = await excerpt.bounding_box(), await page.locator(".card-foot").first.bounding_box()
        assert text is not None
        assert foot is not None
        assert text["height"] > 40  # two lines at least
        assert text["y"] + text["height"] <= foot["y"]


async def test_a_call_opens_the_other_system(tmp_path: Path, page: Page) -> None:
    crm = "https://crm.invalid/pop?phone={caller}&call={call_id}"
    async with running(tmp_path, crm_url=crm) as house:
        await page.goto(f"{house.url}/?call=c-1")
        link = page.get_by_role("link", name="在业务系统中打开")
        await expect(link).to_be_hidden()  # no call yet
        line = await begin(house, caller="13900000000")
        await expect(link).to_have_attribute("href", "https://crm.invalid/pop?phone=13900000000&call=c-1")
        async with page.context.expect_page() as opening:
            await page.keyboard.press("o")
        opened = await opening.value
        assert opened != page
        await opened.close()
        await send(line, {"type": "stop"})
