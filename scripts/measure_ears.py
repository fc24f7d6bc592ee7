"""Measures recognition by ears on other machines beside that of this process.

In: a folder of recordings, a Ray on which `zhiting ears` runs. Out: JSON on standard output.
Not known here: calls, servers.

    python -m scripts.measure_ears --data ../shared/data/calls --address 10.0.0.1:6379 [--kill]

`alone_ms` is the time of a single clip when nothing else is to be done, `clips_per_s` that of many at once.
`--kill` kills an ear of this machine in the midst of many clips and says when the next text came.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import numpy as np
import typer

from agent_ui.settings import Settings
from asr.batch.ears import EarOptions
from asr.engines import open_engine
from asr.pool_options import PoolOptions
from asr.recordings import decode_file
from asr.remote.looking import look_around
from asr.remote.opening import open_remote
from asr.transcriber import WhisperOptions
from asr.types import SAMPLE_RATE_HZ, Hypothesis, Party, Samples, Utterance
from asr.worker import RecognitionPool
from scripts.call_data import read_calls, with_recordings
from scripts.weights import weights_of

_CLIP_S = 4.0
_LOUD = 0.01


def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="NAME.json beside NAME.wav.")],
    address: Annotated[str, typer.Option(help="Ray's head.")] = "auto",
    clips: Annotated[int, typer.Option(min=4)] = 24,
    threads: Annotated[
        int, typer.Option(min=0, help="Of the pool in this process; 0: only the others are measured.")
    ] = 1,
    places: Annotated[int, typer.Option(min=1, help="Wait until so many clips can be decoded at once.")] = 1,
    kill: Annotated[bool, typer.Option("--kill", help="Kill an ear of this machine.")] = False,
) -> None:
    """Measure."""
    settings = Settings()
    folder = weights_of(settings, settings.speech_model)
    whisper = EarOptions(folder=folder).whisper
    sound = _clips(data, clips)
    told: dict[str, Any] = {"load": os.getloadavg()[0], "cores": len(os.sched_getaffinity(0)), "clips": clips}
    told |= asyncio.run(_measure(folder, whisper, sound, address, threads, places, is_killing=kill))
    typer.echo(json.dumps(told, ensure_ascii=False, indent=1))


def _clips(data: Path, count: int) -> list[Samples]:
    """Pieces of recordings in which somebody speaks."""
    found: list[Samples] = []
    step = round(_CLIP_S * SAMPLE_RATE_HZ)
    for call, path in with_recordings(read_calls(data)):
        for samples in decode_file(path, tuple(call.parties)).values():
            pieces = (samples[at : at + step] for at in range(0, len(samples) - step, step))
            found += [piece for piece in pieces if np.abs(piece).mean() > _LOUD]
            if len(found) >= count:
                return found[:count]
    return found


async def _measure(
    folder: Path,
    whisper: WhisperOptions,
    sound: Sequence[Samples],
    address: str,
    threads: int,
    places: int,
    *,
    is_killing: bool,
) -> dict[str, Any]:
    remote = open_remote(folder, whisper, address=address)
    async with RecognitionPool(remote.decoder, PoolOptions()) as pool:
        while pool.places < places:  # noqa: ASYNC110 - whoever started the measuring sees that nobody comes
            await asyncio.sleep(0.1)
        await asyncio.sleep(2.0)  # others may be about to come
        there = {"places": pool.places, **await _both(pool, sound)}
        if is_killing:
            there |= await _killed(pool, sound, address)
        figures = remote.decoder.figures()
        there |= {"redone": figures.redone, "doubled": figures.doubled, "lost": figures.lost}
    if not threads:
        return {"remote": there}
    engine = await asyncio.to_thread(lambda: open_engine(folder, WhisperOptions(workers=threads, threads=1)))
    async with RecognitionPool(engine, PoolOptions(workers=threads)) as pool:
        await _all(pool, sound[:2])
        here = {"places": pool.places, **await _both(pool, sound)}
    return {"remote": there, "local": here, "overhead_ms": round(there["alone_ms"] - here["alone_ms"], 1)}


async def _both(pool: RecognitionPool, sound: Sequence[Samples]) -> dict[str, Any]:
    alone = []
    for number, samples in enumerate(sound):
        began = time.perf_counter()
        await pool.recognise(_spoken(samples, number))
        alone.append(1000 * (time.perf_counter() - began))
    began = time.perf_counter()
    await _all(pool, sound)
    together_s = time.perf_counter() - began
    return {"alone_ms": round(median(alone), 1), "clips_per_s": round(len(sound) / together_s, 2)}


async def _killed(pool: RecognitionPool, sound: Sequence[Samples], address: str) -> dict[str, Any]:
    seen = await asyncio.to_thread(look_around, address)
    ours = [card.pid for card in seen.cards if card.machine == os.uname().nodename]
    ended: list[float] = []
    hearing = [asyncio.ensure_future(pool.recognise(_spoken(one, n))) for n, one in enumerate(sound)]
    for one in hearing:
        one.add_done_callback(lambda _: ended.append(time.perf_counter()))
    while not ended:  # noqa: ASYNC110 - nothing else tells
        await asyncio.sleep(0.005)
    places = pool.places
    os.kill(ours[0], signal.SIGKILL)
    killed_at = time.perf_counter()
    texts = await asyncio.gather(*hearing)
    while pool.places < places:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    back_s = time.perf_counter() - killed_at
    return {
        "killed": True,
        "answered": len(texts),
        "next_final_after_kill_s": round(min(at for at in ended if at > killed_at) - killed_at, 2),
        "ear_back_after_s": round(back_s, 1),
    }


async def _all(pool: RecognitionPool, sound: Sequence[Samples]) -> list[Hypothesis]:
    return await asyncio.gather(*(pool.recognise(_spoken(one, n)) for n, one in enumerate(sound)))


def _spoken(samples: Samples, number: int) -> Utterance:
    seconds = len(samples) / SAMPLE_RATE_HZ
    return Utterance(
        call_id=f"C{number}",
        party=Party.CITIZEN,
        number=number,
        start_s=0.0,
        end_s=seconds,
        samples=samples,
        is_closed=True,
        voiced_s=seconds,
        speech_end_s=seconds,
    )


if __name__ == "__main__":
    typer.run(main)
