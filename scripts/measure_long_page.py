"""Shows one page a call of eight hours in time-lapse, and measures what it costs the browser.

In: hours of the call, how many minutes the time-lapse may take.
Out: for each hour of the call: memory, elements and listeners of the page after a collection of garbage, and
how long after its event a line is painted; as JSON.
Not known here: recognition. The page and the server are the real ones; the call's socket is played here.

    python -m scripts.measure_long_page --hours 8 --minutes 4
"""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from typing import Annotated, Any

import typer
from playwright.async_api import CDPSession, WebSocketRoute, async_playwright

from agent_ui.events import CallLag, CallSnapshot, Event, SegmentShown, SuggestionShown
from agent_ui.settings import Settings
from agent_ui.shown import CallOnScreen, CardOnScreen, SegmentOnScreen, SuggestionOnScreen
from asr.types import Party
from calls.types import CallState
from scripts.bench_server import server_of_our_own
from scripts.demo_calls import demo_calls

_CALL = "long"
_TURN_S = 4.0
"""One line in so many seconds of the call: both parties speak without a rest."""
_PARTIALS = 3
_CARDS_EVERY = 15
"""Lines between two suggestions: one a minute."""
_STARTED = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)


def main(
    hours: Annotated[int, typer.Option(min=1)] = 8,
    minutes: Annotated[float, typer.Option(min=0.2, help="How long the time-lapse takes.")] = 4.0,
) -> None:
    """Play, measure, tell."""
    print(json.dumps(asyncio.run(_measure(hours, minutes * 60)), indent=1))


async def _measure(hours: int, seconds: float) -> dict[str, Any]:
    lines = round(hours * 3600 / _TURN_S)
    opened: asyncio.Future[WebSocketRoute] = asyncio.get_running_loop().create_future()
    async with server_of_our_own(Settings().data_dir) as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = await browser.new_page(viewport={"width": 1366, "height": 768})
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))

        def on_socket(socket: WebSocketRoute) -> None:
            opened.set_result(socket)

        await page.route_web_socket(f"**/v1/screens/calls/{_CALL}*", on_socket)
        await page.goto(f"{server.address}/?call={_CALL}")
        socket = await opened
        socket.send(_told(_snapshot()))
        chrome = await page.context.new_cdp_session(page)
        await chrome.send("Performance.enable")
        hourly = [await _figures(chrome) | {"hour": 0, "line_ms": 0.0}]
        began = time.monotonic()
        events = _events(lines)
        for number in range(1, lines + 1):
            for event in next(events):
                socket.send(_told(event))
            await asyncio.sleep(max(0.0, began + seconds * number / lines - time.monotonic()))
            if number % round(3600 / _TURN_S) == 0:
                painted_ms = await _painted_ms(page, f"{_party(number)}-{number}")
                hour = round(number * _TURN_S / 3600)
                hourly.append(await _figures(chrome) | {"hour": hour, "line_ms": painted_ms})
        await browser.close()
    return {"lines": lines, "took_s": round(time.monotonic() - began), "errors": broken, "hourly": hourly}


async def _painted_ms(page: Any, segment_id: str) -> float:
    """How long until the newest line is on the page, from when its event was sent."""
    began = time.monotonic()
    await page.wait_for_function(
        "id => [...document.querySelectorAll('.line-row')].some(row => row.segment?.segment_id === id"
        " && row.segment.is_final)",
        arg=segment_id,
    )
    return round((time.monotonic() - began) * 1000, 1)


async def _figures(chrome: CDPSession) -> dict[str, Any]:
    await chrome.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in (await chrome.send("Performance.getMetrics"))["metrics"]}
    return {
        "heap_mb": round(found["JSHeapUsedSize"] / 1e6, 2),
        "elements": int(found["Nodes"]),
        "listeners": int(found["JSEventListeners"]),
        "busy_s": round(found["TaskDuration"], 1),
    }


def _told(event: Event) -> str:
    return event.model_dump_json()


def _snapshot() -> CallSnapshot:
    call = CallOnScreen(call_id=_CALL, state=CallState.LIVE, started_at=_STARTED, operator_id="027")
    return CallSnapshot(seq=0, at=_STARTED, call_id=_CALL, call=call)


def _party(number: int) -> Party:
    return Party.CITIZEN if number % 2 else Party.OPERATOR


def _events(lines: int) -> Iterator[list[Event]]:
    """The events of each line: it grows, it is final, now and then cards change."""
    seq = count(1)
    texts = cycle(_sentences())
    for number in range(1, lines + 1):
        text, start_s = f"{next(texts)}（{number}）", number * _TURN_S
        at = _STARTED + timedelta(seconds=start_s)
        told: list[Event] = [
            SegmentShown(
                at=at, call_id=_CALL, segment=_segment(number, text[: len(text) * part // 4], start_s, False)
            )
            for part in range(1, _PARTIALS + 1)
        ]
        told.append(
            SegmentShown(
                at=at, call_id=_CALL, seq=next(seq), segment=_segment(number, text, start_s, is_final=True)
            )
        )
        told.append(CallLag(at=at, call_id=_CALL, lag_s=0.4))
        if number % _CARDS_EVERY == 0:
            told.append(_suggestion(number, next(seq), at))
        yield told


def _segment(number: int, text: str, start_s: float, is_final: bool) -> SegmentOnScreen:
    return SegmentOnScreen(
        call_id=_CALL,
        segment_id=f"{_party(number)}-{number}",
        party=_party(number),
        start_s=start_s,
        end_s=start_s + _TURN_S,
        text=text,
        raw_text=text,
        is_final=is_final,
    )


def _suggestion(number: int, seq: int, at: datetime) -> SuggestionShown:
    cards = tuple(
        CardOnScreen(
            slot=slot,
            is_new=slot == number % 3,
            article_id=f"T{(number + slot) % 160:03}",
            title=f"第 {number + slot} 条知识的标题",
            excerpt="可以直接念给市民听的一两句话，写明谁来办、多久办好、要带什么。" * 2,
            department="市住房和城乡建设局",
            score=0.8,
            source="示例",
        )
        for slot in range(3)
    )
    suggestion = SuggestionOnScreen(
        suggestion_id=f"s-{number}",
        segment_id=f"{_party(number)}-{number}",
        query="路面积水",
        kb_version="v1",
        confidence=0.8,
        cards=cards,
    )
    return SuggestionShown(at=at, call_id=_CALL, seq=seq, suggestion=suggestion)


def _sentences() -> list[str]:
    """What is said in the bundled calls."""
    found = []
    for recording, _ in demo_calls():
        reference = json.loads(recording.with_suffix(".json").read_text(encoding="utf-8"))
        found += [turn["text"] for turn in reference["turns"]]
    return found


if __name__ == "__main__":
    typer.run(main)
