"""Signing in with a real browser: the way in, what each role finds there, and the way out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from agent_ui.settings import LOCAL_KEY
from tests.accessibility import is_accessible
from tests.house import START, receive, running, send
from tests.test_access import PASSWORD
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_door import cookie, peopled, signed_in

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


async def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    await page.get_by_label("用户名").fill(name)
    await page.get_by_label("密码").fill(password)
    await page.keyboard.press("Enter")


async def test_an_operator_signs_in_finds_the_own_desk_and_leaves(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house:
        await page.goto(f"{house.url}/?call=c-1")
        await expect(page.get_by_label("用户名")).to_be_focused(timeout=WAIT_MS)
        await sign_in(page, "li", "wrong horse 7")
        await expect(page.get_by_role("alert")).to_have_text("用户名或密码不对。", timeout=WAIT_MS)
        await expect(page.get_by_label("用户名")).to_have_value("li")
        await sign_in(page, "li")
        await page.wait_for_url(f"{house.url}/?call=c-1")
        await page.goto(house.url)
        await expect(page.locator(".head-operator")).to_have_text("li · 坐席 027", timeout=WAIT_MS)
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        await expect(page.get_by_role("link", name="知识", exact=True)).to_have_count(0)
        await page.get_by_role("button", name="退出登录").click()
        await page.wait_for_url(f"{house.url}/login")
        await page.goto(house.url)
        await page.wait_for_url(f"{house.url}/login")


async def test_what_is_typed_before_the_server_has_said_how_to_sign_in_stays(
    tmp_path: Path, page: Page
) -> None:
    is_typed = asyncio.Event()

    async def late(route: Route) -> None:
        await is_typed.wait()
        ways = await (await route.fetch()).json()
        await route.fulfill(json=ways | {"single_sign_on": True})

    async with peopled(tmp_path) as house:
        await page.route("**/v1/session/ways", late)
        await page.goto(f"{house.url}/login")
        await page.get_by_label("用户名").fill("li")
        await page.get_by_label("密码").fill(PASSWORD)
        is_typed.set()
        await expect(page.locator("a.sso")).to_be_visible()
        await expect(page.get_by_label("用户名")).to_have_value("li")
        await expect(page.get_by_label("密码")).to_have_value(PASSWORD)
        await expect(page.get_by_label("密码")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{house.url}/")


async def test_everybody_may_choose_another_password(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house:
        await page.goto(house.url)
        await sign_in(page, "li")
        opener = page.locator("a.head-operator")
        async with page.context.expect_page() as opened:
            await opener.click()
        form = await opened.value
        await expect(form.get_by_label("现在的密码")).to_be_focused(timeout=WAIT_MS)
        await form.get_by_label("现在的密码").fill("wrong horse 7")
        await form.get_by_label("设置密码").fill("another horse 8")
        await form.get_by_label("再输一遍新密码").fill("another horse 9")
        await form.keyboard.press("Enter")
        await expect(form.get_by_role("alert")).to_have_text("两遍新密码不一样，请重新输入。")
        await form.get_by_label("再输一遍新密码").fill("another horse 8")
        await form.keyboard.press("Enter")
        await expect(form.get_by_role("alert")).to_have_text("原密码不对。", timeout=WAIT_MS)
        await form.get_by_label("现在的密码").fill(PASSWORD)
        await form.keyboard.press("Enter")
        await expect(form.get_by_role("status")).to_contain_text("密码已修改", timeout=WAIT_MS)
        await page.get_by_role("button", name="退出登录").click()
        await page.wait_for_url(f"{house.url}/login")
        await sign_in(page, "li", "another horse 8")
        await page.wait_for_url(f"{house.url}/")


async def test_an_admin_comes_to_the_page_that_was_asked_for(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house:
        await page.goto(f"{house.url}/knowledge")
        await page.wait_for_url("**/login?next=*")
        await sign_in(page, "admin")
        await page.wait_for_url(f"{house.url}/knowledge")
        await expect(page.locator(".account-name")).to_have_text("admin · 管理员")
        await page.goto(f"{house.url}/login?next=//evil.example/")
        await sign_in(page, "admin")
        await page.wait_for_url(f"{house.url}/")  # never to another site


async def test_who_may_see_no_call_is_told_once_and_what_to_do(tmp_path: Path, page: Page) -> None:
    asked: list[str] = []
    page.on("websocket", lambda socket: asked.append(socket.url))
    async with peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        async with house.socket("/v1/calls/audio", additional_headers=cookie(admin)) as line:
            await send(line, START | {"call_id": "c-028", "operator_id": "028"})
            assert (await receive(line))["type"] == "started"
            await page.goto(f"{house.url}/login?next=/?call=c-028")
            await sign_in(page, "li")
            words = page.locator(".lines-placeholder")
            await expect(words).to_contain_text("这通电话不在您的坐席", timeout=WAIT_MS)
            await page.wait_for_timeout(2500)  # longer than two tries would take
            assert len([url for url in asked if "/c-028?" in url]) == 1
            await words.get_by_role("button", name="查看最新通话").click()
            await expect(words).to_contain_text("等待来电")
            await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        assert (await admin.patch("/v1/accounts/li", json={"operator_id": ""})).status_code == 200
        asked.clear()
        await page.reload()
        await expect(words).to_contain_text("还没有坐席号", timeout=WAIT_MS)
        await expect(words).to_contain_text("联系管理员")
        await expect(page.locator(".calls-scroll .placeholder-title").first).to_have_text("还没有坐席号")
        await expect(page.locator(".line")).to_have_attribute("data-line", "refused")
        await page.wait_for_timeout(1500)
        assert asked == []
        await is_accessible(page, "desk without a seat")


async def test_a_session_that_ends_sends_the_desk_to_the_login(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house:
        await page.goto(f"{house.url}/login")
        await sign_in(page, "zhao")
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        await page.context.clear_cookies()
        await page.reload()
        await page.wait_for_url(f"{house.url}/login")


async def test_the_first_account_is_made_with_the_printed_code(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, open=False) as house:
        assert (tmp_path / LOCAL_KEY).stat().st_mode & 0o077 == 0  # nobody else reads it
        await page.goto(f"{house.url}/login#code={house.codes[0]}")
        await expect(page.get_by_label("登录码")).to_have_value(house.codes[0], timeout=WAIT_MS)
        assert "code=" not in page.url
        await page.get_by_label("用户名").fill("chief")
        await page.get_by_label("设置密码").fill("too short")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("设置密码")).to_be_visible()
        await page.get_by_label("设置密码").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{house.url}/")
        await expect(page.locator(".head-operator")).to_have_text("chief", timeout=WAIT_MS)
    assert not (tmp_path / LOCAL_KEY).exists()
