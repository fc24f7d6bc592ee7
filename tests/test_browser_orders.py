"""Work orders in a real browser: departments, the centre, operators, two who write at once, keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.accessibility import Keys, is_accessible, open_and_type
from tests.house import House, Script
from tests.test_access import PASSWORD
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_login import sign_in
from tests.test_door import peopled, signed_in
from tests.test_orders_advice import PNG
from tests.test_orders_rest import begin, step
from tests.wrapup_parts import embed, sample_lore

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
async def office(tmp_path: Path) -> AsyncIterator[tuple[House, httpx.AsyncClient]]:
    """A house with a clerk of SZ15, and a supervisor's client."""
    script = Script(embed=embed, lore=sample_lore)
    async with (
        peopled(tmp_path, script=script) as house,
        signed_in(house, "admin") as admin,
        signed_in(house, "zhao") as zhao,
    ):
        body = {"name": "qian", "password": PASSWORD, "role": "department", "department_id": "SZ15"}
        assert (await admin.post("/v1/accounts", json=body)).status_code == 201
        yield house, zhao


async def come(page: Page, house: House, name: str, at: str = "orders") -> None:
    await page.goto(f"{house.url}/login?next=/{at.split('#', maxsplit=1)[0]}")
    await sign_in(page, name)
    await page.wait_for_url(f"{house.url}/orders**")
    if "#" in at:
        await page.goto(f"{house.url}/{at}")
    await expect(page.locator(".view-nav")).to_be_visible()


async def dispatched(zhao: httpx.AsyncClient, **content: Any) -> dict[str, Any]:
    order = await step(zhao, await begin(zhao, **content), "accept")
    return await step(zhao, order, "dispatch", department_id="SZ15")


def rows(page: Page) -> Locator:
    return page.locator(".sys-table tbody tr")


def side(page: Page) -> Locator:
    return page.locator(".ord-side")


def button(page: Page, name: str) -> Locator:
    return side(page).get_by_role("button", name=name, exact=True)


def news(page: Page) -> Locator:
    return page.locator(".news")


