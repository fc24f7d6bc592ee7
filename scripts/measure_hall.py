"""Plays simulated days into a server in time-lapse and looks at the hall's board all the while.

In: how many days, how fast. Out: JSON: whether the board's figures were the database's to the unit, memory of
the server and of the page by day, how much of a processor both took.
Not known here: how anything is counted: the figures to compare with are asked of the database in plain SQL.

    python -m scripts.measure_hall --days 7 --speed 100
    python -m scripts.measure_hall --days 1 --speed 600 --factor 0.2 --no-page

Compared are, for each day that ends: every call that came in up to an hour before the last word of the board
and before the first one that still goes on, in number, by outcome, hour, type, matter, category and district
(where the machine is late with its writing, the database has more by the time it is asked). And every ten
minutes of the wall clock all of the board, at a moment at which nothing is on its way: it is tried again for
at most a minute.
"""

import asyncio
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from playwright.async_api import CDPSession, ViewportSize, async_playwright
from websockets.asyncio.client import connect

from insight.hall.types import CallPhase
from scripts.hall_fold import Folded

_SETTLED = timedelta(hours=1)
_LOOK_EVERY_S = 600.0
_TRIES_S = 60.0
_STARTS_WITHIN_S = 300.0
_SIZE = ViewportSize(width=1920, height=1080)
_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_OUTCOMES = """
    SELECT count(*), sum(c.call_id IS NULL), sum(c.state = 'ended')
    FROM arrivals a LEFT JOIN calls c USING (call_id)
    WHERE a.arrived_at >= :start AND a.arrived_at < :end"""
_BY_SUBJECT = """
    SELECT json_extract(w.form, :path) AS name, count(*)
    FROM arrivals a JOIN wrapups w USING (call_id)
    WHERE a.arrived_at >= :start AND a.arrived_at < :end AND name <> '' GROUP BY name"""
_HOURS = "SELECT arrived_at FROM arrivals WHERE arrived_at >= :start AND arrived_at < :end"
_PATHS = {
    "matter": "$.knowledge[0].title",
    "category": "$.category.value",
    "district": "$.district.value",
    "type": "$.kind.value",
}


def main(
    days: Annotated[int, typer.Option(min=1)] = 7,
    speed: Annotated[float, typer.Option(min=1, max=1000)] = 100.0,
    factor: Annotated[float, typer.Option(min=0.01, max=1.0)] = 1.0,
    seed: Annotated[int, typer.Option()] = 7,
    page: Annotated[bool, typer.Option(help="Show the board in a browser as well.")] = True,
    rest_s: Annotated[
        float, typer.Option(help="How long the board is watched at rest, after the days.")
    ] = 60.0,
) -> None:
    """Play, look, compare, tell."""
    print(
        json.dumps(
            asyncio.run(_measure(days, speed, factor, seed, page, rest_s)), indent=1, ensure_ascii=False
        )
    )


async def _measure(
    days: int, speed: float, factor: float, seed: int, with_page: bool, rest_s: float
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="zhiting-hall-") as folder:
        data, first = Path(folder), date(2026, 3, 2)
        options = ["--day", str(first), "--days", str(days), "--at", "00:00", "--history", "0"]
        options += ["--speed", str(speed), "--factor", str(factor), "--seed", str(seed)]
        async with _simulation(data, options) as (port, process):
            if not with_page:
                return await _watch(data, port, process, days, None, rest_s)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
                shown = await browser.new_page(viewport=_SIZE)
                await shown.goto(f"http://127.0.0.1:{port}/hall")
                chrome = await shown.context.new_cdp_session(shown)
                await chrome.send("Performance.enable")
                try:
                    return await _watch(data, port, process, days, chrome, rest_s)
                finally:
                    await browser.close()


async def _watch(
    data: Path, port: int, process: psutil.Process, days: int, chrome: CDPSession | None, rest_s: float
) -> dict[str, Any]:
    board, told, ended = Folded(), {"events": 0, "bytes": 0}, list[dict[str, Any]]()
    looks: list[dict[str, Any]] = []
    async with connect(f"ws://127.0.0.1:{port}/v1/screens/hall", max_size=None) as line:
        board.apply(json.loads(await line.recv()))
        look_at = time.monotonic() + _LOOK_EVERY_S
        cpu_s, began = _cpu_s(process), time.monotonic()
        while len(ended) < days:
            text = await line.recv()
            told["events"] += 1
            told["bytes"] += len(text)
            event = json.loads(text)
            if event["type"] == "hall.snapshot" and event["day"] != board.blocks["day"]:
                took, wall = _cpu_s(process) - cpu_s, time.monotonic() - began
                day = _compared(data, board) | told | {"rss_mb": _rss_mb(process)}
                day |= {"server_cpu_percent": round(100 * took / wall, 1), "wall_s": round(wall)}
                ended.append(day | (await _page(chrome) if chrome else {}))
                print(json.dumps(ended[-1], ensure_ascii=False), file=sys.stderr, flush=True)
                told = {"events": 0, "bytes": 0}
                cpu_s, began = _cpu_s(process), time.monotonic()
            board.apply(event)
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _LOOK_EVERY_S
                looks.append(await _agree(data, board, line))
                print(json.dumps(looks[-1], ensure_ascii=False), file=sys.stderr, flush=True)
        looks.append(await _agree(data, board, line))
        answer: dict[str, Any] = {"days": ended, "whole_board": looks}
        if chrome is not None:
            answer["at_rest"] = await _at_rest(chrome, rest_s)
        return answer


