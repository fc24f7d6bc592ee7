"""The knowledge page in a real browser, over the real database and REST."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import Depends
from playwright.async_api import Browser, Page, async_playwright, expect
from sqlalchemy import Engine

from agent_ui.door import Door
from agent_ui.kb_editing_rest import editing_router
from agent_ui.pages import add_pages
from agent_ui.session_rest import session_router
from knowledge_base.article_json import to_json
from tests.accessibility import open_and_type
from tests.conftest import Clock
from tests.house import House, Script, running
from tests.retrieval_parts import ARTICLES, article
from tests.test_browser import CHROMIUM, WAIT_MS
from tests.test_kb_learning import happen, said
from tests.test_kb_rest import opened
from tests.test_retrieval_searcher import DAY, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    broken: list[str] = []
    page = await browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []


async def call(house: House, method: str, path: str, **options: Any) -> Any:
    async with httpx.AsyncClient(base_url=f"{house.url}/v1", timeout=60) as client:
        answer = await client.request(method, path, **options)
        assert answer.status_code < 300, answer.text
        return answer.json()


async def fill(house: House, articles: Any = ARTICLES) -> None:
    lines = "\n".join(json.dumps(to_json(one), ensure_ascii=False) for one in articles)
    query = {"name": "a.jsonl", "apply": True, "author": "小张"}
    await call(house, "POST", "/kb/import", params=query, content=lines.encode())


@asynccontextmanager
async def knowledge(
    tmp_path: Path, page: Page, articles: Any = ARTICLES, **changes: Any
) -> AsyncIterator[House]:
    async with running(tmp_path, changes.pop("script", None) or Script(), **changes) as house:
        await fill(house, articles)
        await page.goto(f"{house.url}/knowledge")
        await expect(page.locator(".kb-table tbody tr").first).to_be_visible(timeout=WAIT_MS)
        yield house


def row(page: Page, title: str) -> Any:
    return page.locator(".kb-table tbody tr", has_text=title)


async def test_an_article_is_edited_saved_and_its_history_read(tmp_path: Path, page: Page) -> None:
    async with knowledge(tmp_path, page) as house:
        await row(page, "养老金资格认证").click()
        body = page.locator("#kb-field-body")
        await body.fill("每年认证两次，手机上刷脸就可以。")
        await expect(page.locator(".kb-card-excerpt")).to_have_text("每年认证两次，手机上刷脸就可以。")
        await page.keyboard.press("Control+s")
        await expect(page.locator(".news")).to_contain_text("已保存")
        kept = await call(house, "GET", "/articles/A2")
        assert (kept["body"], kept["revision"], kept["author"]) == (
            "每年认证两次，手机上刷脸就可以。",
            2,
            "本机",
        )
        await page.get_by_role("tab", name="历史").click()
        await expect(page.locator(".kb-steps ins").first).to_contain_text("两")
        await expect(page.locator(".kb-steps del").first).to_contain_text("一")
        await page.get_by_role("button", name="恢复这一版").click()
        await expect(page.locator(".news")).to_contain_text("已恢复为第 1 版")
        assert (await call(house, "GET", "/articles/A2"))["body"] == "每年认证一次，手机上刷脸就可以。"


async def test_every_field_is_in_sight_on_a_low_screen(tmp_path: Path, page: Page) -> None:
    async with knowledge(tmp_path, page):
        await row(page, "养老金资格认证").click()
        await expect(page.locator("#kb-field-expires_on")).to_be_visible()
        below = await page.evaluate("""() => {
          const foot = document.querySelector(".kb-work").getBoundingClientRect().bottom;
          const fields = [...document.querySelectorAll(".kb-form :is(input, textarea)")];
          return fields.filter((one) => one.getBoundingClientRect().bottom > foot).map((one) => one.id);
        }""")
        assert below == []


async def test_two_editors_lose_nothing(tmp_path: Path, page: Page) -> None:
    async with knowledge(tmp_path, page) as house:
        await row(page, "居住证签注").click()
        await page.locator("#kb-field-body").fill("我写的正文。")
        await page.locator("#kb-field-category").fill("户籍")
        theirs = {"title": "居住证签注", "body": "对方写的正文。", "department": "公安局", "author": "小李"}
        await call(house, "PUT", "/articles/A6", json=theirs, headers={"If-Match": '"1"'})
        await page.keyboard.press("Control+s")
        conflict = page.locator(".kb-conflict")
        await expect(conflict).to_contain_text("小李 已改成第 2 版")
        go = conflict.get_by_role("button", name="合在一起")
        await expect(go).to_be_disabled()
        await conflict.locator("fieldset", has_text="正文").get_by_label("我的").check()
        await go.click()
        await expect(page.locator("#kb-field-department")).to_have_value("公安局")
        await page.keyboard.press("Control+s")
        await expect(page.locator(".news")).to_contain_text("已保存")
        kept = await call(house, "GET", "/articles/A6")
        assert (kept["body"], kept["category"], kept["department"]) == ("我写的正文。", "户籍", "公安局")
        assert kept["revision"] == 3


async def test_deleting_is_undone(tmp_path: Path, page: Page) -> None:
    async with knowledge(tmp_path, page) as house:
        await row(page, "噪声扰民投诉").click()
        await page.get_by_role("button", name="删除", exact=True).locator("visible=true").click()
        await expect(row(page, "噪声扰民投诉")).to_have_count(0)
        await page.get_by_role("button", name="撤销").click()
        await expect(row(page, "噪声扰民投诉")).to_have_count(1)
        for title in ("路灯不亮怎么报修", "老年公交卡办理"):
            await row(page, title).get_by_role("checkbox").check()
        await page.locator(".kb-bulk").get_by_role("button", name="删除").click()
        await expect(page.locator(".news")).to_contain_text("已删除 2 条")
        await expect(page.locator(".kb-table tbody tr")).to_have_count(4)
        assert (await call(house, "GET", "/articles"))["total"] == 4
        await page.get_by_role("button", name="撤销").click()
        await expect(page.locator(".kb-table tbody tr")).to_have_count(6)


async def test_markup_in_a_title_stays_text(tmp_path: Path, page: Page) -> None:
    evil = "<img src=x onerror=\"document.title='broken'\"><script>alert(1)</script>"
    async with knowledge(tmp_path, page, (article("E1", evil, body=f"{evil}。"), *ARTICLES)):
        await expect(row(page, "<img src=x")).to_have_count(1)
        await row(page, "<img src=x").click()
        await expect(page.locator(".kb-card-title")).to_have_text(evil)
        await page.get_by_role("tab", name="历史").click()
        await expect(page.locator(".kb-steps li")).to_have_count(1)
        assert await page.locator("img, .shell script").count() == 0
        assert await page.title() == "智听 · 知识管理"


async def test_what_was_not_saved_is_there_after_a_reload(tmp_path: Path, page: Page) -> None:
    async with knowledge(tmp_path, page) as house:
        await row(page, "公积金租房提取").click()
        await page.locator("#kb-field-body").fill("还没写完")
        await row(page, "居住证签注").click()
        await expect(row(page, "公积金租房提取")).to_contain_text("未保存")
        await page.reload()
        await row(page, "公积金租房提取").click()
        await expect(page.locator("#kb-field-body")).to_have_value("还没写完")
        await page.get_by_role("button", name="放弃这些修改").click()
        await expect(page.locator("#kb-field-body")).to_have_value("没有自有住房就可以提取。")
        await page.get_by_role("button", name="撤销").click()
        await expect(page.locator("#kb-field-body")).to_have_value("还没写完")
        assert (await call(house, "GET", "/articles/A3"))["revision"] == 1


async def test_a_faulty_csv_is_mapped_looked_at_and_imported(tmp_path: Path, page: Page) -> None:
    content = "号码,名字,说明\nB1,新知识,内容。\nB2,,缺标题。\n".encode("gb18030")
    async with knowledge(tmp_path, page) as house:
        await page.keyboard.press("3")
        files = [{"name": "导出.csv", "mimeType": "text/csv", "buffer": content}]
        await page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
        await expect(page.locator(".kb-import .sorry")).to_contain_text("kb.file_columns")
        await page.get_by_label("“名字”这一列对应").select_option("title")
        await page.get_by_label("“说明”这一列对应").select_option("body")
        await page.get_by_label("“号码”这一列对应").select_option("article_id")
        await expect(page.locator(".kb-import-result")).to_contain_text("第 3 行缺少标题")
        assert (await call(house, "GET", "/articles"))["total"] == 6
        await page.get_by_role("button", name="导入 1 条").click()
        await expect(page.locator(".kb-import-result")).to_contain_text("导入完成：新增 1 条")
        assert (await call(house, "GET", "/articles/B1"))["body"] == "内容。"
        broken = [{"name": "坏.xlsx", "mimeType": "", "buffer": b"PK\x03\x04 cut off"}]
        await page.get_by_role("button", name="换一个文件").click()
        await page.locator("input[type=file]").set_input_files(broken)  # type: ignore[arg-type]
        await expect(page.locator(".kb-import .sorry")).to_contain_text("kb.file_damaged")


async def test_everything_by_keys(tmp_path: Path, page: Page) -> None:
    async with knowledge(tmp_path, page) as house:
        for key in ("j", "j", "k", "j", "Enter"):
            await page.keyboard.press(key)
        await expect(page.locator("#kb-field-title")).to_be_focused()
        title = await page.locator("#kb-field-title").input_value()
        await page.keyboard.press("End")
        await page.keyboard.type("（新）")
        await page.keyboard.press("Control+s")
        await expect(row(page, f"{title}（新）")).to_have_count(1)
        await page.keyboard.press("Escape")
        await expect(page.locator(".kb-scroll")).to_be_focused()
        await open_and_type(page, "n", "一条新知识")
        await page.keyboard.press("Tab")
        await page.keyboard.type("正文。")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".news")).to_contain_text("一条新知识")
        assert (await call(house, "GET", "/articles", params={"q": "一条新知识"}))["total"] == 1


async def test_pages_of_many_articles(tmp_path: Path, page: Page) -> None:
    many = [article(f"M{number:05}", f"知识{number:05}号") for number in range(3000)]
    async with knowledge(tmp_path, page, many):
        await page.get_by_label("排序").select_option("article_id")
        await expect(row(page, "知识00000号")).to_be_visible()
        await expect(page.locator(".kb-range")).to_have_text("1–50，共 3,000 条")
        await page.locator(".kb-scroll").focus()
        await page.keyboard.press("]")
        await expect(row(page, "知识00050号")).to_be_visible()
        await page.get_by_label("第几页").fill("60")
        await page.keyboard.press("Enter")
        await expect(row(page, "知识02999号")).to_be_attached()
        await expect(page.get_by_label("下一页").locator("visible=true")).to_be_disabled()
        await page.keyboard.press("Escape")
        await page.locator(".kb-search input").fill("知识01234号")
        await expect(page.locator(".kb-range")).to_have_text("1–1，共 1 条")
        assert await page.locator(".kb-table tbody tr").count() == 1


async def test_review_needs_a_second_person(tmp_path: Path, page: Page) -> None:
    async with knowledge(tmp_path, page, kb_review=True) as house:
        new = {"article_id": "N1", "title": "待审核的", "body": "内容。", "author": "本机"}
        await call(house, "POST", "/articles", json=new)
        await page.get_by_label("全部状态").select_option("review")
        await row(page, "待审核的").click()
        await page.locator(".kb-review").get_by_role("button", name="通过").click()
        await expect(page.locator(".news")).to_contain_text("kb.second_person_needed")
        new |= {"article_id": "N2", "title": "别人写的", "author": "小王"}
        await call(house, "POST", "/articles", json=new)
        await page.reload()
        await page.get_by_label("全部状态").select_option("review")
        await row(page, "别人写的").click()
        await page.locator(".kb-review").get_by_role("button", name="通过").click()
        await expect(page.locator(".news")).to_contain_text("已通过：别人写的")
        assert (await call(house, "GET", "/articles/N2"))["state"] == "approved"


async def test_trying_out_tells_what_and_why(tmp_path: Path, page: Page) -> None:
    searcher = serving(tmp_path / "published")

    async def search(query: Any) -> Any:
        return await searcher.find(query, day=DAY)

    async with knowledge(tmp_path, page, script=Script(search=search)):
        await open_and_type(page, "t", "你好")
        await page.keyboard.press("Enter")
        await expect(page.locator(".kb-try-verdict")).to_contain_text("没有要查的事")
        await page.get_by_role("button", name="再加一句").click()
        await page.keyboard.type("我想问一下路灯不亮怎么报修")
        await page.keyboard.press("Enter")
        first = page.locator(".kb-match").first
        await expect(first).to_contain_text("路灯不亮怎么报修")
        await expect(first.locator(".kb-channels")).to_contain_text("第 1")
        await expect(page.locator(".kb-course li")).to_have_count(2)
        await expect(page.locator(".kb-try-verdict")).to_contain_text("%")
        await page.keyboard.press("Escape")
        await expect(page.locator(".kb-try")).to_be_hidden()
    searcher.close()


@asynccontextmanager
async def publishing(engine: Engine, folder: Path, clock: Clock) -> AsyncIterator[str]:
    """The page over the real press, whose child process does without weights."""
    async with opened(engine, folder, clock) as desk:
        app = desk.client._transport.app  # type: ignore[attr-defined]
        door = Door(None)
        app.include_router(editing_router(desk.desk), dependencies=[Depends(door.needs(None))])
        app.include_router(session_router(door, has_single_sign_on=False))
        add_pages(app)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
        serving_task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving_task


@pytest.mark.process
async def test_publishing_shows_what_changes_and_what_passed(
    engine: Engine, tmp_path: Path, clock: Clock, page: Page
) -> None:
    async with publishing(engine, tmp_path / "kb", clock) as url:
        await page.goto(f"{url}/knowledge#publish")
        await expect(page.locator(".kb-publish")).to_contain_text("新增 6 条")
        await page.get_by_label("市民的问题").fill("楼下马路的路灯坏了")
        await page.get_by_role("combobox", name="应找到哪条知识").fill("路灯")
        await page.get_by_role("option", name="路灯不亮怎么报修").click()
        await page.get_by_role("button", name="加入试问").click()
        await expect(page.locator(".kb-canaries li")).to_have_count(1)
        await page.get_by_role("button", name="发布给坐席").click()
        await expect(page.locator(".kb-progress")).to_have_attribute("data-stage", "done", timeout=60_000)
        await expect(page.locator(".kb-canaries li")).to_contain_text("✓ 通过")
        await expect(page.locator(".kb-publish")).to_contain_text("没有要发布的改动")
        await expect(page.locator(".kb-plain tr")).to_have_count(1)

        await page.goto(f"{url}/knowledge#articles")
        await row(page, "路灯不亮怎么报修").click()
        await page.keyboard.press("Delete")
        await expect(page.locator(".news")).to_contain_text("已删除")
        await page.keyboard.press("2")
        await expect(page.locator('[data-kind="removed"]')).to_contain_text("路灯不亮怎么报修")
        clock.advance(60)
        await page.get_by_role("button", name="发布给坐席").click()
        await expect(page.locator(".kb-progress")).to_have_attribute("data-stage", "failed", timeout=60_000)
        await expect(page.locator(".kb-progress")).to_contain_text("kb.canary_failed")
        await expect(page.locator(".kb-canaries li")).to_contain_text("✗ 未通过")


async def test_missed_questions_become_similar_questions(
    engine: Engine, tmp_path: Path, clock: Clock, page: Page
) -> None:
    for number, text in enumerate(("无人机在哪里登记", "无人机登记备案在哪里", "附近有没有滑雪场")):
        await happen(engine, f"c-{number}", said(1, f"我想问一下{text}"))
    async with publishing(engine, tmp_path / "kb", clock) as url:
        await page.goto(f"{url}/knowledge#gaps")
        group = page.locator(".kb-group")
        await expect(group).to_have_count(2)
        skiing = page.locator(".kb-group", has_text="滑雪场")
        await skiing.get_by_role("button", name="搁置").click()
        await expect(skiing).to_have_count(0)
        await page.get_by_role("button", name="撤销").click()
        await skiing.get_by_role("button", name="搁置").click()
        await expect(group).to_have_count(1)
        await expect(group).to_contain_text("2×")
        await group.get_by_role("button", name="作为相似问法加入").click()
        await page.keyboard.type("居住证")
        await expect(group.locator(".kb-picker-list li")).to_have_count(1)
        await page.keyboard.press("Enter")
        await expect(page.locator(".news")).to_contain_text("2 句问法已加入：居住证签注")
        await expect(page.locator(".kb-gaps")).to_contain_text("没有没答上的问题")
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            kept = (await client.get("/v1/articles/A6")).json()
        assert "我想问一下无人机在哪里登记" in kept["questions"]
