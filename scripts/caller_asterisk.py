"""Plays a recording as Asterisk's chan_websocket does: one websocket for each voice.

In: a recording, a plan. Out: the first message and raw frames to the server.
Not known here: how the server reads them.
"""

import asyncio
import base64
import uuid
from contextlib import AsyncExitStack
from urllib.parse import urlencode

import numpy as np
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from scripts.caller_sounds import at_rate, encoded
from scripts.callers import Heard, Pace, Plan, connected, cut, refuse_disorder
from scripts.replay import Recording, ReplayFailed

_BLOCK_S = 0.02
_FORMATS = {"mulaw": "ulaw", "alaw": "alaw", "pcm_s16le": "slin"}


async def call(recording: Recording, plan: Plan) -> Heard:
    """Play the recording to its end. Raises `ReplayFailed`."""
    encoding = plan.encoding or "mulaw"
    recording = at_rate(
        recording, 16_000 if recording.rate_hz == 16_000 and encoding == "pcm_s16le" else 8000
    )
    pace = Pace(plan.speed)
    if plan.break_at_s is None:
        await _legs(recording, plan, encoding, pace, (0.0, recording.seconds))
    else:
        await _legs(recording, plan, encoding, pace, (0.0, plan.break_at_s))
        await asyncio.sleep(plan.away_s)
        await _legs(recording, plan, encoding, pace, (plan.break_at_s + plan.away_s, recording.seconds))
    return Heard(key=plan.key)


async def _legs(
    recording: Recording, plan: Plan, encoding: str, pace: Pace, span: tuple[float, float]
) -> None:
    """All voices side by side; the connections are cut where the span does not reach the recording's end."""
    is_alone = len(recording.channels) == 1
    basic = base64.b64encode(f"zhiting:{plan.token or ''}".encode()).decode()
    async with AsyncExitStack() as stack:
        lines: list[ClientConnection] = []
        for party in recording.channels:
            asked = {
                "call": plan.key,
                "party": party,
                **({"alone": "1"} if is_alone else {}),
                **plan.fields(),
            }
            lines.append(
                await stack.enter_async_context(
                    connected(
                        plan,
                        Heard(key=plan.key),
                        query=f"?{urlencode(asked)}",
                        headers={"Authorization": f"Basic {basic}"} if plan.token else None,
                        subprotocol="media",
                    )
                )
            )
        try:
            for line in lines:
                await line.send(_media_start(recording.rate_hz, encoding))
            await _send_sound(lines, recording, encoding, pace, span, plan)
        except ConnectionClosed as error:
            for line in lines:
                refuse_disorder(line)
            raise ReplayFailed("the server closed a connection") from error
        for line in lines:
            if span[1] < recording.seconds:
                cut(line)
            else:
                await line.close(1000)


def _media_start(rate_hz: int, encoding: str) -> str:
    named = _FORMATS[encoding] + ("16" if rate_hz == 16_000 else "")
    size = round(_BLOCK_S * rate_hz) * (2 if encoding == "pcm_s16le" else 1)
    return (
        f"MEDIA_START connection_id:{uuid.uuid4()} channel:WebSocket/zhiting/0x1 "
        f"format:{named} optimal_frame_size:{size}"
    )


async def _send_sound(
    lines: list[ClientConnection],
    recording: Recording,
    encoding: str,
    pace: Pace,
    span: tuple[float, float],
    plan: Plan,
) -> None:
    position, last = (round(one * recording.rate_hz) for one in span)
    block = round(_BLOCK_S * recording.rate_hz)
    while position < last:
        piece = recording.samples[position : min(position + block, last)]
        position += len(piece)
        await pace.until(position / recording.rate_hz)
        for channel, line in enumerate(lines):
            await line.send(encoded(np.ascontiguousarray(piece[:, channel]), encoding))
        plan.on_progress(position / recording.rate_hz)
