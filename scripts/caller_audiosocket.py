"""Plays a recording as Asterisk does over AudioSocket: one TCP connection for each leg.

In: a recording, a plan with one port for each leg. Out: packets to the server; the line is announced before.
Not known here: how the server reads them. The packets are written from Asterisk's documentation alone, so
that the server is not tried with its own idea of them.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx

from scripts.caller_sounds import Packet, at_rate, packets_of
from scripts.callers import Heard, Pace, Plan
from scripts.replay import Recording, ReplayFailed

DEFAULT_PORTS = (9092, 9093)
_UUID = 0x01
_SOUND_OF_HZ = {
    8_000: 0x10,
    12_000: 0x11,
    16_000: 0x12,
    24_000: 0x13,
    32_000: 0x14,
    44_100: 0x15,
    48_000: 0x16,
    96_000: 0x17,
    192_000: 0x18,
}
"""Kinds of packets with signed linear sound, by its rate."""


@dataclass(frozen=True, slots=True)
class _Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def call(recording: Recording, plan: Plan) -> Heard:
    """Play the recording to its end, and wait until the server has closed. Raises `ReplayFailed`."""
    if recording.rate_hz not in _SOUND_OF_HZ:
        recording = at_rate(recording, 8000)
    await announce(recording, plan)
    packets = packets_of(recording, encoding="pcm_s16le")
    pace = Pace(plan.speed)
    broken_at_s = plan.break_at_s
    if broken_at_s is not None:
        async with connected(recording, plan) as lines:
            await _send(lines, [one for one in packets if one.leaves_s <= broken_at_s], recording, plan, pace)
            for line in lines:
                _break(line)
        await asyncio.sleep(plan.away_s)
        packets = [one for one in packets if one.at_s >= broken_at_s + plan.away_s]
    async with connected(recording, plan) as lines:
        await _send(lines, packets, recording, plan, pace)
    return Heard(plan.key)


def uuid_of(plan: Plan) -> UUID:
    """The UUID of the call's lines."""
    try:
        return UUID(plan.key)
    except ValueError:
        return uuid5(NAMESPACE_URL, plan.key)


async def announce(recording: Recording, plan: Plan) -> None:
    """Say what is to be kept of the call, as a dialplan does. Raises `ReplayFailed`."""
    form = plan.fields() | {"uuid": str(uuid_of(plan)), "call_id": plan.key}
    form["parties"] = ",".join(recording.channels)
    headers = {"Authorization": f"Bearer {plan.token}"} if plan.token else {}
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"{plan.server.rstrip('/')}/v1/telephony/lines"
            answer = await client.post(url, data=form, headers=headers)
    except httpx.HTTPError as error:
        raise ReplayFailed(f"no connection to {plan.server}: {error}") from error
    if answer.status_code != 201:
        raise ReplayFailed(
            f"the server answered {answer.status_code} to the announcement: {answer.text[:300]}"
        )


@asynccontextmanager
async def connected(recording: Recording, plan: Plan) -> AsyncIterator[list[_Line]]:
    """A connection for each leg, and a farewell as Asterisk says it: by closing. Raises `ReplayFailed`."""
    ports = plan.ports or DEFAULT_PORTS
    host = urlsplit(plan.server).hostname or "127.0.0.1"
    lines: list[_Line] = []
    try:
        for channel in range(len(recording.channels)):
            line = _Line(*await asyncio.open_connection(host, ports[min(channel, len(ports) - 1)]))
            line.writer.write(_packet(_UUID, uuid_of(plan).bytes))
            lines.append(line)
        yield lines
        for line in lines:
            if line.writer.can_write_eof():
                line.writer.write_eof()
        async with asyncio.timeout(120.0):
            for line in lines:
                with suppress(ConnectionError):
                    await line.reader.read()
    except (OSError, TimeoutError) as error:
        raise ReplayFailed(f"the line to {host}:{ports} broke: {error}") from error
    finally:
        for line in lines:
            line.writer.close()


async def _send(
    lines: Sequence[_Line], packets: Sequence[Packet], recording: Recording, plan: Plan, pace: Pace
) -> None:
    for packet in packets:
        await pace.until(packet.leaves_s)
        line = lines[packet.channel]
        if line.reader.at_eof():
            raise ConnectionError("the server hung up")
        line.writer.write(_packet(_SOUND_OF_HZ[recording.rate_hz], packet.data))
        await line.writer.drain()
        plan.on_progress(packet.leaves_s)


def _break(line: _Line) -> None:
    """As a network does it, by a reset: an orderly close is a hang-up."""
    own: socket.socket = line.writer.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.writer.transport.abort()


def _packet(kind: int, payload: bytes) -> bytes:
    """Kind, length in network order, payload."""
    return struct.pack("!BH", kind, len(payload)) + payload
