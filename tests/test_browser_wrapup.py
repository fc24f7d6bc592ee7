"""The form of a call in a real browser: it grows, says how sure it is, is put right, becomes an order."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.accessibility import Keys, is_accessible
from tests.form_parts import TALK, ask, script
from tests.house import House, running, send, sound
from tests.passing import has_shown, watch_for
from tests.test_browser import CHROMIUM, WAIT_MS, begin, browser, page

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
WRAPUP = "/v1/calls/c-1/wrapup"


async def form_of(house: House) -> dict[str, Any]:
    form: dict[str, Any] = (await ask(house, "GET", WRAPUP)).json()
    return form


async def a_call_that_is_over(house: House, page: Page, **more: object) -> None:
    """On the page and drafted, with the form still closed."""
    line = await begin(house, **more)
    await page.goto(f"{house.url}/?call=c-1")
    await line.send(sound(7.0, channels=2))
    await send(line, {"type": "stop"})
    await expect(page.locator('.brief [data-row="caller_phone"]')).to_contain_text(
        "13900000152", timeout=WAIT_MS
    )
    await expect(page.locator(".brief[data-offer]")).to_be_visible(timeout=WAIT_MS)


def row(page: Page, name: str) -> Any:
    return page.locator(f'.form-row[data-field="{name}"]')


async def test_the_list_grows_and_nothing_moves_and_the_form_is_only_offered(
    tmp_path: Path, page: Page
) -> None:
    async with running(tmp_path, script()) as house:
        line = await begin(house, caller="13755556666")
        await page.goto(f"{house.url}/?call=c-1")
        brief = page.locator(".brief")
        await expect(brief.locator('[data-row="caller_name"]')).to_contain_text("未提到", timeout=WAIT_MS)
        await line.send(sound(4.5, channels=2))
        await expect(brief.locator('[data-row="address"]')).to_contain_text("东大街18号", timeout=WAIT_MS)
        boxes = [await page.locator(name).bounding_box() for name in (".brief", ".lines-scroll", ".shelf")]
        await line.send(sound(2.5, channels=2))
        await send(line, {"type": "stop"})
        await expect(page.locator(".brief[data-offer]")).to_be_visible(timeout=WAIT_MS)
        await expect(brief.locator('[data-row="caller_phone"]')).to_contain_text("13900000152")
        assert boxes == [
            await page.locator(name).bounding_box() for name in (".brief", ".lines-scroll", ".shelf")
        ]
        assert await page.evaluate("document.activeElement === document.body")
        await expect(page.locator(".form")).to_be_hidden()
        await page.reload()
        await expect(brief.locator('[data-row="caller_phone"]')).to_contain_text(
            "13900000152", timeout=WAIT_MS
        )


async def test_it_is_put_right_and_made_an_order_by_keys_alone(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, script()) as house:
        await a_call_that_is_over(house, page)
        keys = Keys(page)
        await keys.press("w")
        await expect(page.locator(".form")).to_be_visible()
        # The focus is at the first field that needs a look; Enter says that it is right, and leads on.
        unsure = [name for name, one in (await form_of(house)).items() if _is_unsure(one)]
        assert unsure
        await expect(row(page, unsure[0]).locator(":focus")).to_have_count(1)
        await keys.press("Enter")
        await expect(row(page, unsure[0])).to_have_attribute("data-mark", "set", timeout=WAIT_MS)
        await page.locator('[data-field="caller_name"] input').focus()
        await page.keyboard.press("ControlOrMeta+a")
        await keys.type("王建国")
        await keys.press("Enter")
        await expect(row(page, "caller_name").locator(".form-mark")).to_have_text("已核对", timeout=WAIT_MS)
        await keys.press("Escape", "2", "7")
        await expect(row(page, "kind").locator('[aria-checked="true"]')).to_contain_text("求助")
        await expect(row(page, "urgency")).to_have_attribute("data-mark", "set", timeout=WAIT_MS)
        await keys.press("u")
        await expect(row(page, "urgency").locator('[aria-checked="true"]')).to_contain_text("普通")
        await keys.press("Control+Enter")
        await expect(page.locator(".form-order")).to_contain_text("已受理", timeout=WAIT_MS)
        async with page.expect_popup() as opened:
            await page.locator(".form-order").click()
        made = (await form_of(house))["order"]["order_id"]
        await expect((await opened.value).get_by_text(made).first).to_be_visible(timeout=WAIT_MS)
        form = await form_of(house)
        assert (form["kind"]["value"], form["urgency"]["set_by"]) == ("求助", None)
        assert form["caller_name"]["value"] == "王建国"
        assert form["order"]["order_id"] in await page.locator(".form-order").inner_text()
        await keys.press("Escape")
        await expect(page.locator(".form")).to_be_hidden()
        await expect(page.locator(".brief-open")).to_contain_text("已成单")


def _is_unsure(field: object) -> bool:
    return isinstance(field, dict) and bool(field.get("is_unsure"))


async def test_a_field_shows_where_it_was_said_and_lets_it_be_heard(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, script()) as house:
        await a_call_that_is_over(house, page)
        await page.keyboard.press("w")
        asked: list[str] = []
        page.on("request", lambda request: "/audio?" in request.url and asked.append(request.url))
        await page.locator('[data-field="caller_phone"] input').focus()
        pointed = page.locator(".line-row[data-pointed]")
        await expect(pointed).to_have_count(1)
        await expect(pointed).to_contain_text(TALK[5].split(":")[1])
        words = await page.evaluate(
            "[...(CSS.highlights.get('source') ?? [])].map(range => range.toString()).join('')"
        )
        assert words == "13900000152"
        await watch_for(page, ".replay", "data-state")
        await row(page, "caller_phone").get_by_role("button").click()
        await has_shown(page, ".replay", "playing")
        assert "from_s=4.7" in asked[0]
        await page.keyboard.press("Escape")
        await expect(page.locator(".form")).to_be_hidden()
        await expect(pointed).to_have_count(0)


async def test_the_department_is_found_by_a_few_characters(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, script()) as house:
        await a_call_that_is_over(house, page)
        await page.keyboard.press("w")
        field = page.get_by_role("combobox", name="部门")
        await field.click()
        options = page.locator(".department-option")
        await expect(options.first).to_contain_text("市住房和城乡建设局", timeout=WAIT_MS)
        await expect(options.first).to_contain_text("推荐")
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.type("市教育")
        await expect(options).to_have_count(1)
        await page.keyboard.press("Enter")
        await expect(row(page, "department").locator(".form-mark")).to_have_text("已核对", timeout=WAIT_MS)
        assert (await form_of(house))["department"]["value"] == "市教育局"
        await field.click()
        await page.keyboard.type("没有")
        await expect(page.locator(".department-none")).to_be_visible()
        await page.keyboard.press("Enter")
        await expect(page.locator(".form-said")).to_have_text("请从列表里选")
        await page.keyboard.press("Escape")
        await expect(field).to_have_value("市教育局")


async def test_what_cannot_be_saved_stays_and_says_so_with_a_code(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, script()) as house:
        await a_call_that_is_over(house, page)
        await page.keyboard.press("w")
        field = page.locator('[data-field="caller_name"] input')
        await page.route("**/wrapup", lambda route: route.abort())
        await field.fill("王建国")
        await page.keyboard.press("Enter")
        await expect(page.locator(".form-said[data-bad]")).to_contain_text("没有保存", timeout=WAIT_MS)
        await expect(row(page, "caller_name").locator(".form-mark")).to_have_text("未保存")
        await expect(field).to_have_value("王建国")
        await page.unroute("**/wrapup")
        # Somebody else changes it meanwhile: the form takes the other value in, and saves after that.
        other = {"fields": {"category": "城乡建设"}, "author": "赵强"}
        await ask(house, "PATCH", WRAPUP, json=other, headers={"If-Match": '"0"'})
        await expect(page.locator('[data-field="category"] input')).to_have_value("城乡建设", timeout=WAIT_MS)
        await field.focus()
        await page.keyboard.press("Enter")
        await expect(row(page, "caller_name").locator(".form-mark")).to_have_text("已核对", timeout=WAIT_MS)
        form = await form_of(house)
        assert (form["caller_name"]["value"], form["category"]["value"]) == ("王建国", "城乡建设")


async def test_what_is_being_typed_is_not_overwritten_by_a_draft(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path, script()) as house:
        line = await begin(house, caller="13755556666")
        await page.goto(f"{house.url}/?call=c-1")
        await line.send(sound(4.5, channels=2))
        await expect(page.locator('.brief [data-row="caller_phone"]')).to_contain_text(
            "6666", timeout=WAIT_MS
        )
        await page.keyboard.press("w")
        phone = page.locator('[data-field="caller_phone"] input')
        await phone.focus()
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.type("8123456")
        await line.send(sound(2.5, channels=2))
        await send(line, {"type": "stop"})
        await expect(page.locator('.brief [data-row="caller_phone"]')).to_contain_text(
            "0152", timeout=WAIT_MS
        )
        await expect(phone).to_have_value("8123456")
        await page.keyboard.press("Escape")
        await expect(phone).to_have_value("13900000152")


async def test_the_form_is_accessible_in_both_languages_and_sizes(tmp_path: Path, browser: Browser) -> None:
    async with running(tmp_path, script()) as house:
        for width, height in ((1366, 768), (1920, 1080)):
            page = await browser.new_page(viewport={"width": width, "height": height})
            if width == 1366:
                await a_call_that_is_over(house, page)
            await page.goto(f"{house.url}/?call=c-1")
            await expect(page.locator(".brief[data-offer]")).to_be_visible(timeout=WAIT_MS)
            await is_accessible(page, f"the list at {width}")
            await page.keyboard.press("w")
            await expect(page.locator(".form")).to_be_visible()
            await is_accessible(page, f"the form at {width}")
            await page.locator(".department input").click()
            await expect(page.locator(".department-option").first).to_be_visible(timeout=WAIT_MS)
            await is_accessible(page, f"the departments at {width}")
            await page.get_by_role("button", name="Switch to English").click()
            await page.keyboard.press("w")
            await expect(page.get_by_role("heading", name="Draft order")).to_be_visible()
            await is_accessible(page, f"the form in English at {width}")
            wide = await page.evaluate(
                "[...document.querySelectorAll('.form, .form *')]"
                ".filter(one => one.getBoundingClientRect().right > innerWidth).length"
            )
            assert wide == 0  # nothing stands outside of the window
            await page.get_by_role("button", name="切换到中文").click()
            await page.close()
