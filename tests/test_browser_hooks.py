"""Webhooks on the page for administrators: a receiver is added, fails, is skipped past, paused, removed."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from calls.webhooks.signing import key_of
from tests.accessibility import is_accessible
from tests.test_browser import CHROMIUM, browser
from tests.test_browser_system import button, field, news, page, row, system
from tests.test_door import signed_in
from tests.test_webhooks import receiving

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]


async def test_a_receiver_is_added_watched_paused_and_removed(tmp_path: Path, page: Page) -> None:
    side = page.locator(".sys-side:visible")
    async with receiving() as receiver, system(tmp_path, page) as house, signed_in(house, "admin") as admin:
        receiver.answer = lambda event_id: 503
        await page.get_by_role("tab", name="推送").click()
        await expect(page.get_by_text("还没有接收方")).to_be_visible()
        await is_accessible(page, "webhooks, none")
        await page.keyboard.press("n")
        await field(page, "名称").fill("市工单系统")
        await field(page, "地址").fill("没有地址")
        await button(page, "添加").click()
        await expect(side.get_by_role("alert").filter(has_text="webhook.bad_url")).to_be_visible()
        await field(page, "地址").fill(receiver.url)
        await field(page, "全部（通话内容除外）").uncheck()
        await button(page, "添加").click()
        await expect(side.get_by_role("alert").filter(has_text="请至少选一种")).to_be_visible()
        await field(page, "登记").check()
        await is_accessible(page, "webhooks, adding")
        await button(page, "添加").click()
        secret = await page.get_by_role("textbox", name="密钥").input_value()
        assert key_of(secret) is not None
        await button(page, "已记下，关闭").click()
        await expect(row(page, "市工单系统")).to_contain_text("正常")
        for number in range(2):
            body = {"type": "求助", "summary": f"路灯不亮 {number}"}
            assert (await admin.post("/v1/orders", json=body)).status_code == 201
        await expect(row(page, "市工单系统")).to_be_visible()
        while (await admin.get("/v1/webhooks")).json()["receivers"][0]["standing"] != "failing":
            await page.wait_for_timeout(50)
        await page.keyboard.press("Escape")
        await page.keyboard.press("r")
        await expect(row(page, "市工单系统")).to_contain_text("对方没收")
        await row(page, "市工单系统").get_by_role("button").click()
        await expect(side.get_by_role("status").first).to_contain_text("http 503")
        await is_accessible(page, "webhooks, failing")
        receiver.answer = lambda event_id: 200
        await button(page, "跳过这一条").click()
        await expect(news(page)).to_contain_text("已跳过一条")
        await receiver.has(1)
        assert receiver.ids()[0].endswith("-000002.v1")
        await button(page, "删除").click()
        await expect(news(page)).to_contain_text("请先暂停")
        await button(page, "暂停").click()
        await expect(row(page, "市工单系统")).to_contain_text("已暂停")
        await button(page, "删除").click()
        await expect(page.get_by_text("还没有接收方")).to_be_visible()
        assert (await admin.get("/v1/webhooks")).json()["receivers"] == []
