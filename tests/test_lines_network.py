"""Every telephone system that comes over a websocket, on a bad day: loss, disorder, bursts, broken lines.

The callers share no code with the readers (`tests/line_clients.py`); what is kept is compared with what they
sent, sample by sample. Where a protocol carries times, packets are lost, late, doubled and out of order;
where sound just follows sound, TCP keeps the order, and nothing may come for a while and then all at once.
"""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from tests.house import House, receive, receive_until, running
from tests.line_clients import NAMES, Conversation, Sound, bad_network, calling, packets_of, read
from tests.line_parts import until_ended

pytestmark = pytest.mark.asyncio(loop_scope="module")

TIMED = tuple(name for name in NAMES if read(name).packet_ms)
FLOWING = tuple(name for name in NAMES if not read(name).packet_ms)
AWAY_S = 0.7
"""Longer than what is passed over as a hiccup."""


@dataclass
class Open:
    """A house, and where it keeps sound."""

    house: House
    folder: Path

    @property
    def server(self) -> str:
        return f"ws://127.0.0.1:{self.house.port}"

    def kept(self, conversation: Conversation, call_id: str) -> Sound:
        """Samples, shape (n, legs)."""
        data = (self.folder / "audio" / f"{call_id}.raw").read_bytes()
        kind = np.uint8 if conversation.encoding == "mulaw" else np.dtype("<i2")
        return np.frombuffer(data, kind).reshape(-1, len(conversation.tracks))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Open]:
    """One house for all: each call has a name of its own."""
    folder = tmp_path_factory.mktemp("lines")
    async with running(folder) as house:
        yield Open(house, folder)


async def until_lost(house: House, key: str) -> None:
    """Wait until it is noticed that the line is gone; raises `AssertionError` where the call ends instead."""
    async with house.socket(f"/v1/screens/calls/{key}") as screen:
        seen = await receive_until(
            screen,
            lambda event: (
                event["type"] in ("call.lost", "call.ended")
                or (event.get("call") or {}).get("state") in ("lost", "ended")
            ),
        )
    assert "ended" not in (seen[-1]["type"].partition(".")[2], (seen[-1].get("call") or {}).get("state"))


def new_key() -> str:
    return str(uuid.uuid4())


@pytest.mark.parametrize("name", NAMES)
async def test_a_conversation_as_it_is_documented(opened: Open, name: str) -> None:
    conversation, key = read(name), new_key()
    sound = conversation.sound(2.0)
    async with calling(conversation, opened.server, key) as caller:
        await caller.begin()
        if conversation.packet_ms:
            await caller.say_packets(packets_of(conversation, sound), sound)
        else:
            await caller.say_sound(sound)
        await caller.end()
    call = (await until_ended(opened.house, key))["call"]
    assert (call["end_reason"], call["seconds"]) == ("hangup", 2.0)
    assert call["operator_id"] == "027"
    assert (call["caller"].removeprefix("+86"), call["dialled"]) == ("13900000001", "12345")
    np.testing.assert_array_equal(opened.kept(conversation, key), sound)


@pytest.mark.parametrize("name", TIMED)
async def test_silence_stands_where_packets_were_lost_and_nowhere_else(opened: Open, name: str) -> None:
    conversation, key = read(name), new_key()
    sound = conversation.sound(20.0 if conversation.packet_ms > 20 else 6.0)
    packets = packets_of(conversation, sound)
    network = bad_network(packets)
    assert network.lost
    assert network.late
    async with calling(conversation, opened.server, key) as caller:
        await caller.begin()
        await caller.say_packets(network.arriving, sound)
        await caller.end()
    call = (await until_ended(opened.house, key))["call"]
    assert call["end_reason"] == "hangup"
    expected = sound.copy()
    size = conversation.packet_ms * conversation.rate_hz // 1000
    for packet in network.lost | network.late:
        expected[packet.number * size : (packet.number + 1) * size, packet.track] = conversation.silence
    np.testing.assert_array_equal(opened.kept(conversation, key), expected)


@pytest.mark.parametrize("name", FLOWING)
async def test_a_stall_and_a_burst_cost_nothing(opened: Open, name: str) -> None:
    conversation, key = read(name), new_key()
    sound = conversation.sound(3.0)
    first = conversation.rate_hz
    async with calling(conversation, opened.server, key) as caller:
        await caller.begin()
        await caller.say_sound(sound[:first])
        await asyncio.sleep(0.3)
        if conversation.legs:
            await caller.say_sound(sound[first:])
        else:  # messages end anywhere, also within a sample
            await caller.say_sound(sound[first:], itertools.cycle((1, 333, 1280, 7, 4001)))
        await caller.end()
    call = (await until_ended(opened.house, key))["call"]
    assert (call["end_reason"], call["seconds"]) == ("hangup", 3.0)
    np.testing.assert_array_equal(opened.kept(conversation, key), sound)


