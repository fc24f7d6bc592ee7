"""The board of the hall in a real browser: what it shows of a day, and that it mends itself alone."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from agent_ui.pages import add_pages
from tests.accessibility import is_accessible
from tests.board_events import (
    DAY,
    NOW,
    SEQ,
    ZONE,
    Json,
    changed,
    city_rows,
    no_orders,
    no_usual,
    row,
    snapshot,
    tick,
    told_orders,
    told_warnings,
    usual,
    warning,
)
from tests.house import START, running, send
from tests.test_browser import CHROMIUM, WAIT_MS, browser
from tests.test_browser_login import sign_in
from tests.test_door import peopled, signed_in

__all__ = ["browser"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (Debian: apt install chromium)"),
]
SIZES = ((1366, 768), (1920, 1080), (3840, 2160))
_SIZE = "[document.documentElement.scrollWidth, document.body.scrollHeight]"
_MISFITS = """() => [...document.querySelectorAll('.hall-panel, .hall-head')].flatMap((panel) => {
  const room = panel.getBoundingClientRect();
  const inner = room.right - parseFloat(getComputedStyle(panel).paddingRight);
  const outside = (one) => {
    const box = one.getBoundingClientRect();
    if (box.width === 0 || getComputedStyle(one).visibility === 'hidden') return false;
    const isCut = one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible';
    const isOut = box.right > inner + 1 || box.bottom > room.bottom + 1 || box.left < room.left - 1;
    return isOut || (isCut && one.clientWidth > 0);
  };
  const all = [...panel.querySelectorAll('*')].filter(outside);
  return all.map((one) => `${one.className}: ${one.textContent}`);
})"""


class Hall:
    """The server's end of the board's line, played here; every connection is one of `sockets`."""

    def __init__(self, *first: Json):
        self.first = first
        self.sockets: list[WebSocketRoute] = []

    def opened(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        self.tell(*self.first)

    def tell(self, *events: Json) -> None:
        for event in events:
            self.sockets[-1].send(json.dumps(event))

    def asked(self) -> list[dict[str, list[str]]]:
        """What each connection asked for."""
        return [parse_qs(urlsplit(socket.url).query) for socket in self.sockets]


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    broken: list[str] = []
    page = await browser.new_page(viewport={"width": 1920, "height": 1080})
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda line: broken.append(line.text) if "Content Security" in line.text else None)
    yield page
    assert broken == []


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """The pages alone: what the server tells is played."""
    app = FastAPI()
    add_pages(app)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hall"
    server.should_exit = True
    await serving


async def open_board(page: Page, address: str, *first: Json) -> Hall:
    hall = Hall(*first)
    await page.route_web_socket("**/v1/screens/hall*", hall.opened)
    await page.goto(address)
    await expect(page.locator(".hall-panels:not([data-loading])")).to_be_visible(timeout=WAIT_MS)
    return hall


async def stop_clock(page: Page) -> None:
    """From now on time passes only where a test says so, however slow the machine is."""
    await page.clock.pause_at(await page.evaluate("Date.now() / 1000 + 1"))


async def drawn(page: Page, selector: str, text: str) -> None:
    """Let a little time pass until what was told stands there; it comes by a real socket."""
    for _ in range(1000):
        await page.clock.run_for(20)
        if await page.locator(selector).text_content() == text:
            return
        await asyncio.sleep(0.05)
        await page.evaluate(
            "new Promise(done => { const way = new MessageChannel();"
            " way.port1.onmessage = () => done(); way.port2.postMessage(0); })"
        )
    raise AssertionError(f"{selector} does not become {text}")


async def open_anew(page: Page, address: str) -> None:
    """Go there from elsewhere: another fragment alone loads no page."""
    await page.goto("about:blank")
    await page.goto(address)


def figure(page: Page, panel: str) -> Any:
    return page.locator(f'[data-panel="{panel}"] .hall-figure').first


async def fits(page: Page, size: list[int] | None = None) -> None:
    """Nothing is cut off and, in a window of that size, nothing scrolls, once all of it is drawn."""
    found: Any = None
    for _ in range(600):
        found = await page.evaluate(_MISFITS)
        if size is not None and not found:
            found = await page.evaluate(_SIZE)
        if found == (size or []):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"it does not fit: {found}")


async def test_a_day_is_counted_and_fits_its_screen(page: Page, address: str) -> None:
    rows = city_rows()
    await open_board(page, address, snapshot(rows))
    states = [one["state"] for one in rows]
    now = page.locator('[data-panel="now"] .hall-figure')
    await expect(now).to_have_text([str(states.count(one)) for one in ("waiting", "talking", "wrapup")])
    await expect(figure(page, "today")).to_have_text(str(len(rows)))
    answered, lost = sum(one["answered_at"] is not None for one in rows), states.count("abandoned")
    await expect(figure(page, "answer")).to_have_text(f"{100 * answered / (answered + lost):.1f}%")
    await expect(figure(page, "satisfied")).to_have_text(f"{100 * 1830 / 2073:.1f}%")
    await expect(figure(page, "orders")).to_have_text("7")
    kinds = [one["type"] for one in rows]
    counts = page.locator('[data-panel="kinds"] .bar-rows').first.locator("b")
    await expect(counts).to_have_text(
        [str(kinds.count(one)) for one in ("咨询", "求助", "投诉", "建议", "举报")]
    )
    tiles = page.locator(".tile:visible")
    await expect(tiles).to_have_count(6)
    for name in ("定海区", "六横"):
        number = sum(one["district"] == name for one in rows)
        await expect(tiles.filter(has_text=name).locator("strong")).to_have_text(str(number))
    await expect(page.locator(".hall-fresh")).to_have_text("实时")
    await expect(page.locator(".hall-clock")).to_have_text("10:32")
    await expect(page.locator(".hall-simulated")).to_be_hidden()
    assert await page.locator(".hall-panel").count() == 9
    await is_accessible(page, "hall")
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        await fits(page, [width, height])
        px = await figure(page, "now").evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
        assert px >= 72 * height / 1080


async def test_figures_change_where_they_stand(page: Page, address: str) -> None:
    hall = await open_board(page, address, snapshot([row("a"), row("b")]))
    before = await page.locator(".hall-panel").evaluate_all(
        "all => all.map(one => JSON.stringify(one.getBoundingClientRect()))"
    )
    calling = row("c", state="waiting", arrived_at=(NOW - timedelta(seconds=80)).isoformat())
    hall.tell(changed(SEQ + 1, [calling | {"answered_at": None, "ended_at": None}]))
    await expect(figure(page, "today")).to_have_text("3")
    await expect(figure(page, "now")).to_have_text("1")
    await expect(figure(page, "now")).to_have_attribute("data-level", "look")
    await expect(page.locator('[data-panel="now"]')).to_contain_text("最长已等 1 分")
    hall.tell(
        changed(SEQ + 1, [row("d")]),  # heard before
        changed(SEQ + 2, [calling | {"state": "talking", "answered_at": NOW.isoformat(), "ended_at": None}]),
        changed(SEQ + 3, [], gone=["a"]),
        told_orders(SEQ + 4, overdue=12),
        told_warnings(SEQ + 5, [warning("w-9", "停水", ["新城"], observed=31)]),
    )
    await expect(page.locator(".issue:visible")).to_have_count(1)
    await expect(page.locator(".issue:visible")).to_contain_text("31 人反映")
    await expect(figure(page, "today")).to_have_text("2")
    await expect(figure(page, "now")).to_have_text("0")
    await expect(figure(page, "orders")).to_have_text("12")
    after = await page.locator(".hall-panel").evaluate_all(
        "all => all.map(one => JSON.stringify(one.getBoundingClientRect()))"
    )
    assert after == before
    assert len(hall.sockets) == 1


async def test_a_line_that_breaks_goes_on_and_a_gap_is_filled(page: Page, address: str) -> None:
    hall = await open_board(page, address, snapshot([row("a")]))
    hall.tell(changed(SEQ + 1, [row("b")]))
    await expect(figure(page, "today")).to_have_text("2")
    hall.first = (changed(SEQ + 2, [row("c")]),)
    await hall.sockets[0].close(code=1012)
    await expect(figure(page, "today")).to_have_text("3")
    assert [one.get("since") for one in hall.asked()] == [None, [str(SEQ + 1)]]
    hall.first = (snapshot([row(one) for one in "abcdef"], seq=SEQ + 9),)
    hall.tell(changed(SEQ + 9, [row("f")]))
    await expect(figure(page, "today")).to_have_text("6")
    assert hall.asked()[2].get("since") is None
    # Again, before it may ask again.
    hall.first = (snapshot([row(one) for one in "abcdefgh"], seq=SEQ + 19),)
    hall.tell(changed(SEQ + 19, [row("h")]))
    await expect(figure(page, "today")).to_have_text("8", timeout=WAIT_MS)


async def test_silence_is_told_with_its_age_and_a_dead_line_is_left(page: Page, address: str) -> None:
    await page.clock.install()
    hall = await open_board(page, address, {"type": "stream.alive"}, snapshot(city_rows()))
    sign = page.locator(".hall-fresh")
    await stop_clock(page)
    hall.first = ()
    hall.tell(tick(NOW + timedelta(minutes=1)))
    await drawn(page, ".hall-clock", "10:33")
    await page.clock.run_for(14_000)
    await expect(sign).to_have_attribute("data-level", "live")
    await page.clock.run_for(3_000)
    await expect(sign).to_have_attribute("data-level", "stale")
    await expect(sign).to_contain_text("数据停在 10:33，已 1")
    await fits(page)
    while len(hall.sockets) < 2:
        await page.clock.run_for(20)
    hall.tell(tick(NOW + timedelta(minutes=5)))
    await drawn(page, ".hall-clock", "10:37")
    await expect(sign).to_have_attribute("data-level", "live")
    assert len(hall.sockets) == 2


async def test_at_midnight_the_new_day_begins_from_nothing(page: Page, address: str) -> None:
    next_day = DAY + timedelta(days=1)
    hall = await open_board(page, address, snapshot(city_rows()))
    await expect(page.locator(".hall-date")).to_have_text("2026年3月5日 星期四")
    begun = snapshot(
        [row("n", arrived_at=(next_day + timedelta(seconds=3)).isoformat())],
        seq=SEQ + 1,
        at=(next_day + timedelta(seconds=5)).isoformat(),
        day=next_day.date().isoformat(),
        until=(next_day + timedelta(days=1)).isoformat(),
        **{"from": next_day.isoformat()},
    )
    hall.tell(begun)
    await expect(figure(page, "today")).to_have_text("1")
    await expect(page.locator(".hall-date")).to_have_text("2026年3月6日 星期五")
    await expect(page.locator(".hall-clock")).to_have_text("00:00")
    await expect(page.locator(".matter-rows li:visible")).to_have_count(0)
    late = tick(next_day + timedelta(days=1, seconds=40))  # and no snapshot
    hall.first = (begun, late)
    hall.tell(late)
    await expect(page.locator(".hall-fresh")).to_have_text("仍是 2026年3月6日 的数据，正在更新")
    while len(hall.sockets) == 1:  # it asks for the day that must have begun
        await page.wait_for_timeout(50)


async def test_before_the_first_call_every_panel_says_what_will_come(page: Page, address: str) -> None:
    nothing = {"usual": no_usual(), "orders": no_orders(), "warnings": [], "has_queue": False}
    await open_board(page, address, snapshot([], **nothing))
    await expect(figure(page, "now")).to_have_text("—")
    await expect(figure(page, "answer")).to_have_text("—")
    for panel, words in (
        ("now", "没有报来排队情况"),
        ("answer", "接入电话排队数据后显示"),
        ("satisfied", "回访后显示"),
        ("orders", "没有超期"),
        ("today", "积累几天后"),
        ("kinds", "通话归类后显示"),
        ("matters", "问得最多的事项"),
        ("districts", "听到地点后"),
        ("issues", "目前没有热点"),
    ):
        await expect(page.locator(f'[data-panel="{panel}"]')).to_contain_text(words)
    await is_accessible(page, "hall, empty")
    await fits(page)


async def test_lists_that_are_too_long_turn_unless_motion_is_not_wanted(page: Page, address: str) -> None:
    await page.clock.install()
    many = [warning(f"w-{n}", f"事项{n}", ["新城"]) for n in range(5)]
    hall = await open_board(page, address, snapshot(city_rows(), warnings=many))
    await stop_clock(page)
    names = page.locator(".issue:visible .issue-name")
    note = page.locator('[data-panel="issues"] .hall-note')
    seen = []
    for _ in range(2):
        seen += await names.all_text_contents()
        before = await note.text_content()
        hall.tell(tick())
        await page.clock.run_for(12_000)
        await expect(note).not_to_have_text(before or "")
    assert sorted(seen) == [f"事项{n}" for n in range(5)]
    await page.emulate_media(reduced_motion="reduce")
    for _ in range(3):
        await page.clock.run_for(12_000)
        await expect(note).to_have_text("另有 2 项")
        await expect(names).to_have_text(["事项0", "事项1", "事项2"])


async def test_more_districts_than_six_and_figures_of_five_digits_fit(page: Page, address: str) -> None:
    # Five times a day's calls in one go, of eleven districts, in the longest words.
    names = [f"第{n}高新技术开发区" for n in range(11)]
    rows = [
        row(str(n), type="咨询", district=names[n % 11], category="城乡建设与市容环卫", matter="一" * 30)
        for n in range(12_000)
    ]
    long = [warning("w", "很长的名字" * 6, names, observed=12_345, state="acknowledged")]
    more = {"usual": usual() | {"districts": {}}, "warnings": long, "is_simulated": True, "speed": 1000.0}
    await open_board(page, address, snapshot(rows, **more))
    await expect(figure(page, "today")).to_have_text("12,000")
    await expect(page.locator(".tile:visible")).to_have_count(8)
    await expect(page.locator('[data-panel="districts"] .hall-note')).to_have_text("1 / 2")
    await expect(page.locator(".hall-simulated")).to_have_text("模拟数据 · 1000 倍速")
    boxes = await page.evaluate(
        "[...document.querySelectorAll('.hall-panel')].map(one => one.scrollWidth - one.clientWidth)"
    )
    assert boxes == [0] * 9
    words, chart = page.locator(".today-words .hall-figure"), page.locator(".today-chart")
    right = await words.evaluate(
        "one => { const text = document.createRange(); text.selectNodeContents(one);"
        " return text.getBoundingClientRect().right }"
    )
    left = await chart.evaluate("one => one.getBoundingClientRect().left")
    assert right < left


async def test_english_by_the_address(page: Page, address: str) -> None:
    await open_board(page, f"{address}?lang=en", snapshot(city_rows(), is_simulated=True))
    await expect(page.locator('[data-panel="today"]')).to_contain_text("above usual")
    await expect(page.locator(".hall-simulated")).to_have_text("Simulated data")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await fits(page)


async def test_a_key_in_the_address_is_brought_and_not_left_there(page: Page, address: str) -> None:
    hall = await open_board(page, f"{address}#token=zt-123", snapshot([row("a")]))
    assert await page.evaluate("location.href") == address
    await page.reload()
    await expect(figure(page, "today")).to_have_text("1")
    assert [one.get("token") for one in hall.asked()] == [["zt-123"], ["zt-123"]]


async def test_a_screen_without_a_person_sees_the_calls_of_the_house(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "admin") as admin:
        keys = {}
        for scope in ("hall", "audio"):
            body = {"name": scope, "scopes": [scope], "days": 1}
            keys[scope] = (await admin.post("/v1/tokens", json=body)).raise_for_status().json()["key"]
        await page.goto(f"{house.url}/hall#token=wrong")
        alert = page.get_by_role("alert")
        await expect(alert).to_contain_text("大屏还没有登录")
        await expect(alert).to_contain_text(f"{house.url}/hall#token=")
        await expect(alert).to_contain_text("编号 4401")
        await is_accessible(page, "hall, refused")
        await open_anew(page, f"{house.url}/hall#token={keys['audio']}")
        await expect(alert).to_contain_text("不能看大屏")
        await open_anew(page, f"{house.url}/hall#token={keys['hall']}")
        await expect(figure(page, "today")).to_have_text("0", timeout=WAIT_MS)
        await expect(alert).to_be_hidden()
        talking = page.locator('[data-panel="now"] .hall-figure').nth(1)
        async with house.socket(
            "/v1/calls/audio", additional_headers={"Authorization": f"Bearer {keys['audio']}"}
        ) as line:
            await send(line, START | {"call_id": "c-1"})
            await expect(talking).to_have_text("1", timeout=WAIT_MS)
            await expect(figure(page, "today")).to_have_text("1")
            await send(line, {"type": "stop"})
            await expect(talking).to_have_text("0", timeout=WAIT_MS)
            await expect(page.locator('[data-panel="now"] .hall-figure').nth(2)).to_have_text("1")


async def test_two_hundred_calls_at_once_are_as_many_as_in_the_database(tmp_path: Path, page: Page) -> None:
    async with running(tmp_path) as house:
        await page.goto(f"{house.url}/hall")
        await expect(figure(page, "today")).to_have_text("0", timeout=WAIT_MS)
        now = datetime.now(ZONE).isoformat()
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:

            async def comes(number: int) -> None:
                known = {"arrived_at": now}
                if number % 2:
                    known |= {"answered_at": now}
                elif number % 3 == 0:
                    known |= {"left_at": now}
                (await client.put(f"/v1/arrivals/q-{number}", json=known)).raise_for_status()

            await asyncio.gather(*map(comes, range(200)))
        database = sqlite3.connect(tmp_path / "zhiting.db")
        [counted] = database.execute(
            "SELECT count(*), sum(answered_at IS NULL AND left_at IS NULL), count(answered_at),"
            " sum(answered_at IS NULL AND left_at IS NOT NULL) FROM arrivals"
        )
        database.close()
        assert counted[0] == 200
        await expect(figure(page, "today")).to_have_text(str(counted[0]), timeout=WAIT_MS)
        shown = page.locator('[data-panel="now"] .hall-figure')
        await expect(shown).to_have_text([str(counted[1]), str(counted[2]), "0"], timeout=WAIT_MS)
        await expect(page.locator('[data-panel="answer"]')).to_contain_text(f"放弃 {counted[3]}")


async def test_whoever_has_no_key_signs_in(tmp_path: Path, page: Page) -> None:
    async with peopled(tmp_path) as house:
        await page.goto(f"{house.url}/hall")
        await page.wait_for_url("**/login?next=*")
        await sign_in(page, "zhao")
        await page.wait_for_url(f"{house.url}/hall")
        await expect(figure(page, "today")).to_have_text("0", timeout=WAIT_MS)
        # A key that does not hold any more is no hindrance to who has signed in.
        await open_anew(page, f"{house.url}/hall#token=gone")
        await expect(figure(page, "today")).to_have_text("0", timeout=WAIT_MS)
