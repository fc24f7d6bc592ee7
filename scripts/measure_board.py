"""Measures what the board of the hall costs its browser: at rest, and over a week in time-lapse. No server.

In: days, how fast they pass, how long rest is watched.
Out: the browser's share of one core at rest and in a busy hour; for each day memory, elements, listeners of
the page after a collection of garbage, and whether its figures are those that the server counts; as JSON.
Not known here: the server. The page is the real one; its line is played here, in the server's own events.

    python -m scripts.measure_board --days 7 --minutes 5
"""

import asyncio
import json
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from playwright.async_api import CDPSession, Page, Route, WebSocketRoute, async_playwright

from agent_ui.hall_events import HallCalls, HallEvent, HallSnapshot, HallTick
from insight.hall.counting import count
from insight.hall.types import CallRow, Day, DayKind, OrderCounts, Usual
from scripts.hall_days import Course, between, make_days, rows_at

_FIRST = date(2026, 3, 2)
_TICK_S = 5.0
_STEP_S = 0.25
_BUSY_FROM = timedelta(hours=16, minutes=20)
_STATIC = Path(str(files("agent_ui"))) / "static"


@dataclass(slots=True)
class _Line:
    """The server's end of the board's socket."""

    socket: WebSocketRoute | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    seq: int = 0
    told: int = 0

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def tell(self, event: HallEvent) -> None:
        assert self.socket is not None
        self.told += 1
        self.socket.send(event.model_dump_json(by_alias=True))

    def begin(self, day: Day, rows: Sequence[CallRow], now: datetime, usual: Usual) -> None:
        """All of a day."""
        document = {
            "seq": self._next(),
            "at": now,
            "day": day.day,
            "from": day.starts_at,
            "until": day.ends_at,
            "speed": 1.0,
            "is_simulated": True,
            "has_queue": True,
            "usual": usual,
            "calls": tuple(rows),
            "orders": OrderCounts(open=400, overdue=7, due_soon=30),
            "warnings": (),
        }
        self.tell(HallSnapshot.model_validate(document))

    def change(self, rows: Sequence[CallRow], now: datetime) -> None:
        """Rows that are different."""
        document = {
            "seq": self._next(),
            "at": now,
            "has_queue": True,
            "is_simulated": True,
            "calls": tuple(rows),
            "gone": (),
        }
        self.tell(HallCalls.model_validate(document))

    def tick(self, now: datetime) -> None:
        """Nothing new."""
        self.tell(HallTick(seq=None, at=now))


def main(
    days: Annotated[int, typer.Option(min=1)] = 7,
    minutes: Annotated[float, typer.Option(min=0.2, help="How long the time-lapse takes.")] = 5.0,
    rest_s: Annotated[float, typer.Option(min=5.0, help="How long rest is watched.")] = 60.0,
    width: Annotated[int, typer.Option(help="Of the screen, 16:9.")] = 1920,
    seed: int = 20260305,
) -> None:
    """Play, measure, tell."""
    print(json.dumps(asyncio.run(_measure(days, minutes * 60, rest_s, width, seed)), indent=1))


async def _measure(days: int, seconds: float, rest_s: float, width: int, seed: int) -> dict[str, Any]:
    made = list(make_days(_FIRST, days, seed))
    line, usual = _Line(), _usual(made)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = await browser.new_page(viewport={"width": width, "height": width * 9 // 16})
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))

        def on_socket(socket: WebSocketRoute) -> None:
            line.socket = socket
            line.opened.set()

        await page.route_web_socket("**/v1/screens/hall*", on_socket)
        await page.route("**/*", _serve)
        await page.goto("http://localhost/hall")
        await line.opened.wait()
        processes = await browser.new_browser_cdp_session()
        day, courses = made[0]
        now = day.starts_at + _BUSY_FROM
        line.begin(day, rows_at(courses, now), now, usual)
        await page.wait_for_selector(".hall-panels:not([data-loading])")
        rest = await _cost(processes, lambda: _rest(line, now, rest_s))
        busy = await _cost(processes, lambda: _busy_hour(line, courses, now, rest_s))
        chrome = await page.context.new_cdp_session(page)
        await chrome.send("Performance.enable")
        daily = []
        for day, courses in made:
            await _play_day(line, day, courses, usual, seconds / days)
            daily.append(
                {"day": str(day.day)}
                | await _memory(chrome)
                | await _compared(page, day, rows_at(courses, day.ends_at), usual)
            )
        await browser.close()
    return {
        "screen": f"{width}x{width * 9 // 16}",
        "rows_at_rest": len(rows_at(made[0][1], now)),
        "rest": rest,
        "busy_hour": busy,
        "events": line.told,
        "errors": broken,
        "daily": daily,
    }


async def _serve(route: Route) -> None:
    """The page's own files."""
    path = urlsplit(route.request.url).path
    await route.fulfill(path=_STATIC / ("hall.html" if path == "/hall" else path.removeprefix("/static/")))


