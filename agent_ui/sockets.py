"""The addresses of the sockets: who comes to which one, and who may not.

In: opened sockets. Out: each handed to the screens' desk or to the audio door.
Not known here: what is said over them.

Whoever is in is looked at again every half minute: a session that has ended, a token that was revoked or a
call that went to somebody else closes the socket. A page cannot see the pings of a socket: a screen that
asks for it is told every few seconds that the server is there, and so notices a network that is gone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeAlias

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from access.types import Caller, Scope
from agent_ui.discretion import veil_of_calls, veil_of_lists
from agent_ui.door import CLOSE_FOREIGN_ORIGIN as CLOSE_FORBIDDEN
from agent_ui.door import CLOSE_UNAUTHORISED, Door
from agent_ui.hall_desk import HallDesk
from agent_ui.hall_rest import show_board
from agent_ui.screens import Desk, Stuck, send_text
from agent_ui.wire import alive_text
from calls.ingest.websocket import carry
from calls.switchboard import Switchboard
from calls.types import Stream

LOOK_EVERY_S = 30.0
ALIVE_EVERY_S = 5.0

Seat: TypeAlias = Callable[[str], Awaitable[str | None]]
"""The seat of a call; None where there is no such call, or none at a seat."""
May: TypeAlias = Callable[[Caller], Awaitable[bool]]
Work: TypeAlias = Callable[[Caller], Coroutine[Any, Any, None]]


def socket_router(
    *,
    door: Door,
    desk: Desk,
    hall: HallDesk,
    switchboard: Switchboard,
    seat_of: Seat,
    clock: Callable[[], datetime],
) -> APIRouter:
    """The sockets of lines and screens."""
    router = APIRouter()

    async def show(screen: WebSocket, is_told: bool, may: May, work: Work) -> None:
        """Serve a screen, and tell it meanwhile that the server is there where `is_told`."""

        def work_and_tell(caller: Caller) -> Coroutine[Any, Any, None]:
            return _tell_meanwhile(screen, clock, work(caller)) if is_told else work(caller)

        await _serve(door, screen, may, work_and_tell)

    async def sees_all(caller: Caller) -> bool:
        return caller.may(Scope.CALLS_ALL)

    async def brings_calls(caller: Caller) -> bool:
        return caller.may(Scope.AUDIO)

    @router.websocket("/v1/calls/audio")
    async def audio(line: WebSocket) -> None:
        def work(caller: Caller) -> Coroutine[Any, Any, None]:
            # Whoever sees their own calls alone brings none for others.
            is_limited = caller.is_person and not caller.may(Scope.CALLS_ALL)
            own_seat = (caller.operator_id or "") if is_limited else None
            return carry(line, switchboard, own_seat=own_seat, seat_of=seat_of)

        await _serve(door, line, brings_calls, work)

    @router.websocket("/v1/screens/calls")
    async def call_list(screen: WebSocket, since: int | None = None, alive: bool = False) -> None:
        await show(
            screen,
            alive,
            sees_all,
            lambda who: desk.show_list(screen, Stream.CALLS, since, veil_of_lists(who)),
        )

    @router.websocket("/v1/screens/hall")
    async def board(screen: WebSocket, since: int | None = None, alive: bool = False) -> None:
        await show(screen, alive, _sees_the_hall, lambda who: show_board(screen, hall, since))

    @router.websocket("/v1/screens/calls/{call_id}")
    async def one_call(
        screen: WebSocket, call_id: str, since: int | None = None, alive: bool = False
    ) -> None:
        async def may(caller: Caller) -> bool:
            return caller.may_see_calls_of(await seat_of(call_id))

        await show(
            screen,
            alive,
            may,
            lambda caller: desk.show_call(
                screen,
                call_id,
                since,
                caller.name,
                veil_of_calls(caller, clock),
                pace=lambda: door.pace(caller),
            ),
        )

    @router.websocket("/v1/screens/operators/{operator_id}")
    async def operator(
        screen: WebSocket, operator_id: str, since: int | None = None, alive: bool = False
    ) -> None:
        async def may(caller: Caller) -> bool:
            return caller.may_see_calls_of(operator_id)

        await show(
            screen,
            alive,
            may,
            lambda caller: desk.show_operator(
                screen,
                operator_id,
                since,
                caller.name,
                veil_of_calls(caller, clock),
                pace=lambda: door.pace(caller),
            ),
        )

    @router.websocket("/v1/screens/operators/{operator_id}/calls")
    async def calls_of_operator(
        screen: WebSocket, operator_id: str, since: int | None = None, alive: bool = False
    ) -> None:
        async def may(caller: Caller) -> bool:
            return caller.may_see_calls_of(operator_id)

        await show(
            screen,
            alive,
            may,
            lambda caller: desk.show_calls_of(screen, operator_id, since, veil_of_lists(caller, operator_id)),
        )

    return router


async def _sees_the_hall(caller: Caller) -> bool:
    return caller.may(Scope.HALL)


async def _enter(door: Door, socket: WebSocket, may: May) -> Caller | None:
    """Accept first: a browser sees the code of a close, but not that of a refused handshake."""
    await socket.accept()
    caller = await door.admit(socket)
    if isinstance(caller, int):
        await socket.close(caller)
        return None
    if not await may(caller):
        await socket.close(CLOSE_FORBIDDEN)
        return None
    return caller


async def _serve(door: Door, socket: WebSocket, may: May, work: Work) -> None:
    """Let a caller in and do the work until it ends, or until the caller may not stay."""
    caller = await _enter(door, socket, may)
    if caller is None:
        return
    working = asyncio.create_task(work(caller))
    try:
        while not working.done():
            await asyncio.wait({working}, timeout=LOOK_EVERY_S)
            if not working.done() and not await door.still_holds(caller):
                await _close(socket, CLOSE_UNAUTHORISED)
                break
            if not working.done() and not await may(caller):
                await _close(socket, CLOSE_FORBIDDEN)
                break
    finally:
        if not working.done():
            working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _tell_meanwhile(
    screen: WebSocket, clock: Callable[[], datetime], work: Coroutine[Any, Any, None]
) -> None:
    telling = asyncio.create_task(_tell_alive(screen, clock))
    try:
        await work
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


async def _tell_alive(screen: WebSocket, clock: Callable[[], datetime]) -> None:
    """Until it has gone, or takes nothing any more: whoever sends it events, or the pings, see to that."""
    with suppress(WebSocketDisconnect, Stuck):
        while True:
            await send_text(screen, alive_text(clock()))
            await asyncio.sleep(ALIVE_EVERY_S)


async def _close(socket: WebSocket, code: int) -> None:
    with suppress(RuntimeError):  # it has gone meanwhile
        await socket.close(code)
