"""Plays a recording as Genesys Cloud does with an AudioHook.

In: a recording, a plan. Out: JSON control messages and interleaved sound to the server.
Not known here: how the server reads them.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from scripts.caller_sounds import at_rate, encoded
from scripts.callers import Heard, Pace, Plan, connected, cut, until_closed
from scripts.replay import Recording, ReplayFailed

_ORGANIZATION = "d7934305-0972-4844-938e-9060eef73d05"
_CHANNELS = {"citizen": "external", "mixed": "external", "operator": "internal"}
_BLOCK_S = 0.1
_PING_EVERY_S = 5.0
_ANSWER_WITHIN_S = 30.0
PROBE = str(uuid.UUID(int=0))


@dataclass(slots=True)
class _Session:
    """One session's counters."""

    socket: ClientConnection
    heard: Heard
    plan: Plan
    key: str
    channels: list[str]
    seq: int = 0
    position_s: float = 0.0
    continued: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, kind: str, parameters: dict[str, Any]) -> None:
        self.seq += 1
        message = {
            "version": "2",
            "id": self.key,
            "type": kind,
            "seq": self.seq,
            "serverseq": max((one["seq"] for one in self.heard.texts if one["id"] == self.key), default=0),
            "position": f"PT{self.position_s:.3f}S",
            "parameters": parameters,
        }
        await self.socket.send(json.dumps(message))

    async def answer(self, kind: str) -> dict[str, Any]:
        """Wait for a message of that type. Raises `ReplayFailed` with the server's words where it refuses."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                while True:
                    for one in self.heard.texts:
                        if one["id"] == self.key and one["type"] == kind:
                            return one
                        if one["type"] == "disconnect":
                            raise ReplayFailed(f"disconnect: {one['parameters']}")
                    if self.heard.close_code is not None:
                        raise ReplayFailed(f"the server closed with {self.heard.close_code}")
                    self.heard.arrived.clear()
                    await self.heard.arrived.wait()
        except TimeoutError:
            raise ReplayFailed(f"no `{kind}` from the server") from None


def signed(plan: Plan, session: str, *, secret: str, api_key: str, now_s: float) -> dict[str, str]:
    """The headers of a signed connection (HTTP Message Signatures, HMAC-SHA256)."""
    address = urlsplit(plan.server)
    headers = {
        "audiohook-organization-id": _ORGANIZATION,
        "audiohook-session-id": session,
        "audiohook-correlation-id": str(uuid.uuid4()),
        "x-api-key": api_key,
    }
    covered = {"@request-target": f"/v1/lines/{plan.carrier}", "@authority": address.netloc} | headers
    names = " ".join(f'"{name}"' for name in covered)
    nonce = base64.b64encode(secrets.token_bytes(18)).decode()
    parameters = (
        f'({names});keyid="{api_key}";nonce="{nonce}";alg="hmac-sha256"'
        f";created={int(now_s)};expires={int(now_s) + 10}"
    )
    base = "".join(f'"{name}": {value}\n' for name, value in covered.items())
    base += f'"@signature-params": {parameters}'
    digest = hmac.digest(base64.b64decode(secret), base.encode(), hashlib.sha256)
    return headers | {
        "signature-input": f"sig1={parameters}",
        "signature": f"sig1=:{base64.b64encode(digest).decode()}:",
    }


async def call(recording: Recording, plan: Plan) -> Heard:
    """Play the recording to its end. Raises `ReplayFailed`."""
    recording = at_rate(recording, 8000)
    first = plan.key if _is_uuid(plan.key) else str(uuid.uuid5(uuid.NAMESPACE_OID, plan.key))
    pace, heard = Pace(plan.speed), Heard(key=first)
    if plan.break_at_s is None:
        await _session(recording, plan, heard, pace, first, [], (0.0, recording.seconds))
        return heard
    seq = await _session(recording, plan, heard, pace, first, [], (0.0, plan.break_at_s))
    await asyncio.sleep(plan.away_s)
    heard.close_code = None
    continued = [{"id": first, "serverseq": len(heard.texts), "clientseq": seq}]
    span = (plan.break_at_s + plan.away_s, recording.seconds)
    await _session(recording, plan, heard, pace, str(uuid.uuid4()), continued, span)
    return heard


async def _session(
    recording: Recording,
    plan: Plan,
    heard: Heard,
    pace: Pace,
    key: str,
    continued: list[dict[str, Any]],
    span: tuple[float, float],
) -> int:
    """One session over one connection; it is cut where it does not reach the recording's end."""
    api_key = plan.token or "none"
    if plan.secret:
        headers = signed(plan, key, secret=plan.secret, api_key=api_key, now_s=time.time())
    else:
        headers = {"x-api-key": api_key, "audiohook-session-id": key}
    encoding = plan.encoding or "mulaw"
    async with AsyncExitStack() as stack:
        socket = await stack.enter_async_context(connected(plan, heard, headers=headers))
        session = _Session(socket, heard, plan, key, [_CHANNELS[name] for name in recording.channels])
        try:
            await session.send("open", _open(plan, session.channels, encoding, continued))
            await session.answer("opened")
            await _send_sound(session, recording, encoding, pace, span)
            if span[1] < recording.seconds:
                cut(socket)
                return session.seq
            await session.send("close", {"reason": "end"})
            await session.answer("closed")
        except ConnectionClosed as error:
            raise ReplayFailed(f"the server closed with {socket.close_code}") from error
        await until_closed(socket)
    return session.seq


def _open(plan: Plan, channels: list[str], encoding: str, continued: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = "PCMU" if encoding == "mulaw" else "L16"
    offers = [{"type": "audio", "format": wanted, "channels": channels, "rate": 8000}]
    offers += [{"type": "audio", "format": wanted, "channels": [name], "rate": 8000} for name in channels]
    parameters: dict[str, Any] = {
        "organizationId": _ORGANIZATION,
        "conversationId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"conversation {plan.key}")),
        "participant": {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"participant {plan.key}")),
            "ani": plan.caller or "",
            "aniName": "",
            "dnis": plan.dialled or "",
        },
        "media": offers,
        "language": "zh-CN",
        "customConfig": {"operator_id": plan.operator_id} if plan.operator_id else {},
    }
    return parameters | ({"continuedSessions": continued} if continued else {})


async def _send_sound(
    session: _Session, recording: Recording, encoding: str, pace: Pace, span: tuple[float, float]
) -> None:
    position, last = (round(one * recording.rate_hz) for one in span)
    block = round(_BLOCK_S * recording.rate_hz)
    pinged_s = 0.0
    origin_s = span[0]
    while position < last:
        piece = recording.samples[position : min(position + block, last)]
        position += len(piece)
        at_s = position / recording.rate_hz
        await pace.until(at_s)
        await session.socket.send(encoded(piece.reshape(-1), encoding))
        session.position_s = at_s - origin_s
        session.plan.on_progress(at_s)
        if at_s - pinged_s >= _PING_EVERY_S:
            pinged_s = at_s
            await session.send("ping", {})


def _is_uuid(key: str) -> bool:
    try:
        return str(uuid.UUID(key)) == key
    except ValueError:
        return False