def _compared(data: Path, board: Folded) -> dict[str, Any]:
    """Of the day that ends, all that is settled."""
    start = board.day.starts_at
    todays = [row for row in board.rows.values() if row.arrived_at >= start]
    open_ = [row for row in todays if row.state.is_now or (row.answered_at and not row.type)]
    end = min(board.at - _SETTLED, board.day.ends_at, *(row.arrived_at for row in open_))
    rows = [row for row in todays if row.arrived_at < end]
    ours = {
        "calls": len(rows),
        "abandoned": sum(row.state is CallPhase.ABANDONED for row in rows),
        "ended": sum(row.state is CallPhase.ENDED for row in rows),
        "hours": dict(Counter(row.arrived_at.astimezone(UTC).strftime("%H") for row in rows)),
    } | {name: dict(Counter(value for row in rows if (value := getattr(row, name)))) for name in _PATHS}
    theirs = _asked(data, start, end)
    return {
        "day": str(board.day.day),
        "compared_until": end.strftime("%H:%M"),
        "calls": ours["calls"],
        "in_database": theirs["calls"],
        "different": [name for name in theirs if ours[name] != theirs[name]],
    }


async def _agree(data: Path, board: Folded, line: Any) -> dict[str, Any]:
    """All of the board at a moment at which nothing is on its way."""
    began, different = time.monotonic(), ["not tried"]
    while different and time.monotonic() - began < _TRIES_S:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                while True:
                    board.apply(json.loads(await line.recv()))
        figures = board.figures()
        theirs = _asked(data, board.day.starts_at, board.day.ends_at)
        ours = {
            "calls": figures.calls,
            "matter": dict(figures.matters),
            "category": dict(figures.categories),
            "district": dict(figures.districts),
            "type": dict(figures.types),
        }
        different = [name for name in ours if ours[name] != theirs[name]]
    return {"at": board.blocks["at"], "calls": theirs["calls"], "different": different}


def _asked(data: Path, start: datetime, end: datetime) -> dict[str, Any]:
    """The same figures in plain SQL."""
    span = {
        name: moment.astimezone(UTC).isoformat(timespec="microseconds")
        for name, moment in (("start", start), ("end", end))
    }
    with sqlite3.connect(f"file:{data / 'zhiting.db'}?mode=ro", uri=True) as database:
        database.execute("BEGIN")
        calls, abandoned, ended = database.execute(_OUTCOMES, span).fetchone()
        hours = Counter(arrived[11:13] for (arrived,) in database.execute(_HOURS, span))
        by_subject = {
            name: dict(database.execute(_BY_SUBJECT, span | {"path": path}).fetchall())
            for name, path in _PATHS.items()
        }
    database.close()
    return {
        "calls": calls,
        "abandoned": abandoned or 0,
        "ended": ended or 0,
        "hours": dict(hours),
    } | by_subject


async def _page(chrome: CDPSession) -> dict[str, Any]:
    await chrome.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in (await chrome.send("Performance.getMetrics"))["metrics"]}
    return {
        "page_heap_mb": round(found["JSHeapUsedSize"] / 1e6, 2),
        "page_elements": int(found["Nodes"]),
        "page_listeners": int(found["JSEventListeners"]),
        "page_busy_s": round(found["TaskDuration"], 1),
    }


async def _at_rest(chrome: CDPSession, seconds: float) -> dict[str, Any]:
    """What the page takes while nobody calls, and all processes of the browser with it."""
    browser = [
        child for child in psutil.Process().children(recursive=True) if "chrom" in child.name().lower()
    ]
    before, busy = sum(map(_cpu_s, browser)), (await _page(chrome))["page_busy_s"]
    began = time.monotonic()
    await asyncio.sleep(seconds)
    wall = time.monotonic() - began
    after = await _page(chrome)
    return {
        "seconds": round(wall),
        "page_main_thread_percent": round(100 * (after["page_busy_s"] - busy) / wall, 1),
        "browser_percent": round(100 * (sum(map(_cpu_s, browser)) - before) / wall, 1),
        "page_heap_mb": after["page_heap_mb"],
    }


@asynccontextmanager
async def _simulation(data: Path, options: list[str]) -> AsyncIterator[tuple[int, psutil.Process]]:
    port = _free_port()
    command = [sys.executable, "-m", "scripts.cli", "simulate", "--data-dir", str(data), "--port", str(port)]
    process = subprocess.Popen([*command, *options])  # noqa: ASYNC220 - the first thing that is done
    try:
        began = time.monotonic()
        while not await asyncio.to_thread(_is_up, port):
            if process.poll() is not None or time.monotonic() - began > _STARTS_WITHIN_S:
                raise SystemExit("the simulation did not start")
            await asyncio.sleep(0.5)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


def _is_up(port: int) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _cpu_s(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _rss_mb(process: psutil.Process) -> float:
    return round(process.memory_info().rss / 1e6, 1)


if __name__ == "__main__":
    typer.run(main)
