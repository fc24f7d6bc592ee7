"""The page of recordings in a real browser, over the real application: upload, jobs, transcripts, sound."""

import asyncio
import io
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Download, FilePayload, Locator, Page, Route, expect

from agent_ui.settings import Settings
from asr.types import SAMPLE_RATE_HZ, Hypothesis, Samples, Word
from asr.wording import open_lexicon
from knowledge_base.importer import load_sample
from server import Engines
from tests.accessibility import Keys, is_accessible, open_and_type
from tests.asr_parts import LengthTranscriber
from tests.batch_files import encode, speech, wav
from tests.house import House, Script, running
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_login import sign_in
from tests.test_door import peopled

__all__ = ["browser"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
LINES = ("那个警盖被水顶掉了一百二十块", "好的您别急")
"""What is heard of the citizen's utterance and of the operator's, told apart by their length."""


class Ears(LengthTranscriber):
    """Hears a line of a script in each clip, with a time for each character; one of the two is unclear."""

    def transcribe(self, clips: Sequence[Samples], **options: Any) -> list[Hypothesis]:
        found = super().transcribe(clips, **options)
        return [self._say(clip, **options) for clip, _ in zip(clips, found, strict=True)]

    def _say(self, clip: Samples, *, word_times: bool = False, **_: Any) -> Hypothesis:
        seconds = len(clip) / SAMPLE_RATE_HZ
        is_short = seconds < 6
        text = LINES[1] if is_short else LINES[0]
        step = seconds / len(text)
        words = tuple(
            Word(text=one, start_s=place * step, end_s=(place + 1) * step, probability=0.9)
            for place, one in enumerate(text)
        )
        logprob = -1.5 if is_short else -0.2
        return Hypothesis(
            text=text, avg_logprob=logprob, no_speech_prob=0.05, words=words if word_times else ()
        )


@asynccontextmanager
async def open_worded(settings: Settings, tuning: Any) -> AsyncIterator[Engines]:
    """The scripted engines, with the product's own words for what sounds like them."""
    lexicon = open_lexicon(load_sample())
    async with Script(transcriber=Ears()).open_engines(settings, tuning) as engines:
        yield replace(engines, recorded=replace(engines.recorded, lexicon=lambda: lexicon))


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    broken: list[str] = []
    page = await browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert broken == []


@asynccontextmanager
async def recordings(tmp_path: Path, page: Page, **changes: Any) -> AsyncIterator[House]:
    changes = {"engines_of": open_worded} | changes
    async with running(tmp_path, **changes) as house:
        await page.goto(f"{house.url}/recordings")
        await expect(page.locator(".rec-list .placeholder-title")).to_have_text("还没有转写任务")
        yield house


def recording(name: str = "来电.wav", content: bytes | None = None) -> FilePayload:
    return {"name": name, "mimeType": "audio/wav", "buffer": wav(speech()) if content is None else content}


async def choose(page: Page, *files: FilePayload) -> None:
    await page.locator("input[type=file][multiple]").set_input_files(list(files))


async def upload(page: Page, *files: FilePayload) -> None:
    """Choose, send, and wait until every file is over."""
    await choose(page, *files)
    await page.get_by_role("button", name="上传并转写").click()
    await expect(page.locator(".rec-job-state b")).to_have_text("已完成", timeout=60_000)


def file_row(page: Page, name: str) -> Locator:
    return page.locator(".rec-file", has_text=name)


async def open_paper(page: Page, name: str = "来电.wav") -> Locator:
    await file_row(page, name).click()
    rows = page.locator(".line-row")
    await expect(rows).to_have_count(2)
    return rows


async def downloaded(download: Download) -> tuple[str, bytes]:
    path = await download.path()
    return download.suggested_filename, await asyncio.to_thread(path.read_bytes)


async def at_s(page: Page) -> float:
    return float(await page.evaluate("document.querySelector('audio').currentTime"))


async def until_ready(page: Page) -> None:
    await page.evaluate("""() => new Promise((done) => {
      const audio = document.querySelector("audio");
      if (audio.readyState >= 2) done();
      else audio.addEventListener("canplay", done, { once: true });
    })""")


async def play_slowly(page: Page) -> None:
    """So that it matters little how much time goes by between one look and the next."""
    await page.evaluate("document.querySelector('audio').playbackRate = 0.0625")


async def point_at(page: Page, row: Locator, character: str) -> None:
    """Click a character of a line where it is drawn."""
    place = await row.evaluate(
        """(row, wanted) => {
          const walker = document.createTreeWalker(row.querySelector(".line-text"), NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const at = walker.currentNode.data.indexOf(wanted);
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(walker.currentNode, at);
            range.setEnd(walker.currentNode, at + 1);
            const box = range.getBoundingClientRect();
            return [box.x + box.width * 0.7, box.y + box.height / 2];
          }
        }""",
        character,
    )
    await page.mouse.click(*place)


async def test_good_and_broken_files_from_upload_to_download(tmp_path: Path, page: Page) -> None:
    async with recordings(tmp_path, page) as house:
        await choose(page, recording(), recording("空的.wav", b""), recording("笔记.wav", b"no sound" * 500))
        await expect(page.locator(".rec-chosen li")).to_have_count(3)
        await page.get_by_role("button", name="不要 笔记.wav").click()
        await choose(page, recording("笔记.mp3", b"no sound" * 500))
        await expect(page.get_by_text("3 个文件，共")).to_be_visible()
        await page.get_by_label("名称", exact=True).fill("三月抽检")
        await page.get_by_label("快", exact=True).check()
        await page.get_by_role("button", name="上传并转写").click()
        await expect(page.locator(".news")).to_contain_text("已收下“三月抽检”")
        await expect(page.locator(".rec-job-state b")).to_have_text("已完成", timeout=60_000)
        listed = page.locator(".rec-list tbody tr")
        await expect(listed).to_have_count(1)
        for text in ("三月抽检", "已完成", "3 / 3", "2 个没转写", "12秒", "倍", "本机"):
            await expect(listed).to_contain_text(text)
        await expect(page.locator(".rec-job")).to_contain_text("快 · 有字的时间")
        await page.get_by_role("tab", name="没转写 2").click()
        await expect(file_row(page, "空的.wav")).to_contain_text("这个文件是空的")
        await expect(file_row(page, "空的.wav")).to_contain_text("asr.file_empty")
        await expect(file_row(page, "笔记.mp3")).to_contain_text("asr.file_")
        await page.get_by_label("下载格式").first.select_option("csv")
        async with page.expect_download() as coming:
            await page.get_by_role("button", name="下载全部").click()
        name, content = await downloaded(await coming.value)
        archive = zipfile.ZipFile(io.BytesIO(content))
        assert name == "三月抽检.zip"
        assert archive.namelist() == ["来电.csv", "未转写.csv"]
        async with httpx.AsyncClient(base_url=f"{house.url}/v1", timeout=60) as client:
            (job,) = (await client.get("/jobs")).json()["jobs"]
            assert (job["beam"], job["words"], job["channels"], job["left"]) == (1, True, "auto", "citizen")


async def test_what_is_too_much_is_said_before_it_is_sent(tmp_path: Path, page: Page) -> None:
    async with recordings(tmp_path, page, job_max_mb=1, job_max_files=2):
        await choose(page, *(recording(f"{number}.wav", b"x") for number in range(3)))
        start = page.get_by_role("button", name="上传并转写")
        await expect(page.locator(".rec-upload .sys-fault")).to_contain_text("一次最多 2 个")
        await expect(start).to_have_attribute("aria-disabled", "true")
        await page.get_by_role("button", name="清空").click()
        await choose(page, recording("大.wav", bytes(1_200_000)))
        await expect(page.locator(".rec-upload .sys-fault")).to_contain_text("一次最多 1\u00a0MB")
        await expect(start).to_have_attribute("aria-disabled", "true")


async def test_the_servers_refusal_is_shown_and_what_was_chosen_stays(tmp_path: Path, page: Page) -> None:
    async with recordings(tmp_path, page, job_max_mb=1) as house:
        await page.route("**/v1/jobs/limits", lambda route: route.abort())  # a page that knows no limits
        await page.goto(f"{house.url}/recordings?again")
        await choose(page, recording("大.wav", bytes(1_200_000)))
        await page.get_by_role("button", name="上传并转写").click()
        notice = page.locator(".rec-list .sys-notice")
        await expect(notice).to_contain_text("文件超过 1 MB")
        await expect(notice).to_contain_text("upload.too_large")
        await expect(page.locator(".rec-chosen li")).to_have_count(1)
        await is_accessible(page, "an upload that was refused")
        await notice.get_by_role("button", name="关闭").click()
        await expect(notice).to_be_hidden()


async def test_an_upload_tells_how_far_it_is_and_can_be_cancelled(tmp_path: Path, page: Page) -> None:
    async with recordings(tmp_path, page) as house:
        network = await page.context.new_cdp_session(page)
        await network.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 150_000},
        )
        await choose(page, recording("慢.wav", bytes(4_000_000)))
        await page.get_by_role("button", name="上传并转写").click()
        strip = page.locator(".rec-strip")
        await expect(strip).to_contain_text("正在上传“慢.wav”")
        await expect(strip).to_contain_text("/ 4\u00a0MB")
        await expect(page.locator(".rec-big")).to_have_text("上一批传完才能再传")
        await expect(strip).to_contain_text(re.compile(r"[1-9]\d%"))
        box = await strip.locator("span").bounding_box()
        assert box is not None
        assert box["width"] > 200
        await page.get_by_role("button", name="取消上传").click()
        await expect(strip).to_be_hidden()
        await expect(page.locator(".news")).to_contain_text("已取消上传")
        await expect(page.locator(".rec-chosen li")).to_have_count(1)
        async with httpx.AsyncClient(base_url=f"{house.url}/v1", timeout=60) as client:
            assert (await client.get("/jobs")).json()["total"] == 0


