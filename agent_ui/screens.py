"""The screens' sockets: events out, commands in, one connection per screen.

In: an accepted socket and the stream it follows. Out: JSON text, at the pace of the screen.
Not known here: what a fact means, how it is stored, what a command does to a call.

A screen that takes longer than `SEND_TIMEOUT_S` for one event is closed; it reconnects with `since`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from datetime import datetime
from typing import TypeAlias

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from agent_ui.discretion import Veil
from agent_ui.hub import Hub
from agent_ui.screen_commands import (
    SCREEN_COMMANDS,
    AskQuestion,
    CorrectSegment,
    MarkSuggestion,
    RestoreSegment,
    ScreenCommand,
    TransferCall,
    UndoCorrection,
    WriteNote,
)
from agent_ui.wire import answer_text, error_text
from calls.commands import Commands
from calls.records import Records
from calls.types import CallError, Stream
from knowledge_base.types import KnowledgeError
from retrieval.types import Findings

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 10.0
LAST_WORD_S = 2.0
"""How long a closing word may take: where the way out is blocked, it never leaves."""
CLOSE_STUCK = 4408
CLOSE_BROKEN = 1011

Find: TypeAlias = Callable[[str, int], Awaitable[Findings]]
FindCall: TypeAlias = Callable[[], Awaitable[str | None]]
Pace: TypeAlias = Callable[[], Awaitable[None]]
"""Awaited before each command."""
_ANSWERS = 3
_GONE = (WebSocketDisconnect, RuntimeError)
"""What sending to a screen that has left raises; the latter where the server had closed it already."""


class Stuck(Exception):
    """The screen takes no more events."""


class Desk:
    """Serves the screens of calls and operators."""

    def __init__(
        self,
        *,
        hub: Hub,
        records: Records,
        commands: Commands,
        find: Find,
        clock: Callable[[], datetime],
    ):
        """`find` searches the knowledge base for a question asked at a screen."""
        self._hub = hub
        self._records = records
        self._commands = commands
        self._find = find
        self._clock = clock

    async def show_list(self, screen: WebSocket, stream: str, since: int | None, veil: Veil) -> None:
        """Serve a screen of all calls until it goes; each text passes the veil."""
        await self._serve(screen, stream, since, _no_call, veil=veil)

    async def show_calls_of(self, screen: WebSocket, operator_id: str, since: int | None, veil: Veil) -> None:
        """Serve a screen of the calls of one seat until it goes."""
        stream = Stream.operator(operator_id)
        await self._serve(screen, stream, since, _no_call, seat=operator_id, veil=veil)

    async def show_call(
        self,
        screen: WebSocket,
        call_id: str,
        since: int | None,
        by: str,
        veil: Veil,
        *,
        pace: Pace | None = None,
    ) -> None:
        """Serve a screen of one call until it goes; `by` is the author of what is done there."""

        async def this_call() -> str:
            return call_id

        await self._serve(screen, Stream.call(call_id), since, this_call, by=by, veil=veil, pace=pace)

    async def show_operator(
        self,
        screen: WebSocket,
        operator_id: str,
        since: int | None,
        by: str,
        veil: Veil,
        *,
        pace: Pace | None = None,
    ) -> None:
        """Serve a screen that follows an operator's current call until it goes; `by` as in `show_call`."""
        stream = Stream.operator(operator_id)

        async def current_call() -> str | None:
            return await asyncio.to_thread(self._records.current_call, stream)

        await self._serve(screen, stream, since, current_call, by=by, veil=veil, pace=pace)

    async def _serve(
        self,
        screen: WebSocket,
        stream: str,
        since: int | None,
        find_call: FindCall,
        *,
        veil: Veil,
        seat: str | None = None,
        by: str | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`find_call` names the call that commands are about."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send(screen, stream, since, seat, veil), name=f"screen {stream}")
                tasks.create_task(self._receive(screen, find_call, by, pace), name=f"commands {stream}")
        except* WebSocketDisconnect:
            pass
        except* Stuck:
            await close_screen(screen, CLOSE_STUCK)
        except* Exception as group:  # the socket's edge: a screen is told, and comes back with `since`
            log.error("a screen of %s broke", stream.partition(":")[0], exc_info=group)
            text = error_text(
                "screen.failed", "服务内部出错，正在重新连接。", self._clock(), recoverable=True
            )
            await close_screen(screen, CLOSE_BROKEN, text)

    async def _send(
        self, screen: WebSocket, stream: str, since: int | None, seat: str | None, veil: Veil
    ) -> None:
        async with aclosing(self._hub.follow(stream, since, seat=seat)) as texts:
            async for text in texts:
                await send_text(screen, veil(text))

    async def _receive(
        self, screen: WebSocket, find_call: FindCall, by: str | None, pace: Pace | None
    ) -> None:
        while True:
            message = await screen.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1006))
            if pace is not None:
                await pace()
            try:
                command = SCREEN_COMMANDS.validate_json(message.get("text") or b"")
                call_id = await find_call()
                await self._obey(screen, command, call_id, by)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                await self._complain(screen, "screen.bad_command", f"指令格式不对：{first['msg']}")
            except (CallError, KnowledgeError) as error:
                await self._complain(screen, error.code, error.message)

    async def _obey(
        self, screen: WebSocket, command: ScreenCommand, call_id: str | None, by: str | None
    ) -> None:
        if isinstance(command, AskQuestion):
            found = await self._find(command.text, _ANSWERS)
            await send_text(screen, answer_text(call_id, command.text, found, self._clock()))
            return
        if call_id is None:
            raise CallError("现在没有通话，这个操作无法执行。", code="screen.no_call")
        match command:
            case MarkSuggestion():
                await self._commands.mark(
                    call_id, command.suggestion_id, command.article_id, command.mark, by=by
                )
            case CorrectSegment():
                await self._commands.correct(call_id, command.segment_id, command.text, by=by)
            case UndoCorrection():
                await self._commands.undo(call_id, command.segment_id, command.index, by=by)
            case RestoreSegment():
                await self._commands.restore(call_id, command.segment_id, by=by)
            case WriteNote():
                await self._commands.write_note(call_id, command.note_id, command.text, by=by)
            case TransferCall():
                await self._commands.transfer(call_id, command.operator_id, command.message, by=by)

    async def _complain(self, screen: WebSocket, code: str, message: str) -> None:
        await send_text(screen, error_text(code, message, self._clock(), recoverable=True))


async def send_text(screen: WebSocket, text: str) -> None:
    """Send one event. Raises `WebSocketDisconnect` where it has left, `Stuck` where it does not read."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await screen.send_text(text)
    except TimeoutError:
        raise Stuck from None
    except RuntimeError as error:
        raise WebSocketDisconnect(1006) from error


async def close_screen(screen: WebSocket, code: int, text: str | None = None) -> None:
    """Say a last word, as far as the screen still hears one."""
    with suppress(*_GONE, TimeoutError):
        async with asyncio.timeout(LAST_WORD_S):
            if text is not None:
                await screen.send_text(text)
            await screen.close(code)


async def _no_call() -> None:
    """A list of calls is about no single call."""
