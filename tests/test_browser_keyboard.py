"""A working day without a mouse: everything by keys, and the focus is seen after every one of them."""

from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect
from sqlalchemy import Engine

from tests.accessibility import Keys
from tests.conftest import Clock
from tests.house import Script, receive, send, sound
from tests.passing import has_shown, watch_for
from tests.retrieval_parts import ARTICLES
from tests.test_access import PASSWORD
from tests.test_browser import CHROMIUM, LEGS, WAIT_MS, browser, has_lines, page
from tests.test_browser_desk import hear_two_lines
from tests.test_browser_knowledge import publishing
from tests.test_door import cookie, peopled, signed_in
from tests.test_retrieval_searcher import DAY, serving

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]


_TIME_TO_GO = """() => {
  let pressed = Infinity;
  addEventListener("keydown", () => (pressed = performance.now()), { capture: true, once: true });
  const card = document.querySelector(".card");
  const gone = new MutationObserver(() => {
    if (card.dataset.state === "card") return;
    globalThis.goneAfterMs = performance.now() - pressed;
    gone.disconnect();
  });
  gone.observe(card, { attributes: true });
}"""
"""How long the first card takes to go after the next key, in milliseconds."""


async def keep(admin: httpx.AsyncClient) -> None:
    for one in ARTICLES:
        body = {"article_id": one.article_id, "title": one.title, "body": one.body}
        assert (await admin.post("/v1/articles", json=body)).status_code == 201


