"""Every page in its states under the rules of axe-core: names, roles, contrast, in light and in dark."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import Engine

from tests.accessibility import is_accessible, open_and_type
from tests.conftest import Clock
from tests.house import Script, running, send, sound
from tests.test_browser import CHROMIUM, WAIT_MS, begin, browser, has_lines, page
from tests.test_browser_desk import hear_two_lines
from tests.test_browser_knowledge import call, fill, knowledge, publishing, row
from tests.test_browser_login import sign_in
from tests.test_door import peopled
from tests.test_kb_learning import happen, said
from tests.test_retrieval_searcher import DAY, serving

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]


async def test_the_login(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house:
        await page.goto(f"{house.url}/login")
        await expect(page.get_by_label("用户名")).to_be_visible(timeout=WAIT_MS)
        await is_accessible(page, "login")
        await sign_in(page, "li", "wrong horse 7")
        await expect(page.get_by_role("alert")).to_have_text("用户名或密码不对。", timeout=WAIT_MS)
        await is_accessible(page, "login refused")
        await page.get_by_role("button", name="登录码").click()
        await is_accessible(page, "login by code")
    async with running(tmp_path / "new", open=False) as house:
        await page.goto(f"{house.url}/login")
        await expect(page.get_by_label("设置密码")).to_be_visible(timeout=WAIT_MS)
        await is_accessible(page, "first account")


async def test_the_system_and_the_own_password(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house:
        await page.goto(f"{house.url}/login?next=/system")
        await sign_in(page, "admin")
        await page.wait_for_url(f"{house.url}/system*")
        for view, shown in (
            ("users", "tbody tr"),
            ("words", "textarea"),
            ("settings", "input"),
            ("state", "dl, table, section"),
            ("audit", "tbody tr"),
        ):
            await page.goto(f"{house.url}/system#{view}")
            await expect(page.locator(f"{shown} >> visible=true").first).to_be_visible(timeout=WAIT_MS)
            await is_accessible(page, f"system, {view}")
        await page.goto(f"{house.url}/password")
        await expect(page.get_by_label("现在的密码")).to_be_focused(timeout=WAIT_MS)
        await is_accessible(page, "own password")


async def test_the_desk(tmp_path: Path, page: Page) -> None:
    script = Script({"想问公积金提取": ("A3", "A1", "A5")}, recognise=hear_two_lines)
    async with running(tmp_path, script) as house:
        await fill(house)
        await page.goto(f"{house.url}/?operator=027")
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        await is_accessible(page, "desk without a call")
        line = await begin(house, caller="13900000152", meta={"queue": "一线"})
        await line.send(sound(3.0, channels=2))
        await has_lines(page, 2)
        await expect(page.locator('.card[data-state="card"]')).to_have_count(3, timeout=WAIT_MS)
        await page.locator(".corrected").click()
        await is_accessible(page, "desk in a call, a correction open")
        for key in ("Escape", "x", "n"):
            await page.keyboard.press(key)
        await page.keyboard.type("下午回电")
        await page.keyboard.press("Enter")
        await expect(page.locator(".note-text")).to_have_count(1, timeout=WAIT_MS)
        await page.keyboard.press("Escape")
        await page.keyboard.press("1")
        await expect(page.locator(".article-body")).to_contain_text("没有自有住房", timeout=WAIT_MS)
        await is_accessible(page, "desk, an article open and a note taken")
        await page.keyboard.press("Escape")
        await open_and_type(page, "/", "什么也没有")
        await expect(page.locator(".results .placeholder")).to_be_visible(timeout=WAIT_MS)
        await is_accessible(page, "desk, a search without results")
        for key, panel in (("h", ".history"), ("?", ".help"), ("m", ".try"), ("t", ".transfer-form")):
            await page.keyboard.press("Escape")
            await page.keyboard.press(key)
            await expect(page.locator(panel)).to_be_visible()
            await is_accessible(page, f"desk, {panel} open")
        await page.keyboard.press("Escape")
        await page.keyboard.press("m")
        await page.get_by_role("button", name="录音").click()
        await is_accessible(page, "desk, recordings to be played")
        await page.keyboard.press("Escape")
        await send(line, {"type": "stop"})
        await expect(page.locator(".head")).to_have_attribute("data-call", "ended", timeout=WAIT_MS)
        await is_accessible(page, "desk after the call")
        await page.goto(f"{house.url}/?call=nobody")
        await expect(page.locator(".lines-placeholder")).to_contain_text("没有找到", timeout=WAIT_MS)
        await is_accessible(page, "desk, an unknown call")


async def test_the_knowledge_and_its_editor(tmp_path: Path, page: Page) -> None:
    searcher = serving(tmp_path / "published")

    async def search(query: Any) -> Any:
        return await searcher.find(query, day=DAY)

    async with knowledge(tmp_path, page, script=Script(search=search)) as house:
        await is_accessible(page, "list of articles")
        await row(page, "养老金资格认证").click()
        await page.locator("#kb-field-title").fill("")
        await page.keyboard.press("Control+s")
        await is_accessible(page, "editor with a fault")
        await page.locator("#kb-field-title").fill("养老金认证")
        await page.keyboard.press("Control+s")
        await expect(page.locator(".news")).to_contain_text("已保存")
        await page.get_by_role("tab", name="历史").click()
        await expect(page.locator(".kb-steps li")).to_have_count(2)
        await is_accessible(page, "history of an article")
        await call(house, "POST", "/articles/A2/reports", json={"text": "电话已经换了"})
        await page.reload()
        await row(page, "养老金认证").click()
        await page.get_by_role("tab", name="纠错").click()
        await expect(page.locator(".kb-report")).to_be_visible()
        await is_accessible(page, "reports about an article")
        await page.get_by_role("tab", name="内容").click()
        await page.locator("#kb-field-body").fill("我写的正文。")
        theirs = {"title": "养老金认证", "body": "对方写的。", "author": "小李"}
        await call(house, "PUT", "/articles/A2", json=theirs, headers={"If-Match": "*"})
        await page.keyboard.press("Control+s")
        await expect(page.locator(".kb-conflict")).to_be_visible()
        await is_accessible(page, "a conflict of two editors")
        await row(page, "噪声扰民投诉").get_by_role("checkbox").check()
        await page.get_by_role("button", name="删除", exact=True).first.click()
        await expect(page.locator(".news")).to_contain_text("已删除")
        await page.keyboard.press("?")
        await is_accessible(page, "news with undo, and help")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await page.locator(".kb-scroll").focus()
        await open_and_type(page, "t", "我想问一下路灯不亮怎么报修")
        await page.keyboard.press("Enter")
        await expect(page.locator(".kb-match").first).to_be_visible()
        await is_accessible(page, "panel for trying out")
    searcher.close()


async def test_importing(tmp_path: Path, page: Page) -> None:
    content = "号码,名字,说明\nB1,新知识,内容。\nB2,,缺标题。\n".encode()
    async with knowledge(tmp_path, page):
        await page.keyboard.press("3")
        await is_accessible(page, "import")
        file = {"name": "导出.csv", "mimeType": "text/csv", "buffer": content}
        await page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]
        await expect(page.locator(".kb-import .sorry")).to_contain_text("kb.file_columns")
        await is_accessible(page, "import, unknown columns")
        for column, field in (("名字", "title"), ("说明", "body"), ("号码", "article_id")):
            await page.get_by_label(f"“{column}”这一列对应").select_option(field)
        await expect(page.locator(".kb-import-result")).to_contain_text("第 3 行缺少标题")
        await is_accessible(page, "import, looked at")


@pytest.mark.process
async def test_publishing_and_what_use_tells(
    engine: Engine, tmp_path: Path, clock: Clock, page: Page
) -> None:
    for number, text in enumerate(("无人机在哪里登记", "无人机登记备案在哪里")):
        await happen(engine, f"c-{number}", said(1, f"我想问一下{text}"))
    async with publishing(engine, tmp_path / "kb", clock) as url:
        await page.goto(f"{url}/knowledge#publish")
        await expect(page.locator(".kb-publish")).to_contain_text("新增 6 条", timeout=WAIT_MS)
        await is_accessible(page, "before a publish")
        await page.get_by_role("button", name="发布给坐席").click()
        await expect(page.locator(".kb-progress")).to_have_attribute("data-stage", "done", timeout=60_000)
        await is_accessible(page, "after a publish")
        await page.keyboard.press("4")
        await expect(page.locator(".kb-group")).to_have_count(1)
        await is_accessible(page, "gaps")
        for name in ("使用情况", "重复", "到期", "纠错"):
            await page.locator(".kb-gaps").get_by_role("tab", name=name).click()
            await expect(page.locator(".kb-gaps .skeleton")).to_have_count(0)
            await is_accessible(page, f"gaps, {name}")
