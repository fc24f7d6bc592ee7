"""Short calls played into a server much faster than anybody speaks, with screens and people who look on.

In: an address, how many calls. Out: nothing but calls that are over, drafted and looked at.
Not known here: what is measured meanwhile. A process of its own, so that nothing of it is measured.

    python -m scripts.talking_calls http://127.0.0.1:8300 --name a --calls 100
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Annotated, Any

import httpx
import numpy as np
import typer
from websockets.asyncio.client import ClientConnection, connect

from scripts.kills.callers import GONE

RATE_HZ = 8_000
BLOCK_S = 0.2
_TURN_S, _PAUSE_S = 1.5, 0.9
_ANSWERS_WITHIN_S = 300.0
_VANISHES_EACH = 10
"""One call in so many loses its line once and comes back."""
_REFUSED_S = 0.5
_DRAFTED_WITHIN = 100
"""Looks at a form, half a second apart."""


def turns(seconds: float) -> list[bytes]:
    """Sound of two parties who speak in turn, in the messages of a line."""
    noise = np.random.default_rng(7)
    n = round(seconds * RATE_HZ)
    at_s = np.arange(n) / RATE_HZ
    turn, within_s = np.divmod(at_s, _TURN_S + _PAUSE_S)
    sound = noise.integers(-40, 40, (n, 2))
    loud = noise.integers(-9000, 9000, (n, 2))
    for party in (0, 1):
        speaks = (within_s < _TURN_S) & (turn % 2 == party)
        sound[speaks, party] = loud[speaks, party]
    step = round(BLOCK_S * RATE_HZ)
    return [sound[at : at + step].astype("<i2").tobytes() for at in range(0, n, step)]


async def play(address: str, name: str, calls: int, at_once: int, seconds: float, speed: float) -> None:
    """Play them; some lines at once, one call after the other on each."""
    blocks = turns(seconds)
    numbers = iter(range(calls))

    async def line(operator_id: str) -> None:
        for number in numbers:
            await _call(client, address, f"{name}-{number}", operator_id, number, blocks, speed)

    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=address, timeout=120, trust_env=False)
        )
        looking = [asyncio.create_task(_look(address, path)) for path in ("calls", "hall", "operators/000")]
        async with asyncio.TaskGroup() as lines:
            for seat in range(at_once):
                lines.create_task(line(f"{seat:03}"))
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


async def _call(
    client: httpx.AsyncClient,
    address: str,
    call_id: str,
    operator_id: str,
    number: int,
    blocks: Sequence[bytes],
    speed: float,
) -> None:
    looking = asyncio.create_task(_look(address, f"calls/{call_id}")) if number % 2 else None
    breaks_at = len(blocks) // 2 if number % _VANISHES_EACH == 0 else len(blocks)
    start = {"encoding": "pcm_s16le", "sample_rate": RATE_HZ, "channels": ["citizen", "operator"]}
    start |= {"call_id": call_id, "operator_id": operator_id, "caller": f"139{number:08}"}
    sent = 0
    while sent < len(blocks):
        async with connect(
            address.replace("http", "ws") + "/v1/calls/audio",
            compression=None,
            proxy=None,
            open_timeout=60,
            ping_interval=None,
        ) as line:
            again = {"reconnect": sent > 0, "buffered": sent > 0}
            await line.send(json.dumps({"type": "start"} | start | again))
            answer = await _answer(line)
            if answer["type"] != "started":
                await asyncio.sleep(_REFUSED_S)
                continue
            until = breaks_at if sent < breaks_at else len(blocks)
            for block in blocks[sent:until]:
                await asyncio.sleep(BLOCK_S / speed)
                await line.send(block)
            sent = until
            if sent < len(blocks):
                line.transport.abort()
                continue
            await line.send('{"type":"stop"}')
            answer = await _answer(line)
            if answer["type"] != "ended":
                raise RuntimeError(f"call {call_id} ended as {answer}")
    await _look_afterwards(client, call_id)
    if looking is not None:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _answer(line: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(_ANSWERS_WITHIN_S):
        async for text in line:
            message: dict[str, Any] = json.loads(text)
            if message["type"] != "error" or not message["recoverable"]:
                return message
    raise ConnectionError("the server closed the line")


async def _look_afterwards(client: httpx.AsyncClient, call_id: str) -> None:
    """What pages ask of a call that is over."""
    for _ in range(_DRAFTED_WITHIN):
        form = (await client.get(f"/v1/calls/{call_id}/wrapup")).raise_for_status().json()
        if form["is_final"]:
            break
        await asyncio.sleep(0.5)
    (await client.get(f"/v1/calls/{call_id}/record")).raise_for_status()
    (await client.get("/v1/calls/search", params={"q": "路灯"})).raise_for_status()
    (await client.get("/metrics")).raise_for_status()


async def _look(address: str, path: str) -> None:
    """A screen that reads all it is sent, until it is closed."""
    while True:
        with suppress(*GONE):
            async with connect(
                f"{address.replace('http', 'ws')}/v1/screens/{path}",
                compression=None,
                proxy=None,
                open_timeout=60,
                ping_interval=None,
                max_size=None,
            ) as screen:
                async for _ in screen:
                    pass
        await asyncio.sleep(0.2)


def main(
    address: str,
    name: Annotated[str, typer.Option(help="Names of the calls begin with it.")] = "t",
    calls: Annotated[int, typer.Option(min=1)] = 100,
    at_once: Annotated[int, typer.Option(min=1)] = 8,
    seconds: Annotated[float, typer.Option(min=1.0, help="Of sound in each.")] = 12.0,
    speed: Annotated[float, typer.Option(min=0.1, help="1 is the speed of speech.")] = 12.0,
) -> None:
    """Play calls."""
    asyncio.run(play(address, name, calls, at_once, seconds, speed))


if __name__ == "__main__":
    typer.run(main)
