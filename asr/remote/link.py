"""The link of a server to Ray: a process that is started again whenever it ends.

In: what is to be said to ears. Out: what they say, told on the event loop.
Not known here: Ray, what the messages mean.

Bound: what waits for the pipe is what the decoder has in hand, at most one batch for each place.
"""

import asyncio
import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue

from asr.remote.types import FromLink, Linked, ToLink, Trouble

_FIRST_WORD_S = 90.0
_NEXT_WORD_S = 20.0
_LEAST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 15.0


def _child(pipe: Connection, address: str, silent_s: float, prepare: Callable[[], None] | None) -> None:
    if prepare is not None:
        prepare()
    from asr.remote.bridge import run  # Ray is imported in the child alone

    run(pipe, address, silent_s)


class ProcessLink:
    """Implements `asr.remote.decoder.Link`."""

    def __init__(self, address: str, *, silent_s: float, prepare: Callable[[], None] | None = None) -> None:
        """`prepare` is called first in the process; it is sent there."""
        self._prepare = prepare
        self._address = address
        self._silent_s = silent_s
        self._said: SimpleQueue[ToLink | None] = SimpleQueue()
        self._is_closing = threading.Event()
        self._pipe: Connection | None = None
        self._process: SpawnProcess | None = None
        self._pause_s = _LEAST_PAUSE_S

    def open(self, hear: Callable[[FromLink], None]) -> None:
        """Start the process and two threads, one for each direction."""
        self._loop = asyncio.get_running_loop()
        self._hear = hear
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("ray in", self._keep_linked), ("ray out", self._write))
        ]
        for thread in self._threads:
            thread.start()

    def send(self, message: ToLink) -> None:
        """Put it on its way; never blocks."""
        self._said.put(message)

    async def close(self) -> None:
        """End the process."""
        self._is_closing.set()
        self._said.put(None)
        if (process := self._process) is not None:
            with suppress(ValueError):  # it has just ended by itself
                process.kill()
        await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in self._threads))

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        process = self._process
        return process.pid if process else None

    def _keep_linked(self) -> None:
        while not self._is_closing.is_set():
            why = self._link_once()
            if self._is_closing.is_set():
                return
            self._tell(Trouble(message=why))
            self._is_closing.wait(self._pause_s)
            self._pause_s = min(_LONGEST_PAUSE_S, 2 * self._pause_s)

    def _link_once(self) -> str:
        """Start the process and pass on what it says; returns why it ended."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_child,
            args=(theirs, self._address, self._silent_s, self._prepare),
            name="ray",
            daemon=True,
        )
        process.start()
        theirs.close()
        self._process, self._pipe = process, ours
        if self._is_closing.is_set():
            process.kill()
        why = "连接 Ray 的进程停止了，正在重新启动。"
        wait_s = _FIRST_WORD_S
        try:
            while ours.poll(wait_s):
                message = ours.recv()
                if isinstance(message, Trouble):
                    why = message.message
                    continue
                if isinstance(message, Linked):
                    wait_s, self._pause_s = _NEXT_WORD_S, _LEAST_PAUSE_S
                self._tell(message)
            why = "连接 Ray 的进程没有反应，正在重新启动。"
        except (EOFError, OSError):
            pass
        self._pipe = self._process = None
        process.kill()
        process.join()
        process.close()
        ours.close()
        return why

    def _tell(self, message: FromLink) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._hear, message)

    def _write(self) -> None:
        while (message := self._said.get()) is not None:
            pipe = self._pipe
            if pipe is not None:
                with suppress(OSError):  # the reading thread learns of it, too
                    pipe.send(message)
