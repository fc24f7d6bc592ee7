"""Measures how long after words of danger were spoken their alarm is at a supervisor's screen.

In: a reference call with such words and its recording, how often it is played, calls beside it.
Out: seconds from the end of the words, and from the end of their utterance, to the event at a socket of the
list of calls; as JSON.
Not known here: which words raise an alarm. Server and lines share this machine.

    python -m scripts.measure_alarm --call C052 --times 5

References have no times of words: where in a turn they end is reckoned from the share of its characters.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from websockets.asyncio.client import connect

from agent_ui.settings import Settings
from asr.types import Party
from calls.safety.finding import find_danger
from calls.safety.word_files import shipped_rules
from scripts.bench_figures import percentile
from scripts.bench_lines import BLOCK_S, Plan, Track, play, read_tracks
from scripts.bench_server import server_of_our_own
from scripts.call_data import BadData, Turn, read_calls

_DEMO = Path(__file__).parent / "demo"
_AFTER_S = 6.0


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="NAME.json beside its recording.")] = _DEMO,
    call: Annotated[str, typer.Option(help="The call with words of danger.")] = "C052",
    times: Annotated[int, typer.Option(min=1, help="How often it is played.")] = 5,
    beside: Annotated[int, typer.Option(min=0, help="Calls that run at the same time.")] = 0,
) -> None:
    """Play, listen, tell."""
    tracks = {track.reference.call_id: track for track in read_tracks(read_calls(data))}
    print(json.dumps(asyncio.run(_measure(tracks.pop(call), list(tracks.values()), times, beside)), indent=1))


async def _measure(track: Track, others: Sequence[Track], times: int, beside: int) -> dict[str, Any]:
    turn, words_end_s = _danger_in(track)
    after_words, after_turn = list[float](), list[float]()
    async with server_of_our_own(Settings().data_dir) as server:
        plan = Plan(server=server.address, token=None, calls=beside, seconds=times * (turn.end_s + 15))
        playing = asyncio.create_task(play(others, plan) if beside else asyncio.sleep(0))
        for number in range(times):
            at_s = await _alarm_at(server.address, track, f"alarm-{number}", turn.end_s + _AFTER_S)
            if at_s is not None:
                after_words.append(at_s - words_end_s)
                after_turn.append(at_s - turn.end_s)
        playing.cancel()
        await asyncio.wait([playing])
    return {
        "call": track.reference.call_id,
        "beside": beside,
        "said": turn.text,
        "times": times,
        "raised": len(after_words),
        "after_words_p50_s": percentile(after_words, 50),
        "after_words_max_s": percentile(after_words, 100),
        "after_utterance_max_s": percentile(after_turn, 100),
    }


def _danger_in(track: Track) -> tuple[Turn, float]:
    """The first turn with words of danger, and when the words end. Raises `BadData`."""
    for turn in track.reference.turns:
        found = find_danger(turn.text, shipped_rules()) if turn.party is not Party.OPERATOR else ()
        if found:
            share = found[0].end / len(turn.text)
            return turn, turn.start_s + share * (turn.end_s - turn.start_s)
    raise BadData(f"Nobody is in danger in {track.reference.call_id}.")


async def _alarm_at(address: str, track: Track, call_id: str, seconds: float) -> float | None:
    """Play the beginning of a call; when its alarm came, in seconds of the call, or None."""
    socket = address.replace("http", "ws", 1)
    start = {
        "type": "start",
        "encoding": "pcm_s16le",
        "sample_rate": track.rate_hz,
        "channels": track.reference.parties,
        "call_id": call_id,
    }
    async with (
        connect(f"{socket}/v1/screens/calls", compression=None) as screen,
        connect(f"{socket}/v1/calls/audio", compression=None) as line,
    ):
        await line.send(json.dumps(start))
        await line.recv()
        began_s = time.time()

        async def listen() -> float:
            async for text in screen:
                event = json.loads(text)
                if event["type"] == "alarm.raised" and event["call_id"] == call_id:
                    return time.time() - began_s
            raise BadData("The server has closed the screen.")

        listening = asyncio.create_task(listen())
        for number, block in enumerate(track.blocks[: round(seconds / BLOCK_S)], 1):
            await asyncio.sleep(max(0.0, began_s + number * BLOCK_S - time.time()))
            await line.send(block)
        await line.send('{"type":"stop"}')
        await line.recv()
        if not listening.done():
            listening.cancel()
            return None
        return await listening


if __name__ == "__main__":
    typer.run(main)
