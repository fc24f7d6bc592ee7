"""Lines with ports of their own over bad networks: nothing doubled or misplaced, silence for what is lost."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from scripts.caller_siprec import connected, ports_in
from tests.house import House
from tests.line_parts import snapshot, spooled, until_ended
from tests.rtp_parts import SILENCE, hurt, in_order, kept_of, send, speaking, without
from tests.test_ari import ask, end, rtp_house
from tests.test_audiosocket import Line, telephone_house, until_heard, until_state
from tests.test_siprec import recorder
from tests.test_siprec_changes import FIRST, agree

Begun = tuple[House, list[int], Callable[[], Awaitable[object]]]


@asynccontextmanager
async def over_ari(data_dir: Path) -> AsyncIterator[Begun]:
    async with rtp_house(data_dir) as house:
        answer = await ask(house)
        ports = [int(leg["external_host"].rpartition(":")[2]) for leg in answer["legs"]]
        yield house, ports, lambda: end(house)


@asynccontextmanager
async def over_siprec(data_dir: Path) -> AsyncIterator[Begun]:
    async with recorder(data_dir) as (house, sip), connected("127.0.0.1", sip) as client:
        yield house, ports_in(await agree(client, FIRST)), lambda: client.request("BYE")


Open = Callable[[Path], AbstractAsyncContextManager[Begun]]


@pytest.mark.parametrize("open_call", [over_ari, over_siprec])
async def test_packets_that_are_lost_doubled_late_and_out_of_order(tmp_path: Path, open_call: Open) -> None:
    async with open_call(tmp_path) as (house, ports, hang_up):
        with speaking(ports, 6.4) as legs:
            order, useless = hurt(in_order(legs), seed=5)
            await send(legs, order)
            await until_heard(house, "c-1", 6)
            await hang_up()
            seen = await until_ended(house, "c-1")
    assert 30 < len(useless) < 60, "the network was a bad one"
    assert kept_of(spooled(tmp_path, "c-1"), 2) == [
        without(leg.sound, number, useless) for number, leg in enumerate(legs)
    ]
    said = sorted((line["party"], line["text"]) for line in seen["segments"])
    assert said == [(party, f"第{n}秒") for party in ("citizen", "operator") for n in range(6)]


@pytest.mark.parametrize("open_call", [over_ari, over_siprec])
async def test_another_source_in_mid_call_is_the_same_call(tmp_path: Path, open_call: Open) -> None:
    clock_s = asyncio.get_running_loop().time
    async with open_call(tmp_path) as (house, ports, hang_up):
        with speaking(ports, 2.4) as legs:
            began_s = clock_s()
            await send(legs, in_order(legs, 0.0, 1.2))
            sent_s = clock_s()
            await until_heard(house, "c-1", 1)
            await asyncio.sleep(max(0.0, sent_s + 2.0 - clock_s()))
            for leg in legs:
                leg.change_source()
            again_s = clock_s()
            await send(legs, in_order(legs, 1.2, 2.4))
            all_sent_s = clock_s()
            await until_heard(house, "c-1", 3)
            await hang_up()
            seen = await until_ended(house, "c-1")
    assert seen["call"]["call_id"] == "c-1"
    half = round(1.2 * 8_000)
    for kept, leg in zip(kept_of(spooled(tmp_path, "c-1"), 2), legs, strict=True):
        assert kept[:half] == leg.sound[:half]
        assert kept[-half:] == leg.sound[half:]
        away = kept[half:-half]
        assert set(away) <= set(SILENCE)
        assert again_s - sent_s - 0.3 < half / 8_000 + len(away) / 8_000 < all_sent_s - began_s + 0.3


async def test_the_same_stream_from_another_port_goes_on_in_its_place(tmp_path: Path) -> None:
    async with over_ari(tmp_path) as (house, ports, hang_up):
        with speaking(ports, 3.6) as legs:
            await send(legs, in_order(legs, 0.0, 1.2))
            await until_heard(house, "c-1", 1)
            await asyncio.sleep(0.6)  # only then somebody else is taken
            for leg in legs:
                leg.change_port()
            await send(legs, in_order(legs, 2.4, 3.6))
            await until_heard(house, "c-1", 3)
            await hang_up()
            await until_ended(house, "c-1")
    lost = {(leg, n) for leg, n in in_order(legs, 1.2, 2.4)}
    assert kept_of(spooled(tmp_path, "c-1"), 2) == [without(leg.sound, n, lost) for n, leg in enumerate(legs)]


# AudioSocket: TCP loses nothing and reorders nothing; it tears apart, holds up and breaks.


def tone(seed: int, seconds: float) -> np.ndarray:
    """Samples without any silence."""
    values = np.random.default_rng(seed).integers(1, 8_000, round(seconds * 8_000)).astype("<i2")
    return values


def packets(sound: np.ndarray) -> bytes:
    """As Asterisk writes them, 20 ms each."""
    data = sound.tobytes()
    return b"".join(
        struct.pack("!BH", 0x10, len(data[at : at + 320])) + data[at : at + 320]
        for at in range(0, len(data), 320)
    )


async def test_a_line_that_is_torn_apart_and_held_up_brings_every_sample_once(tmp_path: Path) -> None:
    uuid, rng = uuid4(), np.random.default_rng(3)
    legs = [tone(1, 3.4), tone(2, 3.4)]
    async with telephone_house(tmp_path) as (house, ports):
        lines = [await Line.open(port, uuid) for port in ports]
        held = [packets(leg) for leg in legs]
        while any(held):
            for number, line in enumerate(lines):
                size = int(rng.choice([1, 2, 5, 323, 2_000, 6_000]))
                line.writer.write(held[number][:size])
                held[number] = held[number][size:]
                await line.writer.drain()
        await until_heard(house, str(uuid), 3)
        for line in lines:
            await line.close()
        await until_ended(house, str(uuid))
    kept = np.frombuffer(spooled(tmp_path, str(uuid)), "<i2").reshape(-1, 2)
    for number, leg in enumerate(legs):
        assert np.array_equal(kept[:, number][kept[:, number] != 0], leg)


async def test_a_leg_that_breaks_and_comes_back_lies_beside_the_other_again(tmp_path: Path) -> None:
    uuid = uuid4()
    citizen, operator = tone(1, 4.4), tone(2, 4.4)

    async def say(line: Line, sound: np.ndarray, first_s: float, until_s: float) -> None:
        line.writer.write(packets(sound[round(first_s * 8_000) : round(until_s * 8_000)]))
        await line.writer.drain()

    async with telephone_house(tmp_path) as (house, ports):
        lines = [await Line.open(port, uuid) for port in ports]
        for line, sound in zip(lines, (citizen, operator), strict=True):
            await say(line, sound, 0.0, 1.2)
        await until_both(house, uuid, 1)
        lines[0].vanish()
        await say(lines[1], operator, 1.2, 3.0)
        await until_heard(house, str(uuid), 2)
        again = await Line.open(ports[0], uuid)
        await say(again, citizen, 3.0, 4.4)
        await say(lines[1], operator, 3.0, 4.4)
        await until_heard(house, str(uuid), 3)
        for line in (again, lines[1]):
            await line.close()
        seen = await until_ended(house, str(uuid))
    assert (seen["call"]["call_id"], seen["call"]["end_reason"]) == (str(uuid), "hangup")
    kept = np.frombuffer(spooled(tmp_path, str(uuid)), "<i2").reshape(-1, 2)
    assert np.array_equal(kept[:, 1][kept[:, 1] != 0], operator)
    heard = np.flatnonzero(kept[:, 0])
    assert np.array_equal(kept[heard, 0], np.concatenate([citizen[:9_600], citizen[24_000:]]))
    back_s = heard[9_600] / 8_000
    assert 2.0 <= back_s <= 3.4, "it comes back beside what the other says then"
    assert heard[-1] - heard[9_600] == round(1.4 * 8_000) - 1, "in one piece"


async def until_both(house: House, uuid: UUID, seconds: int) -> None:
    """Wait until that many whole seconds of both legs are on record."""
    async with asyncio.timeout(60):
        while True:
            segments = (await snapshot(house, str(uuid)))["segments"]
            if sum(line["text"] == f"第{seconds - 1}秒" for line in segments) == 2:
                return
            await asyncio.sleep(0.02)


async def test_a_call_whose_lines_all_break_goes_on_where_they_come_back(tmp_path: Path) -> None:
    uuid = uuid4()
    sound = tone(4, 2.4)
    clock_s = asyncio.get_running_loop().time
    async with telephone_house(tmp_path, audiosocket_operator_port=0) as (house, ports):
        line = await Line.open(ports[0], uuid)
        line.writer.write(packets(sound[:9_600]))
        await until_heard(house, str(uuid), 1)
        line.vanish()
        gone_s = clock_s()
        await until_state(house, str(uuid), "lost")
        await asyncio.sleep(0.7)  # shorter breaks are no gap
        line = await Line.open(ports[0], uuid)
        line.writer.write(packets(sound[9_600:]))
        await until_heard(house, str(uuid), 2)
        back_s = clock_s()
        await line.close()
        seen = await until_ended(house, str(uuid))
    kept = np.frombuffer(spooled(tmp_path, str(uuid)), "<i2")
    assert np.array_equal(kept[kept != 0], sound)
    away = np.flatnonzero(kept)[9_600] - 9_600
    assert 0.5 < away / 8_000 < back_s - gone_s + 1.0
    assert seen["call"]["seconds"] == pytest.approx(2.4 + away / 8_000, abs=0.01)
