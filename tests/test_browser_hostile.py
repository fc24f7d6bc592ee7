"""Markup from everywhere it can come from: nothing runs, all of it is shown as the text that it is."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from asr.types import AudioFrame, Party, Segment
from retrieval.types import Findings
from tests.accessibility import open_and_type
from tests.call_parts import segment
from tests.house import Script, receive, running, send, sound
from tests.retrieval_parts import article
from tests.test_browser import CHROMIUM, WAIT_MS, begin, browser, page
from tests.test_browser_knowledge import call, fill
from tests.test_hostile import BELL, BIDI
from tests.test_retrieval_searcher import DAY, serving

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]


def evil(where: str) -> str:
    """Markup that would say where it ran, by image, by script, by a link and by a broken attribute."""
    return (
        f"<img src=x onerror=\"ran.push('{where}')\"><script>ran.push('{where}')</script>"
        f"<a href=\"javascript:ran.push('{where}')\">{where}</a>\"'onmouseover=ran.push(1) {{{{7*7}}}}"
    )


async def hear_markup(
    call_id: str, frames: AsyncIterator[AudioFrame], numbers: Mapping[Party, int]
) -> AsyncIterator[Segment]:
    given = False
    async for frame in frames:
        if not given and frame.party is Party.CITIZEN and frame.end_s > 1:
            given = True
            yield segment(1, evil("heard"), call_id=call_id)


async def stays_text(page: Page, *wheres: str) -> None:
    """Nothing ran or became an element, and each of these stands in the page as it was written."""
    assert await page.evaluate("globalThis.ran") == []
    made = page.locator("img, body script, a[href^='javascript'], [onmouseover], [onerror]")
    assert await made.count() == 0
    for where in wheres:
        await expect(page.get_by_text(evil(where)[:60]).first).to_be_attached(timeout=WAIT_MS)


async def test_markup_is_text_at_the_desk_and_at_the_page_of_knowledge(tmp_path: Path, page: Page) -> None:
    await page.add_init_script("globalThis.ran = []")
    fields = {name: evil(name) for name in ("department", "category", "source")}
    one = article("E1", evil("title")[:200], body=evil("body"), questions=(evil("question"),), **fields)
    searcher = serving(tmp_path / "published", [one])
    found = await searcher.find("路灯", day=DAY)
    script = Script({evil("heard"): ("E1",)}, recognise=hear_markup, answer=found)
    assert isinstance(found, Findings)
    async with running(tmp_path, script) as house:
        await fill(house, [one])
        odd = {"caller": evil("caller")[:60] + BIDI, "meta": {evil("key")[:60]: evil("value")}}
        line = await begin(house, **odd)
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(2.0, channels=2))
        await expect(page.locator(".line-text").first).to_have_text(evil("heard"), timeout=WAIT_MS)
        await stays_text(page, "key", "value")
        await page.keyboard.press("n")
        await page.keyboard.insert_text(f"{evil('note')}{BIDI}{BELL}")
        await page.keyboard.press("Enter")
        await expect(page.locator(".note-text")).to_have_text(evil("note"), timeout=WAIT_MS)
        await page.keyboard.press("Escape")
        await page.keyboard.press("e")
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.insert_text(evil("edited"))
        await page.keyboard.press("Enter")
        await expect(page.locator(".line-text").first).to_have_text(evil("edited"), timeout=WAIT_MS)
        await page.locator(".card-title").first.click()
        await expect(page.locator(".article-body")).to_contain_text(evil("body"), timeout=WAIT_MS)
        await expect(page.locator(".article .article-origin")).to_contain_text(evil("department"))
        await stays_text(page, "title", "note", "edited")
        await page.keyboard.press("h")
        await expect(page.locator(".history-list li")).to_have_count(1)
        await page.keyboard.press("/")
        await page.keyboard.insert_text(evil("asked"))
        await expect(page.locator(".result").first).to_be_visible(timeout=WAIT_MS)
        await stays_text(page, "department")
        await page.keyboard.press("Escape")
        await open_and_type(page, "t", "031")
        await page.keyboard.press("Tab")
        await page.keyboard.insert_text(evil("handed"))
        await page.keyboard.press("Enter")
        await expect(page.locator(".transfer-said")).to_contain_text("031", timeout=WAIT_MS)
        await page.goto(f"{house.url}/?operator=031")
        await expect(page.locator(".transfer-said")).to_contain_text(evil("handed"), timeout=WAIT_MS)
        await stays_text(page, "handed", "edited")
        await send(line, {"type": "stop"})
        assert (await receive(line))["type"] == "ended"
        again = await begin(house, call_id="c-2", caller=evil("caller")[:60])  # the earlier call, read again
        await page.goto(f"{house.url}/?call=c-2")
        await page.locator(".earlier-call").click(timeout=WAIT_MS)
        await expect(page.locator(".earlier-lines-read")).to_contain_text(evil("edited"))
        await stays_text(page)
        await send(again, {"type": "stop"})

        await call(house, "POST", "/articles/E1/reports", json={"text": evil("report")})
        await page.goto(f"{house.url}/knowledge")
        await page.locator(".kb-table tbody tr").first.click(timeout=WAIT_MS)
        await expect(page.locator(".kb-card-title")).to_have_text(evil("title")[:200])
        for name in ("历史", "纠错"):
            await page.get_by_role("tab", name=name).click()
            await stays_text(page)
        await stays_text(page, "report")
        await page.keyboard.press("Escape")
        rows = [("标题", "正文", "部门"), (evil("row"), evil("text"), "局"), ("", evil("fault"), "局")]
        csv.writer(table := io.StringIO()).writerows(rows)
        content = table.getvalue().encode()
        files = [{"name": f"{evil('file')[:40]}.csv", "mimeType": "text/csv", "buffer": content}]
        await page.keyboard.press("3")
        await page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
        await expect(page.locator(".kb-import-result")).to_contain_text(evil("row")[:30], timeout=WAIT_MS)
        await stays_text(page)
    searcher.close()
