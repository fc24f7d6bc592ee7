"""One ear: holds the model for its whole life and decodes the batches of all servers.

In: batches. Out: hypotheses; a `Card`, and a `Pulse` for whoever asks.
Not known here: Ray, servers, calls.

Bound: every server has at most as many batches here as there are workers; finals go before partials, and
these before recordings.
"""

import asyncio
import heapq
import os
import platform
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from itertools import count

import numpy as np
from threadpoolctl import threadpool_limits

from asr.busy import BusyShare
from asr.decoder import Batch
from asr.footprint import limit_footprint
from asr.remote.types import Card, Post, Pulse
from asr.types import SAMPLE_RATE_HZ, Hypothesis

_FORGOTTEN_AFTER_S = 10.0  # a server that asks no more has no calls
_WARM_UP_S = 2.0


class Turns:
    """So many at a time, the most urgent next."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()

    async def take(self, rank: int) -> None:
        """Wait for one's turn."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._numbers), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Let the next one in."""
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class EarActor:
    """Lives in a process of its own, which ends with it. Its methods run in one event loop."""

    def __init__(self, post: Post) -> None:
        """Load the model and warm it up; takes seconds. Raises what loading raises."""
        limit_footprint()
        threadpool_limits(1, user_api="blas")  # one core is one worker's
        self._post = post
        self._model = post.open_model()
        self._threads = ThreadPoolExecutor(self._model.workers, thread_name_prefix="ear")
        self._turns = Turns(self._model.workers)
        self._began_at = time.time()
        self._busy = BusyShare(time.monotonic())
        self._pending = self._batches = 0
        self._servers: dict[str, tuple[float, int]] = {}
        self._is_leaving = False
        noise = (
            np.random.default_rng(1).normal(0, 0.02, round(_WARM_UP_S * SAMPLE_RATE_HZ)).astype(np.float32)
        )
        warm_up = [
            self._threads.submit(self._model.transcriber.transcribe, [noise], beam_size=5)
            for _ in range(self._model.workers)
        ]
        for one in warm_up:
            one.result()

    async def card(self) -> Card:
        """Say who this is."""
        return Card(
            machine=socket.gethostname(),
            pid=os.getpid(),
            fingerprint=self._model.fingerprint,
            engine=self._model.engine,
            device=self._model.device,
            workers=self._model.workers,
            calls=self._post.calls,
            zhiting=version("zhiting"),
            python=platform.python_version(),
            began_at=self._began_at,
        )

    async def beat(self, server: str, calls: int) -> Pulse:
        """Say how things are; `server` has so many calls."""
        now = time.monotonic()
        if server:
            self._servers[server] = (now, calls)
        self._servers = {
            name: (at, calls) for name, (at, calls) in self._servers.items() if now - at < _FORGOTTEN_AFTER_S
        }
        return Pulse(
            busy=self._busy.share(now, self._model.workers),
            pending=self._pending,
            batches=self._batches,
            others_calls=sum(calls for name, (_, calls) in self._servers.items() if name != server),
            is_leaving=self._is_leaving,
        )

    async def decode(self, batch: Batch) -> list[Hypothesis]:
        """Decode when it is the batch's turn; raises whatever the engine raises."""
        self._pending += 1
        try:
            await self._turns.take(batch.rank)
            began = time.monotonic()
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads,
                    lambda: self._model.transcriber.transcribe(
                        batch.clips,
                        beam_size=batch.beam_size,
                        retry=batch.retry,
                        word_times=batch.word_times,
                    ),
                )
            finally:
                self._turns.give_back()
                now = time.monotonic()
                self._busy.add(now, now - began)
                self._batches += 1
        finally:
            self._pending -= 1

    async def leave(self) -> int:
        """Take nothing more; says how many batches are still to be finished."""
        self._is_leaving = True
        return self._pending

    async def stay(self) -> None:
        """Never ends by itself: whoever waits for it learns of the end of the ear."""
        await asyncio.Event().wait()
