"""The addresses of the sockets: who comes to which one, and who may not.

In: opened sockets. Out: each handed to the screens' desk or to the audio door.
Not known here: what is said over them.
"""

from fastapi import APIRouter, WebSocket

from agent_ui.access import TokenRule
from agent_ui.screens import Desk
from calls.ingest.websocket import carry
from calls.switchboard import Switchboard
from calls.types import Stream


def socket_router(*, rule: TokenRule, desk: Desk, switchboard: Switchboard) -> APIRouter:
    """The sockets of lines and screens."""
    router = APIRouter()

    async def may_enter(socket: WebSocket) -> bool:
        """Accept first: a browser sees the code of a close, but not that of a refused handshake."""
        await socket.accept()
        code = rule.close_code(socket)
        if code is not None:
            await socket.close(code)
        return code is None

    @router.websocket("/v1/calls/audio")
    async def audio(line: WebSocket) -> None:
        if await may_enter(line):
            await carry(line, switchboard)

    @router.websocket("/v1/screens/calls")
    async def call_list(screen: WebSocket, since: int | None = None) -> None:
        if await may_enter(screen):
            await desk.show_list(screen, Stream.CALLS, since)

    @router.websocket("/v1/screens/hall")
    async def hall(screen: WebSocket, since: int | None = None) -> None:
        if await may_enter(screen):
            await desk.show_list(screen, Stream.HALL, since)

    @router.websocket("/v1/screens/calls/{call_id}")
    async def one_call(screen: WebSocket, call_id: str, since: int | None = None) -> None:
        if await may_enter(screen):
            await desk.show_call(screen, call_id, since)

    @router.websocket("/v1/screens/operators/{operator_id}")
    async def operator(screen: WebSocket, operator_id: str, since: int | None = None) -> None:
        if await may_enter(screen):
            await desk.show_operator(screen, operator_id, since)

    return router
