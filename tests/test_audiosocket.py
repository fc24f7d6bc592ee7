"""Asterisk's AudioSocket over real TCP: legs find each other, and nothing that a line does harms another."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest

from agent_ui.settings import Settings
from calls.ingest.audiosocket import (
    digit_packet,
    failed_packet,
    hang_up_packet,
    identity_packet,
    sound_packet,
)
from scripts import caller_audiosocket
from tests.house import House, Script, receive_until, running
from tests.line_parts import as_sent, plan, snapshot, spooled, talk, until_ended
from tests.real_server import free_port

WAIT_S = 60.0


@asynccontextmanager
async def telephone_house(
    data_dir: Path, script: Script | None = None, **changes: Any
) -> AsyncIterator[tuple[House, tuple[int, int]]]:
    """A house that listens for both legs."""
    ports = free_port(), free_port()
    given = {"audiosocket_port": ports[0], "audiosocket_operator_port": ports[1]} | changes
    async with running(data_dir, script, **given) as house:
        yield house, ports


class Line:
    """One connection, as a test holds it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int, uuid: UUID | None = None) -> "Line":
        line = cls(*await asyncio.open_connection("127.0.0.1", port))
        if uuid is not None:
            line.writer.write(identity_packet(uuid))
        return line

    async def say(self, seconds: float, rate_hz: int = 8_000) -> None:
        samples = np.full(round(seconds * rate_hz), 300, "<i2").tobytes()
        for at in range(0, len(samples), 32_000):
            self.writer.write(sound_packet(rate_hz, samples[at : at + 32_000]))
        await self.writer.drain()

    async def farewell(self) -> bytes:
        """All that the server says until it closes."""
        try:
            async with asyncio.timeout(WAIT_S):
                return await self.reader.read()
        finally:
            self.writer.close()

    async def close(self) -> None:
        self.writer.close()

    def vanish(self) -> None:
        """As a network breaks: reset, without a word."""
        line = self.writer.get_extra_info("socket")
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.writer.transport.abort()