async def _rest(line: _Line, now: datetime, rest_s: float) -> None:
    for number in range(round(rest_s / _TICK_S)):
        line.tick(now + timedelta(seconds=number * _TICK_S))
        await asyncio.sleep(_TICK_S)


async def _busy_hour(line: _Line, courses: Sequence[Course], now: datetime, rest_s: float) -> None:
    """At the pace of the day: news at most once a second, as the server tells them."""
    for number in range(round(rest_s)):
        then, later = now + timedelta(seconds=number), now + timedelta(seconds=number + 1)
        if changed := between(courses, then, later):
            line.change(changed, later)
        await asyncio.sleep(1.0)


async def _play_day(line: _Line, day: Day, courses: Sequence[Course], usual: Usual, seconds: float) -> None:
    steps = max(1, round(seconds / _STEP_S))
    began, now = time.monotonic(), day.starts_at
    line.begin(day, [], now, usual)
    for number in range(1, steps + 1):
        later = day.starts_at + (day.ends_at - day.starts_at) * number / steps
        if number == steps:
            later -= timedelta(milliseconds=1)
        line.change(between(courses, now, later), later)
        now = later
        await asyncio.sleep(max(0.0, began + seconds * number / steps - time.monotonic()))
    line.tick(now)


async def _cost(processes: CDPSession, work: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    """Per cent of one core that the processes of the browser took, all together and each kind."""
    before, began = await _cpu_s(processes), time.monotonic()
    await work()
    after, took_s = await _cpu_s(processes), time.monotonic() - began
    kinds = {kind: round(100 * (after[kind] - before.get(kind, 0.0)) / took_s, 2) for kind in after}
    return {"seconds": round(took_s), "percent_of_a_core": round(sum(kinds.values()), 2), "kinds": kinds}


async def _cpu_s(processes: CDPSession) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in (await processes.send("SystemInfo.getProcessInfo"))["processInfo"]:
        found[one["type"]] = found.get(one["type"], 0.0) + one["cpuTime"]
    return found


async def _memory(chrome: CDPSession) -> dict[str, Any]:
    await chrome.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in (await chrome.send("Performance.getMetrics"))["metrics"]}
    return {
        "heap_mb": round(found["JSHeapUsedSize"] / 1e6, 2),
        "elements": int(found["Nodes"]),
        "listeners": int(found["JSEventListeners"]),
    }


async def _compared(page: Page, day: Day, rows: Sequence[CallRow], usual: Usual) -> dict[str, Any]:
    """Whether the board shows what the server counts of the same rows."""
    end = day.ends_at - timedelta(milliseconds=1)
    figures = count(rows, day=day, now=end, usual=usual, has_queue=True)
    types = [figures.types.get(name, 0) for name in ("咨询", "求助", "投诉", "建议", "举报")]
    wanted = [
        f"{figures.calls:,}",
        *(f"{value:,}" for value in types),
        *sorted(f"{name} {value:,}" for name, value in figures.districts.items()),
    ]
    shown: list[str] = []
    for _ in range(50):
        shown = await page.evaluate(
            """() => [
              document.querySelector('[data-panel="today"] .hall-figure').textContent,
              ...[...document.querySelectorAll('.bar-rows[data-short] b')].map((one) => one.textContent),
              ...[...document.querySelectorAll('.tile:not([data-empty])')].map((one) =>
                `${one.children[0].textContent} ${one.children[1].textContent}`).sort(),
            ]"""
        )
        if sorted(shown) == sorted(wanted):
            break
        await asyncio.sleep(0.1)  # it draws a little later than it is told
    return {"calls": figures.calls, "is_same": sorted(shown) == sorted(wanted)}


def _usual(made: Sequence[tuple[Day, Sequence[Course]]]) -> Usual:
    """The mean of these very days."""
    n = len(made)
    hours = [0.0] * 24
    districts: dict[str, list[float]] = {}
    matters: dict[str, list[float]] = {}
    categories: dict[str, list[float]] = {}
    for _, courses in made:
        for one in courses:
            row, hour = one.whole, one.whole.arrived_at.hour
            hours[hour] += 1 / n
            for names, name in (
                (districts, row.district),
                (matters, row.matter),
                (categories, row.category),
            ):
                if name:
                    names.setdefault(name, [0.0] * 24)[hour] += 1 / n

    def fixed(names: dict[str, list[float]]) -> dict[str, tuple[float, ...]]:
        return {name: tuple(profile) for name, profile in names.items()}

    return Usual(
        days=n,
        kind=DayKind.WORKDAY,
        calls=tuple(hours),
        share_answered=0.95,
        categories=fixed(categories),
        districts=fixed(districts),
        matters=fixed(matters),
    )


if __name__ == "__main__":
    typer.run(main)
