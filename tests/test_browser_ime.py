"""Typing Chinese: while an input method composes, its keys choose words and do nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import CDPSession, Page, expect

from tests.house import Script, running, send, sound
from tests.test_browser import CHROMIUM, WAIT_MS, begin, browser, has_lines, page
from tests.test_browser_knowledge import call, fill, knowledge
from tests.test_retrieval_searcher import DAY, serving

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
CANDIDATE_KEYS = ("1", "2", "Enter", "Escape", " ", "n", "t", "e", "x", "/", "ArrowDown", "?")
"""Keys that an input method takes: digits and the space choose a word, Enter takes the letters."""
PROCESSED = 229
"""The key code of whatever an input method has taken."""


class InputMethod:
    """What Chromium hears from a Chinese input method: a text that grows, keys that are taken, a text."""

    def __init__(self, session: CDPSession):
        self._session = session

    @classmethod
    async def of(cls, page: Page) -> "InputMethod":
        return cls(await page.context.new_cdp_session(page))

    async def compose(self, letters: str) -> None:
        for end in range(1, len(letters) + 1):
            await self._key(letters[end - 1])
            text = letters[:end]
            await self._session.send(
                "Input.imeSetComposition",
                {"text": text, "selectionStart": len(text), "selectionEnd": len(text)},
            )

    async def press_candidate_keys(self) -> None:
        for key in CANDIDATE_KEYS:
            await self._key(key)

    async def take(self, text: str) -> None:
        await self._session.send("Input.insertText", {"text": text})

    async def _key(self, key: str) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            event = {"type": kind, "key": key, "windowsVirtualKeyCode": PROCESSED}
            await self._session.send("Input.dispatchKeyEvent", event)


@asynccontextmanager
async def counted(page: Page, path: str) -> AsyncIterator[list[str]]:
    """The addresses below that path which the page asks for meanwhile."""
    asked: list[str] = []
    listen = lambda request: asked.append(request.url) if path in request.url else None  # noqa: E731
    page.on("request", listen)
    yield asked
    page.remove_listener("request", listen)


async def test_searching_at_the_desk(tmp_path: Path, page: Page) -> None:
    searcher = serving(tmp_path / "published")
    script = Script({"第0秒": ("A3", "A1")})
    script.answer = await searcher.find("路灯不亮怎么报修", day=DAY)
    async with running(tmp_path, script) as house:
        await fill(house)
        line = await begin(house)
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(2.0, channels=2))
        await has_lines(page, 4)
        await expect(page.locator('.card[data-state="card"]')).to_have_count(2, timeout=WAIT_MS)
        field, method = page.locator(".search-field"), await InputMethod.of(page)
        async with counted(page, "/v1/search") as asked:
            await page.keyboard.press("/")
            await method.compose("ludeng")
            await expect(field).to_have_value("ludeng")
            await method.press_candidate_keys()
            await page.wait_for_timeout(600)  # longer than the pause after which a search begins
            assert asked == []
            await expect(field).to_have_value("ludeng")
            await expect(field).to_be_focused()
            await expect(page.locator(".cards")).to_be_visible()  # no card, no help, no panel has opened
            for other in (".article", ".results", ".help", ".try", ".history", ".transfer-form"):
                await expect(page.locator(other)).to_be_hidden()
            await method.take("路灯")
            await expect(field).to_have_value("路灯")
            await expect(page.locator(".result").first).to_be_visible(timeout=WAIT_MS)
            await page.wait_for_timeout(600)
            assert len(asked) == 1
            assert "q=%E8%B7%AF%E7%81%AF" in asked[0]
        await page.keyboard.press("Escape")
        await page.keyboard.press("n")  # notes and lines are typed the same way
        await method.compose("huidian")
        await method.press_candidate_keys()
        await expect(page.locator(".note-text")).to_have_count(0)
        await method.take("回电")
        await page.keyboard.press("Enter")
        await expect(page.locator(".note-text")).to_have_text("回电", timeout=WAIT_MS)
        await page.keyboard.press("Escape")
        await page.keyboard.press("e")
        await page.keyboard.press("ControlOrMeta+a")
        await method.compose("jishui")
        await method.press_candidate_keys()
        row = page.locator('.line-row[data-editing="true"]')
        await expect(row.locator(".line-text")).to_have_text("jishui")
        await method.take("积水")
        await page.keyboard.press("Enter")
        await expect(page.locator(".line-text").last).to_have_text("积水", timeout=WAIT_MS)
        await send(line, {"type": "stop"})
    searcher.close()


async def test_searching_and_writing_at_the_page_of_knowledge(tmp_path: Path, page: Page) -> None:
    async with knowledge(tmp_path, page) as house:
        method = await InputMethod.of(page)
        search, title = page.locator(".kb-search input"), page.locator("#kb-field-title")
        async with counted(page, "/v1/articles?") as asked:
            await page.keyboard.press("/")
            await method.compose("ludeng")
            await method.press_candidate_keys()
            await page.wait_for_timeout(600)
            await expect(search).to_have_value("ludeng")
            assert asked == []
            await method.take("路灯")
            await expect(page.locator(".kb-range")).to_have_text("1–1，共 1 条")
            assert len(asked) == 1
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await page.keyboard.press("n")
        await expect(title).to_be_focused()
        await method.compose("danche")
        await method.press_candidate_keys()
        await expect(title).to_be_focused()
        await expect(title).to_have_value("danche")
        assert page.url.endswith("/knowledge")  # a digit did not change the view
        await expect(page.locator(".kb-try")).to_be_hidden()
        await method.take("单车")
        await expect(title).to_have_value("单车")
        await page.keyboard.press("Tab")
        await method.compose("zhengwen")
        await method.take("正文。")
        await page.keyboard.press("Control+s")
        await expect(page.locator(".news")).to_contain_text("单车")
        assert (await call(house, "GET", "/articles", params={"q": "单车"}))["total"] == 1
