"""The hall over its socket and over REST.

In: sockets and requests that passed the door. Out: events, the snapshot with what is counted of it.
Not known here: what is counted, and how.
"""

import asyncio
import logging
from contextlib import aclosing

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect

from agent_ui.hall_desk import HallDesk
from agent_ui.hall_events import HallOut
from agent_ui.screens import CLOSE_BROKEN, CLOSE_STUCK, Stuck, close_screen, send_text
from agent_ui.wire import error_text

log = logging.getLogger(__name__)

_READY_WITHIN_S = 10.0


def hall_router(desk: HallDesk) -> APIRouter:
    """`/v1/hall`."""
    router = APIRouter(prefix="/v1/hall", tags=["hall"])

    @router.get("", response_model_by_alias=True)
    async def show_hall() -> HallOut:
        """The day so far, for programs that keep no socket."""
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                return await desk.counted()
        except TimeoutError:
            message = "今日数据正在准备，请稍后再试；一直如此时请查看服务日志。"
            raise HTTPException(503, {"code": "hall.not_ready", "message": message}) from None

    return router


async def show_board(screen: WebSocket, desk: HallDesk, since: int | None) -> None:
    """Serve a board until it goes; it has nothing to say."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_send(screen, desk, since), name="hall")
            tasks.create_task(_hear_it_leave(screen), name="hall leaves")
    except* WebSocketDisconnect:
        pass
    except* Stuck:
        await close_screen(screen, CLOSE_STUCK)
    except* Exception as group:  # the socket's edge: a board is told, and comes back with `since`
        log.error("a board of the hall broke", exc_info=group)
        now = (await desk.snapshot()).at
        text = error_text("screen.failed", "服务内部出错，正在重新连接。", now, recoverable=True)
        await close_screen(screen, CLOSE_BROKEN, text)


async def _send(screen: WebSocket, desk: HallDesk, since: int | None) -> None:
    async with aclosing(desk.follow(since)) as texts:
        async for text in texts:
            await send_text(screen, text)


async def _hear_it_leave(screen: WebSocket) -> None:
    while True:
        message = await screen.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