async def test_a_folder_gives_its_recordings_and_leaves_the_rest(tmp_path: Path, page: Page) -> None:
    folder = tmp_path / "夜班"
    (folder / "一组").mkdir(parents=True)
    (folder / "一组" / "1.wav").write_bytes(b"x")
    (folder / "2.MP3").write_bytes(b"x")
    (folder / "说明.docx").write_bytes(b"x")
    async with recordings(tmp_path / "data", page):
        await page.locator("input[webkitdirectory]").set_input_files(folder)
        await expect(page.locator(".rec-chosen li")).to_have_count(2)
        await expect(page.locator(".rec-picked")).to_contain_text("1 个不是录音")
        await expect(page.get_by_label("名称", exact=True)).to_have_attribute("placeholder", "夜班")


async def test_recordings_of_the_servers_folders_need_no_upload(tmp_path: Path, page: Page) -> None:
    folder = tmp_path / "录音机"
    folder.mkdir()
    (folder / "1.wav").write_bytes(wav(speech()))
    async with recordings(tmp_path / "data", page, job_folders=[folder]):
        await page.get_by_role("tab", name="服务器").click()
        await page.get_by_label("服务器上的文件或文件夹").fill("/etc")
        await page.get_by_role("button", name="开始转写").click()
        await expect(page.get_by_role("alert").filter(has_text="job.path_outside")).to_be_visible()
        await page.get_by_label("服务器上的文件或文件夹").fill("")
        await page.get_by_role("button", name=str(folder)).click()
        await page.get_by_role("button", name="开始转写").click()
        await expect(page.locator(".rec-job-state b")).to_have_text("已完成", timeout=60_000)
        await expect(file_row(page, "1.wav")).to_contain_text("已转写")


