"""Measures how soon after hang-up the wrap-up of the whole call is drafted, while other calls go on.

In: reference calls with recordings, how many lines are busy at once, how many calls each of them brings.
Out: seconds from `stop` to the draft of the whole call on a screen, and to the call's own end; as JSON.
Not known here: what is drafted, and whether it is right. Server, lines and screens share this machine.

    python -m scripts.measure_wrapup --data DIR --calls 8 --rounds 3

Sound is sent at the pace of speech. The lines begin one after the other, so that somebody hangs up while the
others talk; the first round is cut at different lengths for that.
"""

import asyncio
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from websockets.asyncio.client import ClientConnection, connect

from agent_ui.settings import Settings
from scripts.bench_figures import percentile
from scripts.bench_lines import BLOCK_S, Track, read_tracks
from scripts.bench_server import Usage, server_of_our_own
from scripts.call_data import read_calls

_AFTERWARDS_S = 30.0


@dataclass(slots=True, kw_only=True)
class Found:
    """What the hang-ups gave."""

    drafted_s: list[float] = field(default_factory=list)
    ended_s: list[float] = field(default_factory=list)
    drafts: list[int] = field(default_factory=list)
    """How many drafts each call had on record."""
    lines: list[int] = field(default_factory=list)
    """How many finals each call had."""
    missing: int = 0
    """Calls whose draft did not come within half a minute."""
    late_s: float = 0.0
    """The most that a block was sent too late; beyond a few hundredths the lines were short of time."""


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="NAME.json beside NAME.wav.")],
    calls: Annotated[int, typer.Option(min=1, help="Lines that are busy at once.")] = 8,
    rounds: Annotated[int, typer.Option(min=1, help="Calls on each line, one after another.")] = 3,
    seconds: Annotated[float, typer.Option(min=5.0, help="Longest call.")] = 120.0,
) -> None:
    """Play, hang up, tell."""
    tracks = read_tracks(read_calls(data))
    print(json.dumps(asyncio.run(_measure(tracks, calls, rounds, seconds)), indent=1))


async def _measure(tracks: Sequence[Track], calls: int, rounds: int, seconds: float) -> dict[str, Any]:
    found, usage = Found(), Usage()
    async with server_of_our_own(Settings().data_dir) as server:
        watching = asyncio.create_task(server.watch(usage))
        async with asyncio.TaskGroup() as lines:
            for number in range(calls):
                lines.create_task(_line(server.address, tracks, number, calls, rounds, seconds, found))
        watching.cancel()
    return {
        "calls": calls,
        "hang_ups": len(found.drafted_s) + found.missing,
        "draft_p50_s": percentile(found.drafted_s, 50),
        "draft_p95_s": percentile(found.drafted_s, 95),
        "draft_max_s": percentile(found.drafted_s, 100),
        "end_p50_s": percentile(found.ended_s, 50),
        "end_p95_s": percentile(found.ended_s, 95),
        "missing": found.missing,
        "drafts_a_call": percentile(found.drafts, 50),
        "finals_a_call": percentile(found.lines, 50),
        "sent_late_s": round(found.late_s, 3),
        "server_cpu_percent": usage.cpu_percent,
        "server_rss_mb": usage.peak_rss_mb,
    }


async def _line(
    address: str,
    tracks: Sequence[Track],
    number: int,
    calls: int,
    rounds: int,
    longest_s: float,
    found: Found,
) -> None:
    await asyncio.sleep(8.0 * number / calls)
    for turn in range(rounds):
        track = tracks[(number + turn * calls) % len(tracks)]
        share = (number + 1) / calls if turn == 0 and calls > 1 else 1.0
        blocks = track.blocks[: max(50, int(min(len(track.blocks), longest_s / BLOCK_S) * share))]
        await _call(address, track, blocks, f"wrapup-{number}-{secrets.token_hex(4)}", found)


async def _call(address: str, track: Track, blocks: Sequence[bytes], call_id: str, found: Found) -> None:
    loop = asyncio.get_running_loop()
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
        answer = json.loads(await line.recv())
        if answer["type"] != "started":
            raise typer.BadParameter(f"the server refused a call: {answer['message']}")
        async with connect(f"{socket}/v1/screens/calls/{call_id}", compression=None) as screen:
            watching = asyncio.create_task(_watch(screen))
            began = loop.time()
            for count, block in enumerate(blocks, 1):
                wait_s = began + count * BLOCK_S - loop.time()
                found.late_s = max(found.late_s, -wait_s)
                await asyncio.sleep(max(0.0, wait_s))
                await line.send(block)
            await line.send('{"type":"stop"}')
            stopped = loop.time()
            try:
                async with asyncio.timeout(_AFTERWARDS_S):
                    seen = await watching
            except TimeoutError:
                found.missing += 1
                return
    found.drafted_s.append(seen.drafted_at_s - stopped)
    found.ended_s.append(seen.ended_at_s - stopped)
    found.drafts.append(seen.drafts)
    found.lines.append(seen.lines)


@dataclass(slots=True, kw_only=True)
class _Seen:
    drafted_at_s: float = 0.0
    ended_at_s: float = 0.0
    drafts: int = 0
    lines: int = 0


async def _watch(screen: ClientConnection) -> _Seen:
    """Follow a call until its whole text is drafted."""
    loop, seen = asyncio.get_running_loop(), _Seen()
    async for text in screen:
        assert isinstance(text, str)
        if '"type":"segment.shown"' in text[:40]:
            seen.lines += '"is_final":true' in text
        elif '"type":"call.ended"' in text[:40]:
            seen.ended_at_s = loop.time()
        elif '"type":"work_order.drafted"' in text[:40]:
            seen.drafts += 1
            if json.loads(text)["work_order"]["is_final"]:
                seen.drafted_at_s = loop.time()
                break
    return seen


if __name__ == "__main__":
    typer.run(main)
