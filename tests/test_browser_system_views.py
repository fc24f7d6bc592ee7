"""The system page in a real browser: words, settings, the state of the machine, the log."""

import csv
import io
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Download, Locator, Page, expect

from agent_ui.lexicon_rest import Tried
from asr.wording import Wording
from tests.accessibility import open_and_type
from tests.house import House, Script
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_system import button, field, news, open_row, page, row, system
from tests.test_door import signed_in

__all__ = ["browser", "page"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
TERMS = [
    {"term": "临城街道", "kind": "街道", "weight": 3, "heard": ["林城街道"]},
    {"term": "甬东桥", "kind": "桥梁", "weight": 0.7, "heard": []},
]


async def put_terms(house: House, terms: list[dict[str, object]]) -> None:
    async with signed_in(house, "admin") as admin:
        assert (await admin.post("/v1/lexicon/terms", json=terms)).status_code == 200


def setting(page: Page, label: str) -> Locator:
    return page.locator(".sys-setting").filter(has=page.get_by_label(label, exact=True))


def rows_of(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")  # so that Excel reads it as UTF-8
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


async def content_of(download: Download) -> bytes:
    path = await download.path()
    return path.read_bytes()


async def test_words_are_added_changed_taken_out_and_back(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page, "words") as house, signed_in(house, "admin") as admin:

        async def kept() -> list[dict[str, object]]:
            return list((await admin.get("/v1/lexicon")).json()["terms"])

        await expect(page.get_by_text("还没有自己的词")).to_be_visible()
        await page.keyboard.press("n")
        await field(page, "词").fill("临城街道")
        await field(page, "常听错成").fill("林")
        await page.keyboard.press("Control+s")
        await expect(page.get_by_role("alert").filter(has_text="“林”不行")).to_be_visible()
        await expect(field(page, "词")).to_have_value("临城街道")
        await field(page, "常听错成").fill("林城街道")
        await field(page, "种类").fill("街道")
        await field(page, "说到的多少").select_option(label="常说")
        await page.keyboard.press("Control+s")
        await expect(news(page)).to_contain_text("已添加“临城街道”，共 1 个词")
        assert await kept() == TERMS[:1]
        await expect(field(page, "词")).to_be_focused()  # for the next one
        await put_terms(house, TERMS[1:])  # somebody else, meanwhile: no matter, it is another word
        await open_row(page, "临城街道").click()
        await field(page, "词").fill("临城新区")
        await page.keyboard.press("Control+s")
        await expect(news(page)).to_contain_text("已保存“临城新区”")
        assert [one["term"] for one in await kept()] == ["甬东桥", "临城新区"]
        await news(page).get_by_role("button", name="撤销").click()
        await expect(row(page, "临城新区")).to_have_count(0)
        assert [one["term"] for one in await kept()] == ["甬东桥", "临城街道"]
        await expect(row(page, "甬东桥")).to_contain_text("一般（0.7）")
        await open_row(page, "甬东桥").focus()
        await page.keyboard.press("Delete")
        await expect(row(page, "甬东桥")).to_have_count(0)
        await news(page).get_by_role("button", name="撤销").click()
        await expect(row(page, "甬东桥")).to_be_visible()
        assert await kept() == TERMS


async def test_a_word_that_somebody_else_changed_meanwhile_is_shown_and_nothing_typed_is_lost(
    tmp_path: Path, page: Page
) -> None:
    async with system(tmp_path, page, "words") as house:
        await put_terms(house, TERMS)
        await page.reload()
        await open_row(page, "甬东桥").click()
        await field(page, "种类").fill("桥")
        await put_terms(house, [TERMS[1] | {"heard": ["用动桥"]}])
        await page.keyboard.press("Control+s")
        await expect(page.get_by_role("alert").filter(has_text="asr.terms_changed")).to_be_visible()
        await expect(row(page, "甬东桥")).to_contain_text("用动桥")
        await expect(field(page, "种类")).to_have_value("桥")
        await page.keyboard.press("Control+s")
        await expect(row(page, "甬东桥").locator(".col-kind")).to_have_text("桥")


async def test_a_table_of_words_goes_down_and_up(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page, "words") as house:
        await put_terms(house, TERMS)
        await page.reload()
        async with page.expect_download() as started:
            await button(page, "下载表格").click()
        table = await content_of(await started.value)
        assert [one["term"] for one in rows_of(table)] == ["临城街道", "甬东桥"]
        upload = page.locator("input[type=file]")
        torn = {"name": "词.csv", "mimeType": "text/csv", "buffer": table + "长,岛,1,\n".encode()}
        await upload.set_input_files(files=[torn])
        told = page.locator(".sys-notice")
        await expect(told).to_contain_text("“词.csv”没有采用")
        await expect(told).to_contain_text("第 4 行")
        await expect(page.locator(".sys-view:not([hidden]) tbody tr")).to_have_count(2)
        good = torn | {"buffer": "term,kind\n海天大道,道路\n甬东桥,桥梁\n".encode()}
        await put_terms(house, [TERMS[0] | {"weight": 1}])  # meanwhile, somebody else
        await upload.set_input_files(files=[good])
        await expect(told).to_contain_text("asr.terms_changed")
        await told.get_by_role("button", name="仍然替换").click()
        await expect(news(page)).to_contain_text("现有 2 个词：新增 1，去掉 1，改动 1")
        await expect(told).to_be_hidden()
        await expect(row(page, "海天大道")).to_be_visible()
        await news(page).get_by_role("button", name="撤销").click()
        await expect(row(page, "海天大道")).to_have_count(0)
        await expect(row(page, "临城街道")).to_contain_text("一般")


async def test_shipped_words_are_looked_up_and_taken_into_the_own(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page, "words"):
        await page.get_by_role("tab", name="自带的词").click()
        await expect(page.locator(".sys-view:not([hidden]) .sys-pager")).to_contain_text("1–100，共")
        await page.keyboard.press("]")
        await expect(page.locator(".sys-view:not([hidden]) .sys-pager")).to_contain_text("101–200")
        await field(page, "搜词或常听错成的字").fill("定海区")
        await expect(page.locator(".sys-view:not([hidden]) .sys-pager")).to_contain_text("1–2，共 2 条")
        await open_row(page, "定海区").click()
        await button(page, "放进自己的词").click()
        await expect(field(page, "词")).to_have_value("定海区")
        await field(page, "常听错成").fill("丁海区")
        await button(page, "保存").click()
        await expect(row(page, "定海区")).to_contain_text("丁海区")


async def test_a_sentence_is_tried_with_the_words_in_use(tmp_path: Path, page: Page) -> None:
    wording = Wording(tmp_path / "lexicon.csv")
    wording.keep_up("v1", ())

    def try_words(text: str) -> Tried:
        is_current = wording.is_current
        wording.keep_up("v1", ())  # as the server does every few seconds
        assert wording.lexicon is not None
        written, corrections = wording.lexicon.correct(text)
        return Tried(text=written, corrections=corrections, is_current=is_current)

    async with system(tmp_path, page, "words", script=Script(try_words=try_words)):
        await open_and_type(page, "t", "我家在北门外头")
        tried = page.locator(".sys-tried")
        await expect(tried).to_contain_text("没有要改的")
        await button(page, "添加词").click()
        await field(page, "词").fill("白门庄")
        await field(page, "常听错成").fill("北门外头")
        await button(page, "保存").click()
        await expect(tried.locator("mark")).to_have_text("白门庄")
        await expect(tried.locator("li")).to_contain_text("北门外头")
        await expect(tried).to_contain_text("改了 1 处")


async def test_settings_are_saved_in_one_go_and_taken_back(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page, "settings") as house, signed_in(house, "admin") as admin:

        async def kept() -> tuple[int, bool]:
            found = {
                one["name"]: one["value"]
                for one in (await admin.get("/v1/system/settings")).json()["settings"]
            }
            return found["max_calls"], found["kb_review"]

        before = await kept()
        calls, review = field(page, "同时通话的上限"), field(page, "知识须由他人审核")
        bar = page.locator(".sys-bar")
        await expect(bar).to_contain_text("没有未保存的改动")
        placed = await page.locator(".sys-setting").evaluate_all("all => all.map(one => one.offsetTop)")
        await calls.fill("900")
        await expect(page.get_by_role("alert").filter(has_text="超出范围，请填 1 到 500")).to_be_visible()
        await review.check()
        await expect(bar).to_contain_text("2 项未保存")
        await expect(page.locator(".view-badge").filter(has_text="2")).to_be_visible()
        assert placed == await page.locator(".sys-setting").evaluate_all(
            "all => all.map(one => one.offsetTop)"
        )
        await page.keyboard.press("Control+s")
        await expect(bar).to_contain_text("“同时通话的上限”填得不对")
        await expect(calls).to_be_focused()
        assert await kept() == before
        await calls.fill("20")
        await page.keyboard.press("Control+s")
        await expect(news(page)).to_contain_text("已保存 2 项设置")
        await expect(bar).to_contain_text("没有未保存的改动")
        await expect(setting(page, "同时通话的上限")).to_contain_text("admin 改于")
        assert await kept() == (20, True)
        await news(page).get_by_role("button", name="撤销").click()
        await expect(calls).to_have_value(str(before[0]))
        await expect(setting(page, "同时通话的上限")).to_contain_text("没有改过")
        assert await kept() == before


async def test_what_is_typed_outlives_other_people_languages_and_views(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page, "settings") as house, signed_in(house, "admin") as admin:
        await field(page, "同时通话的上限").fill("24")
        await field(page, "卡片至少停留的时间").fill("９")
        await page.get_by_role("button", name="Switch to English").click()
        await expect(page.locator(".sys-bar")).to_contain_text("2 not saved")
        await expect(field(page, "Calls at the same time")).to_have_value("24")
        await page.get_by_role("button", name="切换到中文").click()
        await page.locator(".view-nav a", has_text="用户").click()
        await expect(row(page, "li")).to_be_visible()
        async with page.expect_response("**/v1/system/settings"):  # so it has seen what stands there
            await page.locator(".view-nav a", has_text="设置").click()
        changed = await admin.patch("/v1/system/settings", json={"changes": {"max_calls": 30}})
        assert changed.status_code == 200
        await page.keyboard.press("Control+s")
        await expect(page.locator(".sys-bar")).to_contain_text("system.settings_changed")
        await expect(page.locator(".sys-fault").filter(has_text="admin 刚把它改成 30")).to_be_visible()
        await page.keyboard.press("Control+s")
        await expect(news(page)).to_contain_text("已保存 2 项设置")
        await expect(field(page, "卡片至少停留的时间")).to_have_value("9")
        await field(page, "同时通话的上限").fill("25")
        await page.keyboard.press("Escape")
        await expect(field(page, "同时通话的上限")).to_have_value("24")
        await button(page, "恢复默认：同时通话的上限").click()
        await expect(page.locator(".sys-bar")).to_contain_text("1 项未保存")


async def test_the_state_is_told_by_word_and_shape_and_marked_when_it_is_old(
    tmp_path: Path, page: Page
) -> None:
    async with system(tmp_path, page) as house:
        await expect(row(page, "li")).to_be_visible()
        await page.keyboard.press("4")
        panels = page.locator(".sys-panels .sys-box")
        await expect(panels).to_have_count(9)
        for panel in await panels.all():
            box = await panel.bounding_box()
            assert box is not None
            assert 336 <= box["x"] < box["x"] + box["width"] <= 1366  # none beside the window
        words = page.locator('[data-section="words"]')
        await expect(words.locator(".sys-level")).to_have_text("正常")
        (tmp_path / "lexicon.csv").write_text("词\n甬东桥\n", encoding="utf-8")
        await expect(words.locator(".sys-level")).to_have_text("故障", timeout=WAIT_MS)  # it looks by itself
        issue = page.locator(".sys-issues li").filter(has_text="词表文件")
        await expect(issue).to_contain_text("请改好或重新导入")
        await expect(page.locator(".sys-overall")).to_have_attribute("data-level", "bad")
        await expect(page.locator(".view-nav")).to_contain_text("故障")
        await page.context.set_offline(True)
        await page.keyboard.press("r")
        await expect(page.locator(".sys-overall")).to_have_text("连不上服务器")
        await expect(page.locator(".sys-age")).to_contain_text("秒前的数据")
        await expect(panels).to_have_count(9)
        await page.context.set_offline(False)
        await button(page, "立即刷新").click()
        await expect(page.locator(".sys-overall")).to_contain_text("项要处理")
        assert house.url


async def test_the_log_tells_deeds_in_words_and_goes_into_a_table(tmp_path: Path, page: Page) -> None:
    async with system(tmp_path, page, "words") as house, signed_in(house, "admin") as admin:
        await admin.patch("/v1/system/settings", json={"changes": {"max_calls": 20}})
        await admin.patch("/v1/accounts/li", json={"role": "supervisor"})
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            await client.post("/v1/session", json={"name": "wang", "password": "wrong horse 7"})
        await page.keyboard.press("5")
        rows = page.locator(".sys-view:not([hidden]) tbody tr")
        await expect(rows.first).to_contain_text("登录失败")
        await expect(rows.nth(1)).to_contain_text("修改账号")
        await expect(rows.nth(1)).to_contain_text("li：角色 坐席→班长")
        await expect(rows.nth(2)).to_contain_text("同时通话的上限 16→20")
        await field(page, "全部操作").select_option(label="设置")
        await expect(rows).to_have_count(1)
        await button(page, "清除条件").click()
        await field(page, "搜对象").fill("wang")
        await expect(rows).to_have_count(1)
        await field(page, "操作人用户名").fill("admin")
        await expect(page.get_by_text("没有符合条件的记录")).to_be_visible()
        await button(page, "清除条件").click()
        await field(page, "从哪天").fill("2026-03-05")
        await field(page, "到哪天").fill("2026-03-04")
        await expect(page.get_by_role("alert").filter(has_text="起止日期反了")).to_be_visible()
        await field(page, "从哪天").fill("2020-03-04")
        await field(page, "到哪天").fill("2020-03-04")
        await expect(page.get_by_text("没有符合条件的记录")).to_be_visible()
        await field(page, "到哪天").fill("2099-01-01")
        await field(page, "全部操作").select_option(label="登录和退出")
        await expect(rows.first).to_contain_text("登录失败")
        async with page.expect_download() as started:
            await button(page, "下载表格").click()
        found = rows_of(await content_of(await started.value))
        assert {one["操作"] for one in found} == {"session.opened", "session.refused"}
