"""ARI's externalMedia: ports asked for over HTTP, RTP over real UDP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from agent_ui.settings import Settings
from calls.ingest.rtp import RtpPacket, written
from scripts import caller_rtp
from scripts.caller_sounds import Impairment, encoded
from tests.house import House, receive_until, running
from tests.line_parts import as_sent, plan, snapshot, spooled, talk, until_ended, until_received
from tests.real_server import free_port

SLOW = 2.0
"""How much quicker than speech packets may be: sockets hold a few hundred, and lose what is more."""


@asynccontextmanager
async def rtp_house(data_dir: Path, *, legs: int = 20, **changes: Any) -> AsyncIterator[House]:
    """A house with a few ports for RTP."""
    first = free_port()
    async with running(data_dir, rtp_ports=f"{first}-{first + 2 * legs + 1}", **changes) as house:
        yield house


async def ask(house: House, status: int = 201, **body: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        answer = await client.post("/v1/telephony/rtp", json={"call_id": "c-1"} | body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def end(house: House, call_id: str = "c-1") -> int:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        return (await client.delete(f"/v1/telephony/rtp/{call_id}")).status_code


async def until_known(house: House, call_id: str) -> None:
    async with house.socket(f"/v1/screens/calls/{call_id}") as screen:
        await receive_until(screen, lambda event: bool(event.get("call")))


class Sender:
    """One stream, as a test sends it."""

    def __init__(self, external_host: str, *, ssrc: int = 1, kind: int = 8):
        host, _, port = external_host.rpartition(":")
        self._address = host, int(port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._ssrc = ssrc
        self._kind = kind
        self._number = 0

    def packet(self, value: int) -> None:
        one = RtpPacket(
            payload_type=self._kind,
            number=self._number,
            timestamp=160 * self._number,
            ssrc=self._ssrc,
            payload=bytes([value]) * 160,
        )
        self.raw(written(one))
        self._number += 1

    async def say(self, seconds: float, value: int = 0x55) -> None:
        for _ in range(round(seconds * 50)):
            self.packet(value)
            await asyncio.sleep(0.01)

    def raw(self, data: bytes) -> None:
        self._socket.sendto(data, self._address)

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("encoding", ["alaw", "mulaw", "pcm_s16le"])
async def test_both_legs_are_on_record_sample_by_sample(tmp_path: Path, encoding: str) -> None:
    recording = talk(2.0)
    async with rtp_house(tmp_path) as house:
        await caller_rtp.call(recording, plan(house, "ari", encoding=encoding, key="1.5", speed=SLOW))
        seen = await until_ended(house, "1.5")
    call = seen["call"]
    assert (call["operator_id"], call["caller"], call["dialled"]) == ("027", "13900000001", "12345")
    assert (call["end_reason"], call["meta"]["线路"]) == ("hangup", "ari")
    assert spooled(tmp_path, "1.5") == as_sent(recording, encoding)


async def test_loss_reordering_duplicates_and_late_packets_are_survived(tmp_path: Path) -> None:
    recording = talk(4.0)
    hurt = Impairment(loss=0.05, duplicate=0.02, late=0.01, reorder_ms=100)
    async with rtp_house(tmp_path) as house:
        await caller_rtp.call(recording, plan(house, "ari", impairment=hurt, key="1.6", speed=1.0))
        seen = await until_ended(house, "1.6")
    assert seen["call"]["seconds"] == pytest.approx(4.0, abs=0.1)
    kept = np.frombuffer(spooled(tmp_path, "1.6"), np.uint8)
    sent = np.frombuffer(encoded(recording.samples.reshape(-1), "alaw"), np.uint8)
    assert _share_in_place(kept, sent) > 0.8


def _share_in_place(kept: np.ndarray, sent: np.ndarray) -> float:
    """How much of what was sent is where it belongs; the first packets may be among the lost."""
    best = 0.0
    for shift in range(0, 10 * 320, 320):
        size = min(len(kept), len(sent) - shift)
        best = max(best, float((kept[:size] == sent[shift : shift + size]).mean()))
    return best


async def test_a_source_that_goes_and_comes_again_is_the_same_call(tmp_path: Path) -> None:
    recording = talk(3.0)
    async with rtp_house(tmp_path) as house:
        broken = plan(house, "ari", key="1.7", speed=1.0, break_at_s=1.0, away_s=0.6)
        await caller_rtp.call(recording, broken)
        seen = await until_ended(house, "1.7")
    assert seen["call"]["seconds"] == pytest.approx(3.0, abs=0.3)


async def test_one_port_for_both_where_the_sources_are_known(tmp_path: Path) -> None:
    async with rtp_house(tmp_path) as house:
        answer = await ask(house, ssrcs=[11, 22])
        first, second = (leg["external_host"] for leg in answer["legs"])
        assert first == second
        citizen = Sender(first, ssrc=11)
        await citizen.say(0.2, 0x2A)
        for number in range(10):
            one = RtpPacket(
                payload_type=8, number=number, timestamp=160 * number, ssrc=22, payload=b"\x0f" * 160
            )
            citizen.raw(written(one))
        await until_known(house, "c-1")
        assert await end(house) == 204
        await until_ended(house, "c-1")
        citizen.close()
    kept = spooled(tmp_path, "c-1")
    assert set(kept[0::2]) <= {0x2A, 0xD5}
    assert set(kept[1::2]) <= {0x0F, 0xD5}
    assert {0x2A, 0x0F} <= set(kept)


async def test_no_packets_no_call_and_nothing_but_rtp_is_no_sound(tmp_path: Path) -> None:
    async with rtp_house(tmp_path) as house:
        answer = await ask(house, parties=["citizen"])
        assert answer == await ask(house, parties=["citizen"]), "asking again changes nothing"
        await ask(house, 409, parties=["operator"])
        sender = Sender(answer["legs"][0]["external_host"])
        assert (await snapshot(house, "c-1"))["call"] is None
        for noise in (b"", b"\x80", b"\x00" * 200, b"\x9f" + b"\xff" * 40):
            sender.raw(noise)
        await sender.say(1.2)
        await until_received(house, "c-1")
        assert await end(house) == 204
        assert (await until_ended(house, "c-1"))["call"]["seconds"] == pytest.approx(1.2, abs=0.1)
        assert await end(house, "nobody") == 404
        sender.close()


async def test_a_stranger_on_the_port_is_not_heard(tmp_path: Path) -> None:
    async with rtp_house(tmp_path) as house:
        answer = await ask(house, parties=["citizen"])
        good, bad = (Sender(answer["legs"][0]["external_host"], ssrc=n) for n in (1, 2))
        await good.say(0.4, 0x2A)
        await until_known(house, "c-1")
        for _ in range(20):  # the stranger never comes after a silence
            good.packet(0x2A)
            bad.packet(0x0F)
            await asyncio.sleep(0.01)
        await end(house)
        await until_ended(house, "c-1")
        for one in (good, bad):
            one.close()
    assert 0x0F not in spooled(tmp_path, "c-1")


async def test_a_call_that_falls_silent_is_over(tmp_path: Path) -> None:
    async with rtp_house(tmp_path, rtp_idle_s=1.0) as house:
        answer = await ask(house, parties=["citizen"])
        sender = Sender(answer["legs"][0]["external_host"])
        await sender.say(1.0)
        assert (await until_ended(house, "c-1"))["call"]["end_reason"] == "lost"
        sender.close()
        assert await end(house) == 404


async def test_a_server_that_stops_leaves_the_call_open(tmp_path: Path) -> None:
    async with rtp_house(tmp_path) as house:
        answer = await ask(house, parties=["citizen"])
        sender = Sender(answer["legs"][0]["external_host"])
        await sender.say(1.2)
        await until_received(house, "c-1")
        sender.close()
    async with rtp_house(tmp_path) as house:
        assert (await snapshot(house, "c-1"))["call"]["state"] == "interrupted"


async def test_what_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    async with rtp_house(tmp_path, legs=2, max_calls=1) as house:
        for body in ({"format": "g729"}, {"parties": ["mixed", "citizen"]}, {"ssrcs": [1]}, {"call_id": "/"}):
            await ask(house, 422, **body)
        await ask(house)
        full = await ask(house, 503, call_id="c-2")
        assert "ZHITING_RTP_PORTS" in full["detail"]["message"]
    async with running(tmp_path / "none") as house:
        assert "ZHITING_RTP_PORTS" in (await ask(house, 503))["detail"]["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"rtp_ports": "somewhere"},
        {"rtp_ports": "80-90"},
        {"rtp_ports": "5000-4000"},
        {"rtp_ports": "40000-40100", "telephony_host": "10.0.0.5"},
        {"rtp_ports": "40000-40100", "telephony_host": "0.0.0.0", "telephony_peers": ["10.0.0.7"]},
    ],
)
def test_ports_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rtp_ports|PEERS"):
        Settings(_env_file=None, **changes)  # type: ignore[call-arg]
