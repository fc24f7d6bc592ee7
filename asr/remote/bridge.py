"""The process between a server and Ray: finds ears, feels their pulse, passes batches and answers.

In: what a server says through a pipe. Out: through the same pipe, what becomes of it, and who is there.
Not known here: who gets which batch, what is tried again.

Ray ends a process that it cannot serve any more (its head is gone for a minute); this one may be ended, the
server with its calls may not. It lives until the pipe is closed, whatever signals the server gets.
"""

import asyncio
import logging
import os
import signal
import threading
import uuid
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

# isort: split - the door says first what Ray must not send
import ray
from ray.exceptions import ActorDiedError, RayError, RayTaskError

from asr.ray_door import enter, is_stranded
from asr.remote.looking import Seen
from asr.remote.types import (
    PREFIX,
    Answered,
    Beat,
    Came,
    Card,
    Decode,
    Failed,
    FromLink,
    Gone,
    Holding,
    Linked,
    Silent,
    ToLink,
    Trouble,
)

log = logging.getLogger(__name__)

_LOOKS_EVERY_S = 1.0
_BEATS_EVERY_S = 1.0
_GONE = 4  # exit status where Ray is not reached, or not any more


def run(pipe: Connection, address: str, silent_s: float) -> None:
    """The body of the process."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    try:
        enter(address)
    except ConnectionError as error:
        _tell(pipe, Trouble(message=_advice(address, error)))
        os._exit(_GONE)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Ray has set its own
    asyncio.run(_Bridge(pipe, silent_s).run())
    os._exit(0)  # Ray's farewell takes a second, and the ears stay where they are


def seen(address: str, *, within_s: float) -> Seen:
    """Look once who is there. Blocks."""
    try:
        enter(address)
    except ConnectionError as error:
        return Seen(trouble=_advice(address, error))
    ears: list[Any] = []
    for name in ray.util.list_named_actors():
        if name.startswith(PREFIX):
            with suppress(ValueError):  # it has just gone
                ears.append(ray.get_actor(name).card.remote())
    answered = ray.wait(ears, num_returns=len(ears), timeout=within_s)[0] if ears else []
    cards: list[Card] = []
    for answer in answered:
        with suppress(RayError):
            cards.append(ray.get(answer))
    return Seen(
        ray=ray.__version__,
        machines=sum(bool(node["Alive"]) for node in ray.nodes()),
        cards=tuple(cards),
        unanswered=len(ears) - len(cards),
    )


def _advice(address: str, error: Exception) -> str:
    reason = str(error).partition("\n")[0][:300]
    todo = "请确认主节点在运行，且本机已用 ray start 加入（docs/cluster-ears.md）。"
    return f"连不上 Ray（{address}）：{reason}。{todo}"


def _names() -> list[str]:
    """Of all actors. Raises `_Stranded` where what we ask of Ray is no longer done."""
    if is_stranded():
        raise _Stranded
    found: list[str] = ray.util.list_named_actors()
    return found


class _Stranded(Exception):
    """The Ray of this machine is dead."""


def _tell(pipe: Connection, message: FromLink) -> None:
    try:
        pipe.send(message)
    except OSError:  # the server is gone
        os._exit(0)


class _Bridge:
    """What goes on in the event loop of the process."""

    def __init__(self, pipe: Connection, silent_s: float) -> None:
        self._pipe = pipe
        self._silent_s = silent_s
        self._server = uuid.uuid4().hex
        self._calls = 0
        self._ears: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until the server closes the pipe."""
        self._loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        threading.Thread(target=self._read, args=(ended,), daemon=True).start()
        looking = self._loop.create_task(self._look())
        await asyncio.wait(
            [looking, self._loop.create_task(ended.wait())], return_when=asyncio.FIRST_COMPLETED
        )

    def _read(self, ended: asyncio.Event) -> None:
        try:
            while True:
                self._loop.call_soon_threadsafe(self._hear, self._pipe.recv())
        except (EOFError, OSError):
            self._loop.call_soon_threadsafe(ended.set)

    def _hear(self, message: ToLink) -> None:
        if isinstance(message, Holding):
            self._calls = message.calls
        else:
            self._go_on(self._decode(message))

    def _go_on(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self) -> None:
        """See who has come, for ever; each look also shows the server that this process lives."""
        while True:
            _tell(self._pipe, Linked(ray=ray.__version__))
            try:
                names = await asyncio.wait_for(asyncio.to_thread(_names), self._silent_s)
            except _Stranded:
                _tell(self._pipe, Trouble(message="本机的 Ray 停止了，正在重新连接。"))
                os._exit(_GONE)
            except (TimeoutError, RayError, OSError, RuntimeError) as error:
                log.warning("the head of Ray does not answer: %s", type(error).__name__)
                names = []
            for name in names:
                if name.startswith(PREFIX) and name not in self._ears:
                    self._ears[name] = None
                    self._go_on(self._attend(name))
            await asyncio.sleep(_LOOKS_EVERY_S)

    async def _attend(self, name: str) -> None:
        """Feel the pulse of an ear until it is gone."""
        try:
            ear = await asyncio.to_thread(ray.get_actor, name)
            card = await ear.card.remote()
        except (RayError, ValueError):  # it died while it began
            self._ears.pop(name, None)
            return
        self._ears[name] = ear
        _tell(self._pipe, Came(ear=name, card=card))
        while name in self._ears:
            try:
                beating = asyncio.ensure_future(ear.beat.remote(self._server, self._calls))
                if not (await asyncio.wait([beating], timeout=self._silent_s))[0]:
                    _tell(self._pipe, Silent(ear=name))
                _tell(self._pipe, Beat(ear=name, pulse=await beating))
            except ActorDiedError:
                self._bury(name)
                return
            except RayError:  # the way to it is broken, maybe only for now
                _tell(self._pipe, Silent(ear=name))
            await asyncio.sleep(_BEATS_EVERY_S)

    def _bury(self, name: str) -> None:
        if self._ears.pop(name, None) is not None:
            _tell(self._pipe, Gone(ear=name))

    async def _decode(self, message: Decode) -> None:
        ear = self._ears.get(message.ear)
        if ear is None:
            self._fail(message, "Gone", is_engine=False)
            return
        try:
            found = await ear.decode.remote(message.batch)
        except ActorDiedError:
            self._bury(message.ear)
            self._fail(message, "ActorDiedError", is_engine=False)
        except RayTaskError as error:
            self._fail(message, type(error.cause).__name__, is_engine=True)
        except RayError as error:
            _tell(self._pipe, Silent(ear=message.ear))
            self._fail(message, type(error).__name__, is_engine=False)
        else:
            _tell(self._pipe, Answered(attempt=message.attempt, found=found))

    def _fail(self, message: Decode, reason: str, *, is_engine: bool) -> None:
        _tell(self._pipe, Failed(attempt=message.attempt, reason=reason, is_engine=is_engine))