async def test_a_click_on_a_word_hears_it_from_there(tmp_path: Path, page: Page) -> None:
    async with recordings(tmp_path, page):
        await upload(page, recording())
        first, second = (await (await open_paper(page)).all())[:2]
        await expect(first).to_have_attribute("data-party", "citizen")
        await expect(second).to_have_attribute("data-party", "operator")
        await expect(first.locator(".corrected")).to_have_attribute("data-heard", "听到的是：警盖")
        await expect(first.locator(".line-text")).to_have_text("那个井盖被水顶掉了120块。")
        await expect(second).to_contain_text("听不清")
        await until_ready(page)
        await play_slowly(page)
        await point_at(page, first, "顶")
        await expect(page.locator(".rec-play")).to_have_text("暂停")
        await page.keyboard.press("Space")
        await expect(page.locator(".rec-play")).to_have_text("播放")
        begin_s, end_s = [
            float(one)
            for one in await page.evaluate(
                """async () => {
              const [, job, file] = /#(j-[^/]+)\\/(\\d+)/.exec(location.hash);
              const paper = await (await fetch(`v1/jobs/${job}/files/${file}/result`)).json();
              const word = paper.segments[0].words.find(({ text }) => text === "顶");
              return [word.start_s, word.end_s];
            }"""
            )
        ]
        assert begin_s - 0.05 <= await at_s(page) < end_s + 0.5
        await expect(first).to_have_attribute("data-spoken", "true")
        await page.keyboard.press("ArrowRight")
        assert await at_s(page) > begin_s + 4.9
        await page.locator(".rec-slide input").fill("9.5")
        await expect(second).to_have_attribute("data-spoken", "true")
        await expect(first).not_to_have_attribute("data-spoken", "true")
        before_s = await at_s(page)
        await page.keyboard.press("ArrowLeft")
        assert await at_s(page) == pytest.approx(before_s - 5, abs=0.3)
        await page.get_by_label("倍速").select_option("1.5")
        assert await page.evaluate("document.querySelector('audio').playbackRate") == 1.5
        await play_slowly(page)
        await first.locator(".line-time").click()
        assert await at_s(page) < begin_s
        await page.keyboard.press("Shift+ArrowRight")


