"""Carriers that keep the sound of their calls, and come back as often as the server dies.

In: an address, a source of chance. Out: what each call sent, and how it ended.
Not known here: who kills, screens, what is on record.
"""

import asyncio
import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from scripts.call_data import ReferenceCall

RATE_HZ = 16_000
BLOCK_S = 0.1
AGAIN_S = 0.1
GONE = (ConnectionClosed, OSError, InvalidMessage, InvalidStatus, TimeoutError, EOFError)
"""What talking to a server raises that is dead, or about to be."""
_LATER = frozenset(
    {"call.id_in_use", "call.storage_failed", "call.failed", "call.refused", "call.format_changed"}
)
"""Answers after which a carrier asks again."""
_SPEED = 6.0
_ANSWERS_WITHIN_S = 60.0


@dataclass(slots=True, kw_only=True)
class SentCall:
    """A call as its carrier knows it."""

    call_id: str
    operator_id: str
    parties: tuple[str, ...]
    samples: NDArray[np.int16]
    """Shape (n, parties)."""
    speed: float
    hangs_up: bool = True
    """False: the carrier leaves without a word when it has sent all."""
    rate_hz: int = RATE_HZ
    is_started: bool = False
    has_stopped: bool = False
    is_over: bool = False
    received: int = 0
    """Sample frames that the server said it had."""
    sent: int = 0
    """Sample frames that were sent, or are held by the server."""
    lives: int = 0
    """Connections that it took."""
    ends: list[str] = field(default_factory=list)
    """Why connections ended, or did not come about."""
    token: str | None = None
    cuts: float = 0.15
    """How often its carrier cuts its own line."""
    reference: ReferenceCall | None = None
    """What is said in it, where somebody speaks."""
    faults: list[str] = field(default_factory=list)
    """What the server said that it must never say."""


def make_call(call_id: str, chance: Random) -> SentCall:
    """Noise that never repeats, of a length of its own."""
    parties = ("citizen", "operator") if chance.random() < 0.7 else ("citizen",)
    noise = np.random.default_rng(chance.getrandbits(32))
    frames = round(chance.uniform(5.0, 25.0) * RATE_HZ)
    return SentCall(
        call_id=call_id,
        operator_id=f"{chance.randrange(3):03}",
        parties=parties,
        samples=noise.integers(-2000, 2000, (frames, len(parties))).astype(np.int16),
        speed=_SPEED * chance.uniform(0.5, 2.0),
        hangs_up=chance.random() > 0.07,
    )


async def carry(call: SentCall, address: str, chance: Random) -> None:
    """Bring the whole call in, whatever happens to the server; returns when it is over for the carrier."""
    while not call.is_over:
        try:
            async with _line(address, call.token) as line:
                call.lives += 1
                if await _begin(line, call):
                    await _send(line, call, chance)
        except GONE as error:
            call.ends.append(f"{type(error).__name__}: {error}")
        if not call.is_over:
            await asyncio.sleep(AGAIN_S)


def _line(address: str, token: str | None) -> connect:
    return connect(
        address.replace("http", "ws") + "/v1/calls/audio",
        additional_headers={"Authorization": f"Bearer {token}"} if token else None,
        compression=None,
        proxy=None,
        open_timeout=20,
    )


async def _begin(line: ClientConnection, call: SentCall) -> bool:
    """Open the call, or take it up where the server's copy ends."""
    start = {
        "type": "start",
        "encoding": "pcm_s16le",
        "sample_rate": call.rate_hz,
        "channels": call.parties,
        "call_id": call.call_id,
        "operator_id": call.operator_id,
        "reconnect": call.is_started,
        "buffered": call.is_started,
    }
    await line.send(json.dumps(start))
    answer = await _answer(line)
    if answer["type"] == "started":
        call.is_started = True
        received = round(answer["received_s"] * call.rate_hz)
        if received < call.received or received > len(call.samples):
            call.faults.append(f"{call.call_id}: had {call.received} samples, then {received}")
            call.is_over = True
            return False
        call.received = received
        return True
    if answer["code"] == "call.unknown" and call.is_started:
        # The end was written and not told any more; else it is lost, which the record will show.
        call.is_over = True
        if not call.has_stopped:
            call.faults.append(f"{call.call_id}: forgotten after {call.received} samples")
    elif answer["code"] == "call.id_in_use" and not call.is_started:
        call.is_started = True  # the start was written and not told any more
    elif answer["code"] not in _LATER | {"call.unknown"}:
        call.faults.append(f"{call.call_id}: {answer['code']}")
        call.is_over = True
    return False


async def _send(line: ClientConnection, call: SentCall, chance: Random) -> None:
    loop = asyncio.get_running_loop()
    step = round(BLOCK_S * call.rate_hz)
    at = origin = call.received
    began = loop.time()
    cut_at = chance.uniform(0, len(call.samples)) if chance.random() < call.cuts else None
    while at < len(call.samples):
        data = call.samples[at : at + step]
        due_s = (at + len(data) - origin) / call.rate_hz / call.speed
        await asyncio.sleep(max(0.0, began + due_s - loop.time()))
        await line.send(np.ascontiguousarray(data, "<i2").tobytes())
        at += len(data)
        call.sent = at
        if cut_at is not None and at > cut_at:
            line.transport.abort()
            return
    if not call.hangs_up:
        line.transport.abort()
        call.has_stopped = call.is_over = True
        return
    call.has_stopped = True
    await line.send('{"type":"stop"}')
    answer = await _answer(line)
    if answer["type"] == "ended":
        call.is_over = True
        call.received = round(answer["seconds"] * call.rate_hz)
    elif answer["code"] not in _LATER:
        call.faults.append(f"{call.call_id}: {answer['code']} at its end")


async def _answer(line: ClientConnection) -> dict[str, Any]:
    """The next message that is no mere warning."""
    async with asyncio.timeout(_ANSWERS_WITHIN_S):
        async for text in line:
            message: dict[str, Any] = json.loads(text)
            if message["type"] != "error" or not message["recoverable"]:
                return message
    raise ConnectionError("the server closed the line")
