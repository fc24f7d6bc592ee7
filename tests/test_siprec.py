"""A SIPREC recording server over real sockets: a client of ours, and `sipp` where it is installed."""

import asyncio
import os
import shutil
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent_ui.settings import Settings
from calls.ingest.rtp import RtpPacket, written
from calls.ingest.sip import SipMessage, answer, read_message
from scripts import caller_siprec
from scripts.caller_rtp import RtpSender
from scripts.caller_siprec import SipClient, connected, metadata_of, multipart, offer_of, ports_in
from scripts.caller_sounds import Impairment, packets_of
from scripts.callers import Pace, Plan
from tests.house import House, receive_until, running
from tests.line_parts import as_sent, plan, snapshot, spooled, talk, until_ended
from tests.real_server import free_port

LEGS = ("citizen", "operator")
SPEED = 2.0


@asynccontextmanager
async def recorder(data_dir: Path, *, legs: int = 20, **changes: Any) -> AsyncIterator[tuple[House, int]]:
    """A house that records, and its SIP port."""
    sip, first = free_port(), free_port() // 2 * 2
    given = {"siprec_port": sip, "rtp_ports": f"{first}-{first + 2 * legs - 1}"} | changes
    async with running(data_dir, **given) as house:
        yield house, sip


async def invite(client: SipClient, house: House, key: str = "c-1", **changes: Any) -> SipMessage:
    body = multipart(
        offer_of(LEGS, 8, "PCMA/8000", **changes), metadata_of(plan(house, "siprec", key=key), LEGS)
    )
    said = await client.request("INVITE", {"Content-Type": body[0], "Require": "siprec"}, body[1])
    client.acknowledge(said)
    return said


async def say(agreed: SipMessage, seconds: float = 1.2, *, speed: float = SPEED) -> None:
    packets = packets_of(talk(seconds), encoding="alaw")
    addresses = [("127.0.0.1", port) for port in ports_in(agreed)]
    nothing_else = Plan(carrier="siprec", server="http://127.0.0.1")
    await RtpSender(addresses, 8_000, 8).send(packets, nothing_else, Pace(speed))


async def until_heard(house: House, call_id: str, seconds: int) -> None:
    def is_it(event: dict[str, Any]) -> bool:
        return f"第{seconds - 1}秒" in str(event)

    async with house.socket(f"/v1/screens/calls/{call_id}") as screen:
        await receive_until(screen, is_it)


async def state_of(house: House, call_id: str) -> str | None:
    call = (await snapshot(house, call_id))["call"]
    return call["state"] if call else None


@pytest.mark.parametrize("encoding", ["alaw", "mulaw"])
async def test_a_recording_session_is_on_record_sample_by_sample(tmp_path: Path, encoding: str) -> None:
    recording = talk(2.0)
    async with recorder(tmp_path) as (house, sip):
        given = plan(house, "siprec", ports=(sip,), key="s-1", encoding=encoding, speed=SPEED)
        await caller_siprec.call(recording, given)
        seen = await until_ended(house, "s-1")
    call = seen["call"]
    assert (call["operator_id"], call["caller"]) == ("027", "13900000001")
    assert (call["end_reason"], call["meta"]["线路"]) == ("hangup", "siprec")
    assert {line["party"] for line in seen["segments"]} == set(LEGS)
    assert spooled(tmp_path, "s-1") == as_sent(recording, encoding)


async def test_loss_reordering_duplicates_and_late_packets_are_survived(tmp_path: Path) -> None:
    hurt = Impairment(loss=0.05, duplicate=0.02, late=0.01, reorder_ms=150)
    async with recorder(tmp_path) as (house, sip):
        given = plan(house, "siprec", ports=(sip,), key="s-2", speed=1.0, impairment=hurt)
        await caller_siprec.call(talk(5.0), given)
        seen = await until_ended(house, "s-2")
    assert seen["call"]["seconds"] == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
