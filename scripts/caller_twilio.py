"""Plays a recording as Twilio Media Streams and its look-alikes do.

In: a recording, a plan. Out: JSON messages to the server.
Not known here: how the server reads them.
"""

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from scripts.caller_sounds import Packet, at_rate, impaired, packets_of
from scripts.callers import Heard, Pace, Plan, connected, cut, refuse_disorder, until_closed
from scripts.replay import Recording

_TRACKS = {"citizen": "inbound", "mixed": "inbound", "operator": "outbound"}
_STREAM = "MZ" + "0" * 32
_ACCOUNT = "AC" + "0" * 32


async def call(recording: Recording, plan: Plan) -> Heard:
    """Play the recording to its end. Raises `ReplayFailed`."""
    heard = Heard(key=plan.key)
    encoding = plan.encoding or ("pcm_s16le" if plan.carrier == "exotel" else "mulaw")
    recording = at_rate(recording, 8000)
    packet_s = 0.1 if plan.carrier == "exotel" else 0.02
    packets = impaired(packets_of(recording, encoding=encoding, packet_s=packet_s), plan.impairment)
    pace = Pace(plan.speed)
    broken_at_s = plan.break_at_s
    if broken_at_s is not None:
        before = [packet for packet in packets if packet.leaves_s <= broken_at_s]
        async with connected(plan, heard) as socket:
            await _begin(socket, recording, plan, encoding)
            await _send(socket, before, recording, plan, pace, 0.0)
            cut(socket)
        await asyncio.sleep(plan.away_s)
        packets = [packet for packet in packets if packet.at_s >= broken_at_s + plan.away_s]
    async with connected(plan, heard) as socket:
        try:
            await _begin(socket, recording, plan, encoding)
            # A new stream has a new clock.
            origin_s = broken_at_s + plan.away_s if broken_at_s is not None else 0.0
            await _send(socket, packets, recording, plan, pace, origin_s)
            if plan.carrier == "plivo":  # closes, and says nothing before
                await socket.close(1000)
            else:
                await socket.send(json.dumps(_stop(plan)))
        except ConnectionClosed:
            refuse_disorder(socket)
        await until_closed(socket)
    return heard


async def _begin(socket: ClientConnection, recording: Recording, plan: Plan, encoding: str) -> None:
    await socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
    await socket.send(
        json.dumps(_START[plan.carrier](plan, [_TRACKS[c] for c in recording.channels], encoding))
    )


async def _send(
    socket: ClientConnection,
    packets: Sequence[Packet],
    recording: Recording,
    plan: Plan,
    pace: Pace,
    origin_s: float,
) -> None:
    first = min((packet.number for packet in packets), default=0)
    for n, packet in enumerate(packets):
        await pace.until(packet.leaves_s)
        track = _TRACKS[recording.channels[packet.channel]]
        media = {
            "track": track,
            "chunk": str(packet.number - first + 1),
            "timestamp": str(round((packet.at_s - origin_s) * 1000)),
            "payload": base64.b64encode(packet.data).decode(),
        }
        if plan.carrier == "exotel":
            del media["track"]
        await socket.send(json.dumps({"event": "media", **_top(plan, n + 2), "media": media}))
        plan.on_progress(packet.leaves_s)


def _is_snake(plan: Plan) -> bool:
    return plan.carrier in ("telnyx", "exotel")


def _top(plan: Plan, number: int) -> dict[str, Any]:
    if plan.carrier == "plivo":
        return {"sequenceNumber": number, "streamId": _STREAM}
    if plan.carrier == "telnyx":
        return {"sequence_number": str(number), "stream_id": _STREAM}
    if plan.carrier == "exotel":
        return {"sequence_number": str(number), "stream_sid": _STREAM}
    return {"sequenceNumber": str(number), "streamSid": _STREAM}


def _parameters(plan: Plan) -> dict[str, str]:
    return plan.fields() | ({"token": plan.token} if plan.token else {})


def _twilio_start(plan: Plan, tracks: list[str], encoding: str) -> dict[str, Any]:
    return {
        "event": "start",
        **_top(plan, 1),
        "start": {
            "streamSid": _STREAM,
            "accountSid": _ACCOUNT,
            "callSid": plan.key,
            "tracks": tracks,
            "mediaFormat": {
                "encoding": {"mulaw": "audio/x-mulaw", "alaw": "audio/x-alaw"}.get(encoding, "audio/x-l16"),
                "sampleRate": 8000,
                "channels": 1,
            },
            "customParameters": _parameters(plan),
        },
    }


def _telnyx_start(plan: Plan, tracks: list[str], encoding: str) -> dict[str, Any]:
    return {
        "event": "start",
        **_top(plan, 1),
        "start": {
            "user_id": "3e6f995f-85f7-4705-9741-53b116d28237",
            "call_control_id": plan.key,
            "call_session_id": "ff55a038-6f5d-11ef-9692-02420aeffb1f",
            "from": plan.caller,
            "to": plan.dialled,
            "custom_parameters": _parameters(plan),
            "media_format": {
                "encoding": {"mulaw": "PCMU", "alaw": "PCMA"}.get(encoding, "L16"),
                "sample_rate": 8000,
                "channels": 1,
            },
        },
    }


def _plivo_start(plan: Plan, tracks: list[str], encoding: str) -> dict[str, Any]:
    return {
        "event": "start",
        "sequenceNumber": 0,
        "start": {
            "callId": plan.key,
            "streamId": _STREAM,
            "accountId": "0",
            "tracks": tracks,
            "mediaFormat": {
                "encoding": "audio/x-mulaw" if encoding == "mulaw" else "audio/x-l16",
                "sampleRate": 8000,
            },
        },
        "extra_headers": ";".join(f"{name}={value}" for name, value in _parameters(plan).items()),
    }


def _exotel_start(plan: Plan, tracks: list[str], encoding: str) -> dict[str, Any]:
    return {
        "event": "start",
        **_top(plan, 1),
        "start": {
            "stream_sid": _STREAM,
            "call_sid": plan.key,
            "account_sid": _ACCOUNT,
            "from": plan.caller,
            "to": plan.dialled,
            "custom_parameters": _parameters(plan),
            "media_format": {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"},
        },
    }


_START: dict[str, Callable[[Plan, list[str], str], dict[str, Any]]] = {
    "twilio": _twilio_start,
    "talkdesk": _twilio_start,
    "signalwire": _twilio_start,
    "telnyx": _telnyx_start,
    "plivo": _plivo_start,
    "exotel": _exotel_start,
}


def _stop(plan: Plan) -> dict[str, Any]:
    name = "call_sid" if _is_snake(plan) else "callSid"
    return {"event": "stop", **_top(plan, 0), "stop": {name: plan.key}}
