"""The screens' sockets: events out, commands in, one connection per screen.

In: an accepted socket and the stream it follows. Out: JSON text, at the pace of the screen.
Not known here: what a fact means, how it is stored, what a command does to a call.

A screen that takes longer than `SEND_TIMEOUT_S` for one event is closed; it reconnects with `since`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime
from typing import TypeAlias

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
from calls.records import Records
from calls.types import CallError, Stream
from knowledge_base.types import KnowledgeError
from retrieval.types import Findings

SEND_TIMEOUT_S = 10.0
CLOSE_STUCK = 4408

Find: TypeAlias = Callable[[str, int], Awaitable[Findings]]
FindCall: TypeAlias = Callable[[], Awaitable[str | None]]
_ANSWERS = 3


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

    async def show_list(self, screen: WebSocket, stream: str, since: int | None) -> None:
        """Serve a screen of all calls until it goes."""
        await self._serve(screen, stream, since, _no_call)

    async def show_call(self, screen: WebSocket, call_id: str, since: int | None) -> None:
        """Serve a screen of one call until it goes."""

        async def this_call() -> str:
            return call_id

        await self._serve(screen, Stream.call(call_id), since, this_call)

    async def show_operator(self, screen: WebSocket, operator_id: str, since: int | None) -> None:
        """Serve a screen that follows an operator's current call until it goes."""
        stream = Stream.operator(operator_id)

        async def current_call() -> str | None:
            view = await asyncio.to_thread(self._records.view, stream)
            return view.call.call_id if view.call else None

        await self._serve(screen, stream, since, current_call)

    async def _serve(self, screen: WebSocket, stream: str, since: int | None, find_call: FindCall) -> None:
        """`find_call` names the call that commands are about."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send(screen, stream, since), name=f"screen {stream}")
                tasks.create_task(self._receive(screen, find_call), name=f"commands {stream}")
        except* WebSocketDisconnect:
            pass
        except* TimeoutError:
            await screen.close(CLOSE_STUCK)

    async def _send(self, screen: WebSocket, stream: str, since: int | None) -> None:
        async with aclosing(self._hub.follow(stream, since)) as texts:
            async for text in texts:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await screen.send_text(text)

    async def _receive(self, screen: WebSocket, find_call: FindCall) -> None:
        while True:
            message = await screen.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1006))
            try:
                command = SCREEN_COMMANDS.validate_json(message.get("text") or b"")
                call_id = await find_call()
                await self._obey(screen, command, call_id)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                await self._complain(screen, "screen.bad_command", f"指令格式不对：{first['msg']}")
            except (CallError, KnowledgeError) as error:
                await self._complain(screen, error.code, error.message)

    async def _obey(self, screen: WebSocket, command: ScreenCommand, call_id: str | None) -> None:
        if isinstance(command, AskQuestion):
            found = await self._find(command.text, _ANSWERS)
            await screen.send_text(answer_text(call_id, command.text, found, self._clock()))
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

    async def _complain(self, screen: WebSocket, code: str, message: str) -> None:
        await screen.send_text(error_text(code, message, self._clock(), recoverable=True))


async def _no_call() -> None:
    """A list of calls is about no single call."""
