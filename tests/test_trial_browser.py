"""A call begun from the desk itself, in a real Chromium: its fake microphone, and files from the disk."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.house import House, Script, running
from tests.real_server import free_port
from tests.test_browser import CHROMIUM, WAIT_MS
from tests.test_recordings import wav

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]


@asynccontextmanager
async def page_with_microphone(tmp_path: Path, *flags: str) -> AsyncIterator[Page]:
    """A page beside a microphone that says noise; without flags, nobody allows it."""
    noise = tmp_path / "mic.wav"
    noise.write_bytes(wav(30.0, rate=48_000))
    args = [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={noise}",
        "--autoplay-policy=no-user-gesture-required",
        *flags,
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        page = await browser.new_page(viewport={"width": 1366, "height": 768})
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        yield page
        assert broken == []
        await browser.close()


ALLOWED = "--use-fake-ui-for-media-stream"


async def calls_of(house: House) -> list[dict[str, object]]:
    async with httpx.AsyncClient(timeout=60) as client:
        found: list[dict[str, object]] = (await client.get(f"{house.url}/v1/calls")).json()["calls"]
        return found


async def in_phase(page: Page, phase: str) -> None:
    await expect(page.locator(f'.try-view[data-phase="{phase}"]')).to_be_attached(timeout=WAIT_MS)


async def test_speaking_into_the_microphone_is_a_call(tmp_path: Path) -> None:
    async with running(tmp_path) as house, page_with_microphone(tmp_path, ALLOWED) as page:
        await page.goto(house.url)
        await expect(page.locator(".try-open")).to_be_visible()
        await page.keyboard.press("m")
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        await page.get_by_role("button", name="开始说话").click()
        await in_phase(page, "live")
        await expect(page.locator(".line-row").nth(3)).to_be_visible(timeout=WAIT_MS)
        await expect(page.locator(".try-level-word")).to_have_text("正常")
        await page.get_by_role("button", name="暂停").click()
        await in_phase(page, "paused")
        paused_s = loop.time()
        await asyncio.sleep(2)
        paused_s = loop.time() - paused_s
        await page.get_by_role("button", name="继续").click()
        await expect(page.locator(".line-row").nth(5)).to_be_visible(timeout=WAIT_MS)
        await page.get_by_role("button", name="结束").click()
        await in_phase(page, "ended")
        took_s = loop.time() - begun_s
        (call,) = await calls_of(house)
        said = await page.locator(".try-phase").inner_text()
        raw = (tmp_path / "audio" / f"{call['call_id']}.raw").read_bytes()
    assert call["state"] == "ended"
    seconds = float(str(call["seconds"]))
    assert len(raw) == round(seconds * 32_000)
    assert 6 <= seconds < took_s - paused_s + 0.3  # and the pause is not in it
    assert f"{int(seconds)}秒" in said
    assert max(raw) > 0


async def test_a_call_outlives_the_server_and_no_sound_is_missing(tmp_path: Path) -> None:
    port = free_port()
    async with page_with_microphone(tmp_path, ALLOWED) as page:
        async with running(tmp_path, on_port=port) as house:
            await page.goto(house.url)
            await expect(page.locator(".try-open")).to_be_visible()
            await page.keyboard.press("m")
            await page.get_by_role("button", name="开始说话").click()
            await expect(page.locator(".line-row").nth(1)).to_be_visible(timeout=WAIT_MS)
        await in_phase(page, "waiting")
        await asyncio.sleep(2)
        async with running(tmp_path, on_port=port) as house:
            await in_phase(page, "live")
            shown = await page.locator(".try-time").inner_text()
            await page.get_by_role("button", name="结束").click()
            await in_phase(page, "ended")
            (call,) = await calls_of(house)
    minutes, seconds = map(int, shown.split(":"))
    assert float(str(call["seconds"])) >= minutes * 60 + seconds - 0.5
    assert (call["state"], call["end_reason"]) == ("ended", "hangup")


async def test_leaving_the_page_hangs_up(tmp_path: Path) -> None:
    async with running(tmp_path) as house, page_with_microphone(tmp_path, ALLOWED) as page:
        await page.goto(house.url)
        await expect(page.locator(".try-open")).to_be_visible()
        await page.keyboard.press("m")
        await page.get_by_role("button", name="开始说话").click()
        await expect(page.locator(".line-row").nth(1)).to_be_visible(timeout=WAIT_MS)
        await page.close()
        async with asyncio.timeout(60):
            state = "live"
            while state == "live":
                await asyncio.sleep(0.1)
                state = str((await calls_of(house))[0]["state"])
        assert state == "ended"
        assert (await calls_of(house))[0]["end_reason"] == "hangup"


async def test_what_goes_wrong_is_explained(tmp_path: Path) -> None:
    async with running(tmp_path) as house, page_with_microphone(tmp_path) as page:
        await page.goto(house.url)
        await expect(page.locator(".try-open")).to_be_visible()
        await page.keyboard.press("m")
        await page.get_by_role("button", name="开始说话").click()
        await expect(page.locator(".try-problem").first).to_contain_text("没有允许使用话筒", timeout=WAIT_MS)
        assert await calls_of(house) == []
    script = Script(max_calls=0)
    async with running(tmp_path, script) as house, page_with_microphone(tmp_path, ALLOWED) as page:
        await page.goto(house.url)
        await expect(page.locator(".try-open")).to_be_visible()
        await page.keyboard.press("m")
        await page.get_by_role("button", name="开始说话").click()
        await expect(page.locator(".try-problem").first).to_contain_text("识别能力已达上限", timeout=WAIT_MS)
        await expect(page.get_by_role("button", name="开始说话")).to_be_visible()


async def test_recordings_play_one_after_another_and_a_bad_one_is_named(tmp_path: Path) -> None:
    files = [("好.wav", wav(4.0, channels=2)), ("坏.mp3", b"no sound at all" * 99), ("二.wav", wav(2.0))]
    async with running(tmp_path) as house, page_with_microphone(tmp_path) as page:
        await page.goto(house.url)
        await expect(page.locator(".try-open")).to_be_visible()
        await page.keyboard.press("m")
        await page.get_by_role("button", name="录音").click()
        await page.get_by_label("速度").select_option("2")
        await page.locator('.try input[type="file"]').set_input_files(
            [{"name": name, "mimeType": "audio/wav", "buffer": content} for name, content in files]
        )
        await expect(page.locator(".line-row").nth(1)).to_be_visible(timeout=WAIT_MS)
        row = page.locator(".try-files li")
        await expect(row.nth(2)).to_have_attribute("data-phase", "ended", timeout=WAIT_MS)
        await expect(row.nth(0)).to_have_attribute("data-phase", "ended")
        await expect(row.nth(1)).to_have_attribute("data-phase", "failed")
        await expect(row.nth(1)).to_contain_text("请换一个文件")
        await expect(page.locator('.line-row[data-final="true"]')).to_have_count(2, timeout=WAIT_MS)
        assert sorted(float(str(call["seconds"])) for call in await calls_of(house)) == [2.0, 4.0]
        assert json.dumps(await calls_of(house), ensure_ascii=False).count("录音试听写") == 2


async def test_a_question_is_spoken_instead_of_typed(tmp_path: Path) -> None:
    async with running(tmp_path) as house, page_with_microphone(tmp_path, ALLOWED) as page:
        await page.goto(f"{house.url}/knowledge")
        await page.locator(".kb-try-button").click()
        speak = page.locator(".kb-speak")
        box = await speak.bounding_box()
        await speak.click()
        await expect(speak).to_have_text("说完了", timeout=WAIT_MS)
        assert await speak.bounding_box() == box
        await asyncio.sleep(1.5)
        await speak.click()
        await expect(speak).to_have_text("说一句", timeout=WAIT_MS)
        heard = page.locator(".kb-turns input")
        wrong = page.locator(".kb-speak-wrong")
        # Noise is no speech for the real detector: that is said, and nothing is asked.
        await expect(wrong).to_have_text("没有听清，请靠近话筒再说一遍。")
        await expect(heard).to_have_value("")
