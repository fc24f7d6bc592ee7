"""Measures in a real browser how long after speech its text, and a card, stand on the operator's page.

In: reference calls with recordings, how many calls run at once.
Out: seconds from the end of a turn to its last final on the page, and from the end of the speech that caused
a card to that card on the page; as JSON.
Not known here: what the page does. Browser, server and the lines share this machine.

    python -m scripts.measure_page --data DIR --calls 8 --recordings 4

One line is measured and watched by the page; the others are played beside it. A final or a card counts from
the frame in which the browser has painted it.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from playwright.async_api import Page, async_playwright
from websockets.asyncio.client import ClientConnection, connect

from agent_ui.settings import Settings
from asr.types import Party
from scripts.bench_figures import Figures, PlayedCall, Shown, percentile
from scripts.bench_lines import BLOCK_S, Plan, Track, play, read_tracks
from scripts.bench_server import server_of_our_own
from scripts.call_data import read_calls

_SETTLES_S = 4.0
_WATCH = """
globalThis.__painted = { lines: {}, cards: {} };
new MutationObserver(() => {
  const news = [];
  for (const row of document.querySelectorAll('.line-row[data-final="true"]')) {
    const id = row.segment?.segment_id;
    if (id && !(id in __painted.lines)) news.push(["lines", id, { ...row.segment }]);
  }
  for (const card of document.querySelectorAll('.card[data-state="card"] .card-title')) {
    const title = card.textContent;
    if (title && !(title in __painted.cards)) news.push(["cards", title, {}]);
  }
  for (const [kind, id] of news) __painted[kind][id] = null;
  if (news.length === 0) return;
  requestAnimationFrame(() => setTimeout(() => {
    for (const [kind, id, what] of news) __painted[kind][id] = { at_s: Date.now() / 1000, ...what };
  }));
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""
"""Notes when a line or card was first painted: the task after the next frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lags:
    """What one call gave."""

    text: PlayedCall
    cards_s: list[float]


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="NAME.json beside NAME.wav.")],
    calls: Annotated[int, typer.Option(min=1, help="Calls at once, the watched one included.")] = 1,
    recordings: Annotated[
        int, typer.Option(min=1, help="How many calls are watched, one after another.")
    ] = 4,
) -> None:
    """Play, watch, tell."""
    tracks = read_tracks(read_calls(data))
    print(json.dumps(asyncio.run(_measure(tracks, calls, recordings)), indent=1))


async def _measure(tracks: Sequence[Track], calls: int, recordings: int) -> dict[str, Any]:
    watched, others = list(tracks[:recordings]), list(tracks[recordings:])
    figures, cards_s = Figures(), list[float]()
    async with server_of_our_own(Settings().data_dir) as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.add_init_script(_WATCH)
        seconds = sum(len(track.blocks) for track in watched) * BLOCK_S + 30.0 * len(watched)
        beside = asyncio.create_task(
            play(others, Plan(server=server.address, token=None, calls=calls - 1, seconds=seconds))
            if calls > 1
            else asyncio.sleep(0)
        )
        for number, track in enumerate(watched):
            lags = await _watch(page, server.address, track, f"watched-{number}")
            figures.add(lags.text)
            cards_s += lags.cards_s
        beside.cancel()
        await asyncio.wait([beside])
        await browser.close()
    return {
        "calls": calls,
        "watched": [track.reference.call_id for track in watched],
        "turns": len(figures.final_lags_s),
        "text_p50_s": percentile(figures.final_lags_s, 50),
        "text_p95_s": percentile(figures.final_lags_s, 95),
        "text_max_s": percentile(figures.final_lags_s, 100),
        "lost_turns": figures.lost_turns,
        "cards": len(cards_s),
        "card_p50_s": percentile(cards_s, 50),
        "card_p95_s": percentile(cards_s, 95),
        "card_max_s": percentile(cards_s, 100),
    }


async def _watch(page: Page, address: str, track: Track, call_id: str) -> Lags:
    """Play one call in real time while the page shows it."""
    socket = address.replace("http", "ws", 1)
    start = {
        "type": "start",
        "encoding": "pcm_s16le",
        "sample_rate": track.rate_hz,
        "channels": track.reference.parties,
        "call_id": call_id,
    }
    async with connect(f"{socket}/v1/calls/audio", compression=None) as line:
        await line.send(json.dumps(start))
        await line.recv()
        await page.goto(f"{address}/?call={call_id}")
        await page.wait_for_selector('.line[data-line="open"]')
        async with connect(f"{socket}/v1/screens/calls/{call_id}", compression=None) as screen:
            hearing = asyncio.create_task(_facts(screen))
            began_s = time.time()
            for number, block in enumerate(track.blocks, 1):
                await asyncio.sleep(max(0.0, began_s + number * BLOCK_S - time.time()))
                await line.send(block)
            await line.send('{"type":"stop"}')
            await line.recv()
            async with asyncio.timeout(20):
                facts = await hearing
    await asyncio.sleep(_SETTLES_S)
    painted = await page.evaluate("globalThis.__painted")
    shown = [_shown(one, began_s) for one in painted["lines"].values() if one]
    return Lags(
        text=PlayedCall(
            reference=track.reference,
            speech=track.speech,
            played_s=len(track.blocks) * BLOCK_S,
            shown=shown,
        ),
        cards_s=_card_lags(facts, painted["cards"], track, began_s),
    )


async def _facts(screen: ClientConnection) -> list[dict[str, Any]]:
    """Everything that a screen of the call is told, up to its end."""
    facts = []
    async for text in screen:
        facts.append(json.loads(text))
        if facts[-1]["type"] == "call.ended":
            break
    return facts


def _card_lags(
    facts: Sequence[dict[str, Any]], painted: dict[str, Any], track: Track, began_s: float
) -> list[float]:
    """For each card when it first came: painted, minus the end of the speech that caused it."""
    segments = {
        one["segment"]["segment_id"]: one["segment"] for one in facts if one["type"] == "segment.shown"
    }
    lags, known = list[float](), set[str]()
    for fact in facts:
        if fact["type"] != "suggestion.shown":
            continue
        segment = segments[fact["suggestion"]["segment_id"]]
        for card in fact["suggestion"]["cards"]:
            if card["title"] in known or not painted.get(card["title"]):
                continue
            known.add(card["title"])
            lags.append(painted[card["title"]]["at_s"] - began_s - _speech_end_s(segment, track))
    return lags


def _speech_end_s(segment: dict[str, Any], track: Track) -> float:
    """Where the last sound of a segment ends: behind it lies the margin that is kept of every utterance."""
    spans = track.speech.get(Party(segment["party"]), [])
    ends = [min(end, segment["end_s"]) for start, end in spans if start < segment["end_s"]]
    return max((end for end in ends if end > segment["start_s"]), default=float(segment["end_s"]))


def _shown(line: dict[str, Any], began_s: float) -> Shown:
    return Shown(
        at_s=line["at_s"] - began_s,
        segment_id=line["segment_id"],
        party=Party(line["party"]),
        start_s=line["start_s"],
        end_s=line["end_s"],
        text=line["text"],
        is_final=True,
    )


if __name__ == "__main__":
    typer.run(main)