async def test_a_recording_that_no_browser_plays_is_heard_all_the_same(tmp_path: Path, page: Page) -> None:
    path = tmp_path / "来电.aiff"
    encode(path, speech(), "pcm_s16be", 8000)
    async with recordings(tmp_path / "data", page):
        await upload(page, recording("来电.aiff", path.read_bytes()))
        await open_paper(page, "来电.aiff")
        await expect(page.locator(".rec-clock")).to_have_text("00:00 / 00:12")
        await page.evaluate("""() => {
          const audio = document.querySelector("audio");  // twelve seconds go by soon
          audio.addEventListener("loadedmetadata", () => (audio.playbackRate = 0.25));
        }""")
        await page.keyboard.press("Space")
        # It is said to play while the browser is still finding out that it cannot: the other form comes then.
        await expect(page.locator("audio")).to_have_attribute(
            "src", re.compile("format=wav"), timeout=WAIT_MS
        )
        await expect(page.locator(".rec-play")).to_have_text("暂停", timeout=WAIT_MS)
        await expect(page.locator(".line-row[data-spoken]")).to_have_count(1)


async def test_a_line_is_put_right_and_what_was_recognised_comes_back(tmp_path: Path, page: Page) -> None:
    async with recordings(tmp_path, page):
        await upload(page, recording())
        rows = await open_paper(page)
        first = rows.first
        await first.hover()
        await first.get_by_role("button", name="改", exact=True).click()
        text = first.get_by_role("textbox")
        await text.fill("那个井盖掉了")
        await page.keyboard.press("Escape")
        await expect(first.locator(".line-text")).to_have_text("那个井盖被水顶掉了120块。")
        await page.keyboard.press("e")
        await text.fill("那个井盖掉了")
        await page.keyboard.press("Enter")
        await expect(first).to_contain_text("已改 · 本机")
        await expect(first).to_contain_text("原识别：那个井盖被水顶掉了120块。")
        await expect(first).to_be_focused()
        await page.get_by_label("下载格式").last.select_option("txt")
        async with page.expect_download() as coming:
            await page.keyboard.press("d")
        name, content = await downloaded(await coming.value)
        assert (name, "市民：那个井盖掉了" in content.decode()) == ("来电.wav.txt", True)
        await page.keyboard.press("e")
        await text.fill("")
        await expect(first).to_contain_text("空着保存就是删掉这一行")
        await page.keyboard.press("Enter")
        await expect(first).to_contain_text("已删 · 本机")
        await page.locator(".news").get_by_role("button", name="撤销").click()
        await expect(first.locator(".line-text")).to_have_text("那个井盖掉了")
        await page.reload()
        await expect(first.locator(".line-text")).to_have_text("那个井盖掉了")
        await first.focus()
        await page.keyboard.press("u")
        await expect(first.locator(".line-text")).to_have_text("那个井盖被水顶掉了120块。")
        await expect(first.locator(".corrected")).to_have_count(1)
        await page.keyboard.press("Escape")
        async with page.expect_response("**/segments/*"):  # also after leaving
            await page.locator(".news").get_by_role("button", name="撤销").click()
        await open_paper(page)
        await expect(first).to_contain_text("已改 · 本机")


