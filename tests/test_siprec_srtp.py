"""Encrypted sound over SIPREC, sent by FFmpeg."""

import asyncio
import base64
from pathlib import Path

import av
import numpy as np
import pytest

from calls.ingest.sip import SipMessage
from calls.ingest.srtp import read_crypto
from scripts.caller_siprec import SipClient, connected, multipart, offer_of, ports_in
from tests.line_parts import spooled, until_ended, until_received
from tests.rtp_parts import SILENCE
from tests.test_ffmpeg_rtp import SAMPLES, steps_apart
from tests.test_siprec import recorder
from tests.test_siprec_changes import FIRST

pytest.importorskip("pylibsrtp")

KEY = base64.b64encode(bytes(range(30))).decode()
SUITE = "AES_CM_128_HMAC_SHA1_80"


def send_sealed(port: int, samples: np.ndarray, key: str) -> None:
    """FFmpeg hands options of a protocol on only from within another muxer: `fifo`."""
    inner = f"srtp_out_suite={SUITE}:srtp_out_params={key}"
    url = f"srtp://127.0.0.1:{port}?pkt_size=186"
    options = {"fifo_format": "rtp", "format_opts": inner}
    with av.open(url, "w", format="fifo", options=options) as out:
        stream = out.add_stream("pcm_alaw", rate=8_000)
        stream.layout = "mono"
        for at in range(0, len(samples), 160):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 160], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 8_000, at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


async def invite(client: SipClient, *crypto: str) -> SipMessage:
    sdp = offer_of(("1",), 8, "PCMA/8000").replace(b"RTP/AVP", b"RTP/SAVP").decode()
    sdp += "".join(f"a=crypto:{one}\r\n" for one in crypto)
    kind, body = multipart(sdp.encode(), FIRST.encode())
    said = await client.request("INVITE", {"Content-Type": kind}, body)
    client.acknowledge(said)
    return said


async def test_what_ffmpeg_encrypts_is_kept(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        agreed = await invite(client, f"1 AEAD_AES_256_GCM inline:{KEY}", f"2 {SUITE} inline:{KEY}|2^20")
        assert agreed.status == 200
        assert b"RTP/SAVP 8" in agreed.body
        assert f"a=crypto:2 {SUITE} inline:".encode() in agreed.body
        assert KEY.encode() not in agreed.body
        (port,) = ports_in(agreed)
        await asyncio.to_thread(send_sealed, port, SAMPLES, KEY)
        await until_received(house, "c-1")
        assert (await client.request("BYE")).status == 200
        await until_ended(house, "c-1")
    kept = spooled(tmp_path, "c-1")
    assert len(kept) == len(SAMPLES)
    assert steps_apart("alaw", kept, SAMPLES) <= 1


async def test_sound_with_another_key_or_with_none_is_not_heard(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (house, sip), connected("127.0.0.1", sip) as client:
        (port,) = ports_in(await invite(client, f"1 {SUITE} inline:{KEY}"))
        await asyncio.to_thread(send_sealed, port, SAMPLES, base64.b64encode(bytes(30)).decode())
        assert (await client.request("BYE")).status == 200
        seen = await until_ended(house, "c-1")
    assert set(spooled(tmp_path, "c-1")) <= set(SILENCE)
    assert seen["call"]["seconds"] == 0.0


async def test_keys_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    async with recorder(tmp_path) as (_, sip), connected("127.0.0.1", sip) as client:
        for crypto in ([], ["1 AEAD_AES_256_GCM inline:" + KEY]):
            client.to_tag = ""
            assert (await invite(client, *crypto)).status == 488


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        f"1 {SUITE}",
        f"x {SUITE} inline:{KEY}",
        f"1 {SUITE} inline:{KEY[:-4]}",
        f"1 {SUITE} inline:***",
        f"1 {SUITE} inline:é",
        f"1 {SUITE} outline:{KEY}",
        f"1 {SUITE} inline:{KEY}|2^20|1:4",
        f"1 {SUITE} inline:{KEY} UNENCRYPTED_SRTP",
        f"1 NULL inline:{KEY}",
    ],
)
def test_what_is_no_key_of_ours_is_left(value: str) -> None:
    assert read_crypto(value) is None
    read = read_crypto(f"7 {SUITE} inline:{KEY}|2^31 WSH=64")
    assert read is not None
    assert (read.tag, read.key) == ("7", bytes(range(30)))
    assert KEY not in repr(read)
    assert str(read.key) not in repr(read)
