"""Our own audio socket, `WS /v1/calls/audio`: one connection carries one call.

In: a start message, then binary sound and a few text messages. Out: `started`, `ended` and errors.
Not known here: recognition, screens, what happens to a call beyond its line.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from calls.admission import Opening
from calls.ingest.messages import BadMessage, Dtmf, Pause, Start, Stop, Unpause, read_message
from calls.session import Session
from calls.switchboard import Switchboard
from calls.types import CallBroken, CallConflict, CallError, HouseFull, StorageFailed, UnknownCall

log = logging.getLogger(__name__)

SeatOf = Callable[[str], Awaitable[str | None]]
"""The seat of a call."""


class NotYours(CallError):
    """The line may not bring or take up this call."""

    code = "call.not_yours"


CLOSE_CODES: dict[type[CallError], int] = {
    BadMessage: 1007,
    CallConflict: 4409,
    UnknownCall: 4404,
    NotYours: 4403,
    HouseFull: 1013,
    CallBroken: 1011,
    StorageFailed: 1011,
}
"""The close code that follows an error which ends the connection. Documented in docs/protocol.md."""

MAX_MESSAGE_BYTES = 1_048_576
START_WITHIN_S = 30.0
"""How long an open connection may stay without saying what it wants."""

_GONE = (WebSocketDisconnect, RuntimeError)
"""What sending to a carrier that has left raises; the latter where the server had closed it already."""


async def carry(
    socket: WebSocket,
    switchboard: Switchboard,
    *,
    own_seat: str | None = None,
    seat_of: SeatOf | None = None,
) -> None:
    """Carry one call over an accepted socket until it stops, fails or vanishes.

    With `own_seat` the line may bring calls for that seat alone; `seat_of` then says whose a call is that is
    to be taken up again.
    """
    session: Session | None = None
    try:
        session, received_s = await _open(socket, switchboard, own_seat, seat_of)
        await _say_started(socket, session, received_s)
        await _take_messages(socket, switchboard, session)
        seconds = await switchboard.hang_up(session)
    except WebSocketDisconnect:
        await _lose(switchboard, session)
    except CallError as error:
        await _lose(switchboard, session)
        await _refuse(socket, error)
    except Exception as error:  # the socket's edge: a carrier is told, and its call is not held for ever
        log.error("an audio socket broke", exc_info=error)
        await _lose(switchboard, session)
        await _refuse(socket, CallBroken("服务内部出错，线路已断开，可以重连。"))
    else:
        ended = {"type": "ended", "call_id": session.call.call_id, "seconds": round(seconds, 3)}
        await _close(socket, 1000, ended)


async def _open(
    socket: WebSocket, switchboard: Switchboard, own_seat: str | None, seat_of: SeatOf | None
) -> tuple[Session, float]:
    try:
        async with asyncio.timeout(START_WITHIN_S):
            message = await socket.receive()
    except TimeoutError:
        raise BadMessage(f"{START_WITHIN_S:.0f} 秒内没有收到 start。", code="call.not_started") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    text = message.get("text")
    if text is None:
        raise BadMessage("第一条消息必须是 start，然后才是声音。", code="call.not_started")
    start = read_message(text)
    if not isinstance(start, Start):
        raise BadMessage("第一条消息必须是 start。", code="call.not_started")
    if own_seat == "":
        raise NotYours("您的账号还没有坐席号，不能接入通话，请联系管理员。")
    if start.reconnect and start.call_id is not None:
        if own_seat is not None and (seat_of is None or await seat_of(start.call_id) != own_seat):
            raise NotYours("这通电话不属于您的坐席。")
        return await switchboard.reconnect(start.call_id, start.audio_format, is_buffered=start.buffered)
    opening = Opening(
        call_id=start.call_id or f"c-{secrets.token_hex(8)}",
        audio_format=start.audio_format,
        operator_id=start.operator_id if own_seat is None else own_seat,
        caller=start.caller,
        dialled=start.dialled,
        started_at=start.started_at,
        meta=start.meta,
    )
    return await switchboard.open(opening), 0.0


async def _say_started(socket: WebSocket, session: Session, received_s: float) -> None:
    # Finer than one sample of any rate: who reconnects goes on at exactly this place.
    started = {"type": "started", "call_id": session.call.call_id, "received_s": round(received_s, 6)}
    try:
        await _send(socket, started)
    except RuntimeError as error:
        raise WebSocketDisconnect(1006) from error


async def _take_messages(socket: WebSocket, switchboard: Switchboard, session: Session) -> None:
    """Feed sound until `stop`. Raises `WebSocketDisconnect` when the line vanishes."""
    frame_bytes = session.line.frame_bytes
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        data = message.get("bytes")
        if data is not None:
            if len(data) % frame_bytes:
                await _complain(
                    socket, "asr.misaligned", f"这条声音消息不是 {frame_bytes} 字节的整数倍，已整条丢弃。"
                )
            elif data:
                await switchboard.feed(session, data)
            continue
        try:
            text = read_message(message["text"])
        except BadMessage as error:
            await _complain(socket, error.code, error.message)
            continue
        match text:
            case Stop():
                return
            case Pause():
                switchboard.pause(session, is_paused=True)
            case Unpause():
                switchboard.pause(session, is_paused=False)
            case Start():
                await _complain(socket, "call.already_started", "通话已经开始，重复的 start 被忽略。")
            case Dtmf():
                pass  # known and allowed; nothing of a key press is kept


async def _lose(switchboard: Switchboard, session: Session | None) -> None:
    """The line is gone. Where even that cannot be written down, the call is given up in time all the same."""
    if session is None:
        return
    try:
        await switchboard.lose(session)
    except StorageFailed as error:
        log.warning("the loss of a line is not on record: %s", error.code)


async def _complain(socket: WebSocket, code: str, message: str) -> None:
    """Tell the carrier; one that has left is noticed at the next `receive`."""
    with suppress(*_GONE):
        await _send(socket, {"type": "error", "code": code, "message": message, "recoverable": True})


async def _refuse(socket: WebSocket, error: CallError) -> None:
    event = {"type": "error", "code": error.code, "message": error.message, "recoverable": False}
    await _close(socket, CLOSE_CODES.get(type(error), 1011), event)


async def _close(socket: WebSocket, code: int, message: dict[str, Any]) -> None:
    """Say the last word; a carrier that is gone already does not hear it."""
    with suppress(*_GONE):
        await _send(socket, message)
        await socket.close(code)


async def _send(socket: WebSocket, message: dict[str, Any]) -> None:
    await socket.send_text(json.dumps(message, ensure_ascii=False))
