"""Plays a recording as RTP, as Asterisk's externalMedia sends it: one stream for each leg.

In: a recording, a plan. Out: datagrams, to ports that the server was asked for; the end is said over HTTP.
Not known here: how the server reads them.
"""

import asyncio
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np

from calls.ingest.ari import FORMATS
from calls.ingest.rtp import RtpPacket, written
from scripts.caller_sounds import Packet, at_rate, impaired, packets_of
from scripts.callers import Heard, Pace, Plan
from scripts.replay import Recording, ReplayFailed

PAYLOAD_TYPES = {"mulaw": 0, "alaw": 8, "pcm_s16le": 118}
_ARI_NAMES = {"mulaw": "ulaw", "alaw": "alaw"}


@dataclass(slots=True)
class RtpSender:
    """The streams of all legs, from one beginning in time."""

    addresses: Sequence[tuple[str, int]]
    """Where each channel of the recording is sent."""
    rate_hz: int
    payload_type: int
    ssrcs: Sequence[int] = field(default_factory=lambda: [secrets.randbits(32) for _ in range(2)])
    first_number: int = field(default_factory=lambda: secrets.randbits(16))
    first_timestamp: int = field(default_factory=lambda: secrets.randbits(32))

    async def send(self, packets: Sequence[Packet], plan: Plan, pace: Pace) -> None:
        """Send each packet when it leaves."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for packet in packets:
                await pace.until(packet.leaves_s)
                data = packet.data
                if self.payload_type == PAYLOAD_TYPES["pcm_s16le"]:
                    data = np.frombuffer(data, "<i2").astype(">i2").tobytes()
                datagram = RtpPacket(
                    payload_type=self.payload_type,
                    number=self.first_number + packet.number,
                    timestamp=self.first_timestamp + round(packet.at_s * self.rate_hz),
                    ssrc=self.ssrcs[packet.channel],
                    payload=data,
                )
                out.sendto(written(datagram), self.addresses[packet.channel])
                plan.on_progress(packet.leaves_s)


async def call(recording: Recording, plan: Plan) -> Heard:
    """Play the recording to its end. Raises `ReplayFailed`."""
    encoding = plan.encoding or "alaw"
    if encoding != "pcm_s16le" or _slin(recording.rate_hz) is None:
        recording = at_rate(recording, 8000)
    packets = impaired(packets_of(recording, encoding=encoding), plan.impairment)
    headers = {"Authorization": f"Bearer {plan.token}"} if plan.token else {}
    async with httpx.AsyncClient(base_url=plan.server, headers=headers, trust_env=False) as client:
        addresses = await _ask_for_ports(client, recording, plan, encoding)
        pace = Pace(plan.speed)
        if plan.break_at_s is not None:
            broken_at_s = plan.break_at_s
            before = [packet for packet in packets if packet.leaves_s <= broken_at_s]
            await RtpSender(addresses, recording.rate_hz, PAYLOAD_TYPES[encoding]).send(before, plan, pace)
            await asyncio.sleep(plan.away_s)
            packets = [packet for packet in packets if packet.at_s >= broken_at_s + plan.away_s]
        await RtpSender(addresses, recording.rate_hz, PAYLOAD_TYPES[encoding]).send(packets, plan, pace)
        answer = await client.delete(f"/v1/telephony/rtp/{plan.key}")
        if answer.status_code != 204:
            raise ReplayFailed(f"the end was answered {answer.status_code}: {answer.text[:300]}")
    return Heard(plan.key)


async def _ask_for_ports(
    client: httpx.AsyncClient, recording: Recording, plan: Plan, encoding: str
) -> list[tuple[str, int]]:
    body = plan.fields() | {
        "call_id": plan.key,
        "format": _ARI_NAMES.get(encoding) or _slin(recording.rate_hz),
        "parties": list(recording.channels),
    }
    try:
        answer = await client.post("/v1/telephony/rtp", json=body)
    except httpx.HTTPError as error:
        raise ReplayFailed(f"no connection to {plan.server}: {error}") from error
    if answer.status_code != 201:
        raise ReplayFailed(f"the server answered {answer.status_code}: {answer.text[:300]}")
    hosts = [leg["external_host"].rpartition(":") for leg in answer.json()["legs"]]
    return [(host, int(port)) for host, _, port in hosts]


def _slin(rate_hz: int) -> str | None:
    """Asterisk's name of linear sound at that rate."""
    found = (
        name for name, codec in FORMATS.items() if codec.encoding == "pcm_s16le" and codec.rate_hz == rate_hz
    )
    return next(found, None)