async def test_an_operators_call(tmp_path: Path, page: Page) -> None:
    searcher = serving(tmp_path / "published")
    script = Script({"想问公积金提取": ("A3", "A1")}, recognise=hear_two_lines)
    script.answer = await searcher.find("路灯不亮怎么报修", day=DAY)
    keys = Keys(page)
    async with peopled(tmp_path, script=script) as house, signed_in(house, "admin") as admin:
        await keep(admin)
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=house.url)
        await page.goto(f"{house.url}/login")
        await expect(page.get_by_label("用户名")).to_be_focused(timeout=WAIT_MS)
        await keys.type("li")
        await keys.press("Tab")
        await keys.type(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        line = await house.socket("/v1/calls/audio", additional_headers=cookie(admin))
        await send(line, LEGS | {"caller": "13900000152"})
        await receive(line)
        await line.send(sound(3.0, channels=2))
        await has_lines(page, 2)
        card = page.locator(".card").first
        await expect(card).to_have_attribute("data-state", "card", timeout=WAIT_MS)

        await keys.press("1")  # read it, copy it, and say what it was worth
        await expect(page.locator(".article-body")).to_contain_text("没有自有住房", timeout=WAIT_MS)
        await watch_for(page, ".article-bar [data-said]")
        await keys.press("c")
        await has_shown(page, ".article-bar [data-said]", "已复制")
        assert "没有自有住房" in await page.evaluate("navigator.clipboard.readText()")
        await keys.press("p", "+")
        for name in ("有用", "已固定"):
            await expect(page.locator(".article-bar").get_by_role("button", name=name)).to_have_attribute(
                "aria-pressed", "true", timeout=WAIT_MS
            )
        await keys.press("Escape")
        await expect(card.locator(".card-title")).to_be_focused()
        await page.evaluate(_TIME_TO_GO)
        await keys.press("x")
        await expect(card).not_to_have_attribute("data-state", "card", timeout=WAIT_MS)
        assert await page.evaluate("globalThis.goneAfterMs") < 8000  # at once, not when the focus has left

        await keys.press("/")  # search, open a result, go back step by step
        await keys.type("路灯")
        await expect(page.locator(".result").first).to_be_visible(timeout=WAIT_MS)
        await keys.press("ArrowDown", "Enter")
        await expect(page.locator(".article-title")).to_have_text("路灯不亮怎么报修")
        await keys.press("Escape")
        await expect(page.locator(".results-list .result").first).to_be_focused()
        await keys.press("/", "Escape")
        await expect(page.locator(".cards")).to_be_visible()

        await keys.press("e", "ControlOrMeta+a")  # a line, a note
        await keys.type("打这个电话")
        await keys.press("Enter")
        await expect(page.locator(".line-row").last).to_be_focused()
        await expect(page.locator(".line-hearing").last).to_have_text("已改 · li", timeout=WAIT_MS)
        await keys.press("u")
        await expect(page.locator(".line-hearing").last).to_have_text("", timeout=WAIT_MS)
        await keys.press("n")
        await keys.type("下午回电")
        await keys.press("Enter", "Escape")
        await expect(page.locator(".note-text")).to_have_text("下午回电", timeout=WAIT_MS)

        await keys.press("?")  # another key for notes
        await keys.tab_to('[title="改按键：记一条"]')
        await keys.press("Enter", "j")
        await expect(page.locator('[title="改按键：记一条"]')).to_be_focused()
        await keys.press("Escape", "j")
        await expect(page.locator(".note-field")).to_be_focused()
        await keys.press("Escape", "h", "Escape", "m", "Escape", "End")

        await keys.press("t")  # hand it over and take it back
        await keys.type("031")
        await keys.press("Tab")
        await keys.type("问异地提取")
        await keys.press("Enter")
        await expect(page.locator(".transfer-said")).to_have_text("已转给坐席 031", timeout=WAIT_MS)
        await expect(page.get_by_role("button", name="撤回")).to_be_focused()
        await keys.press("Enter")
        await expect(page.locator(".transfer-line button").last).to_be_enabled(timeout=WAIT_MS)
        await keys.see("after taking it back")
        await keys.tab_to(".head-tools button:nth-last-child(3)", back=True)  # the other language
        await keys.press("Enter")
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        await send(line, {"type": "stop"})
        await expect(page.locator(".head")).to_have_attribute("data-call", "ended", timeout=WAIT_MS)
        await keys.see("after the call")
    searcher.close()


@pytest.mark.process
async def test_an_admins_article_is_published_and_rolled_back(
    engine: Engine, tmp_path: Path, clock: Clock, page: Page
) -> None:
    keys = Keys(page)
    stage = page.locator(".kb-progress")
    async with publishing(engine, tmp_path / "kb", clock) as url:
        await page.goto(f"{url}/knowledge#publish")
        await expect(page.locator(".kb-publish")).to_contain_text("新增 6 条", timeout=WAIT_MS)
        await keys.tab_to(".kb-publish .primary")
        await keys.press("Enter")
        await expect(stage).to_have_attribute("data-stage", "done", timeout=60_000)
        await keys.press("1", "n")
        await keys.type("共享单车乱停")
        await keys.press("Tab")
        await keys.type("登记地点，转交运营企业。")
        await keys.tab_to(".kb-deeds .primary", back=True)
        await keys.press("Enter")
        await expect(page.locator(".news")).to_contain_text("已保存", timeout=WAIT_MS)
        await keys.press("?", "Escape", "Escape", "2")
        await expect(page.locator('[data-kind="added"]')).to_contain_text("共享单车乱停", timeout=WAIT_MS)
        clock.advance(60)
        await keys.tab_to(".kb-publish .primary")
        await keys.press("Enter")
        await expect(page.locator(".kb-plain tr")).to_have_count(2, timeout=60_000)
        await expect(stage).to_have_attribute("data-stage", "done")
        await keys.tab_to(".kb-act button")
        await keys.press("Enter")
        await expect(page.locator(".kb-plain tr").last).to_contain_text("坐席正在用", timeout=60_000)
        await keys.see("after rolling back")
        await keys.press("1")
        await expect(page.locator(".kb-table tbody tr").first).to_be_visible()
        await keys.press("j")
        await expect(page.locator(".kb-table tbody [data-current]")).to_have_count(1)
        await keys.press("Delete")
        await expect(page.locator(".news")).to_contain_text("已删除", timeout=WAIT_MS)
        await keys.tab_to(".news button")
        await keys.press("Enter")
        await expect(page.locator(".news")).to_contain_text("已恢复", timeout=WAIT_MS)
        await keys.press("t", "Escape", "4")
        await keys.see("at the end")