async def test_a_line_that_is_not_saved_stays_as_it_was_typed(tmp_path: Path, page: Page) -> None:
    async with recordings(tmp_path, page):
        await upload(page, recording())
        first = (await open_paper(page)).first
        await page.route("**/segments/*", lambda route: route.abort())
        await first.focus()
        await page.keyboard.press("e")
        await first.get_by_role("textbox").fill("新的一行")
        await page.keyboard.press("Enter")
        await expect(first.locator(".line-hearing")).to_contain_text("连不上服务器")
        await expect(first.get_by_role("textbox")).to_have_text("新的一行")
        await page.unroute("**/segments/*")
        await page.keyboard.press("Enter")
        await expect(first).to_contain_text("已改 · 本机")


async def test_who_has_gone_on_while_a_line_is_saved_stays_there(tmp_path: Path, page: Page) -> None:
    may_save = asyncio.Event()

    async def late(route: Route) -> None:
        await may_save.wait()
        await route.continue_()

    async with recordings(tmp_path, page):
        await upload(page, recording())
        first = (await open_paper(page)).first
        await page.route("**/segments/*", late)
        await first.focus()
        await page.keyboard.press("e")
        await first.get_by_role("textbox").fill("新的一行")
        await page.keyboard.press("Enter")
        await page.get_by_label("在文字里找").click()
        may_save.set()
        await expect(first).to_contain_text("已改 · 本机")
        await expect(page.get_by_label("在文字里找")).to_be_focused()


async def test_words_are_found_and_gone_through(tmp_path: Path, page: Page) -> None:
    async with recordings(tmp_path, page):
        await upload(page, recording())
        await open_paper(page)
        await open_and_type(page, "/", "的")
        await expect(page.locator(".rec-hits")).to_have_text("1 / 1")
        await page.get_by_label("在文字里找").fill("了")
        await expect(page.locator("mark[data-current]")).to_have_text("了")
        await page.get_by_label("在文字里找").fill("没有的字")
        await expect(page.locator(".rec-hits")).to_have_text("没有")
        await page.keyboard.press("Escape")
        await expect(page.locator("mark")).to_have_count(0)
        await expect(page.locator(".line-row").first).to_be_focused()