async def test_a_department_takes_answers_and_attaches_by_keys(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await dispatched(zhao, urgency="特急")
        await dispatched(zhao, summary="垃圾无人清运")
        await begin(zhao, summary="别家的事")
        await page.goto(f"{house.url}/")
        await page.wait_for_url(f"{house.url}/login**")
        await sign_in(page, "qian")
        await page.wait_for_url(f"{house.url}/orders**")  # a department has no desk
        await expect(page.locator(".shell-tabs a")).to_have_text(["工单", "预警", "报表"])
        await expect(rows(page)).to_have_count(2)
        await expect(rows(page).first).to_contain_text("特急")  # what is due first comes first
        await expect(rows(page).first).to_contain_text("剩 1 小时")
        keys = Keys(page)
        await keys.press("j", "Enter")
        await expect(button(page, "签收")).to_be_visible()
        await page.keyboard.press("t")
        await expect(news(page)).to_contain_text("已签收")
        await expect(button(page, "答复")).to_be_visible()
        await page.keyboard.press("w")
        await page.keyboard.press("Control+Enter")
        await expect(side(page).get_by_role("alert").filter(has_text="请先填写")).to_be_visible()
        await page.keyboard.type("已派人修好，路灯恢复正常。")
        await page.locator("input[type=file]").set_input_files(
            {"name": "现场.png", "mimeType": "image/png", "buffer": PNG}
        )
        await expect(side(page).get_by_role("link", name="现场.png")).to_be_visible()
        await expect(side(page).get_by_label("答复内容")).to_have_value("已派人修好，路灯恢复正常。")
        await side(page).get_by_label("答复内容").press("Control+Enter")
        await expect(news(page)).to_contain_text("已答复")
        await expect(side(page)).to_contain_text("现在不用您处理。")
        await expect(side(page).locator(".ord-past li")).to_have_count(6)
        kept = (await zhao.get(f"/v1/orders/{order['order_id']}")).json()
        assert (kept["state"], kept["answer"]) == ("answered", "已派人修好，路灯恢复正常。")
        history = (await zhao.get(f"/v1/orders/{order['order_id']}/history")).json()
        assert [one["author"] for one in history[3:]] == ["qian", "qian"]


async def test_a_file_that_was_removed_is_brought_back(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await dispatched(zhao)
        await come(page, house, "qian", f"orders#new/{order['order_id']}")
        await page.locator("input[type=file]").set_input_files(
            {"name": "网页.html", "mimeType": "text/html", "buffer": b"<p>"}
        )
        await expect(news(page)).to_contain_text("不能作附件")
        await page.locator("input[type=file]").set_input_files(
            {"name": "现场.png", "mimeType": "image/png", "buffer": PNG}
        )
        await button(page, "移除").click()
        await expect(side(page).get_by_role("link", name="现场.png")).to_have_count(0)
        await news(page).get_by_role("button", name="恢复").click()
        await expect(side(page).get_by_role("link", name="现场.png")).to_be_visible()
        lines = side(page).locator(".ord-past li[data-kind=file] strong")
        await expect(lines).to_have_text(["添加附件", "移除附件", "添加附件"])


async def test_what_is_sent_back_is_gone_for_the_department_and_waits_at_the_centre(
    tmp_path: Path, page: Page
) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await dispatched(zhao)
        await come(page, house, "qian", f"orders#new/{order['order_id']}")
        await expect(button(page, "退回")).to_be_visible()
        await open_and_type(page, "b", "不归我们管")
        await page.keyboard.press("Control+Enter")
        await expect(news(page)).to_contain_text("已退回中心")
        await expect(side(page)).to_contain_text("已不在您这里")
        await page.keyboard.press("r")
        await expect(rows(page)).to_have_count(0)
        await expect(page.locator(".sys-said")).to_contain_text("这里没有工单")
        assert (await zhao.get(f"/v1/orders/{order['order_id']}")).json()["returns"] == 1


async def test_the_centre_dispatches_to_a_suggested_department(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await step(zhao, await begin(zhao, summary="路灯不亮，晚上看不清路"), "accept")
        await come(page, house, "zhao", f"orders#todo/{order['order_id']}")
        await expect(button(page, "派单")).to_be_visible()
        await page.keyboard.press("d")
        first = side(page).locator(".ord-suggestion").first
        await expect(first).to_contain_text("知识：")
        name = await first.locator("strong").text_content()
        await page.keyboard.type("不知道哪里")
        await page.keyboard.press("Control+Enter")
        await expect(side(page).get_by_role("alert").filter(has_text="请从名录里选")).to_be_visible()
        await first.click()
        await expect(side(page).get_by_label("派给哪个单位")).to_have_value(name or "")
        await side(page).get_by_role("button", name="确定派单").click()
        await expect(news(page)).to_contain_text(f"已派给 {name}")
        kept = (await zhao.get(f"/v1/orders/{order['order_id']}")).json()
        assert kept["state"] == "dispatched"
        await expect(page.locator(".view-nav a", has_text="承办中")).to_contain_text("1")


async def test_duplicates_are_seen_side_by_side_and_merged(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        first = await begin(zhao, caller_phone="13900000000")
        await begin(zhao, summary="公交车不停靠", caller_phone="13900000000")
        second = await begin(zhao, caller_phone="13900000000", urgency="紧急")
        await come(page, house, "zhao", f"orders#drafts/{second['order_id']}")
        await expect(side(page)).to_contain_text("同一号码 30 天内第 3 张")
        await expect(side(page)).to_contain_text("诉求相近、地点相同、同一号码")
        await button(page, "对比").click()
        await expect(side(page).locator(".ord-sides tbody tr:not([data-same])")).to_have_count(1)
        await side(page).locator(".ord-compared").get_by_role("button", name="合并").click()
        await expect(side(page).get_by_label("并入哪张工单")).to_have_value(first["order_id"])
        await side(page).get_by_role("button", name="确定合并").click()
        await expect(news(page)).to_contain_text(f"已并入 {first['order_id']}")
        await side(page).get_by_role("button", name="已并入工单").click()
        await expect(side(page).locator(".ord-id")).to_have_text(first["order_id"])
        await expect(side(page)).to_contain_text(f"并入了 {second['order_id']}")


async def test_who_was_slower_sees_what_the_other_did_and_keeps_the_own_words(
    tmp_path: Path, page: Page
) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await dispatched(zhao)
        await come(page, house, "qian", f"orders#new/{order['order_id']}")
        await expect(button(page, "退回")).to_be_visible()
        await open_and_type(page, "b", "不归我们管")
        await step(zhao, order, "take")
        await page.keyboard.press("Control+Enter")
        await expect(side(page)).to_contain_text("刚被 zhao 处理过：签收")
        reason = side(page).get_by_label("退回原因")
        await expect(reason).to_have_value("不归我们管")
        order = (await zhao.get(f"/v1/orders/{order['order_id']}")).json()
        await step(zhao, order, "suspend", note="等一等")
        await reason.press("Control+Enter")
        await expect(side(page)).to_contain_text("现在不能再退回")
        await expect(reason).to_have_value("不归我们管")
        await expect(side(page).get_by_role("button", name="确定退回")).to_have_count(0)


async def test_two_who_edit_one_order_lose_nothing(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await begin(zhao)
        await come(page, house, "zhao", f"orders#drafts/{order['order_id']}")
        await expect(button(page, "修改")).to_be_visible()
        await page.keyboard.press("e")
        summary = side(page).get_by_role("textbox", name="摘要", exact=True)
        await summary.fill("三盏路灯不亮")
        await side(page).get_by_label("详情").fill("已经三天")
        async with signed_in(house, "admin") as admin:
            content = order["content"] | {"summary": "整段路灯不亮", "urgency": "紧急"}
            answer = await admin.put(
                f"/v1/orders/{order['order_id']}", json=content, headers={"If-Match": '"1"'}
            )
            assert answer.status_code == 200
        await page.keyboard.press("Control+Enter")
        await expect(side(page)).to_contain_text("admin 刚改过这张工单")
        await expect(side(page).get_by_label("缓急")).to_have_value("紧急")
        await expect(summary).to_have_value("三盏路灯不亮")
        await button(page, "用对方的").click()
        await expect(summary).to_have_value("整段路灯不亮")
        await summary.press("Control+Enter")
        await expect(news(page)).to_contain_text("已保存")
        kept = (await zhao.get(f"/v1/orders/{order['order_id']}")).json()["content"]
        assert (kept["summary"], kept["urgency"], kept["detail"]) == ("整段路灯不亮", "紧急", "已经三天")


async def test_what_is_typed_outlives_another_order_and_another_language(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        one, two = await dispatched(zhao), await dispatched(zhao, summary="垃圾无人清运")
        await come(page, house, "qian", f"orders#new/{one['order_id']}")
        await expect(button(page, "退回")).to_be_visible()
        await open_and_type(page, "b", "不归我们管")
        await rows(page).filter(has_text=two["content"]["summary"]).get_by_role("button").click()
        await expect(side(page).locator(".ord-id")).to_have_text(two["order_id"])
        await page.get_by_role("button", name="Switch to English").click()
        await rows(page).filter(has_text=one["content"]["summary"]).get_by_role("button").click()
        await expect(side(page).get_by_label("Why it goes back")).to_have_value("不归我们管")
        await page.get_by_role("button", name="切换到中文").click()
        await expect(side(page).get_by_label("退回原因")).to_have_value("不归我们管")


async def test_the_centre_follows_up_and_closes(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await step(zhao, await dispatched(zhao), "take")
        order = await step(zhao, order, "answer", answer="已修好。")
        await come(page, house, "zhao", f"orders#answered/{order['order_id']}")
        await expect(button(page, "回访")).to_be_visible()
        await page.keyboard.press("f")
        await page.keyboard.press("Space")
        await side(page).get_by_role("button", name="确定回访").click()
        await expect(news(page)).to_contain_text("已记下回访结果")
        await page.keyboard.press("c")
        await side(page).get_by_label("说明").press("Control+Enter")
        await expect(news(page)).to_contain_text("已办结")
        await expect(button(page, "删除个人信息…")).to_be_hidden()  # for administrators
        kept = (await zhao.get(f"/v1/orders/{order['order_id']}")).json()
        assert (kept["state"], kept["satisfaction"]) == ("closed", "satisfied")


async def test_an_admin_erases_what_leads_to_a_person(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await step(zhao, await dispatched(zhao, caller_name="欧阳珊瑚"), "take")
        at = f"orders#all/{order['order_id']}"
        await come(page, house, "admin", at)
        await expect(side(page)).to_contain_text("欧阳珊瑚")
        await expect(button(page, "删除个人信息…")).to_be_hidden()  # somebody still works on it
        order = await step(zhao, order, "answer", answer="已告知珊瑚。")
        order = await step(zhao, order, "follow_up", satisfaction="satisfied")
        await step(zhao, order, "close")
        await page.reload()
        await button(page, "删除个人信息…").click()
        await is_accessible(page, "orders, erasing")
        await button(page, "删除个人信息").click()
        await expect(side(page).get_by_role("alert").filter(has_text="请写明理由")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(button(page, "删除个人信息…")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.type("本人书面要求")
        await page.keyboard.press("Enter")
        await expect(news(page)).to_contain_text("已删除个人信息")
        await expect(side(page)).to_contain_text("（已删除）")
        await expect(side(page).locator(".ord-past")).to_contain_text("本人书面要求")
        await expect(page.locator("body")).not_to_contain_text("珊瑚")
        await expect(button(page, "删除个人信息…")).to_be_hidden()


async def test_a_new_order_is_begun_found_and_exported(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        for number in range(55):
            await begin(zhao, summary=f"路灯不亮 {number}")
        await come(page, house, "zhao")
        await expect(page.locator(".sys-said")).to_contain_text("这里没有工单")
        await open_and_type(page, "n", "下水道堵塞")
        await side(page).get_by_label("承办单位").fill("水务集团")
        await side(page).get_by_label("地址").focus()
        await expect(side(page).get_by_label("承办单位")).to_have_value("市水务集团")
        await page.keyboard.press("Control+Enter")
        await expect(news(page)).to_contain_text("已新建")
        await expect(side(page).locator(".ord-badge").first).to_have_text("已受理")
        await page.keyboard.press("9")
        await expect(rows(page)).to_have_count(50)
        await page.keyboard.press("]")
        await expect(rows(page)).to_have_count(6)
        await open_and_type(page, "/", "路灯不亮 54")
        await expect(rows(page)).to_have_count(1)
        await page.keyboard.press("Escape")
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="导出").click()
        assert (await downloading.value).suggested_filename.endswith(".csv")
        await page.get_by_role("searchbox").fill("没有这样的事")
        await page.get_by_role("button", name="清除条件").click()
        await expect(rows(page)).to_have_count(50)


async def test_the_sheet_for_the_printer(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await dispatched(zhao, caller_name="王女士")
        await come(page, house, "zhao")
        await page.goto(f"{house.url}/orders?print={order['order_id']}")
        paper = page.locator(".paper")
        for text in ("便民热线工单", order["order_id"], "王女士", "市水务集团", "盖章", "市12345热线中心"):
            await expect(paper).to_contain_text(text)
        await page.emulate_media(media="print")
        await expect(page.locator(".paper-tools")).to_be_hidden()
        await is_accessible(page, "sheet")
        await page.goto(f"{house.url}/orders?print=nothing")
        await expect(page.get_by_role("alert")).to_contain_text("order.unknown")


async def test_others_are_seen_without_anything_moving(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        order = await dispatched(zhao)
        await page.clock.install()
        await come(page, house, "qian")
        await expect(rows(page)).to_have_count(1)
        await dispatched(zhao, summary="垃圾无人清运", urgency="特急")
        await zhao.post(f"/v1/orders/{order['order_id']}/comments", json={"text": "请尽快"})
        await page.clock.run_for(16_000)
        await expect(page.get_by_role("button", name="列表有变动")).to_be_visible()
        await expect(rows(page)).to_have_count(1)
        await expect(page.locator(".view-nav a").first).to_contain_text("2")
        await page.get_by_role("button", name="列表有变动").click()
        await expect(rows(page)).to_have_count(2)


async def test_a_look_while_a_deed_is_sent_tells_nobody_of_the_own_deed(tmp_path: Path, page: Page) -> None:
    async def look_meanwhile(route: Route) -> None:
        answer = await route.fetch()  # it is done, and the page does not know yet
        await page.clock.run_for(16_000)
        await page.evaluate("fetch('v1/session')")  # whatever was asked before is answered
        await route.fulfill(response=answer)

    async with office(tmp_path) as (house, zhao):
        order = await step(zhao, await dispatched(zhao), "take")
        await page.clock.install()
        await come(page, house, "qian", f"orders#new/{order['order_id']}")
        await expect(button(page, "答复")).to_be_visible()
        await page.route("**/steps", look_meanwhile)
        await open_and_type(page, "w", "已派人修好。")
        await page.keyboard.press("Control+Enter")
        await expect(news(page)).to_contain_text("已答复")
        await expect(side(page)).to_contain_text("现在不用您处理。")
        await expect(side(page).get_by_label("答复内容")).to_have_count(0)
        await expect(side(page).locator(".sys-look")).to_be_hidden()
        await page.unroute_all(behavior="ignoreErrors")


async def test_an_operator_sees_the_own_orders_and_a_stranger_none(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        await begin(zhao)
        await come(page, house, "li")
        await expect(page.locator(".shell-tabs a")).to_have_text(["坐席", "工单"])
        await expect(page.locator(".view-nav a")).to_have_count(6)
        await expect(page.locator(".sys-said")).to_contain_text("这里没有工单")
        await expect(page.get_by_role("button", name="新建工单")).to_have_count(0)


async def test_the_page_is_accessible_in_its_states(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        await begin(zhao, caller_phone="13900000000", urgency="特急")
        order = await step(zhao, await begin(zhao, caller_phone="13900000000"), "accept")
        await come(page, house, "zhao", "orders#overdue")
        await expect(page.locator(".sys-said")).to_contain_text("这里没有工单")
        await is_accessible(page, "orders, empty")
        await page.goto(f"{house.url}/orders#all/{order['order_id']}")
        await button(page, "对比").click()
        await is_accessible(page, "orders, one open")
        await page.keyboard.press("d")
        await expect(side(page).locator(".ord-suggestion").first).to_be_visible()
        await is_accessible(page, "orders, dispatching")
        await page.keyboard.press("Escape")
        await page.keyboard.press("e")
        await is_accessible(page, "orders, editing")
        await page.route("**/v1/orders?*", lambda route: route.abort())
        await page.goto(f"{house.url}/orders#drafts")
        await expect(page.get_by_role("alert").first).to_contain_text("连不上服务器")
        await is_accessible(page, "orders, out of reach")


async def test_an_admin_makes_an_account_for_a_department(tmp_path: Path, page: Page) -> None:
    async with office(tmp_path) as (house, zhao):
        await page.goto(f"{house.url}/login?next=/system")
        await sign_in(page, "admin")
        await page.wait_for_url(f"{house.url}/system**")
        panel = page.locator(".sys-side:visible")
        await expect(page.locator(".sys-table tbody tr").filter(has_text="qian")).to_contain_text(
            "市水务集团"
        )
        await page.keyboard.press("n")
        await panel.get_by_label("用户名").fill("sunban")
        await panel.get_by_label("角色").select_option("department")
        await panel.get_by_role("button", name="添加", exact=True).click()
        await expect(panel.get_by_role("alert").filter(has_text="要选所属的承办单位")).to_be_visible()
        await panel.get_by_label("承办单位").select_option("SZ15")
        password = await panel.get_by_label("密码", exact=True).input_value()
        await panel.get_by_role("button", name="添加", exact=True).click()
        await panel.get_by_role("button", name="已记下，关闭").click()
        await dispatched(zhao)
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            await client.post("/v1/session", json={"name": "sunban", "password": password})
            assert (await client.get("/v1/orders")).json()["total"] == 1
