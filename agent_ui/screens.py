"""The screens' sockets: events out, commands in, one connection per screen.

In: an accepted socket and the stream it follows. Out: JSON text, at the pace of the screen.
Not known here: what a fact means, how it is stored, what a command does to a call.

A screen that takes longer than `SEND_TIMEOUT_S` for one event is closed; it reconnects with `since`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from agent_ui.events import (
    SCREEN_COMMANDS,
    AskQuestion,
    CorrectSegment,
    MarkSuggestion,
    ScreenCommand,
    UndoCorrection,
)
from agent_ui.hub import Hub
from agent_ui.wire import answer_text, error_text
from calls.commands import Commands
from calls.types import CallError
from knowledge_base.types import KnowledgeError
from retrieval.types import Findings

SEND_TIMEOUT_S = 10.0
CLOSE_STUCK = 4408

Find = Callable[[str, int], Awaitable[Findings]]
_ANSWERS = 3


class Desk:
    """Serves the screens of calls and operators."""

    def __init__(self, *, hub: Hub, commands: Commands, find: Find, clock: Callable[[], datetime]):
        """`find` searches the knowledge base for a question asked at a screen."""
        self._hub = hub
        self._commands = commands
        self._find = find
        self._clock = clock

    async def serve(
        self,
        socket: WebSocket,
        stream: str,
        since: int | None,
        find_call: Callable[[], Awaitable[str | None]] | None,
    ) -> None:
        """Serve one screen until it goes. `find_call` names the call that commands are about."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send(socket, stream, since), name=f"screen {stream}")
                tasks.create_task(self._receive(socket, find_call), name=f"commands {stream}")
        except* WebSocketDisconnect:
            pass
        except* TimeoutError:
            await socket.close(CLOSE_STUCK)

    async def _send(self, socket: WebSocket, stream: str, since: int | None) -> None:
        async with aclosing(self._hub.follow(stream, since)) as texts:
            async for text in texts:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await socket.send_text(text)

    async def _receive(
        self, socket: WebSocket, find_call: Callable[[], Awaitable[str | None]] | None
    ) -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1006))
            try:
                command = SCREEN_COMMANDS.validate_json(message.get("text") or b"")
                call_id = await find_call() if find_call else None
                await self._obey(socket, command, call_id)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                await self._complain(socket, "screen.bad_command", f"指令格式不对：{first['msg']}")
            except (CallError, KnowledgeError) as error:
                await self._complain(socket, error.code, error.message)

    async def _obey(self, socket: WebSocket, command: ScreenCommand, call_id: str | None) -> None:
        if isinstance(command, AskQuestion):
            found = await self._find(command.text, _ANSWERS)
            await socket.send_text(answer_text(call_id, command.text, found, self._clock()))
            return
        if call_id is None:
            raise CallError("现在没有通话，这个操作无法执行。", code="screen.no_call")
        match command:
            case MarkSuggestion():
                await self._commands.mark(call_id, command.suggestion_id, command.article_id, command.mark)
            case CorrectSegment():
                await self._commands.correct(call_id, command.segment_id, command.text)
            case UndoCorrection():
                await self._commands.undo(call_id, command.segment_id, command.index)

    async def _complain(self, socket: WebSocket, code: str, message: str) -> None:
        await socket.send_text(error_text(code, message, self._clock(), recoverable=True))