async def test_hold_is_not_the_end_and_takes_no_time(tmp_path: Path, transport: str) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip, transport) as client:
        first = await invite(client, house)
        assert first.status == 200
        assert b"a=recvonly" in first.body
        assert "+sip.srs" in first.one("contact")
        clock_s = asyncio.get_running_loop().time
        begun_s = clock_s()
        await say(first, speed=1.0)
        await until_heard(house, "c-1", 1)
        held = await invite(client, house, direction="inactive")
        assert held.status == 200
        assert ports_in(held) == ports_in(first)
        assert b"a=inactive" in held.body
        held_s = clock_s()
        await say(held)  # music on hold
        gone = await invite(client, house, port=0)
        assert ports_in(gone) == [0, 0]
        assert await state_of(house, "c-1") == "live"
        held_s = clock_s() - held_s
        again = await invite(client, house)
        assert ports_in(again) == ports_in(first)
        await say(again, speed=1.0)
        update = await client.request("UPDATE")
        assert (update.status, update.body) == (200, b"")
        assert (await client.request("INFO")).status == 200
        assert (await client.request("BYE")).status == 200
        passed_s = clock_s() - begun_s
        seen = await until_ended(house, "c-1")
    assert 2.3 < seen["call"]["seconds"] < passed_s - held_s + 0.1
    assert seen["call"]["end_reason"] == "hangup"


