"""Plays a recording as a session border controller does: a SIPREC recording client (RFC 7866).

In: a recording, a plan with the SIP port. Out: an INVITE with SDP and metadata, RTP for each leg, a BYE.
Not known here: how the server reads them.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from calls.ingest.messages import BadMessage
from calls.ingest.sip import SipMessage, SipStream, parameter, read_message, request_bytes
from scripts.caller_rtp import PAYLOAD_TYPES, RtpSender
from scripts.caller_sounds import at_rate, impaired, packets_of
from scripts.callers import Heard, Pace, Plan
from scripts.replay import Recording, ReplayFailed

DEFAULT_PORT = 5060
_WAIT_S = 60.0
_NAMES = {"alaw": "PCMA/8000", "mulaw": "PCMU/8000", "pcm_s16le": "L16/8000"}
_BOUNDARY = "zhiting-boundary"


async def call(recording: Recording, plan: Plan) -> Heard:
    """Play the recording to its end. Raises `ReplayFailed`."""
    encoding = plan.encoding or "alaw"
    recording = at_rate(recording, 8000)
    packets = impaired(packets_of(recording, encoding=encoding), plan.impairment)
    host = urlsplit(plan.server).hostname or "127.0.0.1"
    port = (plan.ports or (DEFAULT_PORT,))[0]
    async with connected(host, port) as client:
        offer = offer_of(recording.channels, PAYLOAD_TYPES[encoding], _NAMES[encoding])
        kind, body = multipart(offer, metadata_of(plan, recording.channels))
        answer = await client.request("INVITE", {"Content-Type": kind, "Require": "siprec"}, body)
        if answer.status != 200:
            raise ReplayFailed(f"the server answered {answer.status}")
        client.acknowledge(answer)
        addresses = [(host, at) for at in ports_in(answer)]
        pace = Pace(plan.speed)
        if plan.break_at_s is not None:
            broken_at_s = plan.break_at_s
            before = [packet for packet in packets if packet.leaves_s <= broken_at_s]
            await RtpSender(addresses, 8000, PAYLOAD_TYPES[encoding]).send(before, plan, pace)
            await asyncio.sleep(plan.away_s)
            packets = [packet for packet in packets if packet.at_s >= broken_at_s + plan.away_s]
        await RtpSender(addresses, 8000, PAYLOAD_TYPES[encoding]).send(packets, plan, pace)
        if (answer := await client.request("BYE")).status != 200:
            raise ReplayFailed(f"the server answered {answer.status} to BYE")
    return Heard(plan.key)


class SipClient:
    """One dialog from the side that calls."""

    def __init__(self, host: str, port: int, transport: str, send: asyncio.Queue[bytes]):
        self.call_id = f"{secrets.token_hex(8)}@client"
        self.arrived: asyncio.Queue[SipMessage] = asyncio.Queue()
        self.tag = secrets.token_hex(4)
        self.to_tag = ""
        self.cseq = 0
        self.target = f"sip:record@{host}:{port}"
        self._address = f"{host}:{port}"
        self._transport = transport
        self._send = send

    def headers(self, method: str, *, cseq: int | None = None, branch: str = "") -> list[tuple[str, str]]:
        """What every request of the dialog has."""
        to = f"<{self.target}>" + (f";tag={self.to_tag}" if self.to_tag else "")
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        return [
            ("Via", f"SIP/2.0/{self._transport} 127.0.0.1:9;rport;branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:client@127.0.0.1>;tag={self.tag}"),
            ("To", to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{self.cseq if cseq is None else cseq} {method}"),
            ("Contact", f"<sip:client@127.0.0.1:9;transport={self._transport.lower()}>;+sip.src"),
        ]

    async def request(
        self, method: str, more: Mapping[str, str] | None = None, body: bytes = b"", **changes: Any
    ) -> SipMessage:
        """Send a request, again where nothing comes back; returns its final answer. Raises `ReplayFailed`."""
        self.cseq += 1
        headers = self.headers(method, **changes)
        data = request_bytes(method, self.target, [*headers, *(more or {}).items()], body)
        wait_s, waited_s = 0.5, 0.0
        while waited_s < _WAIT_S:
            self._send.put_nowait(data)
            try:
                async with asyncio.timeout(wait_s):
                    return await self._answer_to(method)
            except TimeoutError:
                waited_s += wait_s
                wait_s = min(2 * wait_s, 4.0) if self._transport == "UDP" else _WAIT_S
        raise ReplayFailed(f"no answer to {method} from {self._address}")

    async def _answer_to(self, method: str) -> SipMessage:
        while True:
            message = await self.arrived.get()
            if message.method == method and message.cseq == self.cseq and message.status >= 200:
                if message.status < 300:
                    self.to_tag = parameter(message.one("to"), "tag")
                return message

    def acknowledge(self, answer: SipMessage) -> None:
        """Say that an answer to INVITE has arrived."""
        self.send(request_bytes("ACK", self.target, self.headers("ACK", cseq=answer.cseq)))

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._send.put_nowait(data)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, arrived: asyncio.Queue[SipMessage]):
        self._arrived = arrived

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._arrived.put_nowait(read_message(data))


@asynccontextmanager
async def connected(host: str, port: int, transport: str = "UDP") -> AsyncIterator[SipClient]:
    """A client on a socket of its own. Raises `ReplayFailed`."""
    sending: asyncio.Queue[bytes] = asyncio.Queue()
    client = SipClient(host, port, transport, sending)
    try:
        carry = _carry_udp if transport == "UDP" else _carry_tcp
        task = asyncio.create_task(carry(host, port, client, sending))
        yield client
        await asyncio.sleep(0)  # what was handed over last is sent
    finally:
        task.cancel()
        (failed,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(failed, OSError | BadMessage):
        raise ReplayFailed(f"SIP to {host}:{port} broke: {failed}")


async def _carry_udp(host: str, port: int, client: SipClient, sending: asyncio.Queue[bytes]) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(client.arrived), remote_addr=(host, port))
    try:
        while True:
            transport.sendto(await sending.get())
    finally:
        transport.close()


async def _carry_tcp(host: str, port: int, client: SipClient, sending: asyncio.Queue[bytes]) -> None:
    reader, writer = await asyncio.open_connection(host, port)

    async def read() -> None:
        stream = SipStream()
        while data := await reader.read(65_536):
            for one in stream.read(data):
                client.arrived.put_nowait(read_message(one))

    reading = asyncio.create_task(read())
    try:
        while True:
            writer.write(await sending.get())
            await writer.drain()
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()


def offer_of(
    labels: Sequence[str], payload_type: int, name: str, *, direction: str = "sendonly", port: int = 49_170
) -> bytes:
    """SDP with a stream for each label."""
    lines = ["v=0", "o=SRC 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    for number in range(len(labels)):
        lines += [
            f"m=audio {port + 2 * number if port else 0} RTP/AVP {payload_type}",
            f"a=rtpmap:{payload_type} {name}",
            f"a=label:{number + 1}",
            f"a={direction}",
        ]
    return "\r\n".join(lines).encode() + b"\r\n"


def metadata_of(plan: Plan, channels: Sequence[str]) -> bytes:
    """`rs-metadata` that says who speaks in which stream."""
    people = {"citizen": plan.caller or "anonymous", "operator": plan.operator_id or "operator"}
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<recording xmlns="urn:ietf:params:xml:ns:recording:1">',
        "<datamode>complete</datamode>",
        f'<session session_id="{plan.key}"/>',
    ]
    for number, channel in enumerate(channels):
        user = people.get(channel, "anonymous")
        parts += [
            f'<participant participant_id="p{number}"><nameID aor="sip:{user}@pbx"/></participant>',
            f'<stream stream_id="s{number}" session_id="{plan.key}"><label>{number + 1}</label></stream>',
            f'<participantstreamassoc participant_id="p{number}"><send>s{number}</send>'
            "</participantstreamassoc>",
        ]
    return ("".join(parts) + "</recording>").encode()


def multipart(sdp: bytes, metadata: bytes) -> tuple[str, bytes]:
    """Both in one body: its type and its bytes."""
    edge = f"--{_BOUNDARY}".encode()
    body = b"\r\n".join(
        (
            edge,
            b"Content-Type: application/sdp\r\n",
            sdp.rstrip(b"\r\n"),
            edge,
            b"Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n",
            metadata,
            edge + b"--\r\n",
        )
    )
    return f"multipart/mixed;boundary={_BOUNDARY}", body


def ports_in(answer: SipMessage) -> list[int]:
    """The ports of an answer's streams, in their order."""
    lines = answer.body.decode().splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith("m=audio")]
