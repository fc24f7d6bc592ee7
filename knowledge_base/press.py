"""Publishing in a process of its own, so that the calls of this one go on undisturbed.

In: the command that publishes, and the folder of versions whose note tells how far it is.
Out: a publish under way, its state, or the error with which a short command ended.
Not known here: what is published, how low the command sets its own priority.

At most one command of this press runs at a time; a second is refused and its caller is told.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from knowledge_base.json_text import loads
from knowledge_base.progress import ProgressNote, PublishState, Stage
from knowledge_base.types import KnowledgeError

Around: TypeAlias = Callable[[str], AbstractContextManager[Mapping[str, str]]]
"""Looks at a command from its start to its end; gives what to add to its environment."""

_ENDED_BADLY = "发布进程异常结束，详情见服务器日志。"


class Press:
    """Runs one command at a time. Close it before the versions' folder goes away."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        clock: Callable[[], datetime],
        around: Around = lambda name: nullcontext({}),
    ):
        """The command takes `publish --background`, or `rollback --background -- VERSION`.

        Where it fails it exits with a code other than 0 and prints `{code, message}` as its last line.
        """
        self._command = tuple(command)
        self._environment = dict(environment)
        self._around = around
        self._note = ProgressNote(folder)
        self._clock = clock
        self._publishing: asyncio.Task[None] | None = None
        self._started_at: datetime | None = None
        self._failure: KnowledgeError | None = None
        self._is_busy = False

    def state(self) -> PublishState:
        """The newest publish, of this process or of another one. Reads a small file."""
        state = self._note.read()
        if self._started_at is None:
            return state
        is_ours = state.started_at is not None and state.started_at >= self._started_at
        if self._publishing is not None:
            if not is_ours:
                return PublishState(stage=Stage.STARTING, started_at=self._started_at)
            # Until its process has ended no other publish can begin, so it is not over either.
            return state if state.is_running else replace(state, stage=Stage.CHECKING)
        failure = self._failure
        if failure is not None and not (is_ours and state.stage is Stage.FAILED):
            return PublishState(
                stage=Stage.FAILED,
                started_at=self._started_at,
                code=failure.code,
                message=failure.message,
            )
        return state

    def publish(self) -> PublishState:
        """Begin to publish; returns at once. Raises `KnowledgeError` (`kb.publishing`) where one runs."""
        self._refuse_a_second()
        self._started_at, self._failure = self._clock(), None
        self._publishing = asyncio.create_task(self._publish(), name="publish")
        return self.state()

    async def roll_back(self, version: str) -> None:
        """Serve a kept version again; returns when that is settled. Raises `KnowledgeError`."""
        self._refuse_a_second()
        await self._run("rollback", "--background", "--", version)

    async def close(self) -> None:
        """End a running publish; what it embedded is kept for the next one."""
        if self._publishing is not None:
            self._publishing.cancel()
            await asyncio.gather(self._publishing, return_exceptions=True)

    def _refuse_a_second(self) -> None:
        if self._is_busy or self._publishing is not None or self._note.read().is_running:
            raise KnowledgeError("另一次发布正在进行，请稍后再试。", code="kb.publishing", recoverable=True)

    async def _publish(self) -> None:
        try:
            await self._run("publish", "--background")
        except KnowledgeError as error:
            self._failure = error
        finally:
            self._publishing = None

    async def _run(self, *arguments: str) -> None:
        self._is_busy = True
        try:
            with self._around(arguments[0]) as more:
                await self._run_within(more, arguments)
        finally:
            self._is_busy = False

    async def _run_within(self, more: Mapping[str, str], arguments: Sequence[str]) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment | dict(more),
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise _failure_told(output)


def _failure_told(output: bytes) -> KnowledgeError:
    try:
        told = loads(output.decode().strip().rpartition("\n")[2])
        return KnowledgeError(told["message"], code=told["code"])
    except (ValueError, KeyError, TypeError):
        return KnowledgeError(_ENDED_BADLY, code="kb.publish_failed")
