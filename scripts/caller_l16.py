"""Plays a recording as FreeSWITCH, jambonz, Vonage and Sinch do: one text, then linear sound.

In: a recording, a plan. Out: messages to the server. Not known here: how the server reads them.
"""

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from scripts.caller_sounds import at_rate, encoded
from scripts.callers import Heard, Pace, Plan, connected, cut, refuse_disorder
from scripts.replay import Recording, ReplayFailed

_BLOCK_S = 0.02
_ANSWER_WITHIN_S = 30.0


async def call(recording: Recording, plan: Plan) -> Heard:
    """Play the recording to its end. Raises `ReplayFailed`."""
    heard, pace = Heard(key=plan.key), Pace(plan.speed)
    recording = at_rate(recording, recording.rate_hz if recording.rate_hz in (8000, 16_000) else 8000)
    if recording.channels == ("operator", "citizen"):  # they all send the caller first
        recording = replace(recording, samples=recording.samples[:, ::-1], channels=("citizen", "operator"))
    if plan.carrier in ("vonage", "sinch") and recording.samples.shape[1] == 2:
        recording = _laid_together(recording)
    if plan.break_at_s is None:
        await _stream(recording, plan, heard, pace, (0.0, recording.seconds))
        return heard
    await _stream(recording, plan, heard, pace, (0.0, plan.break_at_s))
    await asyncio.sleep(plan.away_s)
    heard.close_code = None
    await _stream(recording, plan, heard, pace, (plan.break_at_s + plan.away_s, recording.seconds))
    return heard


def _laid_together(recording: Recording) -> Recording:
    samples = recording.samples.astype("int32").mean(axis=1, keepdims=True).astype("int16")
    return replace(recording, samples=samples, channels=("mixed",))


async def _stream(
    recording: Recording, plan: Plan, heard: Heard, pace: Pace, span: tuple[float, float]
) -> None:
    query, headers, subprotocol, first = _first(recording, plan)
    async with connected(plan, heard, query=query, headers=headers, subprotocol=subprotocol) as socket:
        try:
            if first is not None:
                await socket.send(json.dumps(first))
            if plan.carrier == "sinch":
                await _answer(heard)
            await _send_sound(socket, recording, plan, pace, span)
        except ConnectionClosed:
            refuse_disorder(socket)
        if span[1] < recording.seconds:
            cut(socket)
        else:
            await socket.close(1000)


async def _answer(heard: Heard) -> None:
    """Wait to be let in."""
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            while not heard.texts and heard.close_code is None:
                heard.arrived.clear()
                await heard.arrived.wait()
    except TimeoutError:
        raise ReplayFailed("no answer from the server") from None
    if not heard.texts or heard.texts[-1].get("command") != "answer":
        raise ReplayFailed(f"the server said {heard.texts[-1:] or heard.close_code}")


def _first(recording: Recording, plan: Plan) -> tuple[str, dict[str, str], str | None, dict[str, Any] | None]:
    """The query, headers, subprotocol and first message."""
    mix = "stereo" if len(recording.channels) == 2 else "mixed" if "mixed" in recording.channels else "mono"
    rate_hz = recording.rate_hz
    bearer = {"Authorization": f"Bearer {plan.token}"} if plan.token else {}
    fields = plan.fields()
    match plan.carrier:
        case "freeswitch":
            query = urlencode({"rate": f"{rate_hz // 1000}k", "mix": mix})
            return f"?{query}", bearer, None, {"uuid": plan.key} | fields
        case "audiofork":
            query = urlencode({"rate": rate_hz, "mix": mix, "uuid": plan.key})
            return f"?{query}", bearer, "audio.drachtio.org", fields
        case "jambonz":
            # `wsAuth` is Basic authentication.
            basic = base64.b64encode(f"zhiting:{plan.token or ''}".encode()).decode()
            first = {
                "callSid": plan.key,
                "direction": "inbound",
                "from": plan.caller,
                "to": plan.dialled,
                "callStatus": "in-progress",
                "sampleRate": rate_hz,
                "mixType": mix,
                "operator_id": plan.operator_id,
            }
            return "", {"Authorization": f"Basic {basic}"}, "audio.jambonz.org", first
        case "vonage":
            first = {"event": "websocket:connected", "content-type": f"audio/l16;rate={rate_hz}"}
            token = {"token": plan.token} if plan.token else {}
            return "", {}, None, first | {"call_uuid": plan.key} | fields | token
    headers = [{"key": name, "value": value} for name, value in fields.items()]
    connect = {
        "command": "connect",
        "version": 1,
        "callId": plan.key,
        "applicationKey": "0",
        "codec": "PCM",
        "sampleRate": rate_hz,
        "callHeaders": headers,
    }
    return (f"?{urlencode({'token': plan.token})}" if plan.token else ""), {}, None, connect


async def _send_sound(
    socket: ClientConnection, recording: Recording, plan: Plan, pace: Pace, span: tuple[float, float]
) -> None:
    position, last = (round(one * recording.rate_hz) for one in span)
    block = round(_BLOCK_S * recording.rate_hz)
    while position < last:
        piece = recording.samples[position : min(position + block, last)]
        position += len(piece)
        await pace.until(position / recording.rate_hz)
        await socket.send(encoded(piece.reshape(-1), "pcm_s16le"))
        plan.on_progress(position / recording.rate_hz)
