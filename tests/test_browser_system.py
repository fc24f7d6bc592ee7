"""The system page in a real browser, over the real application: the door, people, programs, keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.accessibility import open_and_type
from tests.house import House, running
from tests.test_access import PASSWORD
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_login import sign_in
from tests.test_door import peopled, signed_in

__all__ = ["browser"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    broken: list[str] = []
    page = await browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []


@asynccontextmanager
async def system(
    tmp_path: Path, page: Page, view: str = "users", *, name: str = "admin", **changes: object
) -> AsyncIterator[House]:
    async with peopled(tmp_path, **changes) as house:
        await page.goto(f"{house.url}/login?next=/system")
        await sign_in(page, name)
        await page.wait_for_url(f"{house.url}/system")
        await expect(page.locator(".view-nav")).to_be_visible()
        await page.goto(f"{house.url}/system#{view}")
        yield house


def row(page: Page, name: str) -> Locator:
    return page.locator(".sys-view:not([hidden]) .sys-table tbody tr").filter(
        has=page.get_by_role("button", name=name, exact=True)
    )


def open_row(page: Page, name: str) -> Locator:
    return row(page, name).get_by_role("button")


def button(page: Page, name: str) -> Locator:
    return page.locator(".sys-view:not([hidden])").get_by_role("button", name=name, exact=True)


def field(page: Page, label: str) -> Locator:
    return page.locator(".sys-view:not([hidden])").get_by_label(label, exact=True)


def news(page: Page) -> Locator:
    return page.locator(".news")


async def test_an_account_is_added_with_a_password_that_opens_the_door(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page) as house:
        await expect(page.locator(".shell-tabs [aria-current]")).to_have_text("系统")
        await expect(row(page, "li")).to_contain_text("027")
        await page.keyboard.press("n")
        await field(page, "用户名").fill("Li")
        await field(page, "姓名").fill("李敏")
        await field(page, "坐席号").fill("031")
        await button(page, "添加").click()
        await expect(page.get_by_role("alert").filter(has_text="已有人用")).to_be_visible()
        await expect(field(page, "姓名")).to_have_value("李敏")
        await field(page, "用户名").fill("limin")
        await page.keyboard.press("Enter")
        password = await page.get_by_role("textbox", name="账号已添加").input_value()
        await button(page, "复制").click()
        await expect(page.locator(".sys-once [role=status]")).not_to_be_empty()
        await expect(row(page, "limin")).to_contain_text("李敏")
        await page.keyboard.press("Escape")  # neither this nor a click nor the language loses it
        await open_row(page, "wang").click()
        await expect(news(page)).to_contain_text("请先复制或记下")
        await page.get_by_role("button", name="Switch to English").click()
        await page.get_by_role("button", name="切换到中文").click()
        await expect(page.get_by_role("textbox", name="账号已添加")).to_have_value(password)
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            answer = await client.post("/v1/session", json={"name": "limin", "password": password})
            assert (answer.status_code, answer.json()["operator_id"]) == (200, "031")
        await button(page, "已记下，关闭").click()
        await expect(page.get_by_text(password)).to_have_count(0)


async def test_an_account_is_changed_locked_and_all_of_it_taken_back(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page) as house, signed_in(house, "admin") as admin:

        async def kept() -> tuple[str, str | None, bool]:
            accounts = (await admin.get("/v1/accounts")).json()
            li = next(one for one in accounts if one["name"] == "li")
            return li["role"], li["operator_id"], li["is_active"]

        await open_row(page, "li").click()
        await expect(button(page, "保存")).to_be_disabled()
        await field(page, "角色").select_option("supervisor")
        await field(page, "坐席号").fill("")
        await open_row(page, "wang").click()  # what is typed waits meanwhile
        await expect(row(page, "li")).to_contain_text("未保存")
        await open_row(page, "li").click()
        await page.keyboard.press("Control+s")
        await expect(news(page)).to_contain_text("已保存：li")
        assert await kept() == ("supervisor", None, True)
        await button(page, "停用").click()
        await expect(row(page, "li")).to_contain_text("已停用")
        assert await kept() == ("supervisor", None, False)
        await news(page).get_by_role("button", name="撤销").click()
        await expect(news(page)).to_contain_text("已恢复登录：li")
        assert await kept() == ("supervisor", None, True)
        await button(page, "设新密码…").click()
        password = await field(page, "新密码").input_value()
        await button(page, "设为新密码").click()
        await expect(page.get_by_role("textbox", name="新密码已生效")).to_have_value(password)
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            body = {"name": "li", "password": password}
            assert (await client.post("/v1/session", json=body)).status_code == 200


async def test_nobody_locks_themselves_out_and_the_own_password_needs_the_old_one(
    tmp_path: Path, page: Page
) -> None:
    async with system(tmp_path, page) as house:
        await open_row(page, "admin").click()
        await expect(field(page, "角色")).to_be_disabled()
        await expect(button(page, "停用")).to_be_disabled()
        await button(page, "修改自己的密码…").click()
        await field(page, "原密码").fill("wrong horse 7")
        await field(page, "新密码").fill("another horse 8")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert").filter(has_text="原密码不对")).to_be_visible()
        await expect(field(page, "新密码")).to_have_value("another horse 8")
        await field(page, "原密码").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(news(page)).to_contain_text("密码已修改")
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            body = {"name": "admin", "password": "another horse 8"}
            assert (await client.post("/v1/session", json=body)).status_code == 200


async def test_many_accounts_are_searched_and_walked_through_by_keys(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page):
        await expect(row(page, "wang")).to_be_visible()
        await open_and_type(page, "/", "02")
        await expect(page.locator(".sys-view:not([hidden]) tbody tr")).to_have_count(2)
        await page.keyboard.press("Escape")
        await page.keyboard.press("Escape")
        await expect(page.locator(".sys-view:not([hidden]) tbody tr")).to_have_count(5)
        await field(page, "全部角色").select_option("integrator")
        await expect(page.locator(".sys-view:not([hidden]) tbody tr")).to_have_count(1)
        await page.keyboard.press("Escape")
        await page.locator("h1").click()
        await page.keyboard.press("j")
        await expect(open_row(page, "sun")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".sys-view:not([hidden]) .sys-side h2")).to_contain_text("sun")
        await page.keyboard.press("Escape")
        await expect(page.locator(".sys-view:not([hidden]) .sys-side h2")).to_have_text("角色")


async def test_an_integrator_makes_and_revokes_tokens_and_sees_nothing_else(
    tmp_path: Path, page: Page
) -> None:
    async with system(tmp_path, page, name="sun") as house:
        await expect(page.locator(".view-nav a")).to_have_text(["令牌"])
        await expect(page.locator(".shell-tabs a")).to_have_text(
            ["坐席", "工单", "录音", "督办", "预警", "报表", "通话记录", "大屏", "系统"]
        )
        await expect(page.get_by_text("还没有令牌")).to_be_visible()
        await button(page, "添加令牌").click()
        await expect(page.get_by_label("管理系统")).to_have_count(0)  # no more than they may themselves
        await button(page, "生成令牌").click()
        await expect(page.get_by_role("alert").filter(has_text="请写一个名称")).to_be_visible()
        await field(page, "名称").fill("工单系统")
        await page.get_by_label("送入通话声音").uncheck()
        await page.get_by_label("查知识").check()
        await field(page, "有效期").select_option("30")
        await button(page, "生成令牌").click()
        key = await page.get_by_role("textbox", name="令牌“工单系统”已生成").input_value()
        await expect(row(page, "工单系统")).to_contain_text("快到期")
        async with httpx.AsyncClient(
            base_url=house.url, headers={"Authorization": f"Bearer {key}"}, timeout=60
        ) as client:
            assert (await client.get("/v1/articles")).status_code == 200
            await button(page, "已记下，关闭").click()
            await button(page, "停用这个令牌…").click()
            await expect(button(page, "确定停用")).to_be_focused()
            await page.keyboard.press("Escape")
            await expect(button(page, "停用这个令牌…")).to_be_focused()
            assert (await client.get("/v1/articles")).status_code == 200
            await page.keyboard.press("Enter")
            await button(page, "确定停用").click()
            await expect(page.get_by_text("没有在用的令牌")).to_be_visible()
            assert (await client.get("/v1/articles")).status_code == 401
        await page.get_by_label("也显示停用和过期的").check()
        await expect(row(page, "工单系统")).to_contain_text("已停用")


async def test_whoever_may_not_is_told_so_and_the_desk_links_whoever_may(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page, name="li") as house:
        await expect(page.get_by_text("access.forbidden")).to_be_visible()
        await page.goto(house.url)
        await expect(page.locator(".line")).to_have_attribute("data-line", "open")
        await expect(page.get_by_role("link", name="系统", exact=True)).to_have_count(0)
        await page.get_by_role("button", name="退出登录").click()
        await sign_in(page, "admin")
        await page.get_by_role("link", name="系统", exact=True).click()
        await page.wait_for_url(f"{house.url}/system")


async def test_a_house_without_accounts_says_why_there_are_none(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house:
        await page.goto(f"{house.url}/system")
        await expect(page.get_by_text("谁打开网页都能用")).to_be_visible()
        await page.keyboard.press("5")
        await expect(page.get_by_text("所以不记日志")).to_be_visible()
        await page.keyboard.press("3")
        await expect(field(page, "同时通话的上限")).to_be_visible()


async def test_a_server_that_cannot_be_reached_is_told_with_a_way_on(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page):
        await expect(row(page, "li")).to_be_visible()
        await page.context.set_offline(True)
        await page.keyboard.press("2")
        sorry = page.locator(".sys-view:not([hidden]) .sys-scroll .sorry")
        await expect(sorry).to_contain_text("连不上服务器")
        await page.context.set_offline(False)
        await sorry.get_by_role("button", name="重试").click()
        await expect(page.get_by_text("还没有自己的词")).to_be_visible()


async def test_keys_are_explained_and_turn_the_views(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page):
        await expect(row(page, "li")).to_be_visible()
        for key, name in zip("12345", ("用户", "词库", "设置", "运行", "日志"), strict=True):
            await page.keyboard.press(key)
            await expect(page.locator(".view-nav [aria-current]")).to_contain_text(name)
        await page.keyboard.press("?")
        await expect(page.locator(".help")).to_contain_text("用户、词库、设置、运行、日志")
        await page.keyboard.press("Escape")
        await expect(page.locator(".help")).to_be_hidden()