@pytest.mark.parametrize("name", NAMES)
async def test_a_broken_connection_goes_on_as_the_same_call(opened: Open, name: str) -> None:
    conversation, key = read(name), new_key()
    sound = conversation.sound(3.0)
    split = conversation.rate_hz  # after the first second
    async with calling(conversation, opened.server, key) as caller:
        await caller.begin()
        if conversation.packet_ms:
            before = [one for one in packets_of(conversation, sound) if one.leaves_ms <= 1000]
            await caller.say_packets(before, sound)
        else:
            await caller.say_sound(sound[:split])
        await caller.cut()
        await until_lost(opened.house, key)
    await asyncio.sleep(AWAY_S)
    again = new_key() if conversation.session else key
    async with calling(conversation, opened.server, again) as caller:
        await caller.begin(continues=key)
        if conversation.packet_ms:
            after = [one for one in packets_of(conversation, sound) if one.leaves_ms > 1000]
            await caller.say_packets(after, sound, first=1000 // conversation.packet_ms)
        else:
            await caller.say_sound(sound[split:])
        await caller.end()
    await until_ended(opened.house, key)
    async with opened.house.socket(f"/v1/screens/calls/{key}?since=1") as screen:
        events = await receive_until(screen, lambda event: event["type"] == "call.ended")
    types = [event["type"] for event in events]
    assert types.index("call.lost") < types.index("call.reconnected") < types.index("call.ended")
    assert events[-1]["reason"] == "hangup"
    [gap] = [event for event in events if event.get("code") == "call.audio_gap"]
    assert gap["seconds"] >= AWAY_S
    kept = opened.kept(conversation, key)
    np.testing.assert_array_equal(kept[:split], sound[:split])
    np.testing.assert_array_equal(kept[split - len(sound) :], sound[split:])
    between = kept[split : split - len(sound)]
    assert (between == conversation.silence).all()
    assert len(between) / conversation.rate_hz == pytest.approx(gap["seconds"], abs=0.01)
    assert await calls_named(opened.house, key) == 1


async def calls_named(house: House, key: str) -> int:
    """How many calls there are of that name, counting those that had to take another one (`….2`)."""
    async with house.socket("/v1/screens/calls") as screen:
        listed: list[dict[str, Any]] = (await receive(screen))["calls"]
    return sum(call["call_id"].startswith(key) for call in listed)


async def test_audiohook_says_what_was_thrown_away(opened: Open) -> None:
    conversation, key = read("audiohook"), new_key()
    sound = conversation.sound(2.0)
    block = conversation.block_ms * conversation.rate_hz // 1000
    lost = {3, 4, 11}
    async with calling(conversation, opened.server, key) as caller:
        await caller.begin()
        for number in range(len(sound) // block):
            piece = sound[number * block : (number + 1) * block]
            if number not in lost:
                await caller.say_sound(piece)
                continue
            message = {"version": "2", "type": "discarded", "seq": "#seq", "serverseq": 2, "id": "$key"}
            thrown = {"start": f"PT{number / 10:.1f}S", "discarded": "PT0.1S"}
            await caller.say(message | {"position": f"PT{number / 10:.1f}S", "parameters": thrown})
        await caller.end()
    await until_ended(opened.house, key)
    expected = sound.copy()
    for number in lost:
        expected[number * block : (number + 1) * block] = conversation.silence
    np.testing.assert_array_equal(opened.kept(conversation, key), expected)


async def test_a_close_without_a_code_is_a_hang_up_and_a_broken_connection_is_not(opened: Open) -> None:
    conversation, key = read("freeswitch_1005"), new_key()
    async with calling(conversation, opened.server, key) as caller:
        await caller.begin()
        await caller.say_sound(conversation.sound(0.5))
        await caller.end()
    assert (await until_ended(opened.house, key))["call"]["end_reason"] == "hangup"
    other = new_key()
    async with calling(conversation, opened.server, other) as caller:
        await caller.begin()
        await caller.say_sound(conversation.sound(0.5))
        await caller.cut()
        await until_lost(opened.house, other)