async def test_a_job_is_stopped_goes_on_and_is_deleted_only_when_asked_twice(
    tmp_path: Path, page: Page
) -> None:
    ears = Ears()
    ears.gate.clear()
    script = Script(transcriber=ears)
    async with recordings(tmp_path, page, engines_of=script.open_engines) as house:
        await choose(page, recording("1.wav"), recording("2.wav", wav(speech(0, 9))))
        await page.get_by_role("button", name="上传并转写").click()
        await expect(file_row(page, "1.wav")).to_contain_text("转写中")
        await expect(file_row(page, "1.wav")).to_contain_text("已读 12秒")
        await page.keyboard.press("s")
        await expect(page.locator(".rec-job-state b")).to_have_text("已停止", timeout=WAIT_MS)
        await expect(page.get_by_role("button", name="接着转写")).to_be_focused()
        await expect(file_row(page, "1.wav")).to_contain_text("未转写")
        ears.gate.set()
        await page.keyboard.press("r")
        await expect(page.locator(".rec-job-state b")).to_have_text("已完成", timeout=60_000)
        await page.keyboard.press("Delete")
        await expect(page.get_by_role("button", name="不删")).to_be_focused()
        await expect(page.get_by_role("alertdialog")).to_contain_text("2 个文件的录音和转写都会删掉")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("alertdialog")).to_be_hidden()
        await page.keyboard.press("Delete")
        await page.get_by_role("button", name="确定删除").click()
        await expect(page.locator(".news")).to_contain_text("已删除")
        await expect(page.locator(".rec-list .placeholder-title")).to_have_text("还没有转写任务")
        async with httpx.AsyncClient(base_url=f"{house.url}/v1", timeout=60) as client:
            assert (await client.get("/jobs")).json()["total"] == 0


async def test_supervisors_see_whose_jobs_there_are_and_operators_find_no_page(
    tmp_path: Path, page: Page
) -> None:
    async with peopled(tmp_path, engines_of=open_worded) as house:
        await page.goto(f"{house.url}/login?next=/recordings")
        await sign_in(page, "zhao")
        await page.wait_for_url(f"{house.url}/recordings")
        await upload(page, recording())
        await page.get_by_role("button", name="退出").click()
        await page.wait_for_url(f"{house.url}/login*")
        await page.goto(f"{house.url}/login?next=/recordings")
        await sign_in(page, "sun")
        row = page.locator(".rec-list tbody tr")
        await expect(row).to_contain_text("zhao")
        await page.keyboard.press("m")
        await expect(page.locator(".rec-list .placeholder-title")).to_have_text("您还没有转写任务")
        await page.keyboard.press("m")
        await row.get_by_role("button").click()
        await expect(page.locator(".rec-deeds")).to_contain_text("这是别人的任务")
        await expect(page.get_by_role("button", name="删除")).to_be_hidden()
        await page.get_by_role("button", name="退出").click()
        await page.wait_for_url(f"{house.url}/login*")
        await sign_in(page, "li")
        await expect(page.locator(".line")).to_have_attribute("data-line", "open", timeout=WAIT_MS)
        await expect(page.get_by_role("link", name="录音")).to_have_count(0)
        await page.goto(f"{house.url}/recordings")
        await expect(page.locator(".placeholder-title")).to_have_text("这一页给质检人员用")


async def test_a_server_that_is_silent_is_told_and_nothing_moves_meanwhile(
    tmp_path: Path, page: Page
) -> None:
    async with recordings(tmp_path, page):
        await upload(page, recording())
        await page.evaluate("""() => {
          globalThis.moved = 0;
          new PerformanceObserver((list) => {
            for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) moved += value;
          }).observe({ type: "layout-shift" });
        }""")
        await page.wait_for_timeout(4500)  # two readings
        await page.route("**/v1/jobs*", lambda route: route.abort())
        await expect(page.locator(".sys-foot")).to_contain_text("连不上服务器，显示的是", timeout=WAIT_MS)
        await expect(page.locator(".rec-list tbody tr")).to_have_count(1)
        await page.unroute("**/v1/jobs*")
        await expect(page.locator(".sys-foot")).not_to_contain_text("连不上服务器", timeout=WAIT_MS)
        assert await page.evaluate("moved") == 0