async def until_state(house: House, call_id: str, state: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            seen = (await snapshot(house, call_id))["call"]
            if seen is not None and seen["state"] == state:
                return
            await asyncio.sleep(0.02)


async def until_heard(house: House, call_id: str, seconds: int) -> None:
    """Wait until that many whole seconds of a leg are on the screen."""
    async with house.socket(f"/v1/screens/calls/{call_id}") as screen:
        await receive_until(
            screen, lambda event: f"第{seconds - 1}秒" in json.dumps(event, ensure_ascii=False)
        )


async def test_two_lines_of_one_uuid_are_one_call_sample_by_sample(tmp_path: Path) -> None:
    recording = talk()
    async with telephone_house(tmp_path) as (house, ports):
        await caller_audiosocket.call(recording, plan(house, "audiosocket", ports=ports, key="12345.67"))
        seen = await until_ended(house, "12345.67")
    call = seen["call"]
    assert (call["operator_id"], call["caller"], call["dialled"]) == ("027", "13900000001", "12345")
    assert (call["end_reason"], call["seconds"]) == ("hangup", 3.0)
    assert call["meta"]["线路"] == "audiosocket"
    said = {(line["party"], line["text"]) for line in seen["segments"]}
    assert said == {(party, f"第{n}秒") for party in ("citizen", "operator") for n in range(3)}
    assert spooled(tmp_path, "12345.67") == as_sent(recording, "pcm_s16le")


async def test_without_an_announcement_the_port_says_who_speaks(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        citizen, operator = await Line.open(ports[0], uuid), await Line.open(ports[1], uuid)
        await operator.say(1.0)
        await citizen.say(1.0)
        await until_heard(house, str(uuid), 1)
        for line in (citizen, operator):
            await line.close()
        seen = await until_ended(house, str(uuid))
    assert {line["party"] for line in seen["segments"]} == {"citizen", "operator"}
    assert seen["call"]["operator_id"] is None


async def test_lines_of_different_uuids_are_joined_by_what_was_announced(tmp_path: Path) -> None:
    first, second = uuid4(), uuid4()
    async with telephone_house(tmp_path, audiosocket_announced_only=True) as (house, ports):
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            for uuid, party in ((first, "operator"), (second, "citizen")):
                body = {"uuid": str(uuid), "call_id": "c-7", "party": party, "meta": {"队列": "一"}}
                body |= {"parties": ["citizen", "operator"], "operator_id": "031"}
                assert (await client.post("/v1/telephony/lines", json=body)).json() == {
                    "uuid": str(uuid),
                    "call_id": "c-7",
                }
        lines = [await Line.open(ports[0], uuid) for uuid in (first, second)]
        for line in lines:
            await line.say(1.0)
        await until_heard(house, "c-7", 1)
        stranger = await Line.open(ports[0], uuid4())
        assert await stranger.farewell() == hang_up_packet()
        for line in lines:
            await line.close()
        seen = await until_ended(house, "c-7")
    assert {line["party"] for line in seen["segments"]} == {"citizen", "operator"}
    assert seen["call"]["operator_id"] == "031"
    assert seen["call"]["meta"]["队列"] == "一"


JSON = {"content-type": "application/json"}
UUID_TEXT = b"4efb9f4a-7e44-4a3a-9d28-4c6f4f5a0001"


async def test_announcements_that_cannot_be_are_refused_in_words(tmp_path: Path) -> None:
    wrong: list[tuple[bytes, dict[str, str], int]] = [
        (b'{"uuid": "nonsense"}', JSON, 422),
        (b"{", JSON, 422),
        (b"[" * 30_000, JSON, 422),
        (b'{"uuid": "%s", "parties": ["mixed", "citizen"]}' % UUID_TEXT, JSON, 422),
        (b'{"uuid": "%s", "parties": ["citizen"], "party": "operator"}' % UUID_TEXT, JSON, 422),
        (b"no form at all", {}, 422),
        (b"uuid=1&\xff=2", {}, 422),
        (b"uuid=%s&party=nobody" % UUID_TEXT, {}, 422),
        (b"uuid=" + b"1" * 40_000, {}, 413),
    ]
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        for body, headers, status in wrong:
            answer = await client.post("/v1/telephony/lines", content=body, headers=headers)
            assert answer.status_code == status, body[:80]
            assert answer.json()["detail"]["message"]
        form = b"uuid=%s&party=mixed&caller=139&queue=x" % UUID_TEXT
        answer = await client.post("/v1/telephony/lines", content=form)
        assert answer.json() == {"uuid": UUID_TEXT.decode(), "call_id": UUID_TEXT.decode()}


async def test_who_announces_must_be_known(tmp_path: Path) -> None:
    async with (
        running(tmp_path, token="x" * 20) as house,
        httpx.AsyncClient(base_url=house.url, timeout=60) as client,
    ):
        answer = await client.post("/v1/telephony/lines", json={"uuid": str(uuid4())})
        assert answer.status_code == 401


async def test_every_rate_is_heard(tmp_path: Path) -> None:
    async with telephone_house(tmp_path, audiosocket_operator_port=0) as (house, ports):
        for rate_hz in (12_000, 16_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000):
            uuid = uuid4()
            line = await Line.open(ports[0], uuid)
            await line.say(1.0, rate_hz)
            line.writer.write(hang_up_packet())
            assert await line.farewell() == b""
            seen = await until_ended(house, str(uuid))
            assert seen["call"]["seconds"] == pytest.approx(1.0, abs=0.001), rate_hz
            assert len(spooled(tmp_path, str(uuid))) == pytest.approx(2 * min(rate_hz, 48_000), abs=100)


async def test_a_call_goes_on_with_one_leg_until_that_is_gone_too(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        citizen, operator = await Line.open(ports[0], uuid), await Line.open(ports[1], uuid)
        await citizen.say(1.0)
        await operator.say(1.0)
        await until_heard(house, str(uuid), 1)
        await operator.close()
        await citizen.say(1.0)
        await until_heard(house, str(uuid), 2)
        another = await Line.open(ports[1], uuid)  # handed on to another operator
        await another.say(1.0)
        await citizen.say(1.0)
        await until_heard(house, str(uuid), 3)
        assert (await snapshot(house, str(uuid)))["call"]["state"] == "live"
        citizen.writer.write(failed_packet(1))
        assert await citizen.farewell() == b""
        await another.close()
        seen = await until_ended(house, str(uuid))
    assert seen["call"]["end_reason"] == "hangup"


async def test_a_line_that_breaks_leaves_the_call_to_be_taken_up(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        citizen = await Line.open(ports[0], uuid)
        await citizen.say(2.0)
        await until_heard(house, str(uuid), 1)
        citizen.vanish()
        await until_state(house, str(uuid), "lost")
        again = await Line.open(ports[0], uuid)
        await again.say(1.0)
        await until_state(house, str(uuid), "live")
        await again.close()
        seen = await until_ended(house, str(uuid))
    assert seen["call"]["call_id"] == str(uuid)
    assert seen["call"]["end_reason"] == "hangup"


async def test_an_error_of_the_other_side_is_no_end(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        citizen = await Line.open(ports[0], uuid)
        await citizen.say(1.0)
        citizen.writer.write(digit_packet("5") + failed_packet(4))
        await until_state(house, str(uuid), "lost")
        await citizen.close()


async def test_a_newer_line_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        older = await Line.open(ports[0], uuid)
        await older.say(2.0)
        await until_heard(house, str(uuid), 1)
        newer = await Line.open(ports[0], uuid)
        await newer.say(1.0)
        assert await older.farewell() == hang_up_packet()
        assert (await snapshot(house, str(uuid)))["call"]["state"] == "live"
        await newer.close()
        assert (await until_ended(house, str(uuid)))["call"]["seconds"] == 3.0


async def test_the_same_uuid_after_the_end_is_another_call(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        for call_id in (str(uuid), f"{uuid}.2"):
            line = await Line.open(ports[0], uuid)
            await line.say(1.0)
            await line.close()
            assert (await until_ended(house, call_id))["call"]["end_reason"] == "hangup"


NOT_THE_PROTOCOL = [
    b"GET / HTTP/1.1\r\nHost: zhiting\r\n\r\n",
    sound_packet(8_000, b"\0\0"),
    b"\x01\x00\x02ab",
    identity_packet(UUID(int=1)) + b"\x10\x00\x03abc",
    identity_packet(UUID(int=1)) + identity_packet(UUID(int=2)),
    identity_packet(UUID(int=1)) + b"\x77\x00\x00" * 101,
]


async def test_what_is_not_the_protocol_ends_that_line_alone(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        good = await Line.open(ports[0], uuid)
        for words in NOT_THE_PROTOCOL:
            await good.say(1.0)
            bad = await Line.open(ports[0])
            bad.writer.write(words)
            assert await bad.farewell() == hang_up_packet(), words
        await good.close()
        assert (await until_ended(house, str(uuid)))["call"]["seconds"] == len(NOT_THE_PROTOCOL)


async def test_a_full_house_hangs_up_and_takes_the_next_one(tmp_path: Path) -> None:
    uuids = [uuid4() for _ in range(3)]
    async with telephone_house(tmp_path, max_calls=1) as (house, ports):
        first = await Line.open(ports[0], uuids[0])
        await first.say(1.0)
        await until_state(house, str(uuids[0]), "live")
        second = await Line.open(ports[0], uuids[1])
        await second.say(1.0)
        assert await second.farewell() == hang_up_packet()
        await first.close()
        await until_ended(house, str(uuids[0]))
        third = await Line.open(ports[0], uuids[2])
        await third.say(1.0)
        await third.close()
        await until_ended(house, str(uuids[2]))
        assert (await snapshot(house, str(uuids[1])))["call"] is None


async def test_a_leg_that_nobody_expects_is_refused(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            body = {"uuid": str(uuid), "parties": ["citizen"]}
            assert (await client.post("/v1/telephony/lines", json=body)).status_code == 201
        operator = await Line.open(ports[1], uuid)
        await operator.say(0.1)
        assert await operator.farewell() == hang_up_packet()
        citizen = await Line.open(ports[0], uuid)
        await citizen.say(1.0)
        await citizen.close()
        await until_ended(house, str(uuid))


async def test_lines_from_elsewhere_are_hung_up(tmp_path: Path) -> None:
    async with telephone_house(tmp_path, telephony_peers=["10.9.0.0/16"]) as (_, ports):
        line = await Line.open(ports[0], uuid4())
        assert await line.farewell() == hang_up_packet()


async def test_a_silent_line_is_given_up(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path, carrier_idle_s=1.0, lost_after_s=0.0) as (house, ports):
        line = await Line.open(ports[0], uuid)
        await line.say(1.0)
        seen = await until_ended(house, str(uuid))
        await line.close()
    assert seen["call"]["end_reason"] == "lost"


async def test_twenty_calls_at_once_keep_their_own_sound(tmp_path: Path) -> None:
    async with telephone_house(tmp_path, Script(), max_calls=40) as (house, ports):
        recordings = {f"many-{n}": talk(1.0 + n / 20) for n in range(20)}
        async with asyncio.TaskGroup() as calls:
            for key, recording in recordings.items():
                calls.create_task(
                    caller_audiosocket.call(recording, plan(house, "audiosocket", ports=ports, key=key))
                )
        for key in recordings:
            await until_ended(house, key)
    for key, recording in recordings.items():
        sent = as_sent(recording, "pcm_s16le")
        kept = spooled(tmp_path, key)
        assert kept[: len(sent)] == sent
        assert not any(kept[len(sent) :])


async def test_calls_survive_the_end_of_the_server(tmp_path: Path) -> None:
    uuid = uuid4()
    async with telephone_house(tmp_path) as (house, ports):
        line = await Line.open(ports[0], uuid)
        await line.say(2.0)
        await until_heard(house, str(uuid), 1)
    assert await line.farewell() == hang_up_packet()
    async with telephone_house(tmp_path) as (house, ports):
        assert (await snapshot(house, str(uuid)))["call"]["state"] == "interrupted"
        line = await Line.open(ports[0], uuid)
        await line.say(1.0)
        await line.close()
        assert (await until_ended(house, str(uuid)))["call"]["end_reason"] == "hangup"


@pytest.mark.parametrize(
    "changes",
    [
        {"telephony_host": "0.0.0.0", "audiosocket_port": 9092},
        {"audiosocket_operator_port": 9093},
        {"audiosocket_port": 9092, "audiosocket_operator_port": 9092},
        {"telephony_peers": ["somewhere"]},
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"telephony_peers|audiosocket|PEERS"):
        Settings(_env_file=None, **changes)  # type: ignore[call-arg]
