"""Calls that come over a carrier's line: what is played, and what must be on record afterwards."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np

from calls.ingest.signals import Signal
from scripts.callers import Plan
from scripts.replay import Recording
from tests.house import House, receive, receive_until

FAST = 50.0


def talk(seconds: float = 3.0, *, channels: tuple[str, ...] = ("citizen", "operator")) -> Recording:
    """Noise that differs from packet to packet and from leg to leg."""
    rng = np.random.default_rng(11)
    samples = rng.integers(-8000, 8000, (round(seconds * 8000), len(channels))).astype(np.int16)
    return Recording(name="talk.wav", rate_hz=8000, channels=channels, samples=samples)


def plan(house: House, carrier: str, **changes: Any) -> Plan:
    given: dict[str, Any] = {
        "carrier": carrier,
        "server": house.url,
        "token": house.token,
        "speed": FAST,
        "key": "CA0123456789",
        "operator_id": "027",
        "caller": "13900000001",
        "dialled": "12345",
    }
    return Plan(**(given | changes))


async def snapshot(house: House, call_id: str) -> dict[str, Any]:
    async with house.socket(f"/v1/screens/calls/{call_id}") as screen:
        return await receive(screen)


async def until_received(house: House, call_id: str) -> None:
    """Wait until there is such a call and something of it was heard."""
    async with asyncio.timeout(60):
        while True:
            seen = await snapshot(house, call_id)
            if seen["call"] is not None and seen["segments"]:
                return
            await asyncio.sleep(0.02)


async def until_ended(house: House, call_id: str) -> dict[str, Any]:
    """Wait for the end of a call; returns its last state."""
    async with house.socket(f"/v1/screens/calls/{call_id}") as screen:
        await receive_until(
            screen,
            lambda event: event["type"] == "call.ended" or (event.get("call") or {}).get("state") == "ended",
        )
    return await snapshot(house, call_id)


def spooled(data_dir: Path, call_id: str) -> bytes:
    return (data_dir / "audio" / f"{call_id}.raw").read_bytes()


def as_sent(recording: Recording, encoding: str) -> bytes:
    """What must lie in the spool: both legs in that encoding, interleaved."""
    from scripts.caller_sounds import encoded

    return encoded(recording.samples.reshape(-1), encoding)


def kinds(signals: list[Signal]) -> list[str]:
    return [type(signal).__name__ for signal in signals]