async def test_everything_by_keys(tmp_path: Path, page: Page) -> None:
    keys = Keys(page)
    page.on("filechooser", lambda _: None)  # a browser that learns only at the key of it may open its own
    async with recordings(tmp_path, page):
        await page.keyboard.press("n")
        await expect(page.get_by_role("button", name="选文件", exact=True)).to_be_focused()
        async with page.expect_file_chooser() as coming:
            await page.keyboard.press("Enter")
        chooser = await coming.value
        await chooser.set_files([recording()])
        await expect(page.locator(".rec-big")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".rec-job-state b")).to_have_text("已完成", timeout=60_000)
        await keys.tab_to(".rec-file")
        await page.keyboard.press("Enter")
        await expect(page.locator(".line-row")).to_have_count(2)
        await expect(page.locator(".line-row").first).to_be_focused()
        await keys.press("j", "k", "ArrowDown")
        await until_ready(page)
        await play_slowly(page)
        await keys.press("Enter")
        await expect(page.locator(".rec-play")).to_have_text("暂停")
        assert await at_s(page) > 7
        await keys.press("Space", ".", ",", "ArrowLeft", "Shift+ArrowRight", "F2", "e")
        await keys.type("请尽快")
        await keys.press("Enter")
        await expect(page.locator(".line-row").nth(1)).to_contain_text("已改")
        await keys.press("u", "/")
        await keys.type("井盖")
        await keys.press("Enter", "Escape", "?", "Escape")
        await keys.press("Escape")
        await expect(page.locator(".rec-file").first).to_be_focused()
        await keys.press("Delete", "Escape", "Escape")
        await expect(page.locator(".rec-upload-head")).to_be_visible()
        await keys.press("j", "Enter")
        await expect(page.locator(".rec-job")).to_be_visible()


async def test_every_state_under_the_rules_of_axe(tmp_path: Path, page: Page) -> None:
    async with recordings(tmp_path, page, job_folders=[tmp_path]) as house:
        await is_accessible(page, "no jobs")
        await choose(page, recording(), recording("空的.wav", b""))
        await is_accessible(page, "files that were chosen")
        await page.get_by_role("button", name="上传并转写").click()
        await expect(page.locator(".rec-job-state b")).to_have_text("已完成", timeout=60_000)
        await is_accessible(page, "a job that is done")
        await file_row(page, "空的.wav").click()
        await page.keyboard.press("Delete")
        await is_accessible(page, "a refusal that is read, and a deletion that was asked for")
        await page.keyboard.press("Escape")
        rows = await open_paper(page)
        await until_ready(page)
        await rows.first.locator(".line-time").click()
        await page.keyboard.press("Space")
        await open_and_type(page, "/", "了")
        await is_accessible(page, "a transcript with a spoken line and hits")
        await page.keyboard.press("Escape")
        await page.keyboard.press("e")
        await is_accessible(page, "a line that is typed in")
        await page.keyboard.type("吧")
        await page.keyboard.press("Enter")
        await expect(rows.first).to_contain_text("已改")
        await page.keyboard.press("?")
        await is_accessible(page, "a line that was put right, and help")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Switch to English").click()
        await expect(page.locator(".line-row").first).to_contain_text("Edited")
        await is_accessible(page, "a transcript in English")
        await page.goto(f"{house.url}/recordings#j-nothing/1")
        await expect(page.locator(".sorry")).to_contain_text("job.unknown")
        await is_accessible(page, "a transcript that is not there")
        await page.goto(f"{house.url}/recordings#j-nothing")
        await expect(page.locator(".rec-side .placeholder-title")).to_be_visible()
        await is_accessible(page, "a job that is not there")