async def test_a_client_that_wants_other_things_is_answered_in_sips_own_words(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        options = await client.request("OPTIONS")
        assert options.status == 200
        assert "UPDATE" in options.one("allow")
        sdp = {"Content-Type": "application/sdp"}
        g729 = offer_of(LEGS, 18, "G729/8000")
        wide = offer_of(LEGS[:1], 97, "L16/16000") + offer_of(LEGS[:1], 8, "PCMA/8000")[-90:]
        srtp = offer_of(LEGS, 8, "PCMA/8000").replace(b"RTP/AVP", b"RTP/SAVP")
        broken = multipart(offer_of(LEGS, 8, "PCMA/8000"), b"<recording>")
        for headers, body, status in (
            (sdp, g729, 488),
            (sdp, srtp, 488),
            (sdp, wide, 488),
            (sdp, b"v=0", 400),
            ({}, b"", 415),
            ({"Content-Type": "text/plain"}, b"hello", 415),
            ({"Content-Type": broken[0]}, broken[1], 400),
            (sdp | {"Require": "siprec, 100rel"}, g729, 420),
        ):
            client.to_tag = ""
            said = await client.request("INVITE", headers, body)
            client.acknowledge(said)
            assert said.status == status, (headers, body)
        client.to_tag = ""
        for method, status in (("BYE", 481), ("CANCEL", 481), ("REGISTER", 405), ("UPDATE", 481)):
            assert (await client.request(method)).status == status
        client.to_tag = "nobody"
        assert (await client.request("INVITE", sdp, g729)).status == 481
        assert (await house_calls(house)) == []


async def house_calls(house: House) -> list[Any]:
    async with house.socket("/v1/screens/calls") as screen:
        (event,) = await receive_until(screen, lambda event: event["type"] == "snapshot")
    calls: list[Any] = event["calls"]
    return calls


@pytest.mark.parametrize(
    ("changes", "status", "retry_after"), [({"legs": 2}, 503, "10"), ({"max_calls": 1}, 486, "")]
)
async def test_a_full_house_is_busy_and_takes_the_next_one(
    tmp_path: Path, changes: dict[str, Any], status: int, retry_after: str
) -> None:
    async with (
        recorder(tmp_path, **changes) as (house, sip),
        connected("127.0.0.1", sip) as first,
        connected("127.0.0.1", sip) as second,
    ):
        assert (await invite(first, house)).status == 200
        refused = await invite(second, house, key="c-2")
        assert (refused.status, refused.one("retry-after")) == (status, retry_after)
        assert (await first.request("BYE")).status == 200
        await until_ended(house, "c-1")
        second.to_tag = ""
        assert (await invite(second, house, key="c-2")).status == 200


async def test_strangers_are_forbidden(tmp_path: Path) -> None:
    async with (
        recorder(tmp_path, telephony_peers=["10.9.0.0/16"]) as (house, sip),
        connected("127.0.0.1", sip) as client,
    ):
        assert (await invite(client, house)).status == 403


async def test_what_is_sent_twice_is_answered_twice_and_done_once(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        body = multipart(offer_of(LEGS, 8, "PCMA/8000"), metadata_of(plan(house, "siprec", key="c-1"), LEGS))
        headers = {"Content-Type": body[0]}
        first = await client.request("INVITE", headers, body[1], branch="z9hG4bKsame")
        client.cseq -= 1
        client.to_tag = ""
        again = await client.request("INVITE", headers, body[1], branch="z9hG4bKsame")
        assert again.body == first.body
        assert again.one("to") == first.one("to")
        # Not acknowledged yet: the server says it again of its own accord.
        assert (await client._answer_to("INVITE")).body == first.body
        client.acknowledge(first)
        assert len(await house_calls(house)) == 1
        assert (await client.request("BYE")).status == 200
        await until_ended(house, "c-1")


async def test_noise_on_the_port_harms_nobody(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        agreed = await invite(client, house)
        for noise in (b"\r\n\r\n", b"\x00" * 400, b"GET / HTTP/1.1\r\n\r\n", os.urandom(600), b"INVITE"):
            client.send(noise)
        _, writer = await asyncio.open_connection("127.0.0.1", sip)
        writer.write(b"GET / HTTP/1.1\r\nHost: zhiting\r\n\r\n")
        await writer.drain()
        await say(agreed)
        await until_heard(house, "c-1", 1)
        assert (await client.request("BYE")).status == 200
        await until_ended(house, "c-1")
        writer.close()


async def test_a_call_that_falls_silent_is_over_and_the_client_is_told(tmp_path: Path) -> None:
    async with (
        recorder(tmp_path, carrier_idle_s=1.0) as (house, sip),
        connected("127.0.0.1", sip) as client,
    ):
        await invite(client, house)
        farewell = await bye_of(client)
        assert f"tag={client.tag}" in farewell.one("to")
        assert farewell.uri.startswith("sip:client@127.0.0.1")
        client.send(answer(farewell, 200))
        assert (await until_ended(house, "c-1"))["call"]["end_reason"] == "lost"


async def bye_of(client: SipClient) -> SipMessage:
    async with asyncio.timeout(60):
        while (message := await client.arrived.get()).method != "BYE":
            pass
    return message


async def test_a_server_that_stops_says_so_and_the_session_is_taken_up_by_a_new_one(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        await say(await invite(client, house))
        await until_heard(house, "c-1", 1)
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        assert await state_of(house, "c-1") == "interrupted"
        await say(await invite(client, house))
        assert (await client.request("BYE")).status == 200
        assert (await until_ended(house, "c-1"))["call"]["end_reason"] == "hangup"


async def test_a_server_that_stops_says_goodbye(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip):
        client_is_there = connected("127.0.0.1", sip)
        client = await client_is_there.__aenter__()
        await invite(client, house)
    assert (await bye_of(client)).call_id == client.call_id
    await client_is_there.__aexit__(None, None, None)


async def test_sip_over_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    tls_port = free_port()
    changes = {"tls_cert": cert, "tls_key": key, "siprec_tls_port": tls_port}
    async with recorder(tmp_path / "data", **changes):
        context = ssl.create_default_context(cafile=str(cert))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", tls_port, ssl=context, server_hostname="localhost"
        )
        client = SipClient("localhost", tls_port, "TLS", asyncio.Queue())
        head = "".join(f"{name}: {value}\r\n" for name, value in client.headers("OPTIONS"))
        writer.write(f"OPTIONS {client.target} SIP/2.0\r\n{head}Content-Length: 0\r\n\r\n".encode())
        async with asyncio.timeout(60):
            said = read_message(await reader.readuntil(b"\r\n\r\n"))
        assert said.status == 200
        writer.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@pytest.mark.parametrize(
    "changes",
    [
        {"siprec_port": 5060},
        {"siprec_tls_port": 5061, "rtp_ports": "40000-40100"},
        {"siprec_port": 5060, "siprec_tls_port": 5061, "rtp_ports": "40000-40100"},
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="siprec"):
        Settings(_env_file=None, **changes)  # type: ignore[call-arg]


# sipp: an independent client.

SCENARIO = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="siprec">
 <send retrans="500"><![CDATA[
INVITE sip:record@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:record@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>;+sip.src
Max-Forwards: 70
Require: siprec
X-Dialled: 12345
Content-Type: multipart/mixed;boundary=sipp
Content-Length: [len]

--sipp
Content-Type: application/sdp

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=label:1
a=sendonly

--sipp
Content-Type: application/rs-metadata+xml
Content-Disposition: recording-session

%(metadata)s
--sipp--
]]></send>
 <recv response="100" optional="true"/>
 <recv response="200" rrs="true"/>
 <send><![CDATA[
ACK sip:record@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:record@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
 <nop><action><exec play_pcap_audio="%(pcap)s"/></action></nop>
 <pause milliseconds="2600"/>
 <send retrans="500"><![CDATA[
INVITE sip:record@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:record@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 2 IN IP4 [local_ip]
s=-
c=IN IP4 0.0.0.0
t=0 0
m=audio [media_port] RTP/AVP 8
a=label:1
a=inactive
]]></send>
 <recv response="100" optional="true"/>
 <recv response="200"/>
 <send><![CDATA[
ACK sip:record@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:record@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
 <send retrans="500"><![CDATA[
BYE sip:record@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:sipp@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:record@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 3 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
 <recv response="200"/>
</scenario>
"""


def _pcap(path: Path, seconds: float) -> None:
    """Sound as a capture of RTP, one leg, A-law."""
    records = []
    for one in packets_of(talk(seconds, channels=("citizen",)), encoding="alaw"):
        rtp = written(
            RtpPacket(
                payload_type=8,
                number=100 + one.number,
                timestamp=9_000 + 160 * one.number,
                ssrc=5,
                payload=one.data,
            )
        )
        udp = struct.pack(">HHHH", 6_000, 6_000, 8 + len(rtp), 0) + rtp
        ip = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), one.number, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1"
        )
        frame = b"\0" * 12 + b"\x08\x00" + ip + udp
        at_us = round(one.at_s * 1e6)
        records.append(struct.pack("<IIII", at_us // 10**6, at_us % 10**6, len(frame), len(frame)) + frame)
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1) + b"".join(records))


@pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (Debian: sip-tester)")
@pytest.mark.skipif(os.geteuid() != 0, reason="sipp plays captures through raw sockets, which takes root")
@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_sipp_records_a_call_with_sound_from_a_capture(tmp_path: Path, transport: str) -> None:
    pcap, scenario = tmp_path / "talk.pcap", tmp_path / "siprec.xml"
    _pcap(pcap, 2.4)
    async with recorder(tmp_path / "data") as (house, sip):
        metadata = metadata_of(plan(house, "siprec", key="sipp-1"), ("citizen",)).decode()
        scenario.write_text(SCENARIO % {"metadata": metadata, "pcap": pcap}, encoding="utf-8")
        command = [
            "sipp",
            f"127.0.0.1:{sip}",
            "-sf",
            str(scenario),
            "-m",
            "1",
            "-i",
            "127.0.0.1",
            "-t",
            transport,
        ]
        command += ["-p", str(free_port()), "-mp", str(free_port() // 2 * 2), "-nostdin", "-timeout", "100"]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode(errors="replace")[-3_000:]
        seen = await until_ended(house, "sipp-1")
    call = seen["call"]
    assert (call["caller"], call["end_reason"]) == ("13900000001", "hangup")
    assert call["meta"]["x-dialled"] == "12345"
    assert [line["text"] for line in seen["segments"]][:2] == ["第0秒", "第1秒"]
    kept = np.frombuffer(spooled(tmp_path / "data", "sipp-1"), np.uint8)
    sent = np.frombuffer(as_sent(talk(2.4, channels=("citizen",)), "alaw"), np.uint8)
    assert len(kept) == pytest.approx(len(sent), abs=1_600)
    assert (kept[: len(sent)] == sent[: len(kept)]).mean() > 0.9
